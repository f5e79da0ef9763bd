import json
import random
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from devtune.data import chunks
from devtune.data.code.graph import Graph
from devtune.data.parts import Run
from devtune.data.preparing import DUPLICATES, draw_graph, find_duplicates
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import LocalExecutor
from devtune.progress import Progress
from devtune.records import DuplicateCluster, Provenance, Rejected, SourceFile
from devtune.steps.selection import NearDuplicateFiles

STEP = NearDuplicateFiles(type="near_duplicate_files")


def words(seed, num_changed=0, size=300):
    chance = random.Random(seed)
    said = [f"w{chance.randint(0, 10**6)}" for _ in range(size)]
    for at in range(num_changed):
        said[at * (size // max(num_changed, 1))] = f"other{at}"
    return " ".join(said)


def file_of(source, path, text, day=1, split="train"):
    date = f"2024-01-{day:02}T00:00:00+00:00"
    place = Provenance(source, f"c{day}", path, f"b-{source}-{path}", "Ada <a@b>", date)
    return SourceFile(place, split, text, "python")


@pytest.fixture
def run(tmp_path):
    return Run(
        tmp_path / "scratch", LocalExecutor(type="local", workers=1), Progress("quiet"), "build"
    )


@pytest.fixture
def found(tmp_path, run):
    # The paths that go, by `source/path`, the clusters and the rejects.
    def find(*files, step=STEP):
        write_jsonl(tmp_path / "files.jsonl", files)
        fresh = replace(run, scratch=Path(mkdtemp(dir=tmp_path)))
        offsets, rejected = find_duplicates(step, tmp_path, tmp_path, fresh)
        lines = (tmp_path / "files.jsonl").read_bytes()
        gone = set()
        for offset in offsets:
            place = json.loads(lines[offset:].split(b"\n", 1)[0])["provenance"]
            gone.add(f"{place['source']}/{place['path']}")
        return gone, list(read_jsonl(tmp_path / DUPLICATES, DuplicateCluster)), rejected

    return find


def test_of_alike_files_of_all_repositories_the_newest_stays(found):
    files = [
        file_of("app", "x.py", words(1), day=1),
        file_of("lib", "y.py", words(1, 3), day=9),
        file_of("lib", "other.py", words(2), day=1),
        file_of("web", "z.py", words(1, 6), day=5),
    ]
    gone, clusters, rejected = found(*files)
    assert gone == {"app/x.py", "web/z.py"}
    assert clusters == [
        DuplicateCluster(files[1].provenance, (files[0].provenance, files[3].provenance))
    ]
    assert rejected == [
        Rejected("near_duplicate", "app", "x.py", "c1", "lib/y.py"),
        Rejected("near_duplicate", "web", "z.py", "c5", "lib/y.py"),
    ]


def test_of_files_of_one_day_the_first_by_name_stays(found):
    same = [file_of(name, "x.py", words(1)) for name in ("c", "a", "b")]
    gone, _, _ = found(*same)
    assert gone == {"b/x.py", "c/x.py"}


def test_what_is_measured_with_is_no_copy_of_what_is_trained_on(found):
    # Its answers are: that is asked later, of samples.
    older, newer = (
        file_of("app", "x.py", words(1)),
        file_of("app", "x.py", words(1, 2), 9, "held_out"),
    )
    assert found(older, newer)[0] == set()
    copy = file_of("lib", "x.py", words(1, 2), 3, "held_out")
    assert found(older, newer, copy)[0] == {"lib/x.py"}


def test_the_similarity_asked_for_decides(found):
    files = [file_of("app", "x.py", words(1)), file_of("lib", "y.py", words(1, 6))]
    assert found(*files)[0]
    strict = NearDuplicateFiles(type="near_duplicate_files", min_jaccard=0.95)
    assert not found(*files, step=strict)[0]


def test_duplicates_do_not_hang_on_where_chunks_end(found, run, monkeypatch, tmp_path):
    files = [file_of("app", f"m{n}.py", words(n % 4, n), day=1 + (n * 7) % 11) for n in range(12)]
    whole = found(*files)
    assert len(whole[0]) >= 4
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 1)
    other = replace(run, scratch=tmp_path / "again")
    offsets, rejected = find_duplicates(STEP, tmp_path, tmp_path, other)
    assert len(list((tmp_path / "again" / "parts" / "near_duplicates").iterdir())) == 12
    assert (len(offsets), rejected) == (len(whole[0]), whole[2])
    assert list(read_jsonl(tmp_path / DUPLICATES, DuplicateCluster)) == whole[1]


def test_a_corpus_without_files_has_no_duplicates(found):
    assert found() == (set(), [], [])


CALLING = "from a import add\n\n\ndef twice(x):\n    return add(x, x)\n"
CALLED = "def add(a, b):\n    return a + b\n"


def test_the_graph_is_of_all_files_whatever_the_chunks(tmp_path, run, monkeypatch):
    files = [file_of("app", "b.py", CALLING), file_of("app", "a.py", CALLED)]
    write_jsonl(tmp_path / "files.jsonl", files)
    draw_graph(tmp_path, tmp_path / "whole.sqlite", run)
    monkeypatch.setattr(chunks, "BYTES_PER_CHUNK", 1)
    other = replace(run, scratch=tmp_path / "again")
    draw_graph(tmp_path, tmp_path / "small.sqlite", other)
    names = []
    for name in ("whole", "small"):
        graph = Graph(tmp_path / f"{name}.sqlite", tmp_path)
        entries = [graph.entries(graph.place(file)) for file in files]
        (callee,) = entries[1]
        names.append([callee.qualified_name, [each.qualified_name for each in entries[0]]])
    assert names[0] == names[1] == ["add", ["twice"]]
    assert not list(tmp_path.glob("*.new"))


def test_a_graph_that_is_there_is_not_drawn_again(tmp_path, run):
    (tmp_path / "graph.sqlite").write_text("whole")
    draw_graph(tmp_path, tmp_path / "graph.sqlite", run)
    assert (tmp_path / "graph.sqlite").read_text() == "whole"


def test_a_damaged_corpus_is_one_line(tmp_path, run):
    (tmp_path / "files.jsonl").write_text("{}\n")
    with pytest.raises(DevtuneError, match="files.jsonl: at byte 0: not a SourceFile row"):
        find_duplicates(STEP, tmp_path, tmp_path, run)
