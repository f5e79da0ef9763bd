"""What was learned about secrets, on its way from the processes that read to those that write.

Writes encrypted files and a key that only the owner can read, both inside the scratch directory
and gone when the stage ends: no secret stands on the disk in clear.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path

from cryptography.fernet import Fernet

from devtune.data.secrets import Learned

KEY, SEALED = "seal.key", "learned.sealed"


def open_key(scratch: Path) -> bytes:
    """Return the key of this run, made at the first call."""
    file = scratch / KEY
    if not file.is_file():
        draft = file.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(Fernet.generate_key())
        draft.rename(file)
    return file.read_bytes()


def seal(learned: Iterable[Learned], key: bytes, part: Path) -> None:
    """Leave what one part of the work learned beside its rows."""
    rows = [astuple(each) for each in learned]
    if rows:
        (part / SEALED).write_bytes(Fernet(key).encrypt(json.dumps(rows).encode()))


def unseal(parts: Iterable[Path], key: bytes) -> Iterator[Learned]:
    """Yield what all parts learned, in their order."""
    for part in parts:
        file = part / SEALED
        if file.is_file():
            for row in json.loads(Fernet(key).decrypt(file.read_bytes())):
                yield Learned(*row)
