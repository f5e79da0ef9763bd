"""The directory a stage works in: owned by one process, closed to others, kept where precious.

Reads and writes `<out>.partial/`; a mark in it says of which work it is.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devtune.differences import differences
from devtune.errors import DevtuneError
from devtune.fingerprint import fingerprint_of

MARK = ".fingerprint"
LOCK_ATTEMPTS = 100
PRIVATE, READING = 0o700, 0o055


@contextmanager
def owned(
    scratch: Path,
    signed: Mapping[str, Any],
    resumable: bool,
    precious: tuple[str, ...],
    permissions: int,
) -> Generator[None]:
    """Own the scratch directory: empty, or as a killed run of the same work left it.

    `signed` says which work. Raises `Busy` when another process is at work there, `DevtuneError`
    where another work left there what is never thrown away, or where others could look in.
    """
    handle = _lock(scratch)
    try:
        _close(scratch, permissions)
        if not (resumable and _is_of(scratch, signed, precious)):
            for child in scratch.iterdir():
                is_folder = child.is_dir() and not child.is_symlink()
                shutil.rmtree(child) if is_folder else child.unlink()
            (scratch / MARK).write_text(json.dumps(signed, default=str), encoding="utf-8")
        yield
    except (OSError, DevtuneError):
        if not resumable:
            shutil.rmtree(scratch, ignore_errors=True)
        raise
    finally:
        os.close(handle)


def _is_of(scratch: Path, signed: Mapping[str, Any], precious: tuple[str, ...]) -> bool:
    """Whether a killed run of the same work left the scratch directory.

    Raises `DevtuneError` where another work left there what is never thrown away.
    """
    try:
        left: dict[str, Any] = json.loads((scratch / MARK).read_text(encoding="utf-8"))
        if fingerprint_of(left) == fingerprint_of(signed):
            return True
        reasons = "; ".join(differences(left, signed))
    except (OSError, ValueError, KeyError):
        reasons = "it does not say of what"
    if any(any(scratch.glob(each)) for each in precious):
        raise DevtuneError(
            f"{scratch}: holds what another run has learnt: {reasons}; set another run_dir, or move"
            " it away to begin anew"
        )
    return False


def _lock(scratch: Path) -> int:
    """Return a handle that holds the lock on the directory now called `scratch`."""
    refused: OSError | None = None
    for _ in range(LOCK_ATTEMPTS):
        try:
            scratch.mkdir(PRIVATE, parents=True, exist_ok=True)
            handle = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        except (FileExistsError, FileNotFoundError) as error:
            if scratch.exists() and not scratch.is_dir():
                raise
            refused = error
            continue  # its owner renamed it into place between two of our steps
        refused = None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), scratch.stat()):
                return handle
        except BlockingIOError:
            os.close(handle)
            break
        except FileNotFoundError:
            pass
        os.close(handle)
    if refused:  # every time alike: no other process is behind it
        raise refused
    raise Busy(f"{scratch}: another devtune is at work here; wait for it")


def _close(directory: Path, permissions: int) -> None:
    """Let nobody else look in; a file system that lets in whom the result does not is refused."""
    directory.chmod(PRIVATE)
    if directory.stat().st_mode & READING & ~permissions:
        raise DevtuneError(
            f"{directory}: this file system lets everyone read what is written to it; set another"
            " run_dir, or `readable_by: everyone` and an umask that lets them"
        )


class Busy(DevtuneError):
    """Another process holds the scratch directory; it must not be cleaned away."""
