"""samples/ → dataset/: token ids and the loss mask, with the renderer the server uses.

Reads `{train,held_out}.jsonl`, `preferences.jsonl` where there is one, the base's tokenizer and
what the corpus says of itself; writes `{train,held_out}.parquet` (rows of `records.TokenRow`),
`preferences.parquet` where there are pairs, `rejected.jsonl`, the tokenizer that made them, and
what describes them: `README.md` and `croissant.json`.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from devtune.data.cards.croissant import metadata
from devtune.data.cards.description import Makeup, Work, describe
from devtune.data.cards.readme import card
from devtune.data.cards.statements import counted
from devtune.data.chunks import Chunk, chunks_of
from devtune.data.pairing import PREFIX, Pairing
from devtune.data.parts import Run, run_parts
from devtune.data.privacy.leftovers import rules_broken
from devtune.data.privacy.rules import compiled_rules
from devtune.data.renderers.opening import files_of, open_renderer
from devtune.data.renderers.rows import Renderer, num_trained, rejected
from devtune.data.tables import PREFERENCE_SCHEMA, SCHEMA, join_tables, write_rows
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import Executor, RenderSection
from devtune.progress import Progress
from devtune.records import PREFERENCES, SPLITS, Rejected, Sample, TokenRow
from devtune.stage import Outcome

CARD, METADATA = "README.md", "croissant.json"
SCRATCH, REJECTED, COUNTS, MAKEUP = "scratch", "rejected.jsonl", "counts.json", "makeup.json"


@dataclass(frozen=True, slots=True)
class Rendering:
    """Tokens of the samples of one chunk."""

    samples: Path
    base: Path
    section: RenderSection
    rules_dir: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Render one chunk into `out`."""
        name, start, end = unit
        chunk = Chunk(self.samples / f"{name}.jsonl", start, end)
        if name == PREFERENCES:
            pairing = Pairing(_renderer(self.base), self.section.max_length, self.rules_dir)
            pairing.write(chunk, out)
            _leave(out, pairing.rejects, pairing.counts, Makeup())
        else:
            self._render(name, chunk, out)

    def _render(self, split: str, chunk: Chunk, out: Path) -> None:
        renderer = _renderer(self.base)
        rejects: list[Rejected] = []
        counts: Counter[str] = Counter()
        makeup = Makeup()

        def rows() -> Iterator[TokenRow]:
            for _, sample in chunk.rows(Sample):
                found, refused = self._rows(renderer, sample)
                rejects.extend(refused)
                if found:
                    makeup.add(sample)
                    counts.update((split, f"{split}.{sample.family}"))
                    counts[f"{split}_segments"] += len(found) - 1
                for row in found:
                    counts[f"{split}_tokens"] += len(row.input_ids)
                    counts[f"{split}_trained_tokens"] += num_trained(row.labels)
                    yield row

        write_rows(out / f"{split}.parquet", rows())
        _leave(out, rejects, counts, makeup)

    def _rows(self, renderer: Renderer, sample: Sample) -> tuple[list[TokenRow], list[Rejected]]:
        rows, rejects = renderer.rows(sample, self.section)
        for row in rows:
            # What no rule saw in a file may be plain where pieces of several are put together.
            if broken := rules_broken(renderer.scannable(row.input_ids, sample), self.rules_dir):
                return [], [*rejects, rejected("secret_in_sample", sample, ", ".join(broken))]
        return rows, rejects


def _leave(out: Path, rejects: list[Rejected], counts: Counter[str], makeup: Makeup) -> None:
    """Write what a part says of itself besides its rows."""
    write_jsonl(out / REJECTED, rejects)
    (out / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
    makeup.write(out / MAKEUP)


@cache
def _renderer(base: Path) -> Renderer:
    return open_renderer(base)


def render(
    section: RenderSection,
    executor: Executor,
    samples: Path,
    base: Path,
    corpus: Path,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Render every sample; one that is too long or not a valid conversation is kept as rejected."""
    tokenizer = files_of(base)
    _renderer(base)  # one that cannot be used is refused before any work
    run = Run(out / SCRATCH, executor, progress, "render")
    units = [
        (name, chunk.start, chunk.end)
        for name in (*SPLITS, PREFERENCES)
        for chunk in chunks_of(samples / f"{name}.jsonl")
    ]
    run.scratch.mkdir(exist_ok=True)
    rules_dir = compiled_rules(run.scratch)
    rendering = Rendering(samples, base, section, rules_dir)
    parts = run_parts("tokens", units, rendering, run)
    done, makeup = _count(parts)
    _require_training(done, section, samples)
    tables = _put_together(parts, tokenizer, out)
    shutil.rmtree(run.scratch, ignore_errors=True)
    about = describe(section, corpus, samples, done, makeup, tables)
    (out / CARD).write_text(card(about), encoding="utf-8")
    text = json.dumps(metadata(about), indent=2, ensure_ascii=False) + "\n"
    (out / METADATA).write_text(text, encoding="utf-8")
    share = done.counts["train_trained_tokens"] / done.counts["train_tokens"]
    return Outcome(
        summary=f"{done.counts['train_tokens']:,} tokens to train on, of which "
        f"{share:.0%} are answers; {_pairs(done)}{_omissions(done.rejects, section.max_length)}",
        counts=dict(done.counts),
        rejects=dict(done.rejects),
    )


def _require_training(done: Work, section: RenderSection, samples: Path) -> None:
    if done.counts["train"]:
        return
    reasons = ", ".join(f"{reason} {number}" for reason, number in done.rejects.items())
    raise DevtuneError(
        f"{samples}: none of its samples to train on was rendered with max_length"
        f" {section.max_length} ({reasons}); raise render.max_length or shorten the context in"
        " the pipeline"
    )


def _count(parts: Sequence[Path]) -> tuple[Work, Makeup]:
    """Put the numbers of all parts together."""
    counts: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    reasons: Counter[str] = Counter()
    makeup = Makeup()
    for part in parts:
        counts.update(json.loads((part / COUNTS).read_text(encoding="utf-8")))
        makeup.read(part / MAKEUP)
        reasons.update(each.reason for each in read_jsonl(part / REJECTED, Rejected))
    return Work({}, dict(sorted(counts.items())), dict(sorted(reasons.items()))), makeup


def _put_together(parts: Sequence[Path], tokenizer: Sequence[Path], out: Path) -> list[Path]:
    """Write what training reads, and what was rejected; return the former."""
    with (out / REJECTED).open("wb") as rows:
        for part in parts:
            rows.write((part / REJECTED).read_bytes())
    tables = {out / f"{split}.parquet": SCHEMA for split in SPLITS}
    if any((part / f"{PREFERENCES}.parquet").is_file() for part in parts):
        tables[out / f"{PREFERENCES}.parquet"] = PREFERENCE_SCHEMA
    for table, schema in tables.items():
        join_tables([part / table.name for part in parts], schema, table)
    for file in tokenizer:
        shutil.copyfile(file, out / file.name)
    return [*tables, *(out / file.name for file in tokenizer)]


def _pairs(done: Work) -> str:
    """How many pairs were rendered and rejected; nothing where there were none."""
    if PREFERENCES not in done.counts:
        return ""
    num = sum(number for name, number in done.rejects.items() if name.startswith(PREFIX))
    rejects = f" ({num} rejected)" if num else ""
    return f"{counted(done.counts[PREFERENCES], 'pair')} of a better and a worse session{rejects}; "


def _omissions(reasons: Mapping[str, int], max_length: int) -> str:
    reasons = {name: num for name, num in reasons.items() if not name.startswith(PREFIX)}
    told = {"too_long": f"longer than max_length {max_length}", "secret_in_sample": "with a secret"}
    details = [
        f", {reasons[name]} of them {what}" for name, what in told.items() if name in reasons
    ]
    return f"{sum(reasons.values())} samples rejected{''.join(details)}"
