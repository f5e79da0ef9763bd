"""The secret of a site, under which values get names that cannot be guessed back.

Reads the file a recipe names; writes nothing. The salt is never an argument, logged or written.
"""

import hmac
from pathlib import Path

from devtune.errors import RecipeError, one_line

MIN_SALT_BYTES = 32


def read_salt(file: Path | None) -> bytes:
    """Return what names placeholders, nothing where there is no file.

    Raises `RecipeError` for a salt that could be guessed, or that others can read.
    """
    if file is None:
        return b""
    try:
        salt, mode = file.read_bytes(), file.stat().st_mode
    except OSError as error:
        raise RecipeError(one_line(error, file)) from None
    if mode & 0o077:
        raise RecipeError(f"{file}: others than its owner can read it; chmod 600 {file.name}")
    if len(salt) < MIN_SALT_BYTES:
        raise RecipeError(
            f"{file}: a salt of less than {MIN_SALT_BYTES} bytes can be guessed; write one with"
            " `openssl rand -hex 32`"
        )
    return salt


def keyed(value: str, salt: bytes) -> str:
    """Return the name of a value under this salt: 16 hexadecimal digits."""
    return hmac.digest(salt, value.encode("utf-8", "replace"), "sha256")[:8].hex()
