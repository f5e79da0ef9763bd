"""The searches of a replayed commit: from the words of its message to the lines it changes.

Reads the tree through `Checkout`; writes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from devtune.data.families.hunks import Span
from devtune.data.families.messages import Words
from devtune.data.sources.checkout import Checkout, Printed, print_hits
from devtune.data.sources.patterns import find_files, find_patterns, find_words
from devtune.data.sources.sightings import Sightings
from devtune.records import Action

MAX_TRIED = 8
"""Patterns looked up for one commit, useful or not."""
MAX_SEARCHES = 3
"""Searches an agent makes before it reads."""
MAX_HITS = 40
"""Lines of a search that are printed."""
MAX_LISTED = 60
"""Names that are printed; a longer listing is not made."""
MAX_LISTINGS = 4
"""Directories listed for one commit."""

MAX_NARROWED = 2
"""Searches in one long file."""

Windows = Mapping[str, Sequence[Span]]
"""By path, the lines that are to be read: what searches should lead to."""


def search(
    checkout: Checkout,
    words: Words,
    windows: Windows,
    directories: Sequence[str],
    sightings: Sightings,
) -> Iterator[Action]:
    """Yield what an agent looks up before it reads, and note in `sightings` what it saw.

    Of what the message names, that is searched for which leads to one of `windows`. To files
    nothing leads to, and to `directories` of new files, it lists its way.
    """
    for printed in _named_files(checkout, words, windows, sightings):
        sightings.add(printed.places)
        yield printed.action
    found = list(_greps(checkout, find_patterns(words), windows, sightings))
    if not found and (spare := _spare(checkout, find_patterns(words))):
        found = [spare]
    if not any(windows.keys() & each.places.keys() for each in found):
        found += _greps(checkout, find_words(words), windows, sightings)
    for printed in found[:MAX_SEARCHES]:
        sightings.add(printed.places)
        yield printed.action
    listed: list[str] = []
    for goal in (*windows, *directories):
        for printed in _listings(checkout, goal, sightings, listed):
            sightings.add(printed.places)
            yield printed.action


def _named_files(
    checkout: Checkout, words: Words, windows: Windows, sightings: Sightings
) -> Iterator[Printed]:
    for name in find_files(words)[:MAX_TRIED]:
        if checkout.has_file(name):
            sightings.add({name: ()})
        if any(path.endswith(f"/{name}") for path in windows):
            printed = checkout.find_named(name, MAX_LISTED)
            if printed:
                yield printed


def narrow(
    path: str, lines: Sequence[str], words: Words, spans: Sequence[Span], sightings: Sightings
) -> Iterator[Action]:
    """Yield searches in one long file that lead to those of `spans` nothing has led to yet."""
    candidates = [*find_patterns(words), *find_words(words)][:MAX_TRIED]
    for _ in range(MAX_NARROWED):
        missed = [one for one in spans if one[0] and not sightings.leads_to(path, one)]
        best: tuple[int, int, str, list[int]] | None = None
        for pattern in candidates if missed else ():
            hits = [number for number, line in enumerate(lines, 1) if pattern in line]
            num_led = sum(any(a < each <= b for each in hits) for a, b in missed)
            if num_led and len(hits) <= MAX_HITS:
                best = min(best or (0, 0, "", []), (-num_led, len(hits), pattern, hits))
        if best is None:
            return
        _, _, pattern, hits = best
        sightings.add({path: hits})
        yield print_hits(path, pattern, {each: lines[each - 1] for each in hits})


def _greps(
    checkout: Checkout, patterns: Sequence[str], windows: Windows, sightings: Sightings
) -> Iterator[Printed]:
    """Yield the searches that lead somewhere new."""
    known = sightings.copy()
    num_useful = 0
    for pattern in patterns[:MAX_TRIED]:
        if num_useful == MAX_SEARCHES:
            return
        printed = checkout.grep(pattern, MAX_HITS)
        if printed and not printed.is_cut and _leads_on(printed, windows, known):
            known.add(printed.places)
            num_useful += 1
            yield printed


def _spare(checkout: Checkout, patterns: Sequence[str]) -> Printed | None:
    """Return the first search that finds anything: nobody knows before that it does not help."""
    tried = (checkout.grep(each, MAX_HITS) for each in patterns[:MAX_TRIED])
    return next((each for each in tried if each), None)


def _leads_on(printed: Printed, windows: Windows, known: Sightings) -> bool:
    """Whether a search shows a path, or a line near a change, that was not known before."""
    after = known.copy()
    after.add(printed.places)
    return any(
        (after.has_path(path) and not known.has_path(path))
        or any(after.leads_to(path, one) and not known.leads_to(path, one) for one in spans)
        for path, spans in windows.items()
    )


def _listings(
    checkout: Checkout, goal: str, sightings: Sightings, listed: list[str]
) -> Iterator[Printed]:
    """Yield listings from the nearest known directory down to `goal`, not twice of one."""
    if sightings.has_directory(goal):
        return
    above = [str(each) for each in PurePosixPath(goal).parents][::-1]
    start = max(n for n, each in enumerate(above) if sightings.has_directory(each))
    for directory in above[start:]:
        if sightings.has_directory(goal) or len(listed) == MAX_LISTINGS:
            return
        if directory in listed or not sightings.has_directory(directory):
            return
        listed.append(directory)
        printed = checkout.list_directory("" if directory == "." else directory, MAX_LISTED)
        if printed is None:
            return
        yield printed
