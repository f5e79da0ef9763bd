"""breeze, built once and kept where pytest keeps what outlives a run."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import devtune.weights
from devtune.progress import Progress
from devtune.weights.breeze import build_breeze


def built(request, format):
    parts = ("breeze", "checkpoint", "entries", "fp8", "identity", "tekken")
    folder = Path(devtune.weights.__file__).parent
    source = b"".join((folder / f"{part}.py").read_bytes() for part in parts)
    key = hashlib.sha256(source).hexdigest()[:16]
    shared = request.config.cache.mkdir("devtune_breeze") / f"{format}-{key}"
    if not (shared / "metrics.json").is_file():
        with tempfile.TemporaryDirectory(dir=shared.parent) as scratch:
            metrics = build_breeze(Path(scratch) / "model", Progress("quiet"), format)
            (Path(scratch) / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
            for stale in shared.parent.glob(f"{format}-*"):
                shutil.rmtree(stale, ignore_errors=True)
            shutil.copytree(scratch, shared)
    return shared
