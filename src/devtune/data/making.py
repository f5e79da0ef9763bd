"""Chunks of a corpus become samples: every family of the pipeline looks at every row.

Reads a corpus and the code graph made of it; writes `made.jsonl`, `rejected.jsonl`, and for
selection `index.jsonl` and `evidence.jsonl`, a chunk.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from devtune.data.chunks import Chunk, chunks_of
from devtune.data.corpus import Made
from devtune.data.families.context import Context
from devtune.data.prompts import Prompt
from devtune.data.selection.index import index_of
from devtune.jsonl import to_json
from devtune.records import Change, Rejected, Replay, SourceFile
from devtune.steps.families import FamilyStep

MADE, REJECTED, INDEX, EVIDENCE = "made.jsonl", "rejected.jsonl", "index.jsonl", "evidence.jsonl"
ROWS: Mapping[str, type[Any]] = {
    "files.jsonl": SourceFile,
    "changes.jsonl": Change,
    "replays.jsonl": Replay,
}
FAMILIES: Mapping[str, tuple[str, str]] = {
    "commit_edit": ("changes.jsonl", "edits:commit_edit"),
    "issue_to_patch": ("changes.jsonl", "issues:issue_to_patch"),
    "review_to_fix": ("changes.jsonl", "reviews:review_to_fix"),
    "fix_repair": ("changes.jsonl", "repairs:fix_repair"),
    "docstring_to_function": ("files.jsonl", "functions:docstring_to_function"),
    "function_to_docstring": ("files.jsonl", "functions:function_to_docstring"),
    "test_to_implementation": ("files.jsonl", "pairs:test_to_implementation"),
    "implementation_to_test": ("files.jsonl", "pairs:implementation_to_test"),
    "fill_in_the_middle": ("files.jsonl", "middle:fill_in_the_middle"),
    "api_usage": ("files.jsonl", "usages:api_usage"),
    "repository_qa": ("files.jsonl", "repository_qa:repository_qa"),
    "explanation": ("files.jsonl", "explanation:explanation"),
    "type_annotation": ("files.jsonl", "type_annotation:type_annotation"),
    "commit_replay": ("replays.jsonl", "replay:commit_replay"),
}
"""Step type → the rows it looks at, and its function in `devtune.data.families`."""
NEEDS_GRAPH = frozenset(
    {"fill_in_the_middle", "api_usage", "test_to_implementation", "implementation_to_test"}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tells whether a held-out sample is trained on."""

    position: int
    """Of the sample in its part."""
    texts: tuple[str, ...]
    blobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Making:
    """The families of a pipeline, ready for any chunk."""

    steps: tuple[FamilyStep, ...]
    corpus: Path
    graph_file: Path
    dropped: frozenset[int]
    """Offsets in `files.jsonl` of near-duplicates nothing is made of."""
    weights: Mapping[str, float]
    """Of the sources."""

    def units(self) -> list[Any]:
        """Chunks of the files some step looks at, in a fixed order."""
        wanted = {FAMILIES[step.type][0] for step in self.steps}
        return [
            (name, chunk.start, chunk.end)
            for name in ROWS
            if name in wanted
            for chunk in chunks_of(self.corpus / name)
        ]

    def __call__(self, unit: Any, out: Path) -> None:
        """Make the samples of one chunk."""
        name, start, end = unit
        families = [
            (_function(FAMILIES[step.type][1]), step, self._context(step))
            for step in self.steps
            if FAMILIES[step.type][0] == name
        ]
        names = (MADE, REJECTED, INDEX, EVIDENCE)
        with ExitStack() as stack:
            files = {each: stack.enter_context((out / each).open("wb")) for each in names}
            position = 0
            for row in self._rows(Chunk(self.corpus / name, start, end), name):
                for each in _made_of(row, families):
                    if isinstance(each, Rejected):
                        files[REJECTED].write(to_json(each))
                        continue
                    files[MADE].write(to_json(each))
                    files[INDEX].write(to_json(index_of(each, position, self.weights)))
                    if each.split == "held_out":
                        files[EVIDENCE].write(to_json(_evidence(each, position)))
                    position += 1

    def _rows(self, chunk: Chunk, name: str) -> Iterator[Any]:
        for offset, row in chunk.rows(ROWS[name]):
            if name != "files.jsonl" or offset not in self.dropped:
                yield row

    def _context(self, step: FamilyStep) -> Context:
        return Context(Prompt(step.prompt), self.corpus, self.graph_file)


def _made_of(row: Any, families: list[tuple[Any, Any, Context]]) -> Iterator[Made | Rejected]:
    for family, step, context in families:
        yield from family(step, row, context)


def _evidence(made: Made, position: int) -> Evidence:
    return Evidence(position, made.evidence, tuple(each.blob for each in made.sample.provenance))


def _function(reference: str) -> Callable[[Any, Any, Context], Iterator[Made | Rejected]]:
    module, _, function = reference.partition(":")
    return getattr(import_module(f"devtune.data.families.{module}"), function)
