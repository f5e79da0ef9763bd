import base64
import fcntl
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer

from devtune.cache import cache_dir
from devtune.cli import main
from devtune.jsonl import read_jsonl
from devtune.records import SPLITS, Change, Discussion, Rejected, Sample, SourceFile
from devtune.stage import Outcome, read_manifest, run_stage
from tests.erasing import erase_until_killed
from tests.site import CANARIES, CANARY, SHARED, write_site

DATA = {"collect": "corpus", "build": "samples", "render": "dataset"}
MADE = ("adapter", "model", "serving", "report")
AUTHOR = ("--author", "qzeve@corp.test", "--author", "qzeve")


def weights(out):
    (out / "weights").write_bytes(b"1")
    return Outcome("")


def train(run, base):
    trained = {"dataset": run / "dataset", "base": base}
    run_stage("train", {}, trained, run / "adapter", weights)
    merged = {"adapter": run / "adapter", "base": base}
    run_stage("merge", {}, merged, run / "model", weights)
    run_stage("export", {}, {"model": run / "model", **merged}, run / "serving", weights)
    measured = {**trained, "serving": run / "serving", "adapter": run / "adapter"}
    run_stage("evaluate", {}, measured, run / "report", weights)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tekken_file):
    root = tmp_path_factory.mktemp("site")
    write_site(root)

    def place(out):
        shutil.copyfile(tekken_file, out / "tekken.json")
        return Outcome("")

    run_stage("import", {}, {}, root / "base", place)
    make(root / "recipe.yaml")
    train(root / "runs" / "mine", root / "base")
    return root


def make(recipe, *more):
    for stage in DATA:
        with pytest.raises(SystemExit) as ended:
            main([stage, str(recipe), "--quiet", *more])
        assert ended.value.code == 0


@pytest.fixture
def site(whole, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    return shutil.copytree(whole, tmp_path / "site", symlinks=True)


@pytest.fixture
def erase(site, capfd):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["erase", str(site / "recipe.yaml"), *map(str, arguments)])
        captured = capfd.readouterr()
        return ended.value.code, captured.out + captured.err

    return run


def spellings(word):
    yield from (word.encode(each) for each in ("utf-8", "utf-16-le", "utf-16-be"))
    yield word.encode().hex().encode()
    for shift in range(3):
        size = shift + len(word)
        whole = base64.b64encode(bytes(shift) + word.encode() + bytes(-size % 3))
        # What shares a letter with what stands before or behind it is not of the word alone.
        yield whole[-(-8 * shift // 6) : 8 * size // 6]


def places_of(word, site, *roots):
    tekken = Tekkenizer.from_file(site / "base" / "tekken.json")
    found = set()
    for file in sorted(file for root in roots for file in root.rglob("*") if file.is_file()):
        content = file.read_bytes()
        if file.suffix == ".parquet":
            content += "\n".join(texts_of(file, tekken)).encode()
        is_inside = any(each in content or each in content.lower() for each in spellings(word))
        if is_inside or word in file.name.lower():
            found.add(file.name)
    return found


def texts_of(table, tekken):
    for row in pq.read_table(table).to_pylist():
        yield tekken.decode(row["input_ids"], SpecialTokenPolicy.IGNORE)
        yield str({name: value for name, value in row.items() if name != "input_ids"})


def derived(site):
    cache = cache_dir("secret-rules")
    assert cache is not None
    return (site / "runs", site / "site", site.parent / "temporary", cache)


def contents(run):
    return {
        file.relative_to(run).as_posix(): file.read_bytes()
        for name in DATA.values()
        for file in sorted((run / name).rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def git(repository, *arguments):
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def asked(site, kind):
    commit = git(site / "app", "log", "--format=%H", f"--grep={SHARED}")
    return {
        "author": AUTHOR,
        "path": ("--path", "app/src/more.py"),
        "repo": ("--repo", "lib"),
        "commit": ("--commit", commit[:12]),
    }[kind]


def ids_of(run):
    files = (run / "samples" / f"{split}.jsonl" for split in SPLITS)
    return {each.sample_id for file in files for each in read_jsonl(file, Sample)}


def entries_of(run):
    return json.loads((run / "erasure.json").read_text(encoding="utf-8"))["erasures"]


@pytest.mark.parametrize("kind", CANARIES)
def test_no_byte_of_what_was_erased_is_left_in_anything_derived(site, erase, kind):
    run, word = site / "runs" / "mine", CANARIES[kind]
    (run / "dataset.html").write_text(word, encoding="utf-8")
    (run / "dataset-trajectories").mkdir()
    (run / "dataset-trajectories" / "index.html").write_text(word, encoding="utf-8")
    (run / "privacy.html").write_text(word, encoding="utf-8")
    (run / "samples.partial").mkdir()
    (run / "samples.partial" / "made.jsonl").write_text(word, encoding="utf-8")
    before = places_of(word, site, *derived(site))
    assert before >= {"files.jsonl", "changes.jsonl", "train.jsonl", "train.parquet"}
    code, printed = erase(*asked(site, kind))
    assert code == 0, printed
    assert places_of(word, site, *derived(site)) == set()
    assert word not in printed.lower()
    pages = {"dataset.html", "privacy.html", "dataset-trajectories"}
    assert not {*pages, "samples.partial"} & {x.name for x in run.iterdir()}
    for others in set(CANARIES.values()) - {word}:
        assert "changes.jsonl" in places_of(others, site, *derived(site))


@pytest.mark.parametrize("kind", ["author", "repo"])
def test_what_was_erased_does_not_come_back(site, erase, kind):
    run = site / "runs" / "mine"
    assert erase(*asked(site, kind))[0] == 0
    built = contents(run)
    make(site / "recipe.yaml")
    assert contents(run) == built
    shutil.rmtree(run)
    make(site / "recipe.yaml")
    assert contents(run) == built
    assert places_of(CANARIES[kind], site, *derived(site)) == set()


def test_samples_that_went_and_all_that_was_trained_on_them_are_named(site, erase):
    run = site / "runs" / "mine"
    before = ids_of(run)
    made = {name: read_manifest(run / name)["fingerprint"] for name in MADE}
    code, printed = erase(*AUTHOR)
    assert code == 0
    (entry,) = entries_of(run)
    gone = {each for ids in entry["gone"].values() for each in ids}
    assert gone == before - ids_of(run)
    assert gone
    assert f"{len(gone)} samples went" in printed
    named = {Path(x["directory"]).name: x["fingerprint"] for x in entry["taught"]}
    assert named == made
    for name in ("adapter", "model", "serving"):
        assert f"{made[name][:12]}  {run / name}" in printed
    weights = " ".join(str(run / each) for each in ("adapter", "model", "serving"))
    assert entry["commands"] == [f"rm -rf -- {weights}", f"devtune run {site / 'recipe.yaml'}"]
    assert all(command in printed for command in entry["commands"])
    assert not (run / "report").exists()
    assert (run / "adapter").is_dir()


def test_nothing_is_said_in_clear_and_nobody_else_can_read_it(site, erase):
    assert erase(*AUTHOR)[0] == 0
    for file in (site / "runs" / "mine" / "erasure.json", site / "site" / "tombstones.jsonl"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert CANARY not in file.read_text(encoding="utf-8").lower()
    rejected = list(read_jsonl(site / "runs/mine/corpus/rejected.jsonl", Rejected))
    erased = [each for each in rejected if each.reason == "erased"]
    assert len(erased) > 10
    assert {each.path + each.detail for each in erased} == {""}
    counts = read_manifest(site / "runs/mine/corpus")["rejects"]
    assert counts["erased"] == len(erased)


def test_what_others_wrote_stays(site, erase):
    assert erase(*AUTHOR)[0] == 0
    corpus = site / "runs/mine/corpus"
    paths = {each.provenance.path for each in read_jsonl(corpus / "files.jsonl", SourceFile)}
    kept = {f"kept_{number}.py" for number in range(3)}
    assert paths == {"src/sums.py", "src/more.py", "src/late.py", "lib.py", *kept}
    (faster,) = (
        each
        for each in read_jsonl(corpus / "changes.jsonl", Change)
        if each.subject == "Count the qzmor numbers faster"
    )
    assert faster.body == "Nothing else changes."
    issue, request = read_jsonl(corpus / "discussions.jsonl", Discussion)
    assert (issue.number, issue.body) == (1, "They weigh nothing. @ghost knows.")
    assert [each.body.strip() for each in issue.comments] == ["That is what I thought."]
    assert (request.number, [each.body for each in request.reviews]) == (3, ["This one is right."])
    hers = git(site / "app", "log", "--format=%H", "--author=qzeve").splitlines()
    assert not set(hers) & set(request.commits)


def test_only_runs_that_hold_it_have_to_be_made_anew(site, erase, capfd):
    recipe, lib = str(site / "recipe.yaml"), f"{{type: git, path: {site}/lib, license: MIT}}"
    alone = [f"run_dir={site}/runs/alone", f"collect.sources=[{lib}]"]
    more = [part for each in alone for part in ("--set", each)]
    make(recipe, *more)
    assert erase(*AUTHOR)[0] == 0
    make(recipe, *more)
    copied = shutil.copytree(site / "runs" / "mine", site / "runs" / "copied")
    assert erase("--commit", git(site / "lib", "rev-parse", "HEAD"))[0] == 0
    for held in (more, ["--set", f"run_dir={copied}"]):
        with pytest.raises(SystemExit) as ended:
            main(["collect", recipe, *held])
        assert ended.value.code == 1
        assert "found.collect.tombstones was" in capfd.readouterr().err


def test_a_dry_run_says_the_same_and_changes_nothing(site, erase):
    before = contents(site)
    names = sorted(site.rglob("*"))
    code, printed = erase(*AUTHOR, "--dry-run", "--json")
    assert code == 0
    told = json.loads(printed.splitlines()[-1])
    assert (contents(site), sorted(site.rglob("*"))) == (before, names)
    assert erase(*AUTHOR)[0] == 0
    (entry,) = entries_of(site / "runs" / "mine")
    same = ("gone", "new", "taught", "commands", "tombstones")
    assert {name: told[name] for name in same} == {name: entry[name] for name in same}


def test_killed_anywhere_and_called_again_the_result_is_the_same(site, erase, whole, tmp_path):
    other = shutil.copytree(whole, tmp_path / "other" / "site", symlinks=True)
    order = (site / "recipe.yaml", *AUTHOR)
    for place in (
        "devtune.erase:find_targets:1",
        "devtune.erase:_rebuild:1",
        "devtune.data.collect:write_jsonl:1",
        "devtune.data.instruct:build:1",
        "devtune.erase:_finish:2",
        "devtune.erase:_remove:2",
        "devtune.erase:_remove:4",
    ):
        assert CANARY not in erase_until_killed(place, *order).lower()
    assert erase(*AUTHOR)[0] == 0
    with pytest.raises(SystemExit):
        main(["erase", str(other / "recipe.yaml"), *AUTHOR, "--quiet"])
    one, two = site / "runs" / "mine", other / "runs" / "mine"
    assert contents(one) == contents(two)
    assert entries_of(one)[-1]["gone"] == entries_of(two)[-1]["gone"]
    assert sorted(each.name for each in one.iterdir()) == sorted(x.name for x in two.iterdir())
    assert places_of(CANARY, site, *derived(site)) == set()


def test_weights_are_deleted_only_when_asked_for(site, erase):
    run = site / "runs" / "mine"
    code, printed = erase(*AUTHOR, "--weights")
    assert code == 0
    assert not {"adapter", "model", "serving", "report"} & {each.name for each in run.iterdir()}
    assert "rm -rf" not in printed
    assert f"devtune run {site / 'recipe.yaml'}" in printed


def test_other_runs_that_hold_it_are_named_with_their_weights(site, erase):
    other = shutil.copytree(site / "runs" / "mine", site / "runs" / "the other")
    shutil.rmtree(other / "samples")
    code, printed = erase(*AUTHOR)
    assert code == 0
    (entry,) = entries_of(site / "runs" / "mine")
    held = {Path(x["directory"]) for x in entry["other_runs"]}
    assert held == {other / "corpus", other / "dataset"}
    assert {Path(x["directory"]) for x in entry["taught"]} >= {other / "adapter", other / "report"}
    names = ("adapter", "model", "serving", "corpus", "dataset", "report")
    stale = " ".join(f"'{other / each}'" for each in names)
    assert f"rm -rf -- {stale}" in printed
    assert "devtune run RECIPE_OF_'the other'" in printed


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_exported_samples_go_here_and_are_named_elsewhere(site, erase, format):
    other, run = site / "runs" / "handed over", site / "runs" / "mine"
    for more in ((), ("--out", str(other))):
        make_export = ["export-samples", str(site / "recipe.yaml"), "--quiet", "--format", format]
        with pytest.raises(SystemExit) as ended:
            main([*make_export, *more])
        assert ended.value.code == 0
    code, printed = erase(*AUTHOR)
    assert code == 0
    assert not (run / f"samples-{format}").exists()
    (entry,) = entries_of(run)
    assert str(other) in {x["directory"] for x in entry["other_runs"]}
    assert f"rm -rf -- '{other}'" in printed


def test_weights_without_a_way_back_to_a_dataset_are_named(site, erase):
    alone = shutil.copytree(site / "runs/mine/serving", site / "runs/handed over/serving")
    shutil.copytree(site / "runs/mine/report", site / "runs/mine/old")
    for name in ("adapter", "model"):
        shutil.rmtree(site / "runs/mine" / name)
    assert erase(*AUTHOR)[0] == 0
    (entry,) = entries_of(site / "runs" / "mine")
    assert str(alone) in {each["directory"] for each in entry["unknown"]}


def test_where_nothing_was_trained_on_it_nothing_is_to_be_trained(site, erase):
    for name in MADE:
        shutil.rmtree(site / "runs" / "mine" / name)
    code, printed = erase(*AUTHOR)
    assert code == 0
    assert "nothing here was trained on it" in printed
    assert entries_of(site / "runs" / "mine")[0]["commands"] == []


def test_without_a_run_the_tombstones_are_enough(site, erase):
    shutil.rmtree(site / "runs")
    code, printed = erase(*AUTHOR)
    assert code == 0
    assert "0 samples went" in printed
    make(site / "recipe.yaml")
    assert places_of(CANARY, site, *derived(site)) == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "erase: say what: --author, --path, --repo or --commit"),
        (
            ("--author", "qzeev@corp.test"),
            "erase: no author 'qzeev@corp.test'; did you mean 'qzeve@corp.test'?",
        ),
        (("--author", "zz"), "erase: no author 'zz'; nothing there is called alike"),
        (
            ("--path", "app/src/mor.py"),
            "erase: no path 'src/mor.py' in app or its history; did you mean 'app/src/more.py'?",
        ),
        (
            ("--path", "src/more.py"),
            "erase: 'src/more.py' begins with no source's name: give SOURCE/PATH; nothing there"
            " is called alike",
        ),
        (("--repo", "libs"), "erase: no source is called 'libs'; did you mean 'lib'?"),
        (("--commit", "xyz"), "erase: 'xyz' is no commit; give 7 digits or more"),
        (
            ("--commit", "0" * 12),
            f"erase: no commit {'0' * 12} in the history of any source; see `git log` there",
        ),
        (
            (*AUTHOR, "--set", "collect.tombstones=null"),
            "erasing needs a secret and a file of this site, one for all its recipes; set"
            " collect.salt and collect.tombstones",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_erased_is_told_in_one_line_and_nothing_is_changed(
    site, erase, arguments, message
):
    names = sorted(site.rglob("*"))
    code, printed = erase(*arguments)
    assert code == 2
    assert printed.count("\n") == 1
    assert printed.strip().endswith(message)
    assert sorted(site.rglob("*")) == names


def test_a_second_erasure_at_the_same_time_is_refused(site, erase):
    handle = os.open(site / "runs" / "mine", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        code, printed = erase(*AUTHOR)
    finally:
        os.close(handle)
    assert code == 1
    assert "another `devtune erase` is at work here; wait" in printed


def test_a_damaged_record_is_told(site, erase):
    (site / "runs" / "mine" / "erasure.json").write_text("[", encoding="utf-8")
    code, printed = erase(*AUTHOR)
    assert code == 1
    assert "erasure.json: damaged; move it away" in printed
