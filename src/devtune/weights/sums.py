"""Hashes that came along with a checkpoint: its files are what their publisher or copier wrote.

Reads `SHA256SUMS`, in the format of `sha256sum`, and the files it names; writes nothing.
"""

import re
from pathlib import Path, PurePosixPath

from devtune.errors import DevtuneError, one_line
from devtune.fingerprint import hash_file
from devtune.progress import Progress

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


def verify_sums(path: Path, progress: Progress, not_read: tuple[str, ...] = ()) -> int:
    """Hash every file of `path` that its SHA256SUMS names; return how many there were.

    Names that start with one of `not_read` are of the layout that is not imported: they need not
    be there. Raises `DevtuneError` for the first file that is missing or has another content.
    """
    if not (path / SUMS).is_file():
        return 0
    known = {
        name: digest for name, digest in read_sums(path).items() if not name.startswith(not_read)
    }
    for name in known:
        if not (path / name).is_file():
            raise DevtuneError(f"{path / name}: missing, but {SUMS} names it; copy it again")
    for name, digest in progress.track("import", known.items(), len(known), "files hashed"):
        if (found := hash_file(path / name)) != digest:
            raise DevtuneError(
                f"{path / name}: sha256 is {found[:16]}…, {SUMS} says {digest[:16]}…; copy it again"
            )
    return len(known)


def read_sums(path: Path) -> dict[str, str]:
    """Return the sha256 of each file that `path`/SHA256SUMS names, in its order."""
    file = path / SUMS
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise DevtuneError(f"{file}: not text; make it with `sha256sum`") from None
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    known: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if not (match := _LINE.fullmatch(line)):
            raise DevtuneError(
                f"{file}:{number}: not a sha256 and a file name; make it with `sha256sum`"
            )
        name = PurePosixPath(match[2])
        if name.is_absolute() or ".." in name.parts:
            raise DevtuneError(f"{file}:{number}: {name} is outside the directory; remove the line")
        known[str(name)] = match[1].lower()
    return known
