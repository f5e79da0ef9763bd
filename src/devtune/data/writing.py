"""From marked parts to the files of a corpus: placeholders for marks, parts one after another.

Reads the parts `collect` wrote; writes the files of the corpus.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from devtune.data.privacy.marking import MARK_START
from devtune.data.privacy.places import Places
from devtune.data.privacy.redaction import Redactor
from devtune.data.sealed import unsealed_lines
from devtune.data.sources.blame import moved_runs
from devtune.data.sources.texts import IDENTIFIERS, NESTED_JSON, map_json
from devtune.jsonl import to_json
from devtune.records import Change, Discussion, Redaction, Rejected, Replay, SourceFile
from devtune.records.sessions import Session

FILES: dict[type[Any], str] = {
    SourceFile: "files.jsonl",
    Change: "changes.jsonl",
    Discussion: "discussions.jsonl",
    Replay: "replays.jsonl",
    Session: "sessions.jsonl",
    Rejected: "rejected.jsonl",
}
TALLY = "tally.json"
VECTORISED = 64
"""Texts looked for at once; of more, or of overlapping matches, the search is byte by byte."""
# Looked for in every byte of the corpus, so by vectors.
_MARKS = BytesAhoCorasick([MARK_START.encode()], MatchKind.LeftmostFirst)


@dataclass(slots=True)
class Tally:
    """What was counted while rows went by."""

    counts: Counter[str] = field(default_factory=Counter[str])
    rejects: Counter[str] = field(default_factory=Counter[str])

    def add(self, row: Any) -> None:
        """Count one row."""
        if isinstance(row, Rejected):
            self.rejects[row.reason] += 1
            return
        self.counts[f"{FILES[type(row)].removesuffix('.jsonl')}_{row.split}"] += 1
        if isinstance(row, Change):
            self.counts[f"edits_{row.split}"] += len(row.edits)
            self._add_texts(each.new for each in row.edits)
        elif isinstance(row, SourceFile):
            self._add_texts((row.text,))

    def _add_texts(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.counts["texts_searched"] += 1
            self.counts["lines_searched"] += text.count("\n")

    def write(self, part: Path) -> None:
        """Leave the numbers beside the rows they count."""
        text = json.dumps([self.counts, self.rejects])
        (part / TALLY).write_text(text, encoding="utf-8")

    def read(self, part: Path) -> None:
        """Add the numbers of a part."""
        counts, rejects = json.loads((part / TALLY).read_text(encoding="utf-8"))
        self.counts.update(counts)
        self.rejects.update(rejects)


def write_rows(parts: Iterable[Path], key: bytes, redactor: Redactor, out: Path) -> list[Redaction]:
    """Write each file of the corpus: the rows of all parts in their order, no value left in any.

    Returns where what was replaced stood. One process does it: reading the parts took far longer.
    """
    finders, places = _finders(redactor), Places(redactor.learned)
    with ExitStack() as stack:
        files = {kind: stack.enter_context((out / name).open("wb")) for kind, name in FILES.items()}
        for part in parts:
            for kind, name in FILES.items():
                for line in unsealed_lines(part / name, key):
                    has_value = any(each.find_matches_as_indexes(line) for each in finders)
                    if has_value or _MARKS.find_matches_as_indexes(line):
                        # A mark looks the same in JSON, however deep.
                        rewrite = _redacted if has_value else _named
                        line = rewrite(redactor, line, kind)  # noqa: PLW2901
                        places.add_line(kind, line)
                    files[kind].write(line)
    return places.sorted()


def _finders(redactor: Redactor) -> list[BytesAhoCorasick]:
    once = [json.dumps(each, ensure_ascii=False)[1:-1] for each in redactor.literals]
    # What stands in JSON inside JSON is escaped twice.
    twice = [json.dumps(each, ensure_ascii=False)[1:-1] for each in once]
    needles = [each.encode() for each in sorted({*once, *twice})]
    return [
        BytesAhoCorasick(needles[start : start + VECTORISED], MatchKind.LeftmostFirst)
        for start in range(0, len(needles), VECTORISED)
    ]


def _named(redactor: Redactor, line: bytes, kind: type[Any]) -> bytes:
    _ = kind
    return redactor.name_marks(line)


def _redacted(redactor: Redactor, line: bytes, kind: type[Any]) -> bytes:
    given = orjson.loads(line)
    if kind is Session:
        # In the order the model wrote, and whatever a tool calls what it is given.
        return orjson.dumps(_map_all(given, redactor), option=orjson.OPT_APPEND_NEWLINE)
    row = _map(given, redactor, "")
    if given.get("blame"):
        row["blame"] = moved_runs(row["blame"], given["text"], row["text"])
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _map(value: Any, redactor: Redactor, key: str) -> Any:
    if isinstance(value, str):
        if key in IDENTIFIERS:
            return value
        if key == NESTED_JSON:
            return map_json(value, redactor.redact)
        return redactor.redact(value)
    if isinstance(value, list):
        return [_map(each, redactor, key) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        inside = cast(dict[str, Any], value)
        return {name: _map(each, redactor, name) for name, each in inside.items()}
    return value


def _map_all(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, list):
        return [_map_all(each, redactor) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        inside = cast(dict[str, Any], value)
        return {name: _map_all(each, redactor) for name, each in inside.items()}
    return value


def keep_latest_replays(out: Path, maximum: int) -> Mapping[str, int]:
    """Keep the latest `maximum` replays of each source and split; the rest is rejected.

    Returns what to take from the counts of kept rows, by name.
    """
    file = out / FILES[Replay]
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    total = Counter((row["source"], row["split"]) for row in rows)
    seen: Counter[tuple[str, str]] = Counter()
    kept: list[bytes] = []
    dropped: list[Rejected] = []
    for row in rows:
        group = row["source"], row["split"]
        seen[group] += 1
        if seen[group] > total[group] - maximum:
            kept.append(orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
            continue
        dropped.append(
            Rejected("over_replay_maximum", row["source"], "", row["commit"], row["split"])
        )
    file.write_bytes(b"".join(kept))
    append_rejected(out, dropped)
    return Counter(f"replays_{each.detail}" for each in dropped)


def append_rejected(out: Path, rows: Iterable[Rejected]) -> None:
    """Add rows to the rejects of the corpus."""
    with (out / FILES[Rejected]).open("ab") as target:
        for row in rows:
            target.write(to_json(row))
