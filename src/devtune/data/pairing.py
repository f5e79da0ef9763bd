"""Pairs of a chunk become tokens, and what cannot become any is kept with its reason.

Reads `samples/preferences.jsonl`; writes `preferences.parquet` (rows of `records.PreferenceRow`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devtune.data.chunks import Chunk
from devtune.data.privacy.leftovers import rules_broken
from devtune.data.renderers.pairs import pair_row, sides_of
from devtune.data.renderers.rows import Renderer, rejected
from devtune.data.renderers.tokens import Unrendered
from devtune.data.tables import write_preference_rows
from devtune.records import PREFERENCES, Preference, PreferenceRow, Rejected

PREFIX = "preference_"
"""Of the reasons of pairs: they are none of a sample, and counted apart."""


@dataclass(slots=True)
class Pairing:
    """The pairs of one chunk on their way."""

    renderer: Renderer
    max_length: int
    rules_dir: Path
    counts: Counter[str] = field(default_factory=Counter[str])
    rejects: list[Rejected] = field(default_factory=list[Rejected])

    def write(self, chunk: Chunk, out: Path) -> None:
        """Render the pairs of a chunk into the table of a part."""
        self.counts.update({PREFERENCES: 0, f"{PREFERENCES}_tokens": 0})
        write_preference_rows(out / f"{PREFERENCES}.parquet", self._rows(chunk))

    def _rows(self, chunk: Chunk) -> Iterator[PreferenceRow]:
        for _, pair in chunk.rows(Preference):
            try:
                row = self._row(pair)
            except Unrendered as error:
                reason = PREFIX + error.reason
                self.rejects.append(rejected(reason, sides_of(pair)[0], error.detail))
                continue
            self.counts[PREFERENCES] += 1
            self.counts[f"{PREFERENCES}_tokens"] += row.num_tokens
            yield row

    def _row(self, pair: Preference) -> PreferenceRow:
        row = pair_row(self.renderer, pair, self.max_length)
        for ids, side in zip((row.chosen_ids, row.rejected_ids), sides_of(pair), strict=True):
            text = self.renderer.scannable(row.prompt_ids + ids, side)
            if broken := rules_broken(text, self.rules_dir):
                raise Unrendered("secret_in_sample", ", ".join(broken))
        return row
