"""The logs of coding agents, whichever program wrote them, as rows of the corpus.

Reads regular files only; writes nothing. Every text of a session is marked, arguments included.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from devtune.data.filters.files import split_by_file
from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.tombstones import ERASED, Tombstones
from devtune.data.privacy.marking import Marker
from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Unreadable
from devtune.data.sessions.reading import Place, places_of, read_place
from devtune.data.sources.exports import Listed, digest_of, require_export, walk
from devtune.data.sources.fields import as_commit, as_moment
from devtune.data.sources.identity import ids_of
from devtune.errors import DevtuneError, RecipeError, one_line
from devtune.jsonl import first_fault
from devtune.pipeline import CollectSection, SessionsSource
from devtune.records import Provenance, Rejected, Source, Split
from devtune.records.sessions import KEY, Outcome, Session, SessionFacts

PLACES_PER_UNIT = 100
KEPT = frozenset({"source", "step_id", "tool_call_id", "source_call_id", "schema_version", "type"})
"""Fields of a document no secret can stand in."""


@dataclass(frozen=True, slots=True)
class SessionReader:
    """A directory of logs."""

    name: str
    source: SessionsSource
    section: CollectSection

    def identify(self) -> str:
        """Return a hash of every path and content, of the outcomes too."""
        outcomes = self.source.outcomes
        listed = [Listed(outcomes, "outcomes")] if outcomes else []
        return digest_of([*walk(self.source.path), *listed])

    def plan(self, known: Mapping[str, Source]) -> tuple[Source, Any, list[Any]]:
        """Return what is known of the source, how its sessions are split and judged, and units.

        Raises `RecipeError` for a repository that is none of the sources.
        """
        cut_date = ""
        if self.source.repository:
            repository = known.get(self.source.repository)
            if repository is None:
                names = ", ".join(known) or "none"
                raise RecipeError(
                    f"collect.sources: {self.name}: no git source is called"
                    f" {self.source.repository!r} (there is {names}); correct `repository`"
                )
            cut_date = repository.cut_date if repository.num_held_out_commits else ""
        source = self.source
        described = Source(self.name, "sessions", source.weight, source.license, source.owner)
        places = places_of(walk(source.path))
        rows = [
            (each.path, each.reader, [(str(one.file), one.path, one.reason) for one in each.files])
            for each in places
        ]
        starts = range(0, len(rows), PLACES_PER_UNIT)
        terms = {"cut_date": cut_date, "outcomes": read_outcomes(source.outcomes)}
        return described, terms, [rows[start : start + PLACES_PER_UNIT] for start in starts]

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[Session | Rejected]:
        """Yield the sessions of each log, or the one reason why it has none."""
        tombstones = Tombstones.load(self.section.tombstones, self.section.salt)
        is_erased = tombstones.paths(self.ids())
        mark = lru_cache(4096)(marker.mark)
        for path, reader, files in unit:
            shown = mark(path)
            if is_erased(path.encode()):
                yield Rejected(ERASED, self.name, "")
                continue
            place = Place(path, tuple(Listed(Path(a), b, c) for a, b, c in files), reader)
            try:
                # All of them first: half a log is no log.
                found = list(read_place(place))
                rows = [
                    self._session(name, draft, (shown, number, place), terms, mark)
                    for number, (name, draft) in enumerate(found)
                ]
            except Unreadable as error:
                yield Rejected(error.reason, self.name, shown, "", mark(error.detail))
                continue
            yield from rows

    def writing(self) -> Handwriting:
        """Return nothing: no history tells who wrote what in a session."""
        return Handwriting()

    def ids(self) -> tuple[str, ...]:
        """Return what the source is known by among erased ones."""
        return ids_of(self.name)

    def concerned_by(self, tombstones: Tombstones) -> list[str]:
        """Return the keys of the tombstones that leave something out of it."""
        return tombstones.concerning(self.ids(), (), ())

    def _session(
        self,
        reader: str,
        draft: Draft,
        where: tuple[str, int, Place],
        terms: Any,
        mark: Callable[[str], str],
    ) -> Session:
        shown, number, place = where
        document = draft.document()
        identity = draft.session_id or f"{shown}#{number}"
        document["session_id"] = identity
        task = draft.task or hashlib.sha256(draft.first_request().encode()).hexdigest()[:16]
        outcomes: Mapping[str, bool] = terms["outcomes"]
        facts = SessionFacts(
            provenance=Provenance(
                self.name,
                as_commit(draft.commit),
                shown if not number else f"{shown}#{number}",
                _digest(place),
                "",
                as_moment(draft.date),
                self.source.license,
            ),
            split=self._split(task, draft, terms["cut_date"]),
            format=reader,
            task=mark(task),
            is_complete=draft.ends_well(),
            outcome=_outcome(draft, (identity, draft.task), outcomes),
            exit_status=mark(draft.exit_status),
            parent=mark(draft.parent),
            consent=self.source.consent,
            vendor_terms=self.source.vendor_terms,
        )
        marked = _marked(document, mark, "")
        marked["extra"] = {KEY: asdict(facts)}
        try:
            return Session.model_validate(marked)
        except ValidationError as error:
            raise Unreadable("invalid_session", first_fault(error)) from None

    def _split(self, task: str, draft: Draft, cut_date: str) -> Split:
        """By time where a history is cut, else by task: attempts at one task stay together."""
        date = as_moment(draft.date)
        if self.source.repository and date:
            return "held_out" if cut_date and date > as_moment(cut_date) else "train"
        return split_by_file(self.name, task, self.section.held_out)


def open_sessions(source: SessionsSource, name: str, section: CollectSection) -> SessionReader:
    """Raise `DevtuneError` where `path` or `outcomes` cannot be read."""
    require_export(source.path)
    read_outcomes(source.outcomes)
    return SessionReader(name, source, section)


def read_outcomes(file: Path | None) -> dict[str, bool]:
    """Return whether each session, or task, was resolved, by its id.

    The file is an object of ids and truth values, or a report of SWE-bench's evaluation.
    """
    if file is None:
        return {}
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        if "resolved_ids" in found:
            sides = ("unresolved_ids", False), ("resolved_ids", True)
            return {str(each): value for name, value in sides for each in found.get(name, ())}
        known: dict[str, Any] = {str(key): value for key, value in found.items()}
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        known = {"": None}
    if not all(isinstance(value, bool) for value in known.values()):
        raise DevtuneError(
            f"{file}: no JSON object of session or task ids and true or false; correct it"
        )
    return known


def _outcome(draft: Draft, ids: tuple[str, ...], outcomes: Mapping[str, bool]) -> Outcome:
    for each in ids:
        if each in outcomes:
            return "resolved" if outcomes[each] else "unresolved"
    return draft.outcome


def _digest(place: Place) -> str:
    return digest_of(list(place.files))[:40]


def _marked(value: Any, mark: Callable[[str], str], key: str) -> Any:
    if isinstance(value, str):
        return value if key in KEPT else mark(value)
    if isinstance(value, list):
        return [_marked(each, mark, key) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        inside = cast(dict[str, Any], value)
        # What tools are given may be called anything.
        is_free = key in ("arguments", "tool_definitions")
        return {
            name: _marked(each, mark, key if is_free else name) for name, each in inside.items()
        }
    return value
