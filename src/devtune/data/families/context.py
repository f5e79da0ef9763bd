"""What a family may look at besides the row it is given.

Reads a finished corpus and the graph made of it; writes nothing. Opened once a process.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from devtune.data.code.graph import Graph
from devtune.data.discussions import Discussions
from devtune.data.prompts import Prompt


@dataclass(frozen=True)
class Context:
    """The prompt of the step, and what is known of the rest of the corpus."""

    prompt: Prompt
    corpus_dir: Path
    graph_file: Path

    @cached_property
    def graph(self) -> Graph:
        """Who defines, imports and calls what."""
        return Graph(self.graph_file, self.corpus_dir)

    @cached_property
    def discussions(self) -> Discussions:
        """What issues and reviews say of commits and blobs."""
        return Discussions(self.corpus_dir / "discussions.jsonl")
