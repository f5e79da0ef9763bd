from dataclasses import replace

import pytest

from devtune.data.code.facts import Entry, Imported, Mention, Place
from devtune.data.code.module import Span
from devtune.data.code.resolution import choose
from devtune.data.languages import language_of


def place(path):
    return Place(1, 1, "app", "train", path, language_of(path), 0)


def entry(path, qualified_name, kind="function", line=0, owner=None):
    *outer, name = qualified_name.split(".")
    owner = (outer or [""])[-1] if owner is None else owner
    span = Span(line, line + 2)
    return Entry(line, place(path), kind, name, qualified_name, owner, span, "", "", False)


def chosen(path, call, imports, *targets):
    qualifier, _, name = call.rpartition(".")
    rows = [Imported(*each) for each in imports]
    return choose(Mention(place(path), name, qualifier), rows, targets)


LOAD, OTHER = entry("app/config.py", "load"), entry("lib/other.py", "load")
METHOD = entry("app/config.py", "Config.load")
CLASS = entry("app/config.py", "Config", "class")
ALL, ELSEWHERE = entry("app/config.py", "Config.load_all"), entry("lib/x.py", "X.load_all")


@pytest.mark.parametrize(
    ("call", "imports", "targets", "expected"),
    [
        ("load", [("app.config", "load")], [LOAD, OTHER], LOAD),
        ("load", [("app.config", "load")], [OTHER, LOAD], LOAD),
        ("load", [("lib.other", "load")], [LOAD, OTHER], OTHER),
        ("load", [("app", "load")], [LOAD, OTHER], LOAD),
        ("load", [], [LOAD], None),
        ("load", [("json", "load")], [LOAD], None),
        ("load", [("app.config", "")], [LOAD], None),
        ("load", [("app.config", "save")], [LOAD], None),
        ("load", [("app.config", "load")], [METHOD], None),
        ("config.load", [("app.config", "")], [LOAD, OTHER], LOAD),
        ("config.load", [("app", "config")], [LOAD, OTHER], LOAD),
        ("config.load", [("app", "settings")], [LOAD, OTHER], None),
        ("config.load", [("json", "")], [LOAD], None),
        ("other.load", [("app.config", "")], [LOAD], None),
        ("Config.load", [("app.config", "Config")], [LOAD, METHOD], METHOD),
        ("my_config.load", [("app.config", "Config")], [METHOD, OTHER], METHOD),
        ("my_config.load", [("app.config", "load")], [METHOD, OTHER], METHOD),
        ("my_config.load", [], [METHOD, OTHER], None),
        ("config_file.load", [("app.config", "Config")], [METHOD], None),
        ("value.load", [("app.config", "Config")], [METHOD], None),
        ("?.load", [("app.config", "Config")], [METHOD], None),
        ("value.load_all", [("app.config", "Config")], [ALL], ALL),
        ("?.load_all", [("app.config", "Config")], [ALL], ALL),
        ("value.load_all", [], [ALL], None),
        ("value.load_all", [("app.config", "Config")], [ALL, ELSEWHERE], None),
        ("config.load_all", [("app.config", "Config"), ("x", "config")], [ALL], None),
        ("?.load", [("app.config", "load")], [LOAD], None),
        ("self.load", [("app.config", "Config")], [METHOD], None),
        ("Config", [("app.config", "Config")], [CLASS], CLASS),
        ("?.Config", [("app.config", "Config")], [CLASS], None),
        ("config.Config", [("app", "config")], [CLASS], CLASS),
        ("nothing", [], [], None),
    ],
)
def test_what_python_means_by_a_name(call, imports, targets, expected):
    assert chosen("app/main.py", call, imports, *targets) == expected


def test_the_own_file_comes_first():
    here = entry("app/main.py", "load")
    assert chosen("app/main.py", "load", [("app.config", "load")], LOAD, here) == here
    mine = entry("app/main.py", "Main.load")
    assert chosen("app/main.py", "self.load", [], METHOD, mine) == mine


def test_two_equal_definitions_are_ambiguous_but_overloads_are_one():
    twice = entry("app/config/b.py", "load"), entry("app/config/a.py", "load")
    assert chosen("main.py", "load", [("app.config", "load")], *twice) is None
    first, later = entry("a/X.java", "X.load", line=2), entry("a/X.java", "X.load", line=9)
    longer = replace(later, span=Span(9, 19))
    assert chosen("a/Y.java", "X.load", [], later, first) == first
    assert chosen("a/Y.java", "X.load", [], first, longer) == longer


def test_of_overloads_in_python_the_last_is_meant():
    stub, real = entry("app/config.py", "load", line=2), entry("app/config.py", "load", line=9)
    longer = replace(stub, span=Span(2, 8))
    assert chosen("main.py", "load", [("app.config", "load")], longer, real) == real


def test_a_constructor_is_its_class():
    parts = entry("a/X.java", "X.X", line=4), entry("a/X.java", "X", "class")
    assert chosen("b/Y.java", "X", [("a", "X")], *parts) == parts[1]


@pytest.mark.parametrize(
    ("user", "call", "imports", "target", "is_found"),
    [
        ("cmd/main.go", "conf.Load", [("corp.test/u/app/conf", "")], "conf/load.go", True),
        ("cmd/main.go", "Load", [], "cmd/load.go", True),
        ("cmd/main.go", "Load", [], "conf/load.go", False),
        ("src/main.c", "Load", [("load.h", "")], "lib/load.c", True),
        ("src/main.cpp", "Load", [("load.h", "")], "lib/load.c", True),
        ("src/main.c", "Load", [("stdio.h", "")], "lib/load.c", False),
        ("src/main.rs", "Load", [("crate::conf", "Load")], "src/conf.rs", True),
        ("src/main.rs", "conf.Load", [("crate", "conf")], "src/conf.rs", True),
        ("web/a.ts", "Load", [("./conf", "Load")], "web/conf.tsx", True),
        ("web/a.ts", "Load", [("./other", "Load")], "web/conf.tsx", False),
        ("app/x.rb", "Load", [("conf/load", "")], "lib/conf/load.rb", True),
    ],
)
def test_other_languages_find_what_they_can_see(user, call, imports, target, is_found):
    found = entry(target, "Load")
    assert chosen(user, call, imports, found) == (found if is_found else None)


@pytest.mark.parametrize("suffix", ["cs", "java", "php", "rb"])
def test_a_class_needs_no_import_of_its_file_where_the_language_has_none(suffix):
    method = entry(f"lib/Conf.{suffix}", "Conf.load")
    assert chosen(f"src/main.{suffix}", "Conf.load", [], method) == method
    assert chosen("src/main.py", "Conf.load", [], entry("lib/conf.py", "Conf.load")) is None


@pytest.mark.parametrize("call", ["load", "corp.load", "conf.load"])
def test_a_namespace_is_no_class(call):
    found = entry("lib/conf.cpp", "corp.conf.load", owner="")
    assert chosen("src/main.cpp", call, [("lib/conf.h", "")], found) == found
    assert chosen("src/main.cpp", call, [("lib/other.h", "")], found) is None
    assert chosen("src/main.cpp", f"other.{call}", [("lib/other.h", "")], found) is None


@pytest.mark.parametrize(("namespace", "is_found"), [("Corp.Conf", True), ("Corp.Other", False)])
def test_a_value_is_of_a_class_its_file_can_see(namespace, is_found):
    method = entry("Corp/Conf/Loader.cs", "Loader.run")
    found = chosen("src/X.cs", "myLoader.run", [(namespace, "")], method)
    assert found == (method if is_found else None)


@pytest.mark.parametrize(("name", "is_found"), [("ToText", True), ("ToString", False)])
def test_what_every_value_can_do_is_not_the_only_definition_of_it(name, is_found):
    target = entry("app/Parser.cs", f"Parser.{name}")
    assert (chosen("app/User.cs", f"value.{name}", [], target) is target) == is_found
    assert chosen("app/User.cs", f"parser.{name}", [], target) is target
