"""The regular files of a directory somebody exported: no symlink below it is followed.

Reads directories and files; writes nothing.
"""

import hashlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from devtune.errors import DevtuneError, one_line

SKIPPED_NAMES = (".git",)


@dataclass(frozen=True, slots=True)
class Listed:
    """One path of an export, and the reason it cannot be read, if any."""

    file: Path
    path: str
    """For people and for order: relative, bytes that are no UTF-8 spelled out."""
    reason: str = ""


def require_export(path: Path) -> None:
    """Raise `DevtuneError` where `path` is no file, and no directory that can be listed."""
    if not path.exists():
        raise DevtuneError(f"{path}: no such file or directory; correct `path` of the source")
    if not path.is_dir() and not path.is_file():
        raise DevtuneError(f"{path}: no regular file; correct `path` of the source")
    try:
        with os.scandir(path) if path.is_dir() else path.open("rb"):
            pass
    except OSError as error:
        raise DevtuneError(one_line(error, path)) from None


def walk(root: Path) -> list[Listed]:
    """Return every file below `root` in the order of its path, or `root` where that is a file.

    Raises `DevtuneError` when there are no files at all.
    """
    if not root.is_dir():
        return [Listed(root.resolve(), spell(Path(root.name)))]
    found: list[Listed] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            inside = sorted(folder.iterdir())
        except OSError:
            found.append(Listed(folder, spell(folder.relative_to(root)), "unreadable"))
            continue
        for each in inside:
            if each.name in SKIPPED_NAMES:
                continue
            reason = _look_at(each)
            if reason == "directory":
                folders.append(each)
            else:
                found.append(Listed(each, spell(each.relative_to(root)), reason))
    if not found:
        raise DevtuneError(f"{root}: no files in it; correct `path` of the source")
    return sorted(found, key=lambda each: os.fsencode(each.file))


def digest_of(files: list[Listed]) -> str:
    """Return a hash of every path and content."""
    whole = hashlib.sha256()
    for each in files:
        content = each.reason or _hash(each.file)
        whole.update(f"{each.path}\0{content}\0".encode())
    return whole.hexdigest()


def open_regular(file: Path) -> io.BufferedReader | None:
    """Open a file that is a regular one now, or return None."""
    # What was a regular file a moment ago may be a link or a pipe now.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        opened = os.fdopen(os.open(file, flags), "rb")
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        return opened
    opened.close()
    return None


def spell(path: Path) -> str:
    """Return a path for people, bytes that are no UTF-8 spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _look_at(file: Path) -> str:
    """Return `directory`, the reason a path is not read, or `""`."""
    mode = _mode(file)
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISDIR(mode):
        return "directory"
    return "" if stat.S_ISREG(mode) else "special_file" if mode else "unreadable"


def _mode(file: Path) -> int:
    try:
        return file.lstat().st_mode
    except OSError:
        return 0


def _hash(file: Path) -> str:
    opened = open_regular(file)
    if opened is None:
        return "unreadable"
    with opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
