"""What other files know of a piece of code: the definitions it needs and who calls it.

Reads the graph of a corpus and rows of it; writes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from devtune.data.code.facts import Entry, Place, Use
from devtune.data.code.graph import Graph
from devtune.data.code.names import is_test_path
from devtune.data.families.context import Context
from devtune.data.families.stretches import parsed_part, part_of
from devtune.data.languages import fenced
from devtune.records import Provenance, SourceFile, Split

LINES_AROUND = 3
"""Lines of a caller shown before and after its call."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of another file as a template prints it."""

    path: str
    name: str
    code: str
    """Between fences."""
    documentation: str
    provenance: Provenance


def find_definitions(
    graph: Graph, place: Place, function: Entry | None, split: Split, limit: int
) -> list[Shown]:
    """Return what `function` uses and then what its file imports, of other files, by path.

    Tests are never shown, and nothing that stands in the same file.
    """
    used = (graph.resolve(each.mention, split) for each in graph.uses(function)) if function else ()
    found: dict[int, Entry] = {}
    for each in (*used, *graph.imported(place, split)):
        if each and each.place.path != place.path and not each.is_test and each.signature:
            found.setdefault(each.id, each)
    # The order says nothing of what the answer needs.
    chosen = sorted(islice(found.values(), limit), key=lambda each: (each.place.path, each.id))
    return [
        Shown(
            each.place.path,
            each.qualified_name,
            fenced(each.signature, each.place.language),
            each.documentation,
            parsed_part(graph.row(each.place), each.span),
        )
        for each in chosen
    ]


def find_callers(graph: Graph, target: Entry, split: Split, limit: int) -> list[Shown]:
    """Return the lines of other files around calls of `target`; tests come last."""
    uses = list(islice(foreign_uses(graph, target, split), 10 * limit))
    uses.sort(key=lambda each: is_test_path(each.function.place.path) or each.function.is_test)
    return [_shown(graph, each) for each in uses[:limit]]


def foreign_uses(graph: Graph, target: Entry, split: Split) -> Iterator[Use]:
    """Yield the calls of `target` that stand in other files."""
    for use in graph.callers(target, split):
        if use.function.place.path != target.place.path:
            yield use


def _shown(graph: Graph, use: Use) -> Shown:
    span, place = use.function.span, use.function.place
    row = graph.row(place)
    first = max(span.start, use.line - LINES_AROUND)
    last = min(span.end, use.line + LINES_AROUND + 1)
    code = fenced("\n".join(row.text.split("\n")[first:last]), place.language)
    where = part_of(row, first, last)
    return Shown(place.path, use.function.qualified_name, code, "", where)


def functions_of(row: SourceFile, context: Context) -> list[Entry]:
    """Return the functions of a file as the graph knows them."""
    place = context.graph.place(row)
    entries = context.graph.entries(place) if place else []
    return [each for each in entries if each.kind == "function"]


def unique(places: Iterable[Provenance]) -> tuple[Provenance, ...]:
    """Return places in their order, each once."""
    return tuple(dict.fromkeys(places))
