import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from devtune.cli import main
from devtune.config import load
from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.jsonl import read_jsonl
from devtune.progress import Progress
from devtune.records import Message, Rejected, Sample
from devtune.run import run_line
from devtune.stage import Outcome, read_manifest, run_stage
from devtune.trace import trace_model, trace_sample
from tests.data.conftest import Maker
from tests.report.conftest import make_pair, make_run, make_trajectory

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "recipes" / "quickstart" / "recipe.yaml"
BOB = "Bob \x1b[31mExample <bob@corp.test>"
HOSTILE = "app/e\x1b[31mvil\u202e.py"
SPELT = "app/eESC[31mvilU+202E.py"
MAX_LENGTH = 1500


def function(name, number):
    return (
        f'def {name}(first, second):\n    """Add the two numbers and then the number {number}."""\n'
        f"    total = first + second\n    result = total + {number}\n    return result\n"
    )


def functions(name, numbers):
    return "\n\n".join(function(f"{name}_{number}", number) for number in numbers)


def write_sources(directory):
    maker = Maker(directory / "app")
    maker.commit("Add sums of two numbers", {"app/sums.py": functions("add", (1, 2))})
    maker.commit("Add sums no terminal likes", {HOSTILE: function("evil", 3)}, author=BOB)
    maker.commit("Raise the two numbers", {"app/sums.py": functions("add", (11, 12))})
    maker.commit(
        "Add a good dozen of sums at once", {"app/dozen.py": functions("dozen", range(12))}
    )
    maker.commit("Keep this one out of training", {"app/late.py": function("late", 99)})
    copy = directory / "copy" / "app"
    copy.mkdir(parents=True)
    (copy / "sums.py").write_text(functions("add", (11, 12)), encoding="utf-8")
    (copy / "more.py").write_text(functions("more", range(45)), encoding="utf-8")
    return maker


def weights(out):
    (out / "weights").write_bytes(b"1")
    return Outcome("")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory, tekken_file, repository):
    run = tmp_path_factory.mktemp("runs") / "mine"
    base, sources = run / "base", repository.path.parent

    def place(out):
        shutil.copyfile(tekken_file, out / "tekken.json")
        return Outcome("")

    run_stage("import", {}, {}, base, place)
    app = f"{{type: git, path: {sources}/app, owner: Team Sums, license: MIT}}"
    copy = f"{{type: directory, path: {sources}/copy, license: MIT}}"
    overrides = [f"run_dir={run}", f"import.out={base}", f"render.max_length={MAX_LENGTH}"]
    overrides += [f"collect.sources=[{app}, {copy}]", "collect.held_out_commits=1"]
    overrides += ["collect.personal_data=null", "collect.blame=true"]
    overrides.append("executor.workers=1")
    run_line(load(QUICKSTART, overrides), Progress("quiet"), ("collect", "build", "render"))
    trained = {"dataset": run / "dataset", "base": base}
    section = {"max_steps": -1, "num_train_epochs": 1.0}
    run_stage("train", section, trained, run / "adapter", weights)
    merged = {"adapter": run / "adapter", "base": base}
    run_stage("merge", {}, merged, run / "model", weights)
    run_stage("export", {}, {"model": run / "model", **merged}, run / "serving", weights)
    return run


@pytest.fixture
def copy(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "mine")


@pytest.fixture
def devtune(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def samples_of(run, split="train"):
    return list(read_jsonl(run / "samples" / f"{split}.jsonl", Sample))


def tokens_of(run):
    rows = pq.read_table(run / "dataset" / "train.parquet").to_pylist()
    return {row["sample_id"]: row["num_trained_tokens"] for row in rows}


def sample_at(run, path):
    return next(each for each in samples_of(run) if each.provenance[0].path == path)


def rejected_as(run, stage, reason):
    rows = read_jsonl(run / stage / "rejected.jsonl", Rejected)
    return next(each.detail.split()[0] for each in rows if each.reason == reason)


def refused(call, *arguments):
    with pytest.raises(DevtuneError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(manifest, **values):
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**content, **values}), encoding="utf-8")


def sign(directory):
    files = {
        name: {"sha256": hash_file(directory / name), "bytes": (directory / name).stat().st_size}
        for name in read_manifest(directory)["files"]
    }
    rewrite(directory / "manifest.json", files=files)


def test_a_sample_leads_to_commit_path_blob_and_author(run_dir, repository):
    sample = sample_at(run_dir, "app/sums.py")
    found = trace_sample(sample.sample_id, run_dir)
    (row,) = found["rows"]
    place = row["places"][0]
    commit = place["commit"]
    assert repository.git("rev-parse", f"{commit}:app/sums.py") == place["blob"]
    assert repository.git("log", "-1", "--format=%s", commit) == "Raise the two numbers"
    assert (place["source"], place["path"]) == ("app", "app/sums.py")
    assert (place["author"], place["license"]) == ("Ada Example <ada@corp.test>", "MIT")
    assert (found["family"], row["split"], row["file"]) == (
        sample.family, "train", "samples/train.jsonl",
    )  # fmt: skip
    assert samples_of(run_dir)[row["line"] - 1] == sample


def test_a_sample_leads_to_its_source_its_step_and_the_template_of_the_step(run_dir):
    sample = sample_at(run_dir, "app/sums.py")
    found = trace_sample(sample.sample_id, run_dir)
    assert [each["name"] for each in found["sources"]] == [
        name for name in ("app", "copy") if name in {each.source for each in sample.provenance}
    ]
    source = found["sources"][0]
    assert (source["owner"], source["license"], source["kind"]) == ("Team Sums", "MIT", "git")
    assert len(source["cut"]) == 40
    (step,) = found["steps"]
    steps = read_manifest(run_dir / "samples")["section"]["steps"]
    (row,) = found["rows"]
    assert step["options"] == steps[step["number"] - 1]
    assert (step["number"], step["options"]["type"]) == (row["step"], sample.family)
    name = f"{sample.family}.jinja"
    digest = hash_file(ROOT / "data_prep" / "prompts" / name)
    assert row["template"] == f"{name}@{digest[:12]}"
    assert step["options"]["prompt"] == digest


def test_a_sample_leads_to_its_lines_and_to_what_was_done_to_them(run_dir, repository):
    sample = next(each for each in samples_of(run_dir) if each.family == "docstring_to_function")
    (row,) = trace_sample(sample.sample_id, run_dir)["rows"]
    place = row["places"][0]
    file = repository.git("show", f"{place['commit']}:{place['path']}").split("\n")
    lines = "\n".join(file[place["first_line"] - 1 : place["last_line"]])
    assert lines in sample.messages[-1].content
    assert row["transformations"] == ["excerpt", "comment_marks_removed"]
    (author,) = place["authors"]
    assert author == {"author": "Ada Example <ada@corp.test>", "share": 1.0}


def test_a_sample_that_was_rendered_is_counted_in_tokens(run_dir):
    tokens = tokens_of(run_dir)
    rows = pq.read_table(run_dir / "dataset" / "train.parquet").to_pylist()
    sample_id = rows[3]["sample_id"]
    (rendered,) = trace_sample(sample_id, run_dir)["rendered"]
    assert rendered == {
        "split": "train", "file": "dataset/train.parquet", "row": 4,
        "num_tokens": len(rows[3]["input_ids"]), "num_trained_tokens": tokens[sample_id],
    }  # fmt: skip


def test_what_made_each_stage_is_told(run_dir):
    stages = trace_sample(samples_of(run_dir)[0].sample_id, run_dir)["stages"]
    assert [each["directory"] for each in stages] == ["corpus", "samples", "dataset"]
    for each in stages:
        manifest = read_manifest(run_dir / each["directory"])
        assert each["stage"] == manifest["stage"]
        assert each["fingerprint"] == manifest["fingerprint"]
        assert each["git_commit"] == manifest["git_commit"]
        assert each["versions"]["devtune"] == manifest["versions"]["devtune"]


def test_a_held_out_sample_is_said_to_be_held_out(run_dir):
    sample = samples_of(run_dir, "held_out")[0]
    found = trace_sample(sample.sample_id, run_dir)
    assert {each["split"] for each in (*found["rows"], *found["rendered"])} == {"held_out"}


def test_a_sample_that_rendering_left_out_says_why(run_dir, devtune):
    sample_id = rejected_as(run_dir, "dataset", "too_long")
    found = trace_sample(sample_id, run_dir)
    assert found["rendered"] == []
    assert [(each["stage"], each["reason"]) for each in found["rejected"]] == [
        ("render", "too_long")
    ]
    assert found["rows"][0]["places"][0]["path"] == found["rejected"][0]["path"] == "app/dozen.py"
    _, out, _ = devtune("trace", sample_id, "--run", run_dir)
    assert "\nrendered          no\n" in out
    assert "\nleft out by render\n  reason            too_long\n" in out


def test_a_sample_that_selection_left_out_says_why(run_dir, devtune):
    sample_id = rejected_as(run_dir, "samples", "over_family_maximum")
    found = trace_sample(sample_id, run_dir)
    assert (found["rows"], found["rendered"], found["steps"]) == ([], [], [])
    (row,) = found["rejected"]
    assert (row["stage"], row["reason"]) == ("build", "over_family_maximum")
    assert [each["name"] for each in found["sources"]] == [row["source"]]
    _, out, _ = devtune("trace", sample_id, "--run", run_dir)
    assert "\nfamily            not kept with what was left out\n" in out


def test_a_sample_that_shares_words_with_a_benchmark_says_which(copy):
    row = {
        "sample_id": "ab" * 8, "family": "commit_edit", "source": "app", "path": "x.py",
        "reference": "humaneval", "document": "HE/1", "ngram": "a b c",
    }  # fmt: skip
    (copy / "samples" / "contamination.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    sign(copy / "samples")
    found = trace_sample("abababab", copy)
    assert found["sample_id"] == "ab" * 8
    assert found["family"] == "commit_edit"
    assert found["contamination"][0]["reference"] == "humaneval"
    assert found["steps"][0]["options"]["type"] == "commit_edit"


def test_equal_samples_of_two_sources_have_both_places(run_dir):
    shared = [each for each in samples_of(run_dir) if len(each.provenance) > 1]
    assert shared
    found = trace_sample(shared[0].sample_id, run_dir)
    places = found["rows"][0]["places"]
    assert [each["source"] for each in places] == ["app", "copy"]
    assert [each["name"] for each in found["sources"]] == ["app", "copy"]
    assert "exact_duplicate" in {each["reason"] for each in found["rejected"]}


def test_the_beginning_of_an_id_is_enough(run_dir):
    sample_id = samples_of(run_dir)[0].sample_id
    assert trace_sample(sample_id[:12], run_dir) == trace_sample(sample_id, run_dir)


def test_a_run_its_samples_and_its_dataset_are_the_same_place(run_dir, devtune, monkeypatch):
    sample_id = samples_of(run_dir)[0].sample_id
    answers = [
        devtune("trace", sample_id, "--run", each)
        for each in (run_dir, run_dir / "samples", run_dir / "dataset")
    ]
    monkeypatch.chdir(run_dir)
    answers.append(devtune("trace", sample_id))
    assert answers[0][0] == 0
    assert answers[0][1].startswith(f"sample            {sample_id}\n")
    assert answers[1:] == [answers[0]] * 3


def test_an_unknown_id_is_one_line(run_dir):
    assert refused(trace_sample, "xyz", run_dir) == (
        f"{run_dir}/samples: no sample begins with `xyz`; `devtune samples` and `devtune report`"
        " show ids"
    )


def test_an_ambiguous_id_is_one_line_that_names_a_few(run_dir):
    first, second, third, *_ = samples_of(run_dir)
    assert refused(trace_sample, "", run_dir) == (
        f"{run_dir}/samples: several samples begin with ``: {first.sample_id}, {second.sample_id},"
        f" {third.sample_id}, …; give more digits"
    )


def test_two_candidates_are_both_named(copy):
    samples = samples_of(copy)
    line = (copy / "samples" / "train.jsonl").read_text(encoding="utf-8").splitlines()[0]
    twin = samples[0].sample_id[:15] + ("0" if samples[0].sample_id[15] != "0" else "1")
    with (copy / "samples" / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write(line.replace(samples[0].sample_id, twin) + "\n")
    sign(copy / "samples")
    message = refused(trace_sample, twin[:15], copy)
    assert f": {samples[0].sample_id}, {twin}; give more digits" in message
    assert trace_sample(twin, copy)["rows"][0]["line"] == len(samples) + 1


def test_a_directory_of_another_stage_is_one_line(run_dir):
    assert refused(trace_sample, "00", run_dir / "corpus") == (
        f"{run_dir}/corpus: written by collect; give the directory of a run, or its samples/ or"
        " dataset/"
    )


def test_a_directory_without_samples_is_one_line(tmp_path):
    assert refused(trace_sample, "00", tmp_path) == (
        f"{tmp_path}/samples: is not there; give --run the directory of a run"
    )


def test_samples_that_are_not_finished_are_one_line(tmp_path):
    (tmp_path / "samples").mkdir()
    message = refused(trace_sample, "00", tmp_path)
    assert message == f"{tmp_path}/samples: is not finished; run the stage that writes it first"


def test_a_dataset_of_other_samples_is_not_mixed_with_these(copy, devtune):
    sample = sample_at(copy, "app/sums.py")
    rewrite(copy / "dataset" / "manifest.json", inputs={"samples": "0" * 64})
    found = trace_sample(sample.sample_id, copy)
    assert found["rendered"] == []
    assert found["missing"] == ["dataset/ beside it is of another run"]
    assert refused(trace_sample, sample.sample_id, copy / "dataset") == (
        f"{copy}/dataset: samples/ beside it is of another run; give --run the directory that"
        " holds both"
    )
    _, out, _ = devtune("trace", sample.sample_id, "--run", copy)
    assert "\nrendered          not known\n" in out


def test_what_is_missing_beside_the_samples_is_named_and_the_rest_is_shown(copy, devtune):
    sample = sample_at(copy, "app/sums.py")
    shutil.rmtree(copy / "corpus")
    shutil.rmtree(copy / "dataset")
    found = trace_sample(sample.sample_id, copy)
    assert found["missing"] == ["corpus/ is not beside it", "dataset/ is not beside it"]
    assert (found["sources"], found["rendered"]) == ([], [])
    assert found["rows"][0]["places"][0]["path"] == "app/sums.py"
    _, out, _ = devtune("trace", sample.sample_id, "--run", copy)
    assert out.endswith(
        "\nnot known\n  because           corpus/ is not beside it\n"
        "  because           dataset/ is not beside it\n"
    )


def test_a_hostile_path_or_name_is_spelt_in_the_terminal_and_whole_in_json(copy, devtune):
    sample_id = sample_at(copy, HOSTILE).sample_id
    code, out, _ = devtune("trace", sample_id, "--run", copy)
    assert code == 0
    assert SPELT in out
    assert not {"\x1b", "\u202e"} & set(out)
    _, out, _ = devtune("trace", sample_id, "--run", copy, "--json")
    assert json.loads(out)["rows"][0]["places"][0]["path"] == HOSTILE
    _, out, _ = devtune("trace", "--model", copy / "adapter")
    assert "Bob ESC[31mExample <bob@corp.test>" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("name", ["serving", "model", "adapter"])
def test_a_model_leads_to_every_commit_that_taught_it(run_dir, repository, name):
    found = trace_model(run_dir / name)
    tokens = tokens_of(run_dir)
    num_samples, num_tokens = Counter(), Counter()
    for sample in samples_of(run_dir):
        if sample.sample_id not in tokens:
            continue
        for place in {(each.source, each.commit) for each in sample.provenance}:
            num_samples[place] += 1
            num_tokens[place] += tokens[sample.sample_id]
    rows = [(source["name"], each) for source in found["sources"] for each in source["commits"]]
    told = {(source, each["commit"]): each for source, each in rows}
    assert len(told) == len(rows)
    order = [(source, each["date"]) for source, each in rows]
    assert order == sorted(order)
    assert {key: each["num_samples"] for key, each in told.items()} == num_samples
    assert {key: each["num_trained_tokens"] for key, each in told.items()} == num_tokens
    assert ("copy", "") in told
    history = repository.git("log", "--reverse", "--format=%H%x09%aN <%aE>%x09%cI%x09%s")
    subjects = []
    for line in history.splitlines():
        commit, author, date, subject = line.split("\t")
        if each := told.get(("app", commit)):
            subjects.append(subject)
            assert each["authors"] == [author]
            assert each["date"] == date.replace("Z", "+00:00")
    assert subjects == [
        "Add sums of two numbers", "Add sums no terminal likes", "Raise the two numbers",
        "Add a good dozen of sums at once",
    ]  # fmt: skip


def test_the_totals_count_each_sample_once(run_dir):
    found = trace_model(run_dir / "serving")
    tokens = tokens_of(run_dir)
    totals = found["totals"]
    assert totals["num_samples"] == len(tokens)
    assert totals["num_trained_tokens"] == sum(tokens.values())
    assert totals["num_tokens"] == read_manifest(run_dir / "dataset")["counts"]["train_tokens"]
    assert (totals["num_sources"], totals["num_commits"]) == (2, 4)
    counted = [each["num_samples"] for source in found["sources"] for each in source["commits"]]
    assert totals["num_shared"] > 0
    assert sum(counted) == totals["num_samples"] + totals["num_shared"]


def test_the_stages_of_a_model_are_told_the_latest_first(run_dir):
    lineage = trace_model(run_dir / "serving")["lineage"]
    names = ["serving", "model", "adapter", "dataset", "samples", "corpus", "base"]
    assert [each["directory"] for each in lineage] == names
    for each in lineage:
        assert each["missing"] == ""
        assert each["fingerprint"] == read_manifest(run_dir / each["directory"])["fingerprint"]
    names = [each["directory"] for each in trace_model(run_dir / "adapter")["lineage"]]
    assert names == ["adapter", "dataset", "samples", "corpus", "base"]


def test_a_base_that_stands_elsewhere_is_no_fault(copy, devtune):
    shutil.rmtree(copy / "base")
    code, out, _ = devtune("trace", "--model", copy / "serving")
    assert code == 0
    assert "\n  base/             base/ is not beside it; it holds published weights\n" in out


def test_the_lines_on_a_model_are_aligned(run_dir, devtune):
    code, out, _ = devtune("trace", "--model", run_dir / "serving")
    assert code == 0
    assert out.startswith("model             serving\n")
    lines = out.splitlines()
    head = next(line for line in lines if line.startswith("  commit or version"))
    ends = [head.index(name) + len(name) for name in ("samples", "trained tokens")]
    commits = [line for line in lines if line.endswith("<ada@corp.test>")]
    assert len(commits) == 3
    for line in commits:
        assert all(line[end - 1].isdigit() and line[end] == " " for end in ends)
        assert line.index("Ada") == head.index("author")
    assert any(line.startswith("  (no history)  ") for line in lines)
    title = next(line for line in lines if line.startswith("app (git)"))
    assert ", owner Team Sums, license MIT, tip " in title
    num_tokens = sum(tokens_of(run_dir).values())
    assert " trained tokens, 4 commits of 2 sources\n" in out
    assert f" samples, {num_tokens:,} trained" in out


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"max_steps": 7}, "at most 7 steps; samples they did not reach are listed too"),
        (
            {"max_steps": -1, "num_train_epochs": 0.5},
            "0.5 of an epoch; samples it did not reach are listed too",
        ),
    ],
)
def test_training_that_could_end_early_is_said_to(copy, devtune, section, words):
    shutil.rmtree(copy / "adapter")
    inputs = {"dataset": copy / "dataset", "base": copy / "base"}
    run_stage("train", section, inputs, copy / "adapter", weights)
    _, out, _ = devtune("trace", "--model", copy / "adapter")
    assert f"\ntrained           {words}\n" in out


def test_training_over_all_of_it_says_nothing_of_an_end(run_dir, devtune):
    _, out, _ = devtune("trace", "--model", run_dir / "adapter")
    assert "\ntrained  " not in out


def test_a_model_speaks_json_when_asked(run_dir, devtune):
    _, out, _ = devtune("trace", "--model", run_dir / "serving", "--json")
    assert json.loads(out) == trace_model(run_dir / "serving")
    assert out.count("\n") == 1


def test_an_export_that_was_carried_away_is_followed_in_the_run(copy, tmp_path, devtune):
    away = tmp_path / "server" / "v1"
    away.parent.mkdir()
    (copy / "serving").rename(away)
    code, _, err = devtune("trace", "--model", away)
    assert code == 1
    assert f"{away}: adapter/ is not beside it; " in err
    code, out, _ = devtune("trace", "--model", away, "--run", copy)
    assert code == 0
    assert "4 commits of 2 sources" in out


@pytest.mark.parametrize("name", ["samples", "dataset", "corpus"])
def test_damaged_files_are_one_line(copy, name):
    sample_id = samples_of(copy)[0].sample_id
    with (copy / name / "rejected.jsonl").open("ab") as file:
        file.write(b" ")
    expected = (
        f"{copy}/{name}/rejected.jsonl: damaged; move {copy}/{name} away and run its stage again"
    )
    assert refused(trace_model, copy / "serving") == expected
    assert refused(trace_sample, sample_id, copy) == expected


def test_what_to_trace_is_given_once(devtune, run_dir):
    expected = "devtune: error: trace: give a SAMPLE_ID, or --model DIRECTORY, not both\n"
    assert devtune("trace") == (2, "", expected)
    assert devtune("trace", "00", "--model", run_dir / "serving") == (2, "", expected)


@pytest.fixture(scope="module")
def paired(tmp_path_factory, tekken_file):
    out = tmp_path_factory.mktemp("paired") / "mine"
    long = replace(make_pair(1), rejected=(Message("assistant", "x = 1\n" * 8000),))
    return make_run(out, tekken_file, [make_trajectory(0)], pairs=[make_pair(0), long])


def test_a_pair_leads_to_both_sessions_and_its_row(paired, devtune):
    found = trace_sample("000000000000fa00", paired)
    [row] = found["rows"]
    assert (row["split"], row["file"], row["line"]) == ("train", "samples/preferences.jsonl", 1)
    assert (found["family"], row["chosen_id"], row["reason"]) == ("trajectory", "0" * 16, "loop")
    assert [each["path"] for each in row["places"]] == ["good.jsonl", "bad.jsonl"]
    [rendered] = found["rendered"]
    [pair] = pq.read_table(paired / "dataset" / "preferences.parquet").to_pylist()
    labels = pair["chosen_labels"] + pair["rejected_labels"]
    assert rendered == {
        "split": "train", "file": "dataset/preferences.parquet", "row": 1,
        "num_tokens": pair["num_tokens"],
        "num_trained_tokens": sum(each != -100 for each in labels),
    }  # fmt: skip
    code, out, _ = devtune("trace", "000000000000fa00", "--run", str(paired))
    assert code == 0
    assert "chosen            sample 0000000000000000, place 1\n" in out
    assert "rejected          place 2, for loop\n" in out


def test_a_pair_that_rendering_left_out_says_why(paired):
    found = trace_sample("000000000000fa01", paired)
    assert found["rendered"] == []
    [left] = found["rejected"]
    assert (left["stage"], left["reason"]) == ("render", "preference_too_long")
