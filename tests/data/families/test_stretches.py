import random
import re
from dataclasses import replace
from importlib import import_module

import pytest
from pydantic import TypeAdapter

from devtune.data.code.module import Span
from devtune.data.corpus import Made
from devtune.data.families.deltas import compare
from devtune.data.families.stretches import (
    changed_part,
    excerpted,
    parsed_part,
    part_of,
    shares_of,
)
from devtune.data.making import FAMILIES
from devtune.records import AuthorShare, BlameRun
from devtune.steps.families import FamilyStep
from tests.changes import edit_of
from tests.graphs import PROMPTS, context_of, file_of

PYTHON = '''"""A module."""

from typing import Sequence


class Basket:
    def add(self, item: str, number: int) -> bool:
        """Put an item into the basket so many times and say whether it fits."""
        before = len(self.items)
        # Adding one at a time keeps the order in which things were taken from the shelf.
        for _ in range(number):
            self.items.append(item)
        return len(self.items) > before


def total(prices: Sequence[int], discount: int) -> int:
    """Add the prices up and take the discount off, but never below zero."""
    whole = 0
    for price in prices:
        whole += price
    return max(whole - discount, 0)
'''
USES = """from shop.basket import total


def receipt(prices):
    lines = [str(price) for price in prices]
    return lines + [str(total(prices, 0))]


def check(prices):
    if total(prices, 1) > 100:
        return "too much"
    return ""


def invoice(prices):
    head = "Invoice"
    return head, total(prices, 2)
"""
TEST = """from shop.basket import total


def test_total_takes_the_discount_off():
    assert total([1, 2, 3], 2) == 4
    assert total([1], 2) == 0
"""
GO = """package shop

// Shelf returns the items of a shelf in the order of their numbers.
func Shelf(items []string, number int) []string {
\tfound := []string{}
\tfor _, item := range items {
\t\tif len(item) > number {
\t\t\tfound = append(found, item)
\t\t}
\t}
\treturn found
}
"""
README = """# Shop

Words before the sections, which say what this is.

## How to pay

Put the coins on the counter and wait for the receipt, which is printed as soon as the
drawer has been closed by whoever is responsible for it on that very day of the week.

```python
total([1, 2], 0)
```

## Last
"""
TEXTS = {
    "shop/basket.py": PYTHON,
    "shop/uses.py": USES,
    "tests/test_basket.py": TEST,
    "shelf.go": GO,
    "README.md": README,
}
STEPS = TypeAdapter(FamilyStep)
IN_PART = ("function_to_docstring", "type_annotation", "explanation", "repository_qa")
"""Families whose answer is only a part of the lines, or their words."""
FENCE = re.compile(r"```\w*")
CODE = re.compile(r"(?s)```\w+\n(.*?)\n```")
ON_FILES = [name for name, (rows, _) in FAMILIES.items() if rows == "files.jsonl"]


def made_by(family, directory, rows):
    step = STEPS.validate_python({"type": family, "prompt": PROMPTS / f"{family}.jinja"})
    module, _, function = FAMILIES[family][1].partition(":")
    make = getattr(import_module(f"devtune.data.families.{module}"), function)
    context = context_of(directory, family, *rows)
    made = [each for row in rows for each in make(step, row, context)]
    return [each.sample for each in made if isinstance(each, Made)]


def text_at(texts, place):
    # Lines end where git says they do.
    lines = texts[place.path].split("\n")
    assert 1 <= place.first_line <= place.last_line <= len(lines)
    return "\n".join(lines[place.first_line - 1 : place.last_line]).replace("\r", "\n")


def words(text):
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("family", ON_FILES)
def test_the_answer_is_the_lines_a_sample_names(family, ends, tmp_path):
    texts = {path: text.replace("\n", ends) for path, text in TEXTS.items()}
    samples = made_by(family, tmp_path, [file_of(path, text) for path, text in texts.items()])
    assert samples
    for sample in samples:
        answer = sample.messages[-1].content
        named = [text_at(texts, place) for place in sample.provenance]
        if family in IN_PART:
            assert set(words(FENCE.sub("", answer))) <= set(words(named[0]))
            continue
        for code in CODE.findall(answer):
            assert code.split() in [text.split() for text in named]


@pytest.mark.parametrize("family", ["docstring_to_function", "function_to_docstring"])
def test_a_function_is_named_from_its_first_line_to_its_last(family, tmp_path):
    samples = made_by(family, tmp_path, [file_of(path, text) for path, text in TEXTS.items()])
    spans = [(p.path, p.first_line, p.last_line) for each in samples for p in each.provenance]
    assert spans == [("shop/basket.py", 7, 13), ("shop/basket.py", 16, 21), ("shelf.go", 3, 12)]
    done = [each.transformations for each in samples]
    removed = ("docstring_removed",) if family == "function_to_docstring" else ()
    assert done[0] == ("excerpt", "dedented", *removed, "comment_marks_removed")
    assert done[1] == ("excerpt", *removed, "comment_marks_removed")


def test_lines_of_the_classic_mac_are_counted_as_git_counts_them():
    row = file_of("a.py", "a = 1\rb = 2\nc = 3\r\nd = 4\re = 5\n")
    spans = [parsed_part(row, Span(start, start + 1)) for start in range(5)]
    assert [(each.first_line, each.last_line) for each in spans] == [
        (1, 1), (1, 1), (2, 2), (3, 3), (3, 3),
    ]  # fmt: skip
    assert parsed_part(row, Span(1, 4)).last_line == 3


def test_a_piece_is_moved_left_where_it_was_indented():
    row = file_of("a.py", "\ufeffif x:\r\n    a()\r\n")
    assert excerpted((row, Span(0, 1))) == ("excerpt",)
    assert excerpted((row, Span(0, 1)), (row, Span(1, 2))) == ("excerpt", "dedented")


@pytest.mark.parametrize("seed", range(20))
def test_an_edit_names_the_lines_that_change_and_no_others(seed):
    chance = random.Random(seed)
    old = [f"line {number}\n" for number in range(chance.randint(1, 30))]
    new = list(old)
    for number in range(chance.randint(1, 4)):
        place = chance.randrange(len(new) + 1)
        new[place : place + chance.randint(0, 2)] = [
            f"new {number} {k}\n" for k in range(chance.randint(0, 3))
        ]
    if new == old:
        new.append("one more\n")
    delta = compare(edit_of("x.py", "".join(old), "".join(new)), 100)
    place = changed_part(delta)
    lines = new if any("new" in line or "more" in line for line in new) else old
    changed = [n for n, line in enumerate(lines, 1) if line not in (old if lines is new else new)]
    assert (place.first_line, place.last_line) == (changed[0], changed[-1])


def test_a_deleted_file_names_the_lines_it_had():
    place = changed_part(compare(edit_of("x.py", "a\nb\n", None), 100))
    assert (place.first_line, place.last_line) == (1, 2)


def test_shares_are_of_the_lines_in_question_only():
    runs = (BlameRun("Ada", 1, 4), BlameRun("Bob", 5, 1), BlameRun("Ada", 6, 2), BlameRun("", 8, 3))
    assert shares_of(runs, 1, 3) == (AuthorShare("Ada", 1.0),)
    assert shares_of(runs, 4, 6) == (AuthorShare("Ada", 0.6667), AuthorShare("Bob", 0.3333))
    assert shares_of(runs, 5, 8) == (
        AuthorShare("Ada", 0.5), AuthorShare("", 0.25), AuthorShare("Bob", 0.25),
    )  # fmt: skip
    assert shares_of(runs, 10, 99) == (AuthorShare("", 1.0),)
    assert shares_of((), 1, 9) == ()


def test_a_part_says_who_wrote_it():
    row = replace(
        file_of("a.py", "a\nb\nc\n"), blame=(BlameRun("Ada", 1, 1), BlameRun("Bob", 2, 2))
    )
    part = part_of(row, 1, 3)
    assert (part.first_line, part.last_line) == (2, 3)
    assert part.authors == (AuthorShare("Bob", 1.0),)
    assert replace(part, first_line=0, last_line=0, authors=()) == row.provenance
