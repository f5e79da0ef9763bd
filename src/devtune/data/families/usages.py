"""A definition and how it is really used: functions of other places that call it are the answer.

Reads the graph of a corpus and rows of it; writes nothing.
"""

from collections import Counter

from devtune.data.code.facts import Entry
from devtune.data.code.module import Function
from devtune.data.code.names import is_test_path
from devtune.data.corpus import Made, Yield, reject
from devtune.data.families.context import Context
from devtune.data.families.requests import make_talk
from devtune.data.families.stretches import excerpted, parsed_part
from devtune.data.families.surroundings import unique
from devtune.data.languages import fenced
from devtune.records import Change, Message, Rejected, Replay, SourceFile
from devtune.steps.families import ApiUsage

NUM_SHOWN = 3
"""Calling functions in an answer; more say nothing new."""


def api_usage(step: ApiUsage, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield a sample for each public definition of a file that is called often enough."""
    if not isinstance(row, SourceFile):
        return
    if is_test_path(row.provenance.path):
        return
    place = context.graph.place(row)
    entries = context.graph.entries(place) if place else []
    left_out: Counter[str] = Counter()
    # Overloads share their callers, and the last of them has the body.
    for entry in {each.qualified_name: each for each in entries}.values():
        if entry.is_test or entry.name.startswith("_") or not entry.signature:
            continue
        made = _ask(step, row, entry, context)
        if isinstance(made, str):
            left_out[made] += 1
        else:
            yield made
    for reason, count in sorted(left_out.items()):
        yield reject(reason, row.provenance, f"{count} definitions")


def _ask(step: ApiUsage, row: SourceFile, entry: Entry, context: Context) -> Made | Rejected | str:
    """Return the sample of one definition, or why there is none."""
    graph, where = context.graph, row.provenance
    callers = [each.function for each in graph.callers(entry, row.split)]
    if len(callers) < step.min_uses:
        return "too_few_uses"
    shown = _shortest(step, callers, context)
    if not shown:
        return "call_sites_too_long"
    key = " ".join((step.type, where.source, where.path, entry.qualified_name))
    request = context.prompt.render(
        {
            "path": where.path,
            "name": entry.qualified_name,
            "kind": entry.kind,
            "signature": fenced(entry.signature, row.language),
            "documentation": entry.documentation,
        },
        key,
    )
    answer = "\n\n".join(
        f"`{caller.qualified_name}` in `{caller.place.path}`:\n\n"
        f"{fenced(function.text, caller.place.language)}"
        for caller, function in shown
    )
    pieces = [(graph.row(caller.place), caller.span) for caller, _ in shown]
    places = unique(parsed_part(*each) for each in ((row, entry.span), *pieces))
    messages = (Message("user", request), Message("assistant", answer))
    evidence = tuple(function.body for _, function in shown)
    sample = make_talk(step.type, messages, places, transformations=excerpted(*pieces))
    return Made(row.split, sample, evidence)


def _shortest(
    step: ApiUsage, callers: list[Entry], context: Context
) -> list[tuple[Entry, Function]]:
    """Return calling functions that fit, no two alike: code before tests, the shortest first."""
    fitting = [each for each in callers if each.span.end - each.span.start <= step.max_lines]
    fitting.sort(
        key=lambda each: (
            each.is_test or is_test_path(each.place.path),
            each.span.end - each.span.start,
            each.place.path,
            each.span.start,
        )
    )
    found: dict[str, tuple[Entry, Function]] = {}
    for caller in fitting:
        function = context.graph.function(caller)
        if function and function.body not in found:
            found[function.body] = (caller, function)
        if len(found) == NUM_SHOWN:
            break
    return list(found.values())
