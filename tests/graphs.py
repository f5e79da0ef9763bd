import json
from pathlib import Path

from devtune.data.code.facts import describe
from devtune.data.code.graph import Graph, write_graph
from devtune.data.families.context import Context
from devtune.data.languages import language_of
from devtune.data.prompts import Prompt
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.records import Provenance, SourceFile

PROMPTS = Path(__file__).resolve().parents[1] / "data_prep" / "prompts"


def file_of(path, text, split="train", source="app", language=None):
    place = Provenance(source, "c0ffee", path, f"b-{path}", "Ada <ada@corp.test>", "2024-01-01")
    return SourceFile(place, split, text, language_of(path) if language is None else language)


def facts_of(corpus_dir):
    offset = 0
    with (corpus_dir / "files.jsonl").open("rb") as lines:
        for line, row in zip(
            lines, read_jsonl(corpus_dir / "files.jsonl", SourceFile), strict=True
        ):
            # As they travel between processes.
            yield from json.loads(json.dumps(describe(row, offset)))
            offset += len(line)


def graph_of(directory, *files):
    directory.mkdir(exist_ok=True)
    write_jsonl(directory / "files.jsonl", files)
    write_graph(facts_of(directory), directory / "graph.sqlite")
    return Graph(directory / "graph.sqlite", directory)


def context_of(directory, family, *files):
    graph_of(directory, *files)
    prompt = Prompt(PROMPTS / f"{family}.jinja")
    return Context(prompt, directory, directory / "graph.sqlite")


def entry_of(graph, file, qualified_name):
    (found,) = (
        each for each in graph.entries(graph.place(file)) if each.qualified_name == qualified_name
    )
    return found
