import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from devtune.data import chunks
from devtune.data.corpus import Made
from devtune.data.making import (
    EVIDENCE,
    FAMILIES,
    INDEX,
    MADE,
    NEEDS_GRAPH,
    REJECTED,
    ROWS,
    Evidence,
    Making,
)
from devtune.data.selection.index import IndexRow
from devtune.jsonl import read_jsonl
from devtune.pipeline import BuildSection
from devtune.records import Rejected
from devtune.steps.families import FamilyStep

BODY = "    found = []\n    for each in items:\n        found.append(each - {number})\n"


def function(name, number):
    docstring = f'    """Take {number} from each of the items and return them."""\n'
    return f"def {name}(items):\n{docstring}{BODY.format(number=number)}    return found\n"


FILES = [(f"m{n}.py", "train" if n % 3 else "held_out", function(f"f{n}", n)) for n in range(7)]
CHANGES = [
    ("train", "Let the first number be two", ("x.py", "x = 1\n", "x = 2\n")),
    ("held_out", "Let the second number be three", ("y.py", "y = 1\n", "y = 3\n")),
    ("train", "wip", ("z.py", "z = 1\n", "z = 2\n")),
]


@pytest.fixture
def making(make_corpus, prompts_dir, tmp_path):
    def make(*types, dropped=(), weights=None, corpus=None):
        tools = prompts_dir.parent / "tools" / "vibe3.json"
        steps = [
            {"type": each, "prompt": prompts_dir / f"{each}.jinja"}
            | ({"tools": tools} if each in ("commit_edit", "commit_replay") else {})
            for each in types
        ]
        section = BuildSection.model_validate({"steps": steps})
        corpus = corpus or make_corpus(FILES, CHANGES)
        graph = tmp_path / "none.sqlite"
        return Making(section.steps, corpus, graph, frozenset(dropped), weights or {"app": 1.0})

    return make


@pytest.fixture
def done(tmp_path):
    def run(making):
        outs = []
        for number, unit in enumerate(making.units()):
            out = tmp_path / f"part-{number}"
            out.mkdir(exist_ok=True)
            making(json.loads(json.dumps(unit)), out)
            outs.append(out)
        return outs

    return run


def rows(parts, name, kind):
    return [row for part in parts for row in read_jsonl(part / name, kind)]


def test_every_family_of_the_grammar_has_its_function_and_its_rows():
    types = {get_args(each.model_fields["type"].annotation)[0] for each in get_args(FamilyStep)}
    assert set(FAMILIES) == types
    assert types > NEEDS_GRAPH
    for name, reference in FAMILIES.values():
        assert name in ROWS
        module, _, function = reference.partition(":")
        assert callable(getattr(import_module(f"devtune.data.families.{module}"), function))


def test_who_needs_the_graph_is_told_by_who_asks_for_it():
    folder = Path(import_module("devtune.data.families").__path__[0])
    asking = {
        type_
        for type_, (_, reference) in FAMILIES.items()
        if "context.graph" in (folder / f"{reference.partition(':')[0]}.py").read_text()
    }
    assert asking == NEEDS_GRAPH


def test_only_files_some_step_looks_at_are_cut_into_units(making, monkeypatch):
    assert [unit[0] for unit in making("commit_edit").units()] == ["changes.jsonl"]
    assert [unit[0] for unit in making("explanation").units()] == ["files.jsonl"]
    both = making("commit_edit", "explanation", "repository_qa")
    assert [unit[0] for unit in both.units()] == ["files.jsonl", "changes.jsonl"]
    assert making("commit_replay").units() == [], "the corpus has no replays"
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 500)
    assert len(both.units()) > 4


def test_each_row_is_shown_to_every_family_that_looks_at_such_rows(making, done):
    parts = done(making("commit_edit", "docstring_to_function", "function_to_docstring"))
    made = rows(parts, MADE, Made)
    of_files = [each for each in made if each.sample.family != "commit_edit"]
    assert [(each.sample.family, each.sample.provenance[0].path) for each in of_files] == [
        (family, path)
        for path, _, _ in FILES
        for family in ("docstring_to_function", "function_to_docstring")
    ]
    edits = [each for each in made if each.sample.family == "commit_edit"]
    assert [each.split for each in edits] == ["train", "held_out"]
    assert [row.reason for row in rows(parts, REJECTED, Rejected)] == ["message_says_too_little"]


def test_every_sample_has_its_place_in_the_index_and_held_out_ones_their_evidence(making, done):
    parts = done(making("docstring_to_function", weights={"app": 2.5}))
    for part in parts:
        made = list(read_jsonl(part / MADE, Made))
        index = list(read_jsonl(part / INDEX, IndexRow))
        assert [row.position for row in index] == list(range(len(made)))
        assert [(row.sample_id, row.split, row.path) for row in index] == [
            (each.sample.sample_id, each.split, each.sample.provenance[0].path) for each in made
        ]
        assert {row.weight for row in index} == {2.5}
        held_out = [number for number, each in enumerate(made) if each.split == "held_out"]
        evidence = list(read_jsonl(part / EVIDENCE, Evidence))
        assert [each.position for each in evidence] == held_out
        for each in evidence:
            place = made[each.position].sample.provenance[0]
            assert each.blobs == (place.blob,)
            assert "found.append" in each.texts[0]
    assert sum(len(list(read_jsonl(part / EVIDENCE, Evidence))) for part in parts) == 3


def test_nothing_is_made_of_files_that_are_dropped(making, done, make_corpus):
    corpus = make_corpus(FILES)
    lines = (corpus / "files.jsonl").read_bytes().splitlines(keepends=True)
    offsets = [sum(map(len, lines[:number])) for number in range(len(lines))]
    parts = done(making("docstring_to_function", dropped=[offsets[1], offsets[5]], corpus=corpus))
    paths = [each.sample.provenance[0].path for each in rows(parts, MADE, Made)]
    assert paths == ["m0.py", "m2.py", "m3.py", "m4.py", "m6.py"]


def test_samples_do_not_hang_on_where_chunks_end(making, done, monkeypatch):
    step = making("docstring_to_function", "commit_edit")
    whole = rows(done(step), MADE, Made)
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 1)
    assert len(step.units()) == len(FILES) + len(CHANGES)
    assert rows(done(step), MADE, Made) == whole


def test_a_sample_says_its_step_and_its_template_to_the_byte(making, done, prompts_dir):
    parts = done(making("explanation", "commit_edit", "docstring_to_function"))
    samples = [each.sample for each in rows(parts, MADE, Made)]
    assert {(each.family, each.step) for each in samples} == {
        ("commit_edit", 2), ("docstring_to_function", 3),
    }  # fmt: skip
    for each in samples:
        name = f"{each.family}.jinja"
        digest = hashlib.sha256((prompts_dir / name).read_bytes()).hexdigest()
        assert each.template == f"{name}@{digest[:12]}"


def test_steps_are_counted_with_those_that_select(prompts_dir, make_corpus, done, tmp_path):
    steps = [
        {"type": "near_duplicate_files"},
        {"type": "explanation", "prompt": prompts_dir / "explanation.jinja"},
        {"type": "exact_dedup"},
        {"type": "function_to_docstring", "prompt": prompts_dir / "function_to_docstring.jinja"},
    ]
    section = BuildSection.model_validate({"steps": steps})
    corpus = make_corpus(FILES, CHANGES)
    parts = done(Making(section.steps, corpus, tmp_path / "none", frozenset(), {"app": 1.0}))
    assert {each.sample.step for each in rows(parts, MADE, Made)} == {4}


@pytest.mark.parametrize(
    ("old", "new", "before"),
    [
        ("x = 1\n", "x = 2\n", ()),
        ("x = 1\r\n", "x = 2\r\n", ("lf_line_ends",)),
        ("x = 'REDACTED_TOKEN_1'\n", "x = 2\n", ("redacted",)),
        ("x = 'REDACTED_TOKEN_1'\r\n", "x = 2\r\n", ("redacted", "lf_line_ends")),
    ],
)
def test_a_sample_says_what_was_done_to_its_texts_in_order(
    old, new, before, making, done, make_corpus
):
    change = ("train", "Let the first number be two", ("x.py", old, new))
    corpus = make_corpus([], [change])
    (made,) = rows(done(making("commit_edit", corpus=corpus)), MADE, Made)
    done_to = made.sample.transformations
    assert done_to[:-1] == before
    assert done_to[-1] in ("search_replace", "unified_diff", "tool_calls")


def test_a_message_that_was_cleaned_and_a_file_that_is_shown_in_part_are_named(
    making, done, make_corpus
):
    old = "".join(f"x_{number} = {number}\n" for number in range(90))
    change = ("train", "fix: let the first number be two (#12)", ("x.py", old, f"{old}y = 1\n"))
    corpus = make_corpus([], [change])
    (made,) = rows(done(making("commit_edit", corpus=corpus)), MADE, Made)
    assert made.sample.transformations[:2] == ("message_cleaned", "excerpt")
    (place,) = made.sample.provenance
    assert (place.first_line, place.last_line) == (91, 91)


def test_cells_of_a_notebook_are_named_as_such(making, done, make_corpus):
    text = f"# %%\n{function('load', 3)}"
    files = [("a.ipynb", "train", text), ("b.py", "train", text)]
    corpus = make_corpus(files, CHANGES)
    rewritten = (corpus / "files.jsonl").read_text().replace('"language":""', '"language":"python"')
    (corpus / "files.jsonl").write_text(rewritten)
    made = rows(done(making("docstring_to_function", corpus=corpus)), MADE, Made)
    assert [each.sample.transformations for each in made] == [
        ("notebook_cells", "excerpt", "comment_marks_removed"),
        ("excerpt", "comment_marks_removed"),
    ]
