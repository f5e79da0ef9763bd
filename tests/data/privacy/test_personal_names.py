import pytest

from devtune.data.privacy.personal_names import (
    HINTS,
    OWNER_HINTS,
    find_beside,
    find_names,
    find_owners,
    line_of,
    names_owner,
)


def found(text: str) -> list[str]:
    lower = text.lower()
    names: set[tuple[int, int]] = set()
    for hint in HINTS:
        start = lower.find(hint)
        if start >= 0:
            names.update(find_names(text, start, start + len(hint)))
    return [text[start:end] for start, end in sorted(names)]


ADA, BOB = "Ada Lovelace", "Bob Other"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f" * @author {ADA}", [ADA]),
        (f" * @author  {ADA} <ada@x.com>", [ADA]),
        (f" * @author {ADA} (@ada) <ada@x.com>", [ADA]),
        (" * @author ada", ["ada"]),
        (f"Author: {ADA}", [ADA]),
        ("Author: Ada <ada@x.com>", ["Ada"]),
        (f"# Authors: {ADA}, {BOB} and Eve Mallory", [ADA, BOB, "Eve Mallory"]),
        ('__author__ = "ada"', ["ada"]),
        (f'authors = ["{ADA}", "{BOB} <bob@x.com>"]', [ADA, BOB]),
        (f'"author": "{ADA}",', [ADA]),
        (f'"author": "{ADA}", "title": "Linux Hacker"', [ADA]),
        (f'"authors": ["{ADA}"], "title": ["Linux Hacker"]', [ADA]),
        (f"author='{ADA}',", [ADA]),
        (f"spec.authors     = ['{ADA}']", [ADA]),
        (f"<author>{ADA}</author>", [ADA]),
        (f"<developer>\n  <id>ada</id>\n  <name>{ADA}</name>", [ADA]),
        (f"Signed-off-by: {ADA} <ada@x.com>", [ADA]),
        ("    Co-authored-by: Élodie Durand-Šimek <e@x.fr>", ["Élodie Durand-Šimek"]),
        ("Reviewed-by: Ada", ["Ada"]),
        (f"//  Created by {ADA} on 04.05.12.", [ADA]),
        ("// TODO(ada): mend", ["ada"]),
        (f":author: {ADA}", [ADA]),
        (f".. moduleauthor:: {ADA} <ada@x.com>", [ADA]),
        (f"\\author{{{ADA}}}", [ADA]),
        ("Maintainer: Ada van der Berg", ["Ada van der Berg"]),
        ("Author: J. R. O'Neill", ["J. R. O'Neill"]),
        ("@author 王小明", ["王小明"]),
    ],
)
def test_names_are_found_in_lines_that_say_who_wrote_it(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "author: Author",
        "author: string;",
        "author = user.name",
        "author.name = x",
        '"author": "admin"',
        f'if (author == "{ADA}") {{',
        "the author of this file",
        "authors: Author[]",
        "TODO(perf): x",
        "todo(ada)",
        "TODO(#12)",
        "TODO(parser-v1): x",
        "@author ada@corp-x.com",
        f"supported by {ADA}",
        "created by the parser",
        "created by Parser",
        "created by parser <20",
        "@authorize Foo Bar",
        "<authors>",
        "<authority>Foo Bar</authority>",
        "side-by: side",
        f"written byte {ADA}",
    ],
)
def test_other_lines_hold_no_names(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{ADA} <@", ADA),
        (f'- "{ADA}" <@', ADA),
        (f"Thanks to {ADA} (@", ADA),
        (f'{{"name": "{ADA}", "email": "@', ADA),
        (f'{{"name": "{ADA}",\n   "email": "@', ADA),
        (f"{{ name = '{ADA}', email = '@", ADA),
        (f"<name>{ADA}</name>\n  <email>@", ADA),
        (f"@ ({ADA})", ADA),
        ("@ (work)", ""),
        ("mail <@", ""),
        ("Ada\nmail <@", ""),
        ("send it to <@", ""),
        ("Ada, Bob: <@", ""),
        (f'{{"name": "{ADA}", "phone": "x", "email": "@', ""),
        ("<@", ""),
        ("@", ""),
    ],
)
def test_a_name_stands_in_front_of_an_address(text, name):
    assert [
        text[start:end] for start, end in find_beside(text, text.index("@"), text.index("@") + 1)
    ] == ([name] if name else [])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"Copyright (c) 2019-2020 {ADA}", [ADA]),
        (f"© 2020, {ADA} and {BOB}. All rights reserved.", [ADA, BOB]),
        (f"Copyright: 2020 by {ADA}\n", [ADA]),
        ("the copyright holder", []),
    ],
)
def test_owners_of_rights_are_found(text, names):
    spans = {
        span
        for hint in OWNER_HINTS
        if (start := text.lower().find(hint)) >= 0
        for span in find_owners(text, start)
    }
    assert [text[start:end] for start, end in sorted(spans)] == names


def test_only_the_own_line_says_who_holds_the_rights():
    text = "x\nCopyright 2020 ada@x.com\nada@y.com\n"
    assert names_owner(text, text.index("ada@x"))
    assert not names_owner(text, text.index("ada@y"))
    assert text[slice(*line_of(text, text.index("ada@x")))] == "Copyright 2020 ada@x.com"
    assert line_of("a" * 5000, 2500) == (2200, 2800)
