import io
import random
import re

import pytest
from ruamel.yaml import YAML

from devtune.data import chunks
from devtune.data.instruct import build, identify
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.pipeline import BuildSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import SPLITS, Contamination, DuplicateCluster, Rejected, Sample
from tests.data.interruption import run_until_killed

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
def steps_of(policy_file):
    def read(name):
        file = policy_file.parents[1] / "pipelines" / f"{name}.yaml"
        steps = YAML(typ="safe", pure=True).load(file.read_text())["build"]["steps"]
        for step in steps:
            for key in {"prompt", "tools"} & set(step):
                step[key] = (file.parent / step[key]).resolve()
        return steps

    return read


@pytest.fixture
def pipeline(steps_of):
    return BuildSection.model_validate({"steps": steps_of("quickstart")})


@pytest.fixture
def built(tmp_path):
    def run(section, corpus_dir, out="samples", workers=1):
        (tmp_path / out).mkdir(exist_ok=True)
        executor = LocalExecutor(type="local", workers=workers)
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
    assert "`f0_0`" not in asked, "it was deleted before the cut and came back after it"
    assert "def f0_0" in "".join(found.texts("held_out").values())
    known = {each.detail for each in rejected if each.reason == "already_at_the_cut"}
    assert len(known) > 3
    assert not known & {each.sample_id for each in rows["held_out"]}


def test_equal_corpora_give_equal_bytes(history, corpus, pipeline, built, tmp_path):
    for name in ("one", "two"):
        found = corpus(history.source(), held_out=0.15, out=f"corpus-{name}")
        built(pipeline, found.out, out=name)
    for file in ("train.jsonl", "held_out.jsonl", "rejected.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_families_come_first_and_selection_runs_from_top_to_bottom(
    make_corpus, prompts_dir, built, tmp_path
):
    prompt = tmp_path / "prompt.jinja"
    prompt.write_text("{{ subject }}")
    family = {
        "type": "commit_edit",
        "prompt": prompt,
        "tools": prompts_dir.parent / "tools" / "vibe3.json",
        "formats": {"search_replace": 1, "unified_diff": 0, "tool_calls": 0},
    }
    ceiling = {"type": "max_per_family", "train": 2, "held_out": 1}
    dedup = {"type": "exact_dedup"}
    changes = [("train", f"Write number {n} down", ("x.py", "", f"x = {n}\n")) for n in range(5)]
    corpus = make_corpus(changes=[*changes, *changes, *changes])
    kept = []
    for number, steps in enumerate(([family, dedup, ceiling], [family, ceiling, dedup])):
        for order in (steps, [*steps[1:], steps[0]]):
            section = BuildSection.model_validate({"steps": order})
            outcome, rows, rejected = built(section, corpus, out=f"samples-{number}")
            kept.append((len(rows["train"]), outcome.rejects))
            assert sum(outcome.rejects.values()) == len(rejected) == 15 - len(rows["train"])
    assert kept[0] == kept[1] == (2, {"exact_duplicate": 10, "over_family_maximum": 3})
    assert kept[2] == kept[3] != kept[0]


def test_a_sample_that_others_are_folded_into_names_all_their_places(
    make_corpus, steps_of, built, tmp_path
):
    prompt = tmp_path / "prompt.jinja"
    prompt.write_text("{{ subject }}")
    (edit,) = (step for step in steps_of("quickstart") if step["type"] == "commit_edit")
    steps = [{**edit, "prompt": prompt}, {"type": "exact_dedup"}]
    change = ("train", "Write the number down", ("x.py", "", "x = 1\n"))
    corpus = make_corpus(changes=[change] * 3)
    _, rows, _ = built(BuildSection.model_validate({"steps": steps}), corpus)
    (sample,) = rows["train"]
    assert [place.commit for place in sample.provenance] == ["c0", "c1", "c2"]


def test_nothing_to_train_on_says_why(make_corpus, pipeline, built):
    corpus = make_corpus(
        [("a.py", "train", "x = 1\n"), ("b.py", "train", "y = 1\n")],
        [("held_out", "Change one to two", ("a.py", "x = 1\n", "x = 2\n")), ("train", "Fix it")],
    )
    with pytest.raises(DevtuneError) as caught:
        built(pipeline, corpus)
    assert str(caught.value) == (
        f"{corpus}: no training sample came out of it (no_suitable_block 2,"
        " message_says_too_little 1); add sources or loosen the pipeline"
    )


def test_an_empty_corpus_says_so(make_corpus, pipeline, built):
    corpus = make_corpus()
    with pytest.raises(DevtuneError, match="came out of it \\(no code files\\); add sources"):
        built(pipeline, corpus)


def commented(name, chance):
    return (
        f"def {name}_checked(limit):\n    total = 0\n"
        f"    # Values below {chance.randint(0, 99)} were written by an old version of {name} and"
        f" must not be counted twice.\n"
        f"    for value in range(limit):\n        total += {name}([value])[1]\n    return total\n"
    )


@pytest.fixture
def whole(make_repository, corpus, tmp_path):
    # Two repositories with something for many families; one holds an older copy of a file.
    chance = random.Random(2)
    app, copy = make_repository("app"), make_repository("copy")
    modules = {f"app/m{n}.py": function(f"f{n}", chance) for n in range(8)}
    shared = "\n\n".join(function(f"shared_{n}", chance) for n in range(6))
    copy.commit("Take over what is shared", {"lib/shared.py": shared, "lib/other.py": "o = 1\n"})
    for number in range(3):
        copy.commit(f"Set the other number to {number}", {"lib/other.py": f"o = {number}0\n"})
    app.num_commits = 5
    sections = "".join(f"## About {name}\n\n{'Values are folded here. ' * 9}\n\n" for name in "ab")
    app.commit("Start with all modules", {**modules, "README.md": f"# App\n\n{sections}"})
    app.commit("Keep what is shared here", {"app/shared.py": shared + "\n\nLAST = 1\n"})
    for number in range(8):
        old = modules[f"app/m{number}.py"]
        text = f"{old}\n\n{commented(f'f{number}', chance)}"
        test = f"from app.m{number} import f{number}\n\n\ndef test_f{number}():\n"
        test += f"    assert f{number}([1])[0] == []\n    assert f{number}([])[0] == []\n"
        files = {f"app/m{number}.py": text, f"tests/test_m{number}.py": test}
        app.commit(f"Check `f{number}` and test it, which nobody did so far", files)
    words = "Check `f0` and test it, which nobody did so far by any means."
    benchmark = tmp_path / "benchmark.txt"
    benchmark.write_text(f"An own text. {commented('f2', random.Random(9))} {words}\n")
    found = corpus(
        {"type": "git", "path": copy.path},
        {"type": "git", "path": app.path},
        held_out=0.2,
        replay={"max_commits": 4},
    )
    return found, benchmark


@pytest.fixture
def everything(steps_of, whole):
    steps = steps_of("instruct")
    for step in steps:
        if step["type"] == "decontaminate":
            step["texts"] = [whole[1]]
    return BuildSection.model_validate({"steps": steps})


def contents(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_samples_are_the_same_whatever_the_chunks_and_the_workers(
    whole, everything, built, tmp_path, monkeypatch
):
    outcome, rows, _ = built(everything, whole[0].out, "whole")
    assert len({sample.family for sample in rows["train"]}) > 7
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 4000)
    again, _, _ = built(everything, whole[0].out, "small")
    shared, _, _ = built(everything, whole[0].out, "shared", workers=3)
    assert contents(tmp_path / "small") == contents(tmp_path / "whole")
    assert contents(tmp_path / "shared") == contents(tmp_path / "whole")
    assert again == shared == outcome
    assert set(contents(tmp_path / "whole")) == {
        "train.jsonl", "held_out.jsonl", "rejected.jsonl", "duplicates.jsonl",
        "contamination.jsonl",
    }  # fmt: skip


def test_killed_in_each_of_its_works_it_goes_on_to_the_same_samples(
    whole, everything, built, tmp_path, monkeypatch
):
    built(everything, whole[0].out, "whole")
    out = tmp_path / "killed"
    works = ("preparing:Sketching", "preparing:Describing", "making:Making", "choosing:Finding",
             "choosing:Sketching", "choosing:Matching")  # fmt: skip
    for number, work in enumerate(works):
        run_until_killed(everything, out, f"devtune.data.{work}:1", whole[0].out)
        labels = sorted(each.name for each in (out / "scratch" / "parts").iterdir())
        assert len(labels) == number + 1
        for label in labels:
            parts = list((out / "scratch" / "parts" / label).glob("??????"))
            assert parts, "what was whole stays"
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 4000)
    built(everything, whole[0].out, "killed")
    assert contents(out) == contents(tmp_path / "whole")


def test_of_near_duplicate_files_only_the_newest_is_made_samples_of(
    whole, everything, built, tmp_path
):
    _, rows, rejected = built(everything, whole[0].out)
    (cluster,) = read_jsonl(tmp_path / "samples" / "duplicates.jsonl", DuplicateCluster)
    assert (cluster.kept.source, cluster.kept.path) == ("app", "app/shared.py")
    assert [(each.source, each.path) for each in cluster.dropped] == [("copy", "lib/shared.py")]
    assert cluster.dropped[0].date < cluster.kept.date
    dropped = [row for row in rejected if row.reason == "near_duplicate"]
    commit = cluster.dropped[0].commit
    assert dropped == [
        Rejected("near_duplicate", "copy", "lib/shared.py", commit, "app/app/shared.py")
    ]
    of_files = {"docstring_to_function", "function_to_docstring", "fill_in_the_middle"}
    made = [each for split in SPLITS for each in rows[split] if each.family in of_files]
    firsts = {(each.provenance[0].source, each.provenance[0].path) for each in made}
    assert ("app", "app/shared.py") in firsts
    assert ("copy", "lib/shared.py") not in firsts


def test_a_contaminated_sample_is_named_with_the_words_it_shares(
    whole, everything, built, tmp_path
):
    outcome, rows, rejected = built(everything, whole[0].out)
    found = list(read_jsonl(tmp_path / "samples" / "contamination.jsonl", Contamination))
    assert found
    said = " ".join(re.findall(r"\w+", whole[1].read_text().lower()))
    for each in found:
        assert (each.reference, each.document) == ("own texts", "benchmark.txt")
        assert each.ngram in said
        assert len(each.ngram.split()) == 10
        assert each.source == "app"
    ids = {each.sample_id for each in found}
    assert ids == {row.detail for row in rejected if row.reason == "contaminated"}
    assert not ids & {sample.sample_id for split in SPLITS for sample in rows[split]}
    assert outcome.rejects["contaminated"] == len(ids)
    assert f"own texts: {len(found)} matches" in outcome.metrics["notes"]
    left = ("decontaminate", "cap", "mix")
    without = [step for step in everything.steps if step.type not in left]
    _, free, _ = built(BuildSection(steps=tuple(without)), whole[0].out, "free")
    assert ids <= {sample.sample_id for split in SPLITS for sample in free[split]}


def test_functions_are_those_of_time_t(make_repository, corpus, pipeline, built):
    chance = random.Random(3)
    repository = make_repository()
    old = {f"m{n}.py": function(f"f{n}", chance) for n in range(4)}
    repository.commit("Start with four modules", dict(old))
    new = {path: function(path.replace("m", "f").removesuffix(".py"), chance) for path in old}
    repository.commit("Write them all anew", dict(new))
    _, rows, _ = built(pipeline, corpus(repository.source(), held_out_commits=1).out)
    trained = "".join(message.content for each in rows["train"] for message in each.messages)
    measured = "".join(each.messages[-1].content for each in rows["held_out"])
    for path in old:
        body = old[path].splitlines()[5].strip()
        assert body in trained
        assert body not in measured
        assert new[path].splitlines()[5].strip() not in trained
        assert new[path].splitlines()[5].strip() in measured


def test_the_identity_of_a_pipeline_follows_the_texts_it_compares_with(tmp_path, steps_of):
    folder, file = tmp_path / "benchmarks", tmp_path / "own.txt"
    folder.mkdir()
    (folder / "a.jsonl").write_text("{}\n")
    file.write_text("Some words\n")

    def identity():
        step = {"type": "decontaminate", "texts": [file], "benchmarks": folder}
        return identify(BuildSection.model_validate({"steps": [step]}))

    first = identity()
    assert list(first) == ["decontaminate 0 own.txt", "decontaminate 1 benchmarks"]
    assert identity() == first
    file.write_text("Other words\n")
    second = identity()
    (folder / "b.jsonl").write_text("{}\n")
    third = identity()
    names = list(first)
    assert first[names[0]] != second[names[0]] == third[names[0]]
    assert first[names[1]] == second[names[1]] != third[names[1]]
    assert identify(BuildSection.model_validate({"steps": steps_of("quickstart")})) == {}


def test_a_text_to_compare_with_that_is_not_there_is_one_line(tmp_path):
    step = {"type": "decontaminate", "texts": [tmp_path / "none.txt"]}
    with pytest.raises(DevtuneError) as caught:
        identify(BuildSection.model_validate({"steps": [step]}))
    assert str(caught.value) == (
        f"{tmp_path / 'none.txt'}: no such file or directory; correct the path"
    )
