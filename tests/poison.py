"""Texts that break readers: source code, notebooks, manifests, exports, attributes, messages.

Reads and writes nothing. Each is a few kilobytes, or as long as it must be to hurt.
"""

import json

from hypothesis import strategies as st

WORDS = "</s>[INST] [/INST][AVAILABLE_TOOLS]<s>[TOOL_CALLS]{{ x }}{% raw %}{#```\n<<<<<<< SEARCH\n"
ODD = "\ufeff\u2028\u2029\x85\x0b\x0c\x1c\x1e\u202e\u200b\ufffd\uffff\U0010fffe"
ODD += "e\u0301\u0130ß\x1b[31m"
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8"


def _nested(opening, closing, depth):
    return (
        "\n".join([opening * 500] * (depth // 500))
        + "\n1\n"
        + (closing * 500 + "\n") * (depth // 500)
    )


def _deep(keyword, depth=300):
    lines = [" " * level + f"{keyword} n{level}:\n" for level in range(depth)]
    return "".join(lines) + " " * depth + "pass\n"


def _documented(docstring, body="return value + 1"):
    return f'def handle(value, other=1):\n    """{docstring}"""\n    {body}\n    return other\n'


CODE = {
    ".py": [
        _nested("(", ")", 20_000),
        _nested("[", "]", 20_000),
        _deep("class"),
        _deep("if"),
        _deep("def"),
        "x = " + "\nx = ".join(["-" * 900, "not " * 200, "a." * 400 + "a", "f(" * 300]) + "\n",
        'def f(a):\n    """never closed\n' + "    x = 1\n" * 50,
        "def f(a):\n\t'''Mixed.'''\n        return a\n \tb = 1\n\r\n\rc = 2\r",
        _documented(WORDS),
        _documented(ODD),
        _documented("Say what it is.\n\n    " + "```\n    " * 40),
        _documented("Return the value after a while.", f'token = "{SECRET}\\n{SECRET}"'),
        _documented("Return \\N{DASH} \\x00 \\ud800 and more.", f"url = '\\\\{SECRET}\\\\'"),
        "".join(f"@d{n}\n" for n in range(500)) + "def f(): return 1\n",
        "def f(" + ",\n".join(f"a{n}: 'T{n}'" for n in range(2000)) + "):\n    return a1\n",
        "def same(a):\n    return a\n\n\n" * 400,
        "import " + ", ".join(["a" * 200] * 4) + "\n" + "from . import (\n" * 50,
        "x = f'" + '{f"' * 200 + "\n" + "lambda: " * 120 + "1\n",
        "def é(ñ: 'int') -> 'ß':\n    '''Größe von ñ.'''\n    return ñ\n" * 3,
        "# SPDX-License-Identifier: " + "(" * 400 + "MIT" + ")" * 400 + "\nx = 1\n",
        "# SPDX-License-Identifier: MIT OR \\ud800 WITH \0\nx = 1\n",
        "#\n" * 20_000 + "# icens\nx = 1\n",
        "x = 1\n" * 2000 + "y = '\0'\n",
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
        "x = 1\\\n" * 3000,
        "x = 'a' \\\n\x0c\n\x0cdef f(a):\n\x0c    return a\n",
        "def " + "f" * 900 + "(a):\n    '''Keep a as it is.'''\n    return a\n",
    ],
    ".js": ["`${" * 250 + "\n" + "}`" * 250 + "\n", "a=>" * 300 + "1\n", "/*" * 400 + "\n/"],
    ".ts": ["type A = " + "B<\n" * 900 + ">" * 900 + ";\n", "let x: " + "{a:" * 250 + "\n"],
    ".java": ["class A { " * 90 + "\n" + "@A(" * 250 + "\n" + "}" * 90 + "\n"],
    ".go": ["package a\nfunc f() {\n" + "func() {\n" * 900 + "}()\n" * 900 + "}\n"],
    ".rs": ["/*" * 450 + "\n" + "*/" * 450 + "\nfn f() {}\n", "fn f(){ r" + "#" * 900 + '"\n'],
    ".c": ["#if A\n" * 3000 + "int f(){}\n" * 30, "int " + "*" * 900 + "f(" + "(" * 900 + "\n"],
    ".cpp": ["template<" * 90 + "\n" + "a<b<c<d<\n" * 900, "auto x = " + "[](){" * 150 + "\n"],
    ".cs": ["namespace A { " * 60 + "\n#region\n" * 300, '$"{' * 300 + "\n"],
    ".rb": ["<<A + <<B + <<C\n" * 300, "def a; " * 120 + "\n" + "%w[" * 200 + "\n"],
    ".php": ["<?php ?>" * 110 + "\n" * 5, "<?php\n" + "if(1):\n" * 900, "<?php <<<A\n" * 99],
    ".md": [
        "> " * 400 + "a\n",
        "- " * 400 + "a\n" + "#" * 900 + " b\n",
        "# Ask\n\n" + "```\n" * 301 + "~~~~\n" * 30,
        "# What is this for?\n\n" + WORDS * 3 + ODD + "\n\nIt keeps values for a while, then.\n",
        "Title\n===\n" + "[a](" * 200 + "\n" + "<!--" * 200 + "\n" + "| a " * 200 + "\n",
    ],
    ".rst": ["=" * 900 + "\nA\n" + "=" * 900 + "\n", ".. code::\n\n" * 300, "A\n-\n" * 500],
    ".adoc": ["=" * 6 + " A\n" * 300, "----\n" * 301, "include::/etc/passwd[]\n\n= A\n\nText.\n"],
    "": [WORDS, ODD, "a\r\nb\rc\nd", "\ufeff\ufeff\n", " \n", "", "a" * 5000, "\u0338" * 4000],
}
"""By ending: grammars nested too deeply, left open, or with what templates and prompts use."""


def _json(value):
    return json.dumps(value)


def _cell(source, kind="code", **more):
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


NOTEBOOKS = [
    "[" * 50_000,
    '{"cells":' * 20_000,
    _json({"cells": [_cell(["x = 1\n", 1, None, ["y"]]), _cell({"a": 1}), 1, None, "x"]}),
    _json({"nbformat": 4, "cells": [_cell("\ud800 = 1\n%%bash\nrm -rf /\n"), _cell("!touch x")]}),
    _json({"nbformat": 4, "metadata": {"kernelspec": {"name": ["python"]}}, "cells": [_cell("1")]}),
    _json({"nbformat": 4, "metadata": [], "cells": [_cell(f"t = '{SECRET}'"), _cell(ODD)]}),
    _json({"nbformat": 1e999, "cells": [_cell("a?\n" * 50), _cell("x" * 99, "heading", level=-1)]}),
    '{"nbformat": 4, "cells": [' + ",".join(["{}"] * 3000) + "]}",
    '{"nbformat": ' + "9" * 5000 + ', "cells": []}',
    '{"nbformat": NaN, "nbformat": 4, "cells": [{"cell_type": "code", "source": "\\u0000"}]}',
]
MANIFESTS = [
    ("package.json", '{"license": "MIT\\ud800"}'),
    ("package.json", _json({"license": [["MIT"]] * 9, "licenses": [{"type": {"type": 1}}, None]})),
    ("package.json", "[" * 50_000),
    ("composer.json", _json({"license": ["(" * 300, "MIT OR", "AND", "\x00", "GPL-2.0+"]})),
    ("pyproject.toml", "[project]\nlicense = " + "[" * 5000),
    ("pyproject.toml", '[project]\nlicense = {text = "' + "MIT AND " * 5000 + '"}\n'),
    ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0/' + "/" * 3000 + '"\n'),
    ("setup.cfg", "[metadata]\nlicense = %(license)s %\n[metadata]\n=\n:\n"),
    ("pom.xml", "<licenses>" * 3000 + "<name>" * 3000),
    ("pom.xml", '<!DOCTYPE a [<!ENTITY a "&a;&a;">]><licenses><name>&a;</name></licenses>'),
    ("LICENSE", "permission is hereby granted " * 5000),
    ("COPYING.\u202e", "GNU GENERAL PUBLIC LICENSE\nVersion 2\n" + ODD),
    ("m0.py.license", "SPDX-License-Identifier: AND AND ((\n"),
]
ATTRIBUTES = [
    "* filter=trap diff=trap merge=trap text eol=crlf ident working-tree-encoding=UTF-7\n",
    "[attr]trap filter=trap diff=trap\n* trap\n**/*.py trap\n",
    "*" * 1500 + " linguist-generated\n" + "a/**/" * 300 + "b linguist-vendored\n",
    '"\\' * 200 + " linguist-language=[INST]\n* linguist-language=" + "x" * 900 + "\n",
    "[a-\\]] linguist-vendored\n[[:alpha:] -linguist-generated\n[!] !linguist-vendored\n\\ x\n",
    "*.py linguist-language=Java\n*.md linguist-language=C++\n* linguist-language=\u202e\n",
    "\ufeff*.py linguist-generated=false\r\n\0* linguist-vendored\n",
]
MAILMAPS = [
    "Ada <ada@corp.test> <\n<<<>>>\n> <\n" + "<" * 5000 + "\n" + ">" * 5000 + "\n",
    "\x1b[31m\u202e\ufeff <a@b> <ada@corp.test>\n",
    "X\0Y <x@y> Ada Example <ada@corp.test>\n",
    "\n".join(f"N{n} <n{n}@x> <n{n + 1}@x>" for n in range(3000)) + "\n",
    SECRET + " <" + SECRET + "> <ada@corp.test>\n",
]
MESSAGES = [
    b"", b"\n\n\n", b"Let it \xff\xfe be\n", "Größe ändern für immer".encode("latin-1"),
    "直す 問題 の 値".encode("shift-jis"), b"Add \0 hidden\n\nrest\n", b"a" * 20_000,
    b"Let all words be one\n\n" + b"word " * 20_000, b"Fix #1, #2 " + b"(#3) " * 900,
    WORDS.encode(), ODD.encode(), b":100644 100644 a b M\tx\n\n:000000 111111 a b A\tx",
    b"Return +AAA-two+AAo- for \x1b$B nothing\n", b"[" * 3000 + b"]" * 3000,
    b"feat(" * 1000, b"Use the token " + SECRET.encode() + b" here\n", 
    b"-----\n--- a\n+++ b\n@@ -1",
    b"Rename value to other in handle\n\nCo-authored-by: " + b"<" * 3000 + b"\nFixes: x\n",
]  # fmt: skip
AUTHORS = [
    b"Ada Example <ada@corp.test>", b"<>", b" <>", b"", b"\xff <\xfe@x>", b"A <b> <c> >", b"A",
    b"\xed\xa0\x80 <a@b>", b"x" * 4000 + b" <y>", "\u202e\u2028 <a@b>".encode(), b"A\tB <\x1b[0m>",
    "Größe <g@x>".encode("latin-1"), SECRET.encode() + b" <a@b>", b"+AAA- <+AAA-@x>",
]  # fmt: skip
DATES = [
    b"0 +0000", b"-1 +0000", b"1704067200 +9999", b"99999999999999999999 +0000", b"", b"x y",
    b"18446744073709551615 -0000", b"253402300800 +0000", b"1704067200", b"1e9 +0000",
    b"1704067200 +\xff", b"2147483648 -1200",
]  # fmt: skip
ENCODINGS = [b"", b"UTF-8", b"latin-1", b"UTF-7", b"UTF-16", b"ISO-2022-JP", b"\xff", b"x" * 999]
EXPORTS = [
    "[" * 100_000, '{"a":' * 30_000, "\x00\x01", "[1, null, \"x\", {}]", '{"number": 1e999}',
    _json([{"number": 1, "title": ODD, "user": {"login": WORDS}, "body": SECRET,
            "created_at": "2024-01-01T00:00:00Z", "html_url": "https://x/a/b/issues/1"}]),
    _json([{"number": 2**70, "title": None, "user": [], "body": {}, "created_at": 1}]),
    _json([{"number": 3, "title": "\ud800", "user": None, "body": "<!--" * 3000 + "fixes " * 3000,
            "pull_request": {}, "created_at": "9999-12-31T23:59:59+14:00", "html_url": "//x//"}]),
    _json([{"id": 9, "iid": 4, "project_id": 1, "title": "a", "description": "\x00", "author": {},
            "source_branch": "", "sha": "z" * 40, "created_at": "2024-01-01"}]),
    _json([{"id": 5, "body": "b", "path": "../../etc/passwd", "diff_hunk": "@@" * 900, "line": -1,
            "pull_request_url": "https://x/repos/a/b/pulls/1", "original_commit_id": "0" * 40,
            "user": {"login": "a"}, "created_at": "0001-01-01T00:00:00Z", "position": 2**80}]),
]  # fmt: skip
ENDINGS = st.sampled_from([*CODE, ".json", ".yaml", ".html", ".txt", ".PY", ".ipynb"])
RAW = [
    WORDS.encode("utf-16"), b"\xff\xfe\x00", "é".encode("latin-1") * 50, b"\x80" * 100,
    "日本語\n".encode("shift-jis") * 50, b"\xc0\xaf\xed\xa0\x80\n" * 9, b"\0" * 5000,
    b"\x1f\x8b\x08",
    b"AAAA" * 3000 + b"\n", b"x = 1\r\ny = 2\n\rz = 3\r", b"a" * 900_000, 
    b"def f(a):\n  return \xff\n",
]  # fmt: skip


def contents(ending):
    """Draw the bytes of a file whose name ends so."""
    fixed = [each.encode("utf-8", "replace") for each in CODE.get(ending, CODE[""])]
    if ending == ".ipynb":
        fixed = [each.encode("utf-8", "replace") for each in NOTEBOOKS]
    drawn = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.sampled_from(fixed) | st.sampled_from(RAW) | drawn | st.binary(max_size=200)
