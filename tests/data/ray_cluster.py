import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from tests.data.slurm import ROOT, free_ports, wait_for


def missing() -> str:
    # Not imported: Ray reads its settings at the first import.
    return "" if importlib.util.find_spec("ray") else "needs the package ray"


@contextlib.contextmanager
def cluster() -> Generator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    port = free_ports(1)[0]
    known = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    options = (
        "--head",
        "--block",
        f"--port={port}",
        "--num-cpus=2",
        "--memory=8000000000",
        "--object-store-memory=100000000",
        "--include-dashboard=false",
        "--disable-usage-stats",
        f"--temp-dir={folder}",
    )
    with (folder / "out").open("wb") as out:
        head = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *options],
            stdout=out,
            stderr=out,
            env={**os.environ, **known, "PYTHONPATH": str(ROOT)},
        )
    try:
        wait_for(lambda: "Ray runtime started" in (folder / "out").read_text(), "Ray has started")
        told = re.search(r"--address='(\S+)'", (folder / "out").read_text())
        assert told
        yield {**known, "RAY_ADDRESS": told[1]}
    finally:
        head.terminate()
        head.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)
