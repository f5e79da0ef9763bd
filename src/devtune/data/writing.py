"""From marked parts to the files of a corpus: placeholders for marks, parts one after another.

Reads the parts `collect` wrote; writes rewritten parts, and the files of the corpus.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import orjson
from ahocorasick_rs import BytesAhoCorasick

from devtune.data.privacy.marking import MARK_START, Learned
from devtune.data.privacy.places import Places
from devtune.data.privacy.redaction import Redactor
from devtune.data.privacy.salt import read_salt
from devtune.data.sealed import open_key, unseal, unsealed_lines
from devtune.data.sources.texts import IDENTIFIERS, NESTED_JSON, map_json
from devtune.jsonl import read_jsonl, to_json, write_jsonl
from devtune.records import Change, Discussion, Redaction, Rejected, Replay, SourceFile

FILES: dict[type[Any], str] = {
    SourceFile: "files.jsonl",
    Change: "changes.jsonl",
    Discussion: "discussions.jsonl",
    Replay: "replays.jsonl",
    Rejected: "rejected.jsonl",
}
TALLY, PLACES = "tally.json", "places.jsonl"


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


@dataclass(frozen=True, slots=True)
class Rewriting:
    """The second half of the work: one part again, with what all parts learned."""

    parts: tuple[Path, ...]
    scratch: Path
    salt: Path | None
    """A file: executors write down what they are given."""

    def __call__(self, unit: Any, out: Path) -> None:
        """Rewrite one part into `out`."""
        key = open_key(self.scratch)
        redactor, finder = _known(self.parts, key, self.salt)
        places = Places(redactor.learned)
        for kind, name in FILES.items():
            with (out / name).open("wb") as target:
                for line in unsealed_lines(self.parts[unit] / name, key):
                    if finder is not None and finder.find_matches_as_indexes(line):
                        line = _redacted(line, redactor)  # noqa: PLW2901
                    elif MARK_START.encode() in line:
                        # A mark looks the same in JSON, however deep.
                        line = redactor.name_marks(line)  # noqa: PLW2901
                    target.write(line)
                    places.add_line(kind, line)
        write_jsonl(out / PLACES, places.sorted())


@lru_cache(maxsize=1)
def _known(
    parts: tuple[Path, ...], key: bytes, salt: Path | None
) -> tuple[Redactor, BytesAhoCorasick | None]:
    redactor = Redactor(unseal(parts, key), read_salt(salt))
    once = [json.dumps(each, ensure_ascii=False)[1:-1] for each in redactor.literals]
    # What stands in JSON inside JSON is escaped twice.
    twice = [json.dumps(each, ensure_ascii=False)[1:-1] for each in once]
    needles = sorted({*once, *twice})
    return redactor, BytesAhoCorasick([each.encode() for each in needles]) if needles else None


def _redacted(line: bytes, redactor: Redactor) -> bytes:
    row = _map(orjson.loads(line), redactor, "")
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


def concatenate(parts: Sequence[Path], out: Path) -> None:
    """Write each file of the corpus: what the parts hold, in their order."""
    for name in FILES.values():
        with (out / name).open("wb") as target:
            for part in parts:
                with (part / name).open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)


def gather_places(parts: Iterable[Path], learned: Mapping[str, Learned]) -> list[Redaction]:
    """Return where all parts found what, put together in their order."""
    places = Places(learned)
    for part in parts:
        for row in read_jsonl(part / PLACES, Redaction):
            places.add(row)
    return places.sorted()


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
