"""What a result on the disk needs besides its bytes: that they stay, and who may read them."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Have the disk hold a file or a folder for good."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def permitted() -> int:
    """Return the permissions that the umask leaves a folder; a file's are the same but 0o111."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o777 & ~umask
