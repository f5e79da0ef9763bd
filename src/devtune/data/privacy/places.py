"""Where each placeholder stands: source, path and line, told from texts without any value.

Reads redacted rows of the corpus; writes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from devtune.data.privacy.marking import AUTHOR, MARK_START, PLACEHOLDER, Learned
from devtune.records import Change, Discussion, Redaction, Rejected, Replay, SourceFile
from devtune.records.sessions import KEY, Session

# Its beginning is looked for as a whole, which is what makes it fast.
_IN_BYTES = re.compile(f"{MARK_START}(?!{AUTHOR}_)".encode())
Row = Mapping[str, Any]


@dataclass(slots=True)
class Text:
    """One text of a row: the file it is a version of, `""` outside files, and its commit."""

    source: str
    path: str
    commit: str
    text: str


@dataclass(slots=True)
class Places:
    """Every value by source and path, with the first version it was seen in."""

    learned: Mapping[str, Learned]
    """By placeholder."""
    rows: dict[tuple[str, str, str], Redaction] = field(
        default_factory=dict[tuple[str, str, str], Redaction]
    )

    def add_line(self, kind: type[Any], line: bytes) -> None:
        """Note what stands in one row of the corpus, as JSON; authors are no texts."""
        if _IN_BYTES.search(line) is None:
            return
        seen: set[tuple[str, str]] = set()
        for each in TEXTS[kind](orjson.loads(line)):
            for placeholder, number in self._found(each.text):
                if (placeholder, each.path) in seen:
                    continue
                seen.add((placeholder, each.path))
                known = self.learned[placeholder]
                layer = "personal" if known.is_personal else "secret"
                self.add(
                    Redaction(
                        placeholder, layer, known.kind.lower(), known.rule, each.source, each.path,
                        each.commit, number if each.path else 0, 1,
                    )
                )  # fmt: skip

    def add(self, row: Redaction) -> None:
        """Put what was seen together with what was seen before it."""
        key = (row.placeholder, row.source, row.path)
        first = self.rows.get(key)
        if first is None:
            self.rows[key] = row
            return
        self.rows[key] = Redaction(
            first.placeholder, first.layer, first.kind, first.rule, first.source, first.path,
            first.commit, first.line, first.num_texts + row.num_texts,
        )  # fmt: skip

    def sorted(self) -> list[Redaction]:
        """Return all rows, those of one file together, in the order of its lines."""
        return sorted(self.rows.values(), key=_by_place)

    def _found(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield each known placeholder once, with the line of its first place.

        Lines are those of the text before anything was replaced: a key of thirty lines is one now.
        """
        seen: set[str] = set()
        line, done = 1, 0
        for match in PLACEHOLDER.finditer(text):
            known = self.learned.get(match[0])
            if known is None:
                continue
            line += text.count("\n", done, match.start())
            done = match.start()
            if match[0] not in seen and known.kind != AUTHOR:
                seen.add(match[0])
                yield match[0], line
            line += known.value.count("\n")


def _by_place(row: Redaction) -> tuple[str, str, int, str]:
    return row.source, row.path, row.line, row.placeholder


def _of_file(row: Row) -> Iterator[Text]:
    place = row["provenance"]
    yield Text(place["source"], place["path"], place["commit"], row["text"])


def _of_change(row: Row) -> Iterator[Text]:
    yield Text(row["source"], "", row["commit"], f"{row['subject']}\n{row['body']}")
    for edit in row["edits"]:
        place = edit["provenance"]
        for side in ("new", "old"):
            yield Text(place["source"], place["path"], place["commit"], edit[side])


def _of_discussion(row: Row) -> Iterator[Text]:
    yield Text(row["source"], "", "", "\n".join(_strings(row)))


def _of_replay(row: Row) -> Iterator[Text]:
    yield Text(row["source"], "", row["commit"], "\n".join(_strings(row["actions"])))


def _of_session(row: Row) -> Iterator[Text]:
    place = row["extra"][KEY]["provenance"]
    yield Text(place["source"], place["path"], place["commit"], "\n".join(_strings(row["steps"])))


def _of_rejected(row: Row) -> Iterator[Text]:
    yield Text(row["source"], "", row["commit"], f"{row['path']}\n{row['detail']}")


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in cast(list[Any], value):
            yield from _strings(each)
    elif isinstance(value, dict):
        for each in cast(dict[str, Any], value).values():
            yield from _strings(each)


TEXTS: dict[type[Any], Callable[[Row], Iterator[Text]]] = {
    SourceFile: _of_file,
    Change: _of_change,
    Discussion: _of_discussion,
    Replay: _of_replay,
    Session: _of_session,
    Rejected: _of_rejected,
}
