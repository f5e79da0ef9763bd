"""The sources of a recipe, opened: globs become several, names are unique, benchmarks stay out.

Reads directories and repositories only as far as their readers do to identify them.
"""

import glob
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from devtune.data.filters.files import FileRules
from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.repositories import ExcludedRepositories
from devtune.data.filters.tombstones import ERASED, Tombstones
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.personal import load_personal_policy
from devtune.data.sources.directory_source import open_directory, open_package
from devtune.data.sources.discussion_source import DiscussionReader
from devtune.data.sources.forge import ForgeReader, open_forge
from devtune.data.sources.git_source import GitReader, open_git, remotes_of
from devtune.data.sources.identity import ids_of
from devtune.errors import RecipeError
from devtune.pipeline import (
    CollectSection,
    DirectorySource,
    ForgeSource,
    GitSource,
    PackageSource,
    SessionsSource,
)
from devtune.records import Rejected, Source

MAGIC = ("*", "?", "[")


class Reader(Protocol):
    """A source that is planned once and read in units, and says the same each time."""

    @property
    def name(self) -> str:
        """Name in provenance."""
        ...

    def identify(self) -> str:
        """What the content is: a commit or a hash."""
        ...

    def writing(self) -> Handwriting:
        """Runs of lines of what is erased of it."""
        ...

    def ids(self) -> tuple[str, ...]:
        """What it is known by among erased sources."""
        ...

    def concerned_by(self, tombstones: Tombstones) -> list[str]:
        """The keys of the tombstones that leave something out of it."""
        ...

    def plan(self, known: Mapping[str, Source]) -> tuple[Source, Any, list[Any]]:
        """What is known of the source, the terms all its units are read by, and the units.

        Terms and units are JSON values.
        """
        ...

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[Any]:
        """The rows of one unit, secrets marked."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The readers of a recipe, and the sources its policy keeps out."""

    readers: tuple[Reader, ...]
    rejected: tuple[Rejected, ...]


def open_sources(section: CollectSection) -> Opened:
    """Open every source. Raises `RecipeError` for names that clash or paths that match nothing.

    A policy that cannot be read is told here as well, before there is any work to lose.
    """
    FileRules(section.file_rules)
    excluded = ExcludedRepositories.load(section.exclude_repositories)
    if section.personal_data:
        load_personal_policy(section.personal_data)
    tombstones = Tombstones.load(section.tombstones, section.salt)
    opened = [
        _open(one, name, section) for source in section.sources for one, name in _expanded(source)
    ]
    matches = {
        reader.name: match
        for reader in opened
        if (match := excluded.match(reader.name, _remotes_of(reader)))
    }
    erased = {reader.name for reader in opened if _is_erased(reader, tombstones)}
    readers: list[Any] = []
    rejected: list[Rejected] = []
    for reader in opened:
        if not erased.isdisjoint((reader.name, _subject_of(reader))):
            rejected.append(Rejected(ERASED, "", ""))
        elif match := matches.get(reader.name) or matches.get(_subject_of(reader)):
            rejected.append(Rejected("excluded_repository", reader.name, "", "", match))
        else:
            readers.append(reader)
    if erased and not readers:
        raise RecipeError(
            "collect.sources: all that are not left out by policy were erased; add another"
        )
    if not readers:
        raise RecipeError(
            f"collect.sources: all are left out as benchmarks ({', '.join(matches.values())});"
            " add another, or change the policy in collect.exclude_repositories"
        )
    named: dict[str, Any] = {}
    for reader in readers:
        if (other := named.setdefault(reader.name, reader)) is not reader:
            raise RecipeError(
                f"collect.sources: two are called {reader.name!r} ({_place_of(other)} and"
                f" {_place_of(reader)}); give one another `name`"
            )
    return Opened(_linked(readers), tuple(rejected))


def _expanded(source: Any) -> Iterator[tuple[Any, str]]:
    """Yield each path a pattern matches as a source, or the source itself, with its name."""
    path = getattr(source, "path", None)
    if path is None:
        yield source, source.name
        return
    if not any(each in str(path) for each in MAGIC) or path.exists():
        yield source, source.name or _default_name(path)
        return
    if source.name:
        raise RecipeError(
            f"collect.sources: {path} may match several, which cannot all be called"
            f" {source.name!r}; leave `name` out"
        )
    fixed = Path(*itertools.takewhile(lambda part: not any(m in part for m in MAGIC), path.parts))
    matches = sorted(Path(each) for each in glob.glob(str(path)))  # noqa: PTH207 - absolute
    if source.type not in ("forge", "sessions"):
        matches = [each for each in matches if each.is_dir()]
    if not matches:
        raise RecipeError(f"collect.sources: {path} matches nothing; correct `path`")
    for match in matches:
        name = match.relative_to(fixed).as_posix().removesuffix("/.git").removesuffix(".git")
        yield source.model_copy(update={"path": match}), name


def _open(source: Any, name: str, section: CollectSection) -> Any:
    match source:
        case PackageSource():
            return open_package(source, section)
        case GitSource():
            return open_git(source, name, section)
        case DirectorySource():
            return open_directory(source, name, section)
        case ForgeSource():
            return open_forge(source, name)
        case SessionsSource():
            # Readers of every agent's logs, which few recipes need.
            sessions = import_module("devtune.data.sources.session_source")
            return sessions.open_sessions(source, name, section)
        case _:
            raise AssertionError(source)


def _place_of(reader: Any) -> str:
    return str(getattr(reader.source, "path", f"package {reader.source.name}"))


def _remotes_of(reader: Any) -> tuple[str, ...]:
    return tuple(remotes_of(reader.repository)) if isinstance(reader, GitReader) else ()


def _is_erased(reader: Any, tombstones: Tombstones) -> bool:
    if isinstance(reader, ForgeReader):
        return tombstones.has_source(ids_of(reader.name))
    return tombstones.has_source(reader.ids())


def _subject_of(reader: Any) -> str:
    """Name of the repository an export talks about, or sessions worked in."""
    about = isinstance(reader, ForgeReader) or reader.source.type == "sessions"
    return reader.source.repository or "" if about else ""


def _linked(readers: list[Any]) -> tuple[Reader, ...]:
    """Repositories first, and each forge export beside the repository it talks about."""
    repositories = {each.name: each for each in readers if isinstance(each, GitReader)}
    sessions = [each for each in readers if each.source.type == "sessions"]
    others = [
        each for each in readers if not isinstance(each, ForgeReader) and each not in sessions
    ]
    discussions: list[Reader] = []
    for reader in readers:
        if not isinstance(reader, ForgeReader):
            continue
        wanted = reader.source.repository
        if wanted not in repositories:
            known = ", ".join(repositories) or "none"
            raise RecipeError(
                f"collect.sources: {reader.name}: no git source is called {wanted!r}"
                f" (there is {known}); correct `repository`"
            )
        discussions.append(DiscussionReader(reader, repositories[wanted]))
    return (*others, *discussions, *sessions)


def _default_name(path: Path) -> str:
    """Name of the directory: `app` for `app`, `app.git` and `app/.git`."""
    return path.name.removesuffix(".git") or path.parent.name or "source"
