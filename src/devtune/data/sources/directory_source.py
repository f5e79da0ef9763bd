"""The files of a plain directory or of an installed Python package, as rows of the corpus.

Reads regular files only: no symlink is followed, nothing is imported, no pipe or device opened.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from devtune.data.filters.classify import (
    Terms,
    decode_path,
    reject_content,
    reject_path,
    spell_path,
)
from devtune.errors import DevtuneError, one_line
from devtune.records import Provenance, Rejected, SourceFile

SKIPPED_NAMES = (b".git", b"__pycache__")


@dataclass(frozen=True, slots=True)
class Found:
    """One path of a directory: relative to its root, and the reason it cannot be read, if any."""

    path: bytes
    reason: str | None
    size: int = 0
    """Bytes."""


@dataclass(frozen=True, slots=True)
class DirectoryReader:
    """A directory, or the files of it that make up a package."""

    name: str
    root: Path
    terms: Terms
    version: str = ""
    """Version of the package; goes where a repository has its commit."""
    only: bytes | None = None
    """The single file of a package that is one module."""

    def identify(self) -> str:
        """Return a hash of every path, size and content that can reach the corpus.

        Raises `DevtuneError` when there are no files at all.
        """
        whole = hashlib.sha256()
        for each in self._walk():
            content = each.reason or self._hash(each)
            whole.update(b"%b\0%d\0%b\0" % (each.path, each.size, content.encode()))
        return f"{self.version} {whole.hexdigest()}".strip()

    def rows(self) -> Iterator[SourceFile | Rejected]:
        """Yield each file once, in order of its path: kept, or rejected with the reason.

        Raises `DevtuneError` when there are no files at all.
        """
        for found in self._walk():
            path = decode_path(found.path)
            if path is None:
                yield Rejected("path_not_utf8", self.name, spell_path(found.path), self.version)
                continue
            reason = found.reason or reject_path(path, self.terms.policy)
            content = b"" if reason else self._read(found.path)
            reason = reason or self._reject(content)
            if reason or content is None:
                yield Rejected(reason or "unreadable", self.name, path, self.version)
                continue
            place = Provenance(self.name, self.version, path, blob_id(content), "", "")
            split = self.terms.split_by_file(self.name, path)
            yield SourceFile(place, split, content.decode("utf-8"))

    def _reject(self, content: bytes | None) -> str | None:
        if content is None:
            return "unreadable"
        if len(content) > self.terms.max_bytes:
            return "oversized"
        return reject_content(content, self.terms.policy, self.terms.max_line_length)

    def _walk(self) -> list[Found]:
        found: list[Found] = []
        folders = [b""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self._place(folder)) as entries:
                    inside = list(entries)
            except OSError:
                found.append(Found(folder or b".", "unreadable"))
                continue
            for entry in inside:
                path = folder + b"/" + entry.name if folder else entry.name
                if entry.name in SKIPPED_NAMES or (self.only and path != self.only):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                else:
                    found.append(_look_at(entry, path))
        if not found:
            raise DevtuneError(f"{self.root}: no files in it; correct `path` of the source")
        return sorted(found, key=lambda each: each.path)

    def _read(self, path: bytes) -> bytes | None:
        """Return a file's content, at most one byte more than is kept; None if it cannot be."""
        # What was a regular file a moment ago may be a link or a pipe now.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            handle = os.open(self._place(path), flags)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return None
                return file.read(self.terms.max_bytes + 1)
        except OSError:
            return None

    def _place(self, path: bytes) -> bytes:
        return os.fsencode(self.root) + b"/" + path

    def _hash(self, found: Found) -> str:
        # A file that is too large is rejected by its size; what is in it changes nothing.
        if found.size > self.terms.max_bytes:
            return "oversized"
        content = self._read(found.path)
        return "unreadable" if content is None else hashlib.sha256(content).hexdigest()


def open_directory(path: Path, name: str, terms: Terms) -> DirectoryReader:
    """Raise `DevtuneError` where `path` is no directory that can be listed."""
    if not path.exists():
        raise DevtuneError(f"{path}: no such directory; correct `path` of the source")
    if not path.is_dir():
        raise DevtuneError(f"{path}: a file, not a directory; correct `path` of the source")
    try:
        os.scandir(path).close()
    except OSError as error:
        raise DevtuneError(one_line(error, path)) from None
    return DirectoryReader(name, path, terms)


def open_package(name: str, terms: Terms) -> DirectoryReader:
    """Locate an installed package by its import name, without importing it."""
    if "." in name:
        raise DevtuneError(f"{name}: not a top-level package; name {name.split('.')[0]!r} instead")
    try:
        spec = util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise DevtuneError(f"{name}: no such package is installed beside devtune; pip install it")
    folders = list(spec.submodule_search_locations or ())
    if folders:
        return DirectoryReader(name, Path(folders[0]), terms, _version(name))
    if spec.origin is None or not Path(spec.origin).is_file():
        raise DevtuneError(f"{name}: built into Python, it has no source files; name another one")
    file = Path(spec.origin)
    return DirectoryReader(name, file.parent, terms, _version(name), os.fsencode(file.name))


def blob_id(content: bytes) -> str:
    """Return the id git would give this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _look_at(entry: os.DirEntry[bytes], path: bytes) -> Found:
    if entry.is_symlink():
        return Found(path, "symlink")
    if not entry.is_file(follow_symlinks=False):
        return Found(path, "special_file")
    try:
        return Found(path, None, entry.stat(follow_symlinks=False).st_size)
    except OSError:
        return Found(path, "unreadable")


def _version(name: str) -> str:
    for distribution in (name, *metadata.packages_distributions().get(name, ())):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return ""
