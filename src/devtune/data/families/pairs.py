"""A test and the function it is about: from either of them to the other.

Reads the graph of a corpus and rows of it; writes nothing.
"""

import re
from pathlib import PurePosixPath

from devtune.data.code.facts import Entry
from devtune.data.code.module import Function
from devtune.data.code.names import contains, is_test_path, words_of
from devtune.data.corpus import Made, Yield, reject
from devtune.data.families.context import Context
from devtune.data.families.requests import make_talk
from devtune.data.families.stretches import excerpted, parsed_part
from devtune.data.families.surroundings import functions_of
from devtune.data.languages import fenced
from devtune.records import Change, Message, Rejected, Replay, SourceFile, Split
from devtune.steps.families import ImplementationToTest, TestToImplementation

_STUB = re.compile(r"\W*(pass)?\W*")
"""A body that says nothing, in any language."""
PairStep = TestToImplementation | ImplementationToTest
_TEST_WORDS = frozenset({"test", "tests", "testing", "spec", "specs", "should", "it"})


def test_to_implementation(
    step: TestToImplementation, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield a sample for each function of a file that a test is about; the test is shown."""
    if not isinstance(row, SourceFile):
        return
    num_untested = 0
    for target in functions_of(row, context):
        if target.is_test or is_test_path(target.place.path):
            continue
        test = _test_of(target, row.split, context)
        if test is None:
            num_untested += 1
            continue
        yield _pair(step, row, context, answer=target, shown=test)
    if num_untested:
        yield reject("no_test_calls_it", row.provenance, f"{num_untested} functions")


def implementation_to_test(
    step: ImplementationToTest, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield a sample for each test of a file that is about one function; the function is shown."""
    if not isinstance(row, SourceFile):
        return
    num_unclear = 0
    for test in functions_of(row, context):
        if not test.is_test:
            continue
        _, target = _subject_of(test, row.split, context)
        if target is None:
            num_unclear += 1
            continue
        yield _pair(step, row, context, answer=test, shown=target)
    if num_unclear:
        yield reject("tests_no_known_function", row.provenance, f"{num_unclear} tests")


def _pair(
    step: PairStep, row: SourceFile, context: Context, *, answer: Entry, shown: Entry
) -> Made | Rejected:
    where, graph = row.provenance, context.graph
    wanted, given = graph.function(answer), graph.function(shown)
    if wanted is None or given is None:
        return reject("not_parseable", where, answer.qualified_name)
    if any(_STUB.fullmatch(each.body) for each in (wanted, given)):
        return reject("no_body", where, answer.qualified_name)
    if max(_num_lines(wanted), _num_lines(given)) > step.max_lines:
        return reject("pair_too_long", where, answer.qualified_name)
    key = " ".join((step.type, where.source, where.path, wanted.qualified_name))
    values = {
        "path": where.path,
        "name": wanted.qualified_name,
        "signature": fenced(wanted.signature, answer.place.language),
        "documentation": wanted.documentation,
        "other_path": shown.place.path,
        "other_name": given.qualified_name,
        "other": fenced(given.text, shown.place.language),
    }
    messages = (
        Message("user", context.prompt.render(values, key)),
        Message("assistant", fenced(wanted.text, answer.place.language)),
    )
    pieces = (row, wanted.span), (graph.row(shown.place), given.span)
    places = tuple(parsed_part(*each) for each in pieces)
    sample = make_talk(step.type, messages, places, transformations=excerpted(*pieces))
    return Made(row.split, sample, (wanted.body,))


def _num_lines(function: Function) -> int:
    return function.span.end - function.span.start


def _test_of(target: Entry, split: Split, context: Context) -> Entry | None:
    """Return the test that is most about `target` and about nothing more, then the shortest."""
    ranked = [
        (-rank, test.span.end - test.span.start, test.place.path, test.span.start, test)
        for use in context.graph.callers(target, split)
        if (test := use.function).is_test
        for rank, found in [_subject_of(test, split, context)]
        if found and found.id == target.id
    ]
    return min(ranked, key=lambda each: each[:4])[-1] if ranked else None


def _subject_of(test: Entry, split: Split, context: Context) -> tuple[int, Entry | None]:
    """Return the function a test is most about, of equals the one it calls first, and how much.

    What a test only calls, and neither it nor its file names, is not its subject.
    """
    called = _called(test, split, context)
    ranked = [(relate_names(test, each), each) for each in called]
    rank, subject = max(ranked, key=lambda each: each[0], default=(0, None))
    return (rank, subject) if rank else (0, None)


def _called(test: Entry, split: Split, context: Context) -> list[Entry]:
    """Return the functions that a test calls and that neither are tests nor stand among them."""
    graph = context.graph
    found = (graph.resolve(each.mention, split) for each in graph.uses(test))
    unique = {each.id: each for each in found if each and each.kind == "function"}
    return [each for each in unique.values() if not (each.is_test or is_test_path(each.place.path))]


def relate_names(test: Entry, target: Entry) -> int:
    """Rank by names: 4 where the test names the function, 2 its class or file, 6 for both."""
    function, place = (
        _subject_words(target.name),
        _subject_words(PurePosixPath(target.place.path).stem),
    )
    said = _subject_words(test.qualified_name)
    test_file = _subject_words(PurePosixPath(test.place.path).name.split(".")[0])
    names_it = 4 * contains(said, function)
    owner = _subject_words(target.owner)
    is_near = contains(said, owner) or (bool(test_file) and test_file in (place, owner))
    return names_it + 2 * is_near


def _subject_words(name: str) -> tuple[str, ...]:
    """Return the words of a name without those that only say it is a test."""
    return tuple(each for each in words_of(name) if each not in _TEST_WORDS)
