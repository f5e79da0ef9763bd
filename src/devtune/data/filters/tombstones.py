"""What a site erased and never reads again, known by keyed hashes only.

Reads and appends to the file that `collect.tombstones` names, under the secret of `collect.salt`.
"""

import fcntl
import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import with_config

from devtune.data.privacy.salt import read_salt
from devtune.errors import DevtuneError, RecipeError, one_line
from devtune.jsonl import read_jsonl, to_json
from devtune.records import STRICT

Kind = Literal["author", "path", "repo", "commit"]
ERASED = "erased"
"""Reason of whatever is left out for a tombstone."""
_NO_REPLY = "@users.noreply."


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Tombstone:
    """One thing that was erased. Nothing of it is in here, nor anything it can be guessed from."""

    kind: Kind
    key: str
    """HMAC-SHA256 under the site's salt, in hexadecimal digits."""
    scope: str
    """The same of the source it was said of, so that other sources stay as they are; of paths."""
    site: str
    """The same of nothing: tells that the salt is still the one it was written with."""
    date: str
    """When it was erased, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Tombstones:
    """All tombstones of a site, asked with values as they are; empty it knows nothing."""

    rows: tuple[Tombstone, ...] = ()
    salt: bytes = field(default=b"", repr=False)

    @staticmethod
    def load(file: Path | None, salt_file: Path | None) -> "Tombstones":
        """Read the file, empty where there is none yet.

        Raises `RecipeError` without a salt, or with another one than it was written under.
        """
        if file is None:
            return Tombstones()
        if salt_file is None:
            raise RecipeError(
                "collect.tombstones: they are keyed by the salt of the site, and there is none; set"
                " collect.salt"
            )
        salt = read_salt(salt_file)
        rows = read_tombstones(file)
        site = hash_of("site", b"", salt)
        if any(each.site != site for each in rows):
            raise RecipeError(
                f"{file}: written under another salt than {salt_file}, so what was erased would"
                " come back; restore the salt"
            )
        return Tombstones(rows, salt)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def has_author(self, author: str) -> bool:
        """Whether the author `Name <mail>`, or a login of a forge, was erased."""
        return any(self._has("author", each.encode()) for each in identities_of(author))

    def has_commit(self, commit: str) -> bool:
        """Whether a commit was erased, by its full id."""
        return self._has("commit", commit.encode())

    def has_source(self, ids: Iterable[str]) -> bool:
        """Whether a source was erased, by any of its ids."""
        return any(self._has("repo", each.encode()) for each in ids)

    def has_path_in(self, ids: Iterable[str]) -> bool:
        """Whether any path of this source was erased."""
        scopes = {each.scope for each in self.rows if each.kind == "path"}
        return bool(scopes) and any(self.hash_of("source", each.encode()) in scopes for each in ids)

    def paths(self, ids: Sequence[str]) -> Callable[[bytes], bool]:
        """Return what tells whether a path of this source, or a directory above it, was erased."""
        if not self.has_path_in(ids):
            return lambda _: False

        @lru_cache(1 << 16)
        def is_erased(path: bytes) -> bool:
            above = path.rpartition(b"/")[0]
            own = any(self._has("path", each.encode() + b"\0" + path) for each in ids)
            return own or bool(above and is_erased(above))

        return is_erased

    def concerning(
        self, ids: Iterable[str], authors: Iterable[str], commits: Iterable[str]
    ) -> list[str]:
        """Return the keys of those that leave something out of a source, for a fingerprint."""
        scopes = {self.hash_of("source", each.encode()) for each in ids}
        names = {name for each in authors for name in identities_of(each)}
        keys = {self.hash_of("repo", each.encode()) for each in ids}
        keys |= {self.hash_of("author", each.encode()) for each in names}
        if any(each.kind == "commit" for each in self.rows):
            keys |= {self.hash_of("commit", each.encode()) for each in commits}
        return sorted({row.key for row in self.rows if row.key in keys or row.scope in scopes})

    def hash_of(self, kind: str, value: bytes) -> str:
        """Return the key of a value under the salt of these."""
        return hash_of(kind, value, self.salt)

    def _has(self, kind: Kind, value: bytes) -> bool:
        known = _keys(self.rows).get(kind)
        return bool(known) and self.hash_of(kind, value) in known


@lru_cache(4)
def _keys(rows: tuple[Tombstone, ...]) -> dict[Kind, frozenset[str]]:
    kinds: set[Kind] = {each.kind for each in rows}
    return {kind: frozenset(each.key for each in rows if each.kind == kind) for kind in kinds}


def identities_of(author: str) -> tuple[str, ...]:
    """Return what an author is known by, in lower case: the address, or the name without one.

    Addresses a forge gives those who hide theirs tell the login as well.
    """
    name, _, rest = author.rpartition("<")
    mail = rest.rstrip("> ").strip().lower()
    if not mail:
        return (name.strip().lower(),) if name.strip() else ()
    if _NO_REPLY in mail:
        return mail, mail.partition("@")[0].rpartition("+")[2]
    return (mail,)


def hash_of(kind: str, value: bytes, salt: bytes) -> str:
    """Return HMAC-SHA256 of a kind and a value in hexadecimal digits."""
    return hmac.digest(salt, kind.encode() + b"\0" + value, "sha256").hex()


def read_tombstones(file: Path) -> tuple[Tombstone, ...]:
    """Return the rows of the file, none where there is none; a damaged row raises."""
    if not file.exists():
        return ()
    try:
        return tuple(read_jsonl(file, Tombstone))
    except DevtuneError as error:
        where = str(error).partition(": ")[0]
        raise RecipeError(
            f"{where}: no tombstone, so what was erased could come back; restore the file"
        ) from None


def add_tombstones(file: Path, rows: Iterable[Tombstone]) -> list[Tombstone]:
    """Append rows whose key is not there yet, all or none of them, and return those.

    Raises `DevtuneError` where the file cannot be written.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            known = read_tombstones(file)
            keys = {(each.kind, each.key) for each in known}
            new = {(each.kind, each.key): each for each in rows}
            added = [each for key, each in new.items() if key not in keys]
            if added:
                _replace(file, b"".join(map(to_json, (*known, *added))))
                os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    return added


def _replace(file: Path, content: bytes) -> None:
    handle, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def digest_of(keys: Iterable[str]) -> str:
    """Return one hash of many keys, whatever their order."""
    return hashlib.sha256("\n".join(sorted(set(keys))).encode()).hexdigest()
