"""What a family may look at besides the row it is given.

Reads a finished corpus and the graph made of it; writes nothing. Both are opened once a process,
however many parts of the work it does.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from devtune.data.code.graph import Graph
from devtune.data.discussions import Discussions
from devtune.data.prompts import Prompt
from devtune.steps.sessions import SessionStep


@dataclass(frozen=True)
class Context:
    """The prompt of the step, and what is known of the rest of the corpus."""

    template: Prompt | None
    """None for a family that takes its requests as they are."""
    corpus_dir: Path
    graph_file: Path
    session_steps: tuple[SessionStep, ...] = ()
    """What is done to sessions before they are samples."""

    @property
    def prompt(self) -> Prompt:
        """How the family phrases its requests."""
        assert self.template is not None
        return self.template

    @cached_property
    def graph(self) -> Graph:
        """Who defines, imports and calls what."""
        return _graph(self.graph_file, self.corpus_dir, _stamp(self.graph_file))

    @cached_property
    def discussions(self) -> Discussions:
        """What issues and reviews say of commits and blobs."""
        file = self.corpus_dir / "discussions.jsonl"
        return _discussions(file, _stamp(file))


@lru_cache(maxsize=1)
def _graph(file: Path, corpus_dir: Path, stamp: tuple[int, ...]) -> Graph:
    return Graph(file, corpus_dir)


@lru_cache(maxsize=1)
def _discussions(file: Path, stamp: tuple[int, ...]) -> Discussions:
    return Discussions(file)


def _stamp(file: Path) -> tuple[int, ...]:
    """What tells a file from another that was written to its place later."""
    if not file.is_file():
        return ()
    facts = file.stat()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size
