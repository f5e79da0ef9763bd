"""Where devtune keeps what takes long to make and can be made anew: compiled rules, extensions.

Writes folders under `$XDG_CACHE_HOME/devtune`, or `~/.cache/devtune`.
"""

import os
from pathlib import Path


def cache_dir(name: str) -> Path | None:
    """Return a folder of this user alone, made if need be; None where none can be written."""
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(root, "devtune", name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # the latter where this user has no home at all
        return None
    return folder if os.access(folder, os.W_OK) else None
