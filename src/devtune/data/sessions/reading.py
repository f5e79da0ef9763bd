"""Logs of any agent: each is given to the reader that recognises what is in it.

Reads the files of a directory, or one file; writes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from devtune.data.sessions import (
    atif_document,
    claude_code,
    cline,
    codex,
    completions,
    mini_swe_agent,
    openai_messages,
    opencode,
    openhands,
    openhands_output,
    recorded,
    swe_agent,
    vibe2,
    vibe3,
)
from devtune.data.sessions.draft import Draft
from devtune.data.sessions.folder import Folder, folders_of, read_bytes
from devtune.data.sessions.log import Unreadable, parse
from devtune.data.sources.exports import Listed

FOLDERS: tuple[ModuleType, ...] = (vibe3, vibe2, openhands)
"""Readers of sessions that are several files."""
FILES: tuple[ModuleType, ...] = (
    recorded, atif_document, mini_swe_agent, swe_agent, codex, claude_code, completions,
    openhands_output, opencode, cline, openai_messages,
)  # fmt: skip
"""Readers of sessions in one file, those that are told for certain first."""


@dataclass(frozen=True, slots=True)
class Place:
    """One log: a file, or a folder whose files are one session."""

    path: str
    files: tuple[Listed, ...]
    reader: str = ""
    """Of a folder."""


def places_of(files: list[Listed]) -> list[Place]:
    """Put the files of a folder together where they are one session; outer folders go first."""
    taken: set[str] = set()
    places: list[Place] = []
    for path, inside in folders_of(files):
        if any(each.path in taken for _, each in inside):
            continue
        folder = Folder(path, dict(inside))
        reader = next((each for each in FOLDERS if each.recognises(folder)), None)
        if reader:
            own = tuple(each for _, each in inside)
            taken.update(each.path for each in own)
            places.append(Place(path, own, reader.NAME))
    places += [Place(each.path, (each,)) for each in files if each.path not in taken]
    return sorted(places, key=lambda each: each.path)


def read_place(place: Place) -> Iterator[tuple[str, Draft]]:
    """Yield (format, session) of each session in a log the model spoke in.

    Raises `Unreadable` for what is no log, or a damaged one.
    """
    found = False
    for name, draft in _read(place):
        if not draft.is_empty():
            found = True
            yield name, draft
    if not found:
        raise Unreadable("no_answer", "the model says nothing in it")


def _read(place: Place) -> Iterator[tuple[str, Draft]]:
    if place.reader:
        reader = next(each for each in FOLDERS if place.reader == each.NAME)
        prefix = f"{place.path}/" if place.path else ""
        inside = {each.path.removeprefix(prefix): each for each in place.files}
        for draft in reader.read(Folder(place.path, inside)):
            yield reader.NAME, draft
        return
    log = parse(place.path, read_bytes(place.files[0]))
    reader = next((each for each in FILES if each.recognises(log)), None)
    if reader is None:
        raise Unreadable("not_a_session", "no agent's log as far as devtune knows them")
    for draft in reader.read(log):
        if log.is_cut and reader is not recorded:  # whose lines are exchanges, each read or not
            draft.is_complete = False
        yield reader.NAME, draft
