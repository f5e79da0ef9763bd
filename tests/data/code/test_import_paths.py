import pytest

from devtune.data.code.facts import Imported, Place
from devtune.data.code.import_paths import group_of, names_file, spellings
from devtune.data.languages import language_of


def place(path, source="app"):
    return Place(1, 1, source, "train", path, language_of(path), 0)


@pytest.mark.parametrize(
    ("user", "module", "name", "target", "expected"),
    [
        ("a/b.py", "a.config", "load", "a/config.py", 2),
        ("a/b.py", "a.config", "load", "src/a/config.py", 2),
        ("a/b.py", "a", "config", "src/a/config.py", 2),
        ("a/b.py", "a.config", "load", "src/a/config/__init__.py", 2),
        ("a/b.py", "a.config", "load", "src/a/config/loading.py", 1),
        ("a/b.py", "a.config", "load", "src/b/config.py", 0),
        ("a/b.py", "other.a.config", "load", "a/config.py", 0),
        ("a/b.py", "app.config", "load", "config.py", 2),
        ("a/b.py", "json", "load", "a/json.py", 0),
        ("a/b.py", ".json", "load", "a/json.py", 2),
        ("a/b.py", ".", "json", "a/json.py", 2),
        ("a/b.py", "..config", "load", "config.py", 2),
        ("a/b.py", ".config", "load", "b/a/config.py", 0),
        ("b.py", "......config", "load", "config.py", 2),
        ("b.py", ".", "", "config.py", 0),
        ("b.py", "", "", "config.py", 0),
        ("web/a.ts", "./config", "load", "web/config.ts", 2),
        ("web/a.ts", "./config.js", "load", "web/config.ts", 2),
        ("web/a.ts", "../lib", "load", "lib/index.js", 2),
        ("web/a.ts", "../lib", "load", "lib/load.js", 2),
        ("web/a.ts", "../lib", "other", "lib/load.js", 1),
        ("web/a.ts", "lib", "load", "lib/index.js", 0),
        ("web/a.ts", "@/lib/x", "load", "lib/x.js", 0),
        ("a.ts", "../../../x", "load", "x.js", 0),
        ("cmd/main.go", "corp.test/u/app/pkg/conf", "", "pkg/conf/load.go", 1),
        ("cmd/main.go", "fmt", "", "pkg/conf/load.go", 0),
        ("cmd/main.go", "corp.test/u/app", "", "load.go", 1),
        ("cmd/main.go", "corp.test/u/other", "", "load.go", 0),
        ("M.java", "com.corp.Conf", "", "src/main/java/com/corp/Conf.java", 2),
        ("M.java", "com.corp", "Conf", "src/main/java/com/corp/Conf.java", 2),
        ("M.java", "com.other.Conf", "", "src/main/java/com/corp/Conf.java", 0),
        ("src/main.rs", "crate::conf", "load", "src/conf.rs", 2),
        ("src/main.rs", "crate::conf::load", "load", "src/conf/mod.rs", 2),
        ("src/main.rs", "my_app::conf", "load", "my-app/src/conf.rs", 2),
        ("src/main.rs", "std::io", "", "src/conf.rs", 0),
        ("src/main.c", "conf/load.h", "", "lib/load.c", 2),
        ("src/main.c", "stdio.h", "", "lib/load.c", 0),
        ("app/x.rb", "conf/load", "", "lib/conf/load.rb", 2),
        ("app/x.rb", "../lib/load.rb", "", "lib/load.rb", 2),
        ("src/X.php", r"Src\Conf\Loader", "Loader", "src/Conf/Loader.php", 2),
        ("src/X.php", r"Corp\Conf\Loader", "Loader", "lib/Conf/Loader.php", 2),
        ("src/X.php", r"Corp\Other\Loader", "Loader", "lib/Conf/Loader.php", 0),
        ("src/X.cs", "Corp.Conf", "", "Corp/Conf/Loader.cs", 1),
    ],
)
def test_an_import_names_the_file_whose_path_ends_like_it(user, module, name, target, expected):
    source = "my-app" if target.startswith("my-app") else "app"
    assert names_file(module, place(user, source), place(target, source), name) == expected


@pytest.mark.parametrize("module", ["\0", "::::", "a" * 4000, "." * 4000, "../" * 2000, "é/ü"])
@pytest.mark.parametrize("path", ["a.py", "a.js", "a.go", "a.c", "a.rs", "a.java"])
def test_no_import_is_too_odd(module, path):
    assert names_file(module, place(path), place(f"z/{path}"), "x") == 0


def test_an_import_is_used_under_its_name_or_the_last_part_of_its_module():
    assert spellings(Imported("corp.test/u/app/conf", "")) == ("", "conf")
    assert spellings(Imported("app.config", "load")) == ("load", "config")


def test_languages_that_call_each_other_share_a_group():
    assert group_of("tsx") == group_of("javascript") != group_of("cpp") == group_of("c")
