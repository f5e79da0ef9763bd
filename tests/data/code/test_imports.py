import pytest

from devtune.data.code.syntax import parse


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("python", "from __future__ import annotations", [("__future__", ("annotations",))]),
        ("python", "from ..a import *", [("..a", ())]),
        ("python", "import a.b as c", [("a.b", ())]),
        ("python", "def f():\n    import a", [("a", ())]),
        ("javascript", "import './a.css';", [("./a.css", ())]),
        ("javascript", "import * as a from 'b';", [("b", ())]),
        ("javascript", "export * from './b';", [("./b", ())]),
        ("javascript", "var a = require('b');", [("b", ())]),
        ("javascript", "var a = other('b');", []),
        ("java", "import static a.B.c;", [("a.B.c", ())]),
        ("go", 'import "fmt"', [("fmt", ())]),
        ("rust", "use crate::x::*;", [("crate::x", ())]),
        ("rust", "use a::{b::c, d as e};", [("a", ("c", "e"))]),
        ("csharp", "using static System.Math;", [("System.Math", ())]),
        ("ruby", "require_relative '../a'\nputs 'b'", [("../a", ())]),
        ("php", "<?php use function A\\f;", [("A\\f", ())]),
    ],
)
def test_an_import_says_what_it_reads_and_which_names_it_binds(language, text, found):
    module = parse(text, language)
    assert module is not None
    assert [(each.module, each.names) for each in module.imports] == found
