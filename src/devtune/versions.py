"""What a result was made with: versions of the libraries, and the commit of this checkout.

Recorded in every manifest, never part of a fingerprint.
"""

import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

VERSIONED = (
    "devtune", "accelerate", "bitsandbytes", "datasets", "deepspeed", "kingfisher-secret-scanner",
    "mistral-common", "peft", "pyarrow", "safetensors", "torch", "transformers", "trl",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Return the installed version of each library that shapes a result."""
    return installed(VERSIONED)


def installed(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of the named distributions that are installed."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def own_commit() -> str | None:
    """Return the commit of the checkout this code runs from, if it is one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), "rev-parse", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or None
