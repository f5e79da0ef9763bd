"""Everything that may hold a secret, on its way from the processes that read to those that write.

Writes encrypted files and a key that only the owner can read, both inside the scratch directory
and gone when the stage ends: no file of the run holds a secret in clear.
"""

import base64
import json
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from devtune.data.privacy.marking import Learned

KEY, LEARNED = "seal.key", "learned.sealed"
KEY_BITS, NONCE_BYTES, LENGTH_BYTES = 256, 12, 4
BLOCK_BYTES = 1 << 20
"""Of a sealed file of rows; a block is sealed by itself, so that none is held in memory whole."""


def open_key(scratch: Path) -> bytes:
    """Return the key of this run, made at the first call."""
    file = scratch / KEY
    if not file.is_file():
        draft = file.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(AESGCM.generate_key(KEY_BITS))
        draft.rename(file)
    return file.read_bytes()


def seal_value(value: Any, key: bytes) -> str:
    """Return a JSON value as sealed text."""
    return base64.b64encode(_encrypt(json.dumps(value).encode(), key)).decode("ascii")


def unseal_value(text: str, key: bytes) -> Any:
    """Return what `seal_value` was given."""
    return json.loads(_decrypt(base64.b64decode(text), key))


class SealedFile:
    """A file of JSON lines that is sealed while it is written."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        self._file, self._key = file, key
        self._waiting = bytearray()

    def write(self, line: bytes) -> None:
        """Add a line, its end included."""
        self._waiting += line
        if len(self._waiting) >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Seal what waits."""
        block = _encrypt(self._waiting, self._key)
        self._file.write(len(block).to_bytes(LENGTH_BYTES, "big"))
        self._file.write(block)
        self._waiting.clear()


@contextmanager
def sealed_file(path: Path, key: bytes) -> Generator[SealedFile]:
    """Open a file to be written; it is whole when the block ends."""
    with path.open("wb") as file:
        sealed = SealedFile(file, key)
        yield sealed
        sealed.flush()


def unsealed_lines(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield the lines of a sealed file, line ends kept."""
    with path.open("rb") as file:
        while length := file.read(LENGTH_BYTES):
            block = _decrypt(file.read(int.from_bytes(length, "big")), key)
            # Any other line end is escaped in JSON.
            yield from block.splitlines(keepends=True)


def seal(learned: Iterable[Learned], key: bytes, part: Path) -> None:
    """Leave what one part of the work learned beside its rows."""
    rows = [astuple(each) for each in learned]
    if rows:
        (part / LEARNED).write_text(seal_value(rows, key), encoding="ascii")


def unseal(parts: Iterable[Path], key: bytes) -> Iterator[Learned]:
    """Yield what all parts learned, in their order."""
    for part in parts:
        file = part / LEARNED
        if file.is_file():
            for row in unseal_value(file.read_text(encoding="ascii"), key):
                yield Learned(*row)


def _encrypt(content: bytes | bytearray, key: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, None)


def _decrypt(content: bytes, key: bytes) -> bytes:
    return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], None)
