"""The scanners side by side: what each finds in a text, and what it leaves of a planted value.

detect-secrets reads files, so it is given temporary ones; the others read texts.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
from kingfisher_sdk import Rules, Scanner

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.secrets import find_secrets
from planted.trees import Source, Specimen

NUM_CHARACTERS = 12
"""A stretch of a value this long that is still there counts as the value left in clear."""
MARK = re.compile(r"REDACTED_[A-Z0-9_]+_[0-9a-f]{32}(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Tool:
    """A scanner: which lines of a file it reports, and whether it found what was planted."""

    name: str
    report: Callable[[Source], list[int]]
    has_found: Callable[[Specimen], bool]


def tools(rules_file: Path | None) -> list[Tool]:
    """Return the scanners that are compared; a file of rules adds one more."""
    found = [_detect_secrets(), _kingfisher("kingfisher", Rules(cache=False))]
    if rules_file is not None:
        rules = Rules([rules_file], builtins=False, confidence="low", cache=False)
        found.append(_kingfisher(rules_file.stem, rules))
    return [*found, _second_layer(), _devtune()]


def _detect_secrets() -> Tool:
    def report(source: Source) -> list[int]:
        with tempfile.TemporaryDirectory() as place, default_settings():
            file = Path(place) / Path(source.path).name
            file.write_text(source.text, encoding="utf-8")
            return sorted(each.line_number for each in scan_file(str(file)))

    def has_found(specimen: Specimen) -> bool:
        lines = {
            number
            for number, line in enumerate(specimen.planted.split("\n"), specimen.first_line)
            if "PRIVATE " + "KEY" in line or any(each[:8] in line for each in specimen.values)
        }
        return not lines.isdisjoint(report(specimen.source))

    return Tool("detect-secrets", report, has_found)


def _kingfisher(name: str, rules: Rules) -> Tool:
    scanner = Scanner(rules)

    def spans(text: str) -> set[tuple[int, int]]:
        found = (each.location for each in scanner.scan(text) if each.visible)
        return {(each["start_offset"], each["end_offset"]) for each in found}

    def report(source: Source) -> list[int]:
        data = source.text.encode()
        return sorted(data.count(b"\n", 0, start) + 1 for start, _ in spans(source.text))

    def has_found(specimen: Specimen) -> bool:
        data = specimen.source.text.encode()
        places = ((data.find(each.encode()), len(each)) for each in specimen.values)
        secret = [(start, start + length) for start, length in places if start >= 0]
        found = spans(specimen.source.text)
        return any(a < end and start < b for a, b in found for start, end in secret)

    return Tool(name, report, has_found)


def _second_layer() -> Tool:
    """What devtune adds to kingfisher, alone: mostly for its speed."""

    def report(source: Source) -> list[int]:
        found = find_secrets(source.text)
        return [source.text.count("\n", 0, each.start) + 1 for each in found]

    def has_found(specimen: Specimen) -> bool:
        text = specimen.source.text
        pieces, done = [""], 0
        for each in find_secrets(text):
            pieces += (text[done : each.start], "REDACTED_X_1")
            done = each.end
        return not left_in_clear("".join((*pieces, text[done:])), specimen.values)

    find_secrets("")  # what is compiled once is no part of its speed
    return Tool("second layer", report, has_found)


def _devtune() -> Tool:
    marker = Marker(key=b"benchmark")

    def report(source: Source) -> list[int]:
        marked = marker.mark(source.text)
        return [marked.count("\n", 0, each.start()) + 1 for each in MARK.finditer(marked)]

    def has_found(specimen: Specimen) -> bool:
        return not left_in_clear(marker.mark(specimen.source.text), specimen.values)

    return Tool("devtune", report, has_found)


def left_in_clear(text: str, values: tuple[str, ...]) -> bool:
    """Whether any stretch of any value is still there (all of it, where a value is short)."""
    for value in values:
        num = min(len(value), NUM_CHARACTERS)
        if any(value[start : start + num] in text for start in range(len(value) - num + 1)):
            return True
    return False
