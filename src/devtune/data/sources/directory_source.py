"""The files of a plain directory or of an installed Python package, as rows of the corpus.

Reads regular files only: no symlink is followed, nothing is imported, no pipe or device opened.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from devtune.data.filters.files import (
    FileRules,
    decode_path,
    max_bytes_of,
    spell_path,
    split_by_file,
)
from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.licenses import is_license_file
from devtune.data.filters.tombstones import ERASED, Tombstones
from devtune.data.privacy.marking import Marker
from devtune.data.sources.identity import ids_of
from devtune.data.sources.texts import Text, Texts
from devtune.errors import DevtuneError, one_line
from devtune.pipeline import CollectSection, DirectorySource, PackageSource
from devtune.records import Provenance, Rejected, Source, SourceFile

FILES_PER_UNIT = 400
MAX_TERMS_BYTES, MAX_WRITING_BYTES = 200_000, 1_000_000
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
    source: DirectorySource | PackageSource
    section: CollectSection
    root: Path
    version: str = ""
    """Version of the package; goes where a repository has its commit."""
    only: bytes | None = None
    """The single file of a package that is one module."""

    def identify(self) -> str:
        """Return a hash of every path, size and content that can reach the corpus.

        Raises `DevtuneError` when there are no files at all.
        """
        whole = hashlib.sha256()
        for each in self.walk():
            content = each.reason or self._hash(each)
            whole.update(b"%b\0%d\0%b\0" % (each.path, each.size, content.encode()))
        return f"{self.version} {whole.hexdigest()}".strip()

    def plan(self, known: Mapping[str, Source]) -> tuple[Source, Any, list[Any]]:
        """Return what is known of the source, its attributes and licences, and the units.

        Raises `DevtuneError` when there are no files at all.
        """
        found = self.walk()
        terms = {
            "attributes": self._texts(found, lambda name: name == ".gitattributes"),
            "licenses": self._texts(found, is_license_file),
        }
        source = self.source
        described = Source(
            self.name, source.type, source.weight, source.license, source.owner, self.version
        )
        tombstones = Tombstones.load(self.section.tombstones, self.section.salt)
        is_erased = tombstones.paths(self.ids())
        found = [Found(b"", ERASED) if is_erased(each.path) else each for each in found]
        rows = [(each.path.decode("latin-1"), each.reason, each.size) for each in found]
        chunks = range(0, len(rows), FILES_PER_UNIT)
        return described, terms, [rows[start : start + FILES_PER_UNIT] for start in chunks]

    def writing(self) -> Handwriting:
        """Return runs of lines of what is erased of it."""
        found = Handwriting()
        tombstones = Tombstones.load(self.section.tombstones, self.section.salt)
        is_erased = tombstones.paths(self.ids())
        for each in self.walk() if tombstones.has_path_in(self.ids()) else ():
            if is_erased(each.path) and not each.reason:
                content = self._read(each.path, MAX_WRITING_BYTES) or b""
                found.add(content.decode("utf-8", "replace"), 0)
        return found

    def ids(self) -> tuple[str, ...]:
        """Return what the source is known by among erased ones."""
        return ids_of(self.name)

    def concerned_by(self, tombstones: Tombstones) -> list[str]:
        """Return the keys of the tombstones that leave something out of it."""
        return tombstones.concerning(self.ids(), (), ())

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[SourceFile | Rejected]:
        """Yield each file of a unit once, in order of its path: kept, or rejected with why."""
        attributes, licenses = terms["attributes"], terms["licenses"]
        rules = FileRules(self.section.file_rules, attributes, licenses, self.source.license)
        texts = Texts(rules, marker)
        for name, reason, size in unit:
            raw = name.encode("latin-1")
            path = decode_path(raw)
            if path is None:
                spelt = texts.mark(spell_path(raw))
                yield Rejected("path_not_utf8", self.name, spelt, self.version)
                continue
            text, blob = self._load(texts, Found(raw, reason, size), path)
            shown = texts.mark(path)
            if text.reason:
                yield Rejected(text.reason, self.name, shown, self.version)
                continue
            license_ = rules.license_of(path, text.text)
            place = Provenance(self.name, self.version, shown, blob, "", "", license_)
            split = split_by_file(self.name, path, self.section.held_out)
            yield SourceFile(place, split, text.text, text.language)

    def _load(self, texts: Texts, found: Found, path: str) -> tuple[Text, str]:
        reason = found.reason or texts.rules.reject_path(path, found.size)
        content = None if reason else self._read(found.path, texts.rules.max_bytes)
        if reason or content is None:
            return Text("", reason or "unreadable"), ""
        blob = blob_id(content)
        return texts.load(path, blob, len(content), lambda: content), blob

    def _texts(self, found: list[Found], is_wanted: Callable[[str], bool]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for each in found:
            path = each.path.decode("utf-8", "replace")
            if each.reason or each.size > MAX_TERMS_BYTES or not is_wanted(Path(path).name):
                continue
            content = self._read(each.path, MAX_TERMS_BYTES)
            if content is not None:
                texts[path] = content.decode("utf-8", "replace")
        return texts

    def walk(self) -> list[Found]:
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

    def _read(self, path: bytes, max_bytes: int) -> bytes | None:
        """Return a file's content, at most one byte more than asked; None if it cannot be."""
        # What was a regular file a moment ago may be a link or a pipe now.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            handle = os.open(self._place(path), flags)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return None
                return file.read(max_bytes + 1)
        except OSError:
            return None

    def _place(self, path: bytes) -> bytes:
        return os.fsencode(self.root) + b"/" + path

    def _hash(self, found: Found) -> str:
        # A file that is too large is rejected by its size; what is in it changes nothing.
        if found.size > max_bytes_of(self.section.file_rules):
            return "oversized"
        content = self._read(found.path, found.size)
        return "unreadable" if content is None else hashlib.sha256(content).hexdigest()


def open_directory(source: DirectorySource, name: str, section: CollectSection) -> DirectoryReader:
    """Raise `DevtuneError` where `path` is no directory that can be listed."""
    path = source.path
    if not path.exists():
        raise DevtuneError(f"{path}: no such directory; correct `path` of the source")
    if not path.is_dir():
        raise DevtuneError(f"{path}: a file, not a directory; correct `path` of the source")
    try:
        os.scandir(path).close()
    except OSError as error:
        raise DevtuneError(one_line(error, path)) from None
    return DirectoryReader(name, source, section, path)


def open_package(source: PackageSource, section: CollectSection) -> DirectoryReader:
    """Locate an installed package by its import name, without importing it."""
    name = source.name
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
        return DirectoryReader(name, source, section, Path(folders[0]), _version(name))
    if spec.origin is None or not Path(spec.origin).is_file():
        raise DevtuneError(f"{name}: built into Python, it has no source files; name another one")
    file = Path(spec.origin)
    only = os.fsencode(file.name)
    return DirectoryReader(name, source, section, file.parent, _version(name), only)


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
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    # Looks into every installed package; few are called otherwise than they are imported.
    for distribution in metadata.packages_distributions().get(name, ()):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return ""
