"""Rows with runs of erased text in them, whichever source they are from.

Works on rows in memory; reads and writes no files. A last look: within the history it was written
in, erased text is told by its paths as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import orjson

from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.tombstones import ERASED
from devtune.records import Change, Discussion, Rejected, Replay, SourceFile
from devtune.records.sessions import Session

Row = SourceFile | Change | Replay | Discussion | Session | Rejected


@dataclass(frozen=True, slots=True)
class Remains:
    """Runs of everything that was erased."""

    writing: Handwriting

    def without(self, row: Row) -> Iterator[Row]:
        """Yield what may stay of a row, and a rejected row for each text that may not."""
        if not self.writing.since:
            yield row
            return
        match row:
            case SourceFile():
                yield _gone(row.provenance.source) if self._holds(row.text) else row
            case Replay():
                texts = (text for each in row.actions for text in (each.output, *_values(each)))
                is_held = self._holds(row.body, *texts)
                yield _gone(row.source, row.commit) if is_held else row
            case Change():
                yield from self._change(row)
            case Discussion():
                yield from self._discussion(row)
            case Session():
                texts = _strings(row.model_dump(mode="json", include={"steps"}))
                is_held = self._holds(*texts)
                yield _gone(row.facts.provenance.source) if is_held else row
            case Rejected():
                yield row

    def _change(self, row: Change) -> Iterator[Row]:
        kept = tuple(each for each in row.edits if not self._holds(each.old, each.new))
        if self._holds(row.body) or (row.edits and not kept):
            yield _gone(row.source, row.commit)
            return
        yield from [_gone(row.source, row.commit)] * (len(row.edits) - len(kept))
        yield replace(row, edits=kept)

    def _discussion(self, row: Discussion) -> Iterator[Row]:
        if self._holds(row.title, row.body):
            yield _gone(row.source)
            return
        comments = tuple(each for each in row.comments if not self._holds(each.body))
        reviews = tuple(each for each in row.reviews if not self._holds(each.body, each.hunk))
        num_gone = len(row.comments) + len(row.reviews) - len(comments) - len(reviews)
        yield from [_gone(row.source)] * num_gone
        yield replace(row, comments=comments, reviews=reviews)

    def _holds(self, *texts: str) -> bool:
        return any(self.writing.find(each) for each in texts)


def united(writings: Iterable[Handwriting]) -> Handwriting:
    """Return the runs of several histories as one; positions in them mean nothing here."""
    whole = Handwriting()
    for each in writings:
        whole.since.update(dict.fromkeys(each.since, 0))
        whole.openings |= each.openings
    return whole


def as_terms(writing: Handwriting) -> list[Any]:
    """Return runs as JSON, in a fixed order."""
    return [sorted(writing.since), sorted(writing.openings)]


def from_terms(terms: list[Any]) -> Handwriting:
    """Return what `as_terms` was given."""
    runs, openings = terms
    return Handwriting(dict.fromkeys(runs, 0), set(openings))


def _gone(source: str, commit: str = "") -> Rejected:
    return Rejected(ERASED, source, "", commit)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        inside = value.values() if isinstance(value, dict) else value
        for each in cast(Iterable[Any], inside):
            yield from _strings(each)


def _values(action: Any) -> Iterator[str]:
    values = cast(dict[str, Any], orjson.loads(action.arguments)).values()
    yield from (each for each in values if isinstance(each, str))
