from pathlib import Path

from devtune.data.families.context import Context
from devtune.data.languages import language_of
from devtune.data.prompts import Prompt
from devtune.records import Provenance, SourceFile

PROMPTS = Path(__file__).resolve().parents[1] / "data_prep" / "prompts"


def context_of(directory, family):
    return Context(Prompt(PROMPTS / f"{family}.jinja"), directory, directory / "graph")


def file_of(path, text, split="train", language=None):
    place = Provenance("app", "c0ffee", path, "b10b", "Ada <ada@corp.test>", "2024-01-01T00:00:00Z")
    return SourceFile(place, split, text, language_of(path) if language is None else language)


def texts(made):
    return [each.content for each in made.sample.messages]
