import json
from dataclasses import replace
from functools import partial

import pyarrow.parquet as pq
import pytest

from devtune.data.cards.description import Makeup, Work, describe
from devtune.data.tables import SCHEMA
from devtune.jsonl import write_jsonl
from devtune.pipeline import RenderSection
from devtune.records import Source
from devtune.stage import Outcome, run_stage
from tests.conftest import make_place
from tests.data import rendering

CUT = "2025-06-30T00:00:00+00:00"
SOURCES = [
    Source("billing", "git", 1.0, "MIT", "Team Billing", "aa" * 20, "cc" * 20, CUT, 7),
    Source("ledger", "directory", 0.25, "", ""),
    Source("issues", "forge", 1.0, "", ""),
]
PRIVACY = {
    "num_texts": 1234,
    "num_lines": 56789,
    "values": {"secret": {"github_pat": 2, "password": 1}, "personal": {"email": 4}},
    "places": {"secret": {"github_pat": 5, "password": 1}, "personal": {"email": 9}},
    "rules": {"github": 2, "assignment": 1, "email": 4},
    "per_1000_lines": {"secret": 0.106, "personal": 0.158},
    "dropped": {"many_secrets": 3},
    "policy": {"personal_data": "ab" * 32, "salted": True},
}
COUNTS = {
    "train": 3, "train.commit_edit": 2, "train.fill_in_the_middle": 1, "train_tokens": 1200,
    "train_trained_tokens": 400, "held_out": 1, "held_out.commit_edit": 1, "held_out_tokens": 90,
    "held_out_trained_tokens": 30,
}  # fmt: skip
STEPS = {"steps": [{"type": "commit_edit"}, {"type": "exact_dedup", "of": "texts"}]}
RULES = {"file_rules": [{"type": "size", "max_bytes": 10}], "commit_rules": [{"type": "merge"}]}


@pytest.fixture
def run_render(tekken_file, tmp_path):
    return partial(rendering.run, tmp_path, tekken_file)


@pytest.fixture
def makeup(make_sample):
    found = Makeup()
    mine, others = make_place("app/x.py"), make_place("app/y.go")
    mine = replace(mine, source="billing", license="MIT")
    for places in ((mine,), (mine, replace(others, source="ledger")), (mine, mine)):
        found.add(replace(make_sample(("user", "q"), ("assistant", "a")), provenance=places))
    return found


@pytest.fixture
def make_about(tmp_path, makeup):
    """Directories as the stages leave them, and what is known of the dataset made of them."""

    def make(sources=SOURCES, privacy=PRIVACY, creator="Team Tune", rejects=None, of=makeup):
        def collect(out):
            write_jsonl(out / "sources.jsonl", sources)
            if privacy is not None:
                (out / "privacy.json").write_text(json.dumps(privacy), encoding="utf-8")
            return Outcome("", {"files_train": 8}, {"vendored": 5, "too_large": 1})

        def build(out):
            return Outcome("", {"train": 4}, {"exact_duplicate": 2})

        corpus, samples, dataset = (tmp_path / name for name in ("corpus", "samples", "dataset"))
        run_stage("collect", RULES, {}, corpus, collect)
        run_stage("build", STEPS, {"corpus": corpus}, samples, build)
        dataset.mkdir(exist_ok=True)
        for split in ("train", "held_out"):
            pq.write_table(SCHEMA.empty_table(), dataset / f"{split}.parquet")
        (dataset / "tekken.json").write_text("{}", encoding="utf-8")
        files = [dataset / name for name in ("train.parquet", "held_out.parquet", "tekken.json")]
        rendered = Work({}, COUNTS, {"too_long": 2} if rejects is None else rejects)
        section = RenderSection(max_length=768, creator=creator)
        return describe(section, corpus, samples, rendered, of, files)

    return make
