"""Chunks of a corpus become samples: every family of the pipeline looks at every row.

Reads a corpus and the code graph made of it; writes `made.jsonl`, `rejected.jsonl`, for
selection `index.jsonl` and `evidence.jsonl`, and for pairs `attempts.jsonl`, a chunk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from devtune.data.chunks import Chunk, chunks_of
from devtune.data.corpus import Made
from devtune.data.families.context import Context
from devtune.data.filters.files import NOTEBOOK
from devtune.data.preferring import ATTEMPTS
from devtune.data.privacy.marking import MARK_START
from devtune.data.prompts import Prompt
from devtune.data.selection.index import index_of
from devtune.jsonl import to_json
from devtune.pipeline import Step
from devtune.records import Change, Rejected, Replay, Sample, SourceFile
from devtune.records.sessions import Session
from devtune.steps.families import FamilyStep, Trajectory
from devtune.steps.preferences import Preferences
from devtune.steps.sessions import SessionStep

MADE, REJECTED, INDEX, EVIDENCE = "made.jsonl", "rejected.jsonl", "index.jsonl", "evidence.jsonl"
ROWS: Mapping[str, type[Any]] = {
    "files.jsonl": SourceFile,
    "changes.jsonl": Change,
    "replays.jsonl": Replay,
    "sessions.jsonl": Session,
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
    "trajectory": ("sessions.jsonl", "trajectories:trajectory"),
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

    steps: tuple[Step, ...]
    """Of the whole pipeline; what is no family is passed over."""
    corpus: Path
    graph_file: Path
    dropped: frozenset[int]
    """Offsets in `files.jsonl` of near-duplicates nothing is made of."""
    weights: Mapping[str, float]
    """Of the sources."""

    def units(self) -> list[Any]:
        """Chunks of the files some step looks at, in a fixed order."""
        wanted = {FAMILIES[step.type][0] for _, step in self._families()}
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
            _Family(number, _function(FAMILIES[step.type][1]), step, self._context(step))
            for number, step in self._families()
            if FAMILIES[step.type][0] == name
        ]
        names = [MADE, REJECTED, INDEX, EVIDENCE]
        if name == "sessions.jsonl" and any(isinstance(each, Preferences) for each in self.steps):
            names.append(ATTEMPTS)
        with ExitStack() as stack:
            files = {each: stack.enter_context((out / each).open("wb")) for each in names}
            position = 0
            for row in self._rows(Chunk(self.corpus / name, start, end), name):
                if ATTEMPTS in files:
                    for each in self._attempts(row, families):
                        files[ATTEMPTS].write(to_json(each))
                for each in _made_of(row, families):
                    if isinstance(each, Rejected):
                        files[REJECTED].write(to_json(each))
                        continue
                    files[MADE].write(to_json(each))
                    files[INDEX].write(to_json(index_of(each, position, self.weights)))
                    if each.split == "held_out":
                        files[EVIDENCE].write(to_json(_evidence(each, position)))
                    position += 1

    def _families(self) -> list[tuple[int, FamilyStep]]:
        steps = enumerate(self.steps, 1)
        return [(number, step) for number, step in steps if isinstance(step, FamilyStep)]

    def _attempts(self, row: Session, families: Iterable["_Family"]) -> Iterator[Any]:
        from devtune.data.families.trajectories import attempt_of

        for family in families:
            if isinstance(family.step, Trajectory):
                attempt = attempt_of(family.step, row, family.context)
                yield from (attempt,) if attempt else ()

    def _rows(self, chunk: Chunk, name: str) -> Iterator[Any]:
        for offset, row in chunk.rows(ROWS[name]):
            if name != "files.jsonl" or offset not in self.dropped:
                yield row

    def _context(self, step: FamilyStep) -> Context:
        prompt = None if isinstance(step, Trajectory) else Prompt(step.prompt)
        sessions = tuple(each for each in self.steps if isinstance(each, SessionStep))
        return Context(prompt, self.corpus, self.graph_file, sessions)


@dataclass(frozen=True, slots=True)
class _Family:
    """One step of the pipeline, ready for any row."""

    number: int
    make: Callable[[Any, Any, Context], Iterator[Made | Rejected]]
    step: FamilyStep
    context: Context


def _made_of(row: Any, families: Iterable[_Family]) -> Iterator[Made | Rejected]:
    for family in families:
        for each in family.make(family.step, row, family.context):
            yield each if isinstance(each, Rejected) else _recorded(each, row, family)


def _recorded(made: Made, row: Any, family: _Family) -> Made:
    """Write into a sample which step made it, with which template, and what was done before."""
    sample = made.sample
    done = (*_done_before(sample, row), *sample.transformations)
    template = family.context.template.label if family.context.template else ""
    new = replace(sample, step=family.number, template=template, transformations=done)
    return replace(made, sample=new)


def _done_before(sample: Sample, row: SourceFile | Change | Replay) -> Iterator[str]:
    """Name what was done to the texts of a sample before a family saw them, in order."""
    if any(place.path.lower().endswith(NOTEBOOK) for place in sample.provenance):
        yield "notebook_cells"
    said = (each.content for each in sample.messages)
    called = (call.arguments for each in sample.messages for call in each.tool_calls)
    if any(MARK_START in text for text in chain(said, called)):
        yield "redacted"
    texts = [row.text] if isinstance(row, SourceFile) else []
    if isinstance(row, Change):
        texts = [text for edit in row.edits for text in (edit.old, edit.new)]
    if any("\r" in text for text in texts):
        yield "lf_line_ends"


def _evidence(made: Made, position: int) -> Evidence:
    return Evidence(position, made.evidence, tuple(each.blob for each in made.sample.provenance))


def _function(reference: str) -> Callable[[Any, Any, Context], Iterator[Made | Rejected]]:
    module, _, function = reference.partition(":")
    return getattr(import_module(f"devtune.data.families.{module}"), function)
