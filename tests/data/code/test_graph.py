import sqlite3
from pathlib import Path

import pytest

from devtune.data.code.facts import Mention
from devtune.data.code.graph import MAX_DEFINITIONS, Graph, write_graph
from devtune.errors import DevtuneError
from devtune.jsonl import write_jsonl
from tests.graphs import entry_of, facts_of, file_of, graph_of

CONFIG = file_of("app/config.py", 'def load(path):\n    """Read it."""\n    return path\n')
MAIN = file_of(
    "app/main.py",
    "from app.config import load\n\n\n"
    "def main():\n    a = 1\n    load(a)\n    load(2)\n    return a\n",
)
TEST = file_of("tests/test_config.py", MAIN.text.replace("main", "test_load"))


@pytest.fixture
def graph(tmp_path):
    return graph_of(tmp_path / "corpus", CONFIG, MAIN, TEST)


def fails(call):
    with pytest.raises(DevtuneError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_call_leads_to_the_definition_and_back(graph):
    main, load = entry_of(graph, MAIN, "main"), entry_of(graph, CONFIG, "load")
    (use,) = graph.uses(main)
    assert graph.resolve(use.mention, "train") == load
    assert (load.signature, load.documentation) == ("def load(path):", "Read it.")
    callers = list(graph.callers(load, "train"))
    assert [(each.function.qualified_name, each.line) for each in callers] == [
        ("main", 5),
        ("test_load", 5),
    ]
    assert [each.function.is_test for each in callers] == [False, True]
    assert list(graph.callers(main, "train")) == []


def test_the_row_and_the_parsed_function_of_a_place_are_read_back(graph):
    load = entry_of(graph, CONFIG, "load")
    assert graph.row(load.place) == CONFIG
    assert graph.function(load).body.strip() == "return path"
    assert graph.row(entry_of(graph, TEST, "test_load").place) == TEST


def test_imports_by_name_are_found_in_their_order(tmp_path):
    text = "from app.config import keep, load\nfrom json import loads\nimport app.config\n"
    user = file_of("app/user.py", text)
    config = file_of("app/config.py", f"{CONFIG.text}\n\ndef keep(x):\n    return x\n")
    graph = graph_of(tmp_path, config, user)
    found = graph.imported(graph.place(user), "train")
    assert [each.name for each in found] == ["keep", "load"]


def test_rows_to_train_on_see_nothing_held_out(tmp_path):
    newer = file_of("app/new.py", MAIN.text.replace("main", "new"), split="held_out")
    graph = graph_of(tmp_path, CONFIG, MAIN, newer)
    load = entry_of(graph, CONFIG, "load")
    assert [each.function.name for each in graph.callers(load, "train")] == ["main"]
    assert [each.function.name for each in graph.callers(load, "held_out")] == ["main", "new"]


def test_held_out_rows_see_the_newer_version_of_a_file(tmp_path):
    newer = file_of("app/config.py", CONFIG.text.replace("path", "place"), split="held_out")
    graph = graph_of(tmp_path, CONFIG, MAIN, newer)
    mention = Mention(graph.place(MAIN), "load")
    signatures = [graph.resolve(mention, split).signature for split in ("train", "held_out")]
    assert signatures == ["def load(path):", "def load(place):"]
    assert list(graph.callers(entry_of(graph, CONFIG, "load"), "held_out")) == []


def test_sources_and_languages_are_kept_apart(tmp_path):
    elsewhere = file_of("app/main.py", MAIN.text, source="other")
    graph = graph_of(tmp_path, CONFIG, elsewhere)
    assert list(graph.callers(entry_of(graph, CONFIG, "load"), "train")) == []
    assert graph.resolve(Mention(graph.place(elsewhere), "load"), "train") is None
    assert graph.place(file_of("app/none.py", "")) is None


def test_a_name_defined_too_often_is_not_resolved(tmp_path):
    def found(num_definitions):
        others = [file_of(f"b/m{number}.py", CONFIG.text) for number in range(num_definitions - 1)]
        graph = graph_of(tmp_path, CONFIG, MAIN, *others)
        return graph.resolve(Mention(graph.place(MAIN), "load"), "train")

    assert found(MAX_DEFINITIONS) is not None
    assert found(MAX_DEFINITIONS + 1) is None


def test_files_that_cannot_be_parsed_have_a_place_and_no_entries(tmp_path):
    notes = file_of("NOTES.md", "# Notes\n\né \u2028 \0\n")
    graph = graph_of(tmp_path, notes, file_of("bad.py", "def (\0"), CONFIG)
    assert graph.entries(graph.place(notes)) == []
    assert graph.row(graph.place(notes)) == notes
    assert graph.row(graph.place(CONFIG)) == CONFIG


def test_equal_facts_are_an_equal_file(tmp_path):
    for name in ("a", "b"):
        graph_of(tmp_path / name, CONFIG, MAIN, TEST)
    files = [tmp_path / name / "graph.sqlite" for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_writing_again_replaces_and_an_empty_corpus_is_a_graph(tmp_path):
    graph_of(tmp_path, CONFIG, MAIN)
    assert graph_of(tmp_path).place(CONFIG) is None


def test_a_graph_is_opened_to_be_read_only(graph):
    with pytest.raises(sqlite3.OperationalError):
        graph._connection.execute("DELETE FROM files")


def test_a_path_may_hold_what_an_address_may_not(tmp_path):
    graph = graph_of(tmp_path / "a ?#%41 é", CONFIG)
    assert graph.row(graph.place(CONFIG)) == CONFIG


def test_a_missing_graph_says_what_to_do(tmp_path):
    file = tmp_path / "graph.sqlite"
    assert fails(lambda: Graph(file, tmp_path)) == f"{file}: no code graph there; run build again"


@pytest.mark.parametrize("content", [b"", b"no database at all\n" * 99])
def test_a_damaged_graph_says_what_to_do(tmp_path, content):
    file = tmp_path / "graph.sqlite"
    file.write_bytes(content)
    expected = f"{file}: not a code graph of this version; remove it, run build again"
    assert fails(lambda: Graph(file, tmp_path)) == expected


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\n" * 9])
def test_another_corpus_under_the_graph_says_what_to_do(tmp_path, graph, content):
    rows = tmp_path / "corpus" / "files.jsonl"
    place = graph.place(CONFIG)
    rows.write_bytes(content)
    assert fails(lambda: graph.row(place)) == (
        f"{rows}: byte 0 is not the row of app/config.py; remove {graph.file} and run build again"
    )


def test_a_corpus_in_another_order_is_another_corpus(tmp_path, graph):
    rows = tmp_path / "corpus" / "files.jsonl"
    place = graph.place(CONFIG)
    write_jsonl(rows, [MAIN, CONFIG, TEST])
    assert "is not the row of app/config.py" in fails(lambda: graph.row(place))
    rows.unlink()
    assert fails(lambda: graph.row(place)) == (
        f"{rows}: no such file or directory; correct the path"
    )


def test_a_graph_that_cannot_be_written_says_where(tmp_path):
    write_jsonl(tmp_path / "files.jsonl", [CONFIG])
    out = tmp_path / "none" / "graph.sqlite"
    message = fails(lambda: write_graph(facts_of(tmp_path), out))
    assert message.startswith(f"{out}: the code graph cannot be written (")
    assert message.endswith("; free space there or set another run_dir")


def test_a_graph_in_place_of_a_directory_says_where(tmp_path):
    message = fails(lambda: write_graph([], tmp_path))
    assert message.startswith(f"{tmp_path}: ")


def test_a_graph_is_read_by_another_process_while_open(graph):
    again = Graph(graph.file, Path(graph.file).parent)
    assert again.row(again.place(MAIN)) == MAIN == graph.row(graph.place(MAIN))
