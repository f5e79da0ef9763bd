from devtune.data.families.stretches import part_of
from devtune.data.families.surroundings import (
    find_callers,
    find_definitions,
    foreign_uses,
    functions_of,
    unique,
)
from tests.graphs import context_of, entry_of, file_of, graph_of

CODE = file_of("b/conf.py", "def load(path):\n    return path\n\n\ndef near():\n    load(1)\n")
ALSO = file_of("a/more.py", "def more(path):\n    '''Say more.'''\n    return path\n")
USER = file_of(
    "main.py",
    "from a.more import more\nfrom b.conf import load\n\n\ndef main():\n    load(1)\n    main()\n",
)


def test_definitions_are_shown_by_path_what_is_used_first_chosen(tmp_path):
    graph = graph_of(tmp_path, CODE, ALSO, USER)
    place, main = graph.place(USER), entry_of(graph, USER, "main")
    found = find_definitions(graph, place, main, "train", 9)
    assert [(each.path, each.name, each.documentation) for each in found] == [
        ("a/more.py", "more", "Say more."),
        ("b/conf.py", "load", ""),
    ]
    assert found[1].code == "```python\ndef load(path):\n```"
    assert found[1].provenance == part_of(CODE, 0, 2)
    assert [each.name for each in find_definitions(graph, place, main, "train", 1)] == ["load"]
    assert [each.name for each in find_definitions(graph, place, None, "train", 1)] == ["more"]


def test_callers_are_shown_with_the_lines_around_the_call_within_their_function(tmp_path):
    graph = graph_of(tmp_path, CODE, USER)
    load = entry_of(graph, CODE, "load")
    (found,) = find_callers(graph, load, "train", 9)
    assert (found.path, found.name) == ("main.py", "main")
    assert found.code == "```python\ndef main():\n    load(1)\n    main()\n```"
    assert [each.function.name for each in graph.callers(load, "train")] == ["near", "main"]
    assert [each.function.name for each in foreign_uses(graph, load, "train")] == ["main"]


def test_functions_and_places_of_a_row(tmp_path):
    context = context_of(tmp_path, "api_usage", CODE, file_of("a.md", "x"))
    assert [each.name for each in functions_of(CODE, context)] == ["load", "near"]
    assert functions_of(file_of("unknown.py", ""), context) == []
    places = unique([CODE.provenance, ALSO.provenance, CODE.provenance, ALSO.provenance])
    assert places == (CODE.provenance, ALSO.provenance)
