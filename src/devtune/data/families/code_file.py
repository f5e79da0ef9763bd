"""A code file of the corpus as the families over single files read it.

Reads and writes nothing but what it is handed.
"""

from dataclasses import dataclass
from functools import lru_cache

from devtune.data.code.module import Module, Span
from devtune.data.code.syntax import parse
from devtune.data.families.stretches import parsed_part
from devtune.records import Change, Provenance, Replay, SourceFile, Split


@dataclass(frozen=True, slots=True)
class CodeFile:
    """One file whose language has a grammar."""

    row: SourceFile
    text: str
    r"""With `\n` at the ends of its lines."""
    module: Module

    @property
    def provenance(self) -> Provenance:
        """Where the whole file came from."""
        return self.row.provenance

    @property
    def split(self) -> Split:
        """Which side of the split it is on."""
        return self.row.split

    @property
    def language(self) -> str:
        """Fence name of its language."""
        return self.row.language

    @property
    def lines(self) -> list[str]:
        """Lines without their ends, as spans of the module count them."""
        return self.text.split("\n")

    def part(self, span: Span) -> Provenance:
        """Return where a span of the module came from."""
        return parsed_part(self.row, span)

    def key(self, family: str, place: str, line: int) -> str:
        """What a phrasing is chosen by: the place in the code, not the run."""
        return f"{family} {self.provenance.source} {self.provenance.path} {place} {line}"


def read_code(row: SourceFile | Change | Replay) -> CodeFile | None:
    """Return the row as code; None where it is none, or in a language without a grammar."""
    if not isinstance(row, SourceFile) or not row.language:
        return None
    text, module = _read(row.text, row.language)
    if module is None:
        return None
    return CodeFile(row, text, module)


@lru_cache(maxsize=1)  # the families of a pipeline look at one row after the other
def _read(text: str, language: str) -> tuple[str, Module | None]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text, parse(text, language)
