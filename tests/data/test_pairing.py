import pyarrow.parquet as pq
import pytest

from devtune.data import chunks
from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.pairs import pair_row
from devtune.data.tables import PREFERENCE_SCHEMA
from devtune.jsonl import read_jsonl
from devtune.records import Message, Preference, Rejected
from tests.conftest import make_place
from tests.data import rendering
from tests.data.renderers.conversations import LOOK, TOOLS, call, result, says, user


def pair(number, chosen="Done.", rejected="No.", request="Go."):
    return Preference(
        f"{number:016x}", "trajectory", "t", (user(request),), (*LOOK, says(chosen)),
        (*LOOK, says("", call(2)), result(2, "x"), says(rejected)), "loop", "a0" * 8,
        (make_place("good.jsonl"), make_place("bad.jsonl")), TOOLS,
    )  # fmt: skip


@pytest.fixture
def run(tekken_file, tmp_path, make_sample):
    train = [make_sample(("user", "Go."), ("assistant", "Done."), sample_id="a0" * 8)]

    def work(pairs, name="run", **options):
        directory = tmp_path / name
        directory.mkdir()
        return rendering.run(directory, tekken_file, train, [], pairs=pairs, **options)

    return work


def bytes_of(out):
    return {x.name: x.read_bytes() for x in out.iterdir() if x.name != "manifest.json"}


def test_pairs_become_rows_and_are_counted(run, tekken_file):
    pairs = [pair(1), pair(2, "Really done.")]
    manifest, out = run(pairs)
    table = pq.read_table(out / "preferences.parquet")
    assert table.schema == PREFERENCE_SCHEMA
    renderer = MistralRenderer(tekken_file)
    rows = [pair_row(renderer, each, 10_000) for each in pairs]
    names = PREFERENCE_SCHEMA.names
    assert table.to_pylist() == [{name: getattr(row, name) for name in names} for row in rows]
    assert manifest["counts"]["preferences"] == 2
    assert manifest["counts"]["preferences_tokens"] == sum(row.num_tokens for row in rows)
    assert manifest["counts"]["train"] == 1
    assert "; 2 pairs of a better and a worse session; 0 samples" in manifest["summary"]


def test_without_pairs_the_dataset_is_as_before(run):
    manifest, without = run(None, "without")
    other, empty = run([], "empty")
    assert bytes_of(without) == bytes_of(empty)
    assert set(bytes_of(without)) == {
        "train.parquet", "held_out.parquet", "rejected.jsonl", "tekken.json", "README.md",
        "croissant.json",
    }  # fmt: skip
    for each in (manifest, other):
        assert not any(name.startswith("preferences") for name in each["counts"])
        assert "pair" not in each["summary"]


def test_samples_are_the_same_with_pairs_beside_them(run):
    _, without = run(None, "without")
    _, beside = run([pair(1)], "beside")
    for name in ("train.parquet", "held_out.parquet", "rejected.jsonl"):
        assert (without / name).read_bytes() == (beside / name).read_bytes()


def test_what_is_too_long_is_rejected_and_named_apart_from_samples(run, tekken_file):
    length = pair_row(MistralRenderer(tekken_file), pair(1), 10_000).num_tokens
    manifest, out = run([pair(1), pair(2, rejected="No. " * 50)], max_length=length)
    assert pq.read_table(out / "preferences.parquet")["sample_id"].to_pylist() == [f"{1:016x}"]
    [row] = read_jsonl(out / "rejected.jsonl", Rejected)
    assert (row.reason, row.path) == ("preference_too_long", "good.jsonl")
    assert row.detail.startswith(f"{2:016x} ")
    assert row.detail.endswith(" tokens")
    assert manifest["rejects"] == {"preference_too_long": 1}
    assert "1 pair of a better and a worse session (1 rejected); 0 samples" in manifest["summary"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_secret_of_either_side_keeps_the_pair_out(run, canaries, workers):
    called = pair(4)
    hidden = Message("assistant", "", (call(1, arguments=f'{{"command": "{canaries["slack"]}"}}'),))
    called = Preference(
        **{
            **{name: getattr(called, name) for name in called.__slots__},
            "rejected": (hidden, *called.rejected[1:]),
        }
    )
    pairs = [
        pair(1), pair(2, chosen=canaries["github"]), pair(3, rejected=canaries["github"]), called,
        pair(5, request=canaries["slack"]),
    ]  # fmt: skip
    manifest, out = run(pairs, workers=workers)
    assert pq.read_table(out / "preferences.parquet")["sample_id"].to_pylist() == [f"{1:016x}"]
    assert manifest["rejects"] == {"preference_secret_in_sample": 4}
    text = (out / "rejected.jsonl").read_text(encoding="utf-8")
    assert not any(secret in text for secret in canaries.values())


def test_the_rows_do_not_depend_on_how_many_tasks_there_are(run, monkeypatch):
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 2000)
    pairs = [pair(number, f"Done {number}.") for number in range(12)]
    found = [bytes_of(run(pairs, f"{n}", workers=n)[1]) for n in (1, 2)]
    assert found[0] == found[1]


def test_pairs_that_are_all_rejected_leave_an_empty_table(run):
    manifest, out = run([pair(1, rejected=" ")])
    assert pq.read_table(out / "preferences.parquet").num_rows == 0
    assert manifest["counts"]["preferences"] == 0
    assert manifest["rejects"] == {"preference_empty_answer": 1}
