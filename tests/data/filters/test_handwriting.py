import pytest

from devtune.data.filters.handwriting import MIN_CHARACTERS, Handwriting, runs_of

HERS = (
    "def weigh(first_number, second_number):\n"
    "    total_of_both = first_number + second_number\n"
    "    return total_of_both * 7\n"
)
OTHER = "def another():\n    return 'nothing of all this stands in there, not even one line'\n"


@pytest.fixture
def writing():
    found = Handwriting()
    found.add(HERS, 5)
    return found


@pytest.mark.parametrize(
    "text",
    [
        HERS,
        OTHER + "\n\n" + HERS,
        "".join(f"        {line}\n" for line in HERS.splitlines()),
        HERS.replace("\n", "\r\n"),
        "> " + HERS.replace("\n", "\n> "),
        "+" + HERS.replace("\n", "\n+"),
        HERS.replace("\n", "\n\n"),
        "\n".join(HERS.splitlines()[1:]) + "\n",
    ],
)
def test_a_run_is_found_wherever_and_however_it_was_pasted(writing, text):
    assert writing.find(text)


@pytest.mark.parametrize("text", [OTHER, "", HERS.splitlines()[2], HERS.replace("_", "")])
def test_what_has_no_whole_run_has_none(writing, text):
    assert writing.find(text) == []


def test_what_was_there_before_is_not_what_was_written():
    found = Handwriting()
    found.add(OTHER + HERS, 5, known=OTHER)
    assert found.find(OTHER) == []
    assert found.find(HERS)


def test_the_earliest_position_counts(writing):
    writing.add(HERS, 9)
    assert set(writing.since.values()) == {5}
    writing.add(HERS, 2)
    assert set(writing.since.values()) == {2}


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nfrom pathlib import Path\nfrom collections.abc import Iterator\n",
        "# Copyright 2024 Somebody\n# Licensed under the terms of the Apache License 2.0\n",
        "/*\n * Permission is hereby granted, free of charge, to any one\n * licence: MIT\n */\n",
        "}\n" * 100,
        "x = 1\n" * (MIN_CHARACTERS // 2 - 1),
    ],
)
def test_what_anybody_writes_is_no_run(text):
    assert list(runs_of(text)) == []


def test_a_comment_below_the_licence_counts():
    text = "# Copyright Somebody\n\nx = 1\n# what is said here is said by nobody else, anywhere\n"
    assert list(runs_of(text))


def test_one_long_line_is_a_run_and_only_its_beginning_is_looked_at():
    first, second = (f"{'abcdefgh ' * 1000}{end}" for end in ("one", "two"))
    assert [run for _, run in runs_of(first)] == [run for _, run in runs_of(second)]
