from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.licenses import Licenses, is_license_file, recognise

ROOT = Path(__file__).resolve().parents[3]
APACHE = (ROOT / "src/devtune/weights/licenses/Apache-2.0.txt").read_text(encoding="utf-8")
MIT = """MIT License

Copyright (c) 2024 Ada Example

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
GPL_NOTICE = """This program is free software; you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation; either version 2 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.
"""
OWN_TERMS = "All rights reserved by Corp. Nobody outside of Corp may read this."
CODE = "x = 1\n"


def commented(text: str, start: str, middle: str, end: str) -> str:
    return start + "".join(f"{middle}{line}\n" for line in text.splitlines()) + end


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("LICENSE", True),
        ("LICENCE.md", True),
        ("license.txt", True),
        ("LICENSE-MIT", True),
        ("MIT-LICENSE.txt", True),
        ("COPYING.LESSER", True),
        ("UNLICENSE", True),
        ("logo.png.license", True),
        ("pom.xml", True),
        ("package.json", True),
        ("license.py", False),
        ("licenses.ts", False),
        ("LICENSE-THIRD-PARTY.txt", False),
        ("license-header.txt", False),
        ("license.json", False),
        ("copying_machine.md", False),
        ("README.md", False),
        ("package-lock.json", False),
    ],
)
def test_files_that_say_the_license_of_others_are_known_by_name(name, is_one):
    assert is_license_file(name) == is_one


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        (MIT, "MIT"),
        (APACHE, "Apache-2.0"),
        (MIT + "\n\n" + APACHE, "MIT AND Apache-2.0"),
        (OWN_TERMS, "NOASSERTION"),
        ("How to use it. " * 200 + MIT, "NOASSERTION"),
        ("", "NOASSERTION"),
        ("(c) " * 100_000, "NOASSERTION"),
    ],
)
def test_license_texts_are_recognised_or_unclear(text, expression):
    assert recognise(text) == expression


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("# SPDX-License-Identifier: MIT\n", "MIT"),
        ("/* SPDX-License-Identifier: mit or gpl-2.0-only */\n", "MIT OR GPL-2.0-only"),
        ("<!-- SPDX-License-Identifier: MIT -->\n", "MIT"),
        ("// SPDX-License-Identifier: MIT\n// SPDX-License-Identifier: ISC\n", "MIT AND ISC"),
        ("\n" * 19 + "# SPDX-License-Identifier: MIT\n", "MIT"),
        ("\n" * 20 + "# SPDX-License-Identifier: MIT\n", ""),
        ("# SPDX-License-Identifier: Corp-1.0\n", "Corp-1.0"),
        ("# SPDX-License-Identifier: ask Bob about it!\n", "NOASSERTION"),
        ("# SPDX-License-Identifier:\n", ""),
        (commented(GPL_NOTICE, "/*\n", " * ", " */\n"), "GPL-2.0-or-later"),
        (commented(GPL_NOTICE, "#!/bin/sh\n\n", "# ", ""), "GPL-2.0-or-later"),
        (commented(GPL_NOTICE, '"""\n', "", '"""\n'), "GPL-2.0-or-later"),
        (commented(GPL_NOTICE, "<!--\n", "", "-->\n"), "GPL-2.0-or-later"),
        (commented(MIT, "", "// ", ""), "MIT"),
        ("x = 1\n" + commented(GPL_NOTICE, "", "# ", ""), ""),
        ("# Checks that each file names its license.\n", ""),
        ("def license():\n    return 'MIT'\n", ""),
    ],
)
def test_a_file_may_say_its_license_itself(text, expression):
    assert Licenses({}).of("a.py", text + CODE) == expression


TREE = {
    "LICENSE": APACHE,
    "own/LICENSE": APACHE.replace("\n", "\r\n"),
    "own/package.json": '{"license": "UNLICENSED"}',
    "mit/LICENSE": MIT,
    "mit/deep/package.json": '{"license": "ISC"}',
    "terms/LICENSE": OWN_TERMS,
    "docs/license.md": "Our license is explained here.",
    "both/LICENSE-MIT": MIT,
    "both/LICENSE-APACHE": APACHE + "\nAnd more.",
    "choice/LICENSE-MIT": MIT,
    "choice/LICENSE-APACHE": APACHE + "\nAnd more.",
    "choice/Cargo.toml": '[package]\nlicense = "MIT OR Apache-2.0"',
    "lie/LICENSE": MIT,
    "lie/package.json": '{"license": "ISC"}',
    "vague/setup.cfg": "[metadata]\nlicense = see the text\n",
    "sidecar/a.svg.license": "SPDX-FileCopyrightText: Ada\nSPDX-License-Identifier: CC0-1.0\n",
}


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("a.py", "LicenseRef-Ours"),
        ("deep/er/a.py", "LicenseRef-Ours"),
        ("own/a.py", "LicenseRef-Ours"),
        ("mit/a.py", "MIT"),
        ("mit/other/deep/a.py", "MIT"),
        ("mit/deep/a.py", "ISC"),
        ("mitten/a.py", "LicenseRef-Ours"),
        ("terms/a.py", "NOASSERTION"),
        ("docs/a.md", "LicenseRef-Ours"),
        ("both/a.py", "Apache-2.0 AND MIT"),
        ("choice/a.py", "MIT OR Apache-2.0"),
        ("lie/a.py", "MIT"),
        ("vague/a.py", "LicenseRef-Ours"),
        ("sidecar/a.svg", "CC0-1.0"),
        ("sidecar/b.svg", "LicenseRef-Ours"),
    ],
)
def test_the_nearest_statement_below_the_top_comes_before_the_sources_own(path, expression):
    assert Licenses(TREE, "LicenseRef-Ours").of(path, CODE) == expression


def test_the_top_speaks_where_the_source_declares_nothing():
    assert Licenses(TREE).of("a.py", CODE) == "Apache-2.0"
    assert Licenses(TREE).of("own/a.py", CODE) == "Apache-2.0"
    assert Licenses({"LICENSE": OWN_TERMS}).of("a.py", CODE) == ""
    assert Licenses({"package.json": '{"license": "MIT"}'}).of("a.py", CODE) == "MIT"
    assert Licenses({}).of("a.py", CODE) == ""
    assert Licenses({}, "mit").of("deep/a.py", CODE) == "MIT"


def test_the_files_own_word_comes_first():
    tagged = "# SPDX-License-Identifier: Zlib\n"
    assert Licenses(TREE, "MIT").of("sidecar/a.svg", tagged) == "Zlib"


def test_a_path_of_many_folders_is_walked_up():
    assert Licenses({"a/LICENSE": MIT}).of("a/" * 5000 + "x.py", CODE) == "MIT"


PIECES = ["#", "//", "/*", "<!--", '"""', "SPDX-License-Identifier:", "license", "\n", "MIT", " ("]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)), st.text(), st.text())
def test_no_text_and_no_path_is_too_odd(pieces, path, terms):
    files = {"LICENSE": terms, "a/LICENSE": terms, "a/package.json": terms, "a/b.license": terms}
    licenses = Licenses(files, terms[:20])
    for each in (path, f"a/{path}", "a/b"):
        assert isinstance(licenses.of(each, "".join(pieces)), str)
