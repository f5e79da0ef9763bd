import io
import random

import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from devtune.data.instruct import build
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.pipeline import BuildSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import SPLITS, Rejected, Sample

VERBS = ["adds", "counts", "drops", "folds", "joins", "keeps", "moves", "reads", "sorts", "turns"]


def function(name, chance):
    verb = chance.choice(VERBS)
    number = chance.randint(0, 10**6)
    return (
        f"def {name}(items):\n"
        f'    """This {verb} the {name} items up to {number}."""\n'
        f"    found = []\n    for each in items:\n        if each > {number}:\n"
        f"            found.append(each - {number})\n            total_{number} = sum(found)\n"
        f"    return found, {number}\n"
    )


@pytest.fixture
def history(make_repository):
    chance = random.Random(1)
    repository = make_repository()
    modules = {f"m{n}.py": [function(f"f{n}_{k}", chance) for k in range(4)] for n in range(4)}
    old = modules["m0.py"][0]

    def commit(subject):
        files = {path: "\n\n".join(parts) for path, parts in modules.items()}
        return repository.commit(subject, files)

    commit("Start with four modules")
    for number in range(16):
        path = f"m{number % 4}.py"
        modules[path][number // 4] = function(f"g{number}", chance)
        commit(f"Let {path} do number {number}")
    modules["m0.py"][3] = function("late", chance)
    modules["m1.py"].append(modules["m2.py"].pop())
    commit("Move one and write one anew")
    modules["m3.py"][0] = old
    commit("Bring back what was there at first")
    repository.git("mv", "m2.py", "renamed.py")
    modules["renamed.py"] = [*modules.pop("m2.py"), function("last", chance)]
    commit("Rename a module and add to it")
    return repository


@pytest.fixture
def pipeline(policy_file):
    file = policy_file.parents[1] / "pipelines" / "quickstart.yaml"
    values = YAML(typ="safe", pure=True).load(file.read_text())["build"]
    for step in values["steps"]:
        for key in {"prompt", "tools"} & set(step):
            step[key] = file.parent / step[key]
    return TypeAdapter(BuildSection).validate_python(values)


@pytest.fixture
def built(tmp_path):
    def run(section, corpus_dir, out="samples"):
        (tmp_path / out).mkdir()
        executor = LocalExecutor(type="local", workers=1)
        progress = Progress("quiet", io.StringIO())
        outcome = build(section, executor, corpus_dir, tmp_path / out, progress)
        rows = {
            split: list(read_jsonl(tmp_path / out / f"{split}.jsonl", Sample)) for split in SPLITS
        }
        rejected = list(read_jsonl(tmp_path / out / "rejected.jsonl", Rejected))
        return outcome, rows, rejected

    return run


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip() and "```" not in line]


def test_every_family_comes_out_of_a_history_and_all_is_counted(history, corpus, pipeline, built):
    found = corpus(history.source(), held_out=0.15)
    outcome, rows, rejected = built(pipeline, found.out)
    families = [step.type for step in pipeline.steps if hasattr(step, "prompt")]
    for split in SPLITS:
        assert {each.family for each in rows[split]} == set(families)
        assert outcome.counts[split] == len(rows[split])
        for family in families:
            number = sum(each.family == family for each in rows[split])
            assert outcome.counts[f"{split}.{family}"] == number
    assert sum(outcome.rejects.values()) == len(rejected)
    assert outcome.summary == (
        f"{len(rows['train'])} samples to train on, {len(rows['held_out'])} held out,"
        f" {len(rejected)} rejected"
    )


def test_no_file_version_is_on_both_sides(history, corpus, pipeline, built):
    found = corpus(history.source(), held_out=0.15)
    _, rows, _ = built(pipeline, found.out)
    blobs = {
        split: {place.blob for each in rows[split] for place in each.provenance} for split in SPLITS
    }
    assert blobs["train"]
    assert blobs["held_out"]
    assert not blobs["train"] & blobs["held_out"]
    commits = {
        split: {place.commit for each in rows[split] for place in each.provenance}
        for split in SPLITS
    }
    assert not commits["train"] & commits["held_out"]


def test_no_held_out_code_stands_in_a_trained_answer(history, corpus, pipeline, built):
    found = corpus(history.source(), held_out=0.15)
    _, rows, rejected = built(pipeline, found.out)
    trained = ["\n".join(lines_of(each.messages[-1].content)) for each in rows["train"]]
    trees = ["\n".join(lines_of(text)) for text in found.texts("train").values()]
    families = {"docstring_to_function", "function_to_docstring", "fill_in_the_middle"}
    held_out = [each for each in rows["held_out"] if each.family in families]
    assert held_out
    for each in held_out:
        answer = "\n".join(lines_of(each.messages[-1].content))
        assert not [text for text in trained + trees if answer in text]
    asked = "".join(each.messages[0].content for each in held_out)
    assert "`late`" in asked
    assert "`last`" in asked
    known = {each.detail for each in rejected if each.reason == "already_at_the_cut"}
    assert "f0_0" in known, "it was deleted before the cut and came back after it"
    assert len(known) > 3


def test_equal_corpora_give_equal_bytes(history, corpus, pipeline, built, tmp_path):
    for name in ("one", "two"):
        found = corpus(history.source(), held_out=0.15, out=f"corpus-{name}")
        built(pipeline, found.out, out=name)
    for file in ("train.jsonl", "held_out.jsonl", "rejected.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_steps_run_from_top_to_bottom(make_corpus, prompts_dir, built):
    family = {
        "type": "commit_edit",
        "prompt": prompts_dir / "commit_edit.jinja",
        "tools": prompts_dir.parent / "tools" / "vibe3.json",
    }
    ceiling = {"type": "max_per_family", "train": 2, "held_out": 1}
    changes = [("train", f"Write number {n} down", ("x.py", "", f"x = {n}\n")) for n in range(5)]
    corpus = make_corpus(changes=changes)
    for steps, expected in (([family, ceiling], 2), ([ceiling, family], 5)):
        section = BuildSection.model_validate({"steps": steps})
        outcome, rows, _ = built(section, corpus, out=f"samples-{expected}")
        assert len(rows["train"]) == expected
        assert outcome.rejects == ({"over_family_maximum": 3} if expected == 2 else {})


def test_nothing_to_train_on_says_why(make_corpus, pipeline, built):
    corpus = make_corpus(
        [("a.py", "train", "x = 1\n"), ("b.py", "train", "y = 1\n")],
        [("held_out", "Change one to two", ("a.py", "x = 1\n", "x = 2\n")), ("train", "Fix it")],
    )
    with pytest.raises(DevtuneError) as caught:
        built(pipeline, corpus)
    assert str(caught.value) == (
        f"{corpus}: no training sample came out of it (no_suitable_block 2,"
        " subject_too_short 1); add sources or loosen the pipeline"
    )


def test_an_empty_corpus_says_so(make_corpus, pipeline, built):
    corpus = make_corpus()
    with pytest.raises(DevtuneError, match="came out of it \\(no code files\\); add sources"):
        built(pipeline, corpus)
