import json
import os
import resource

import pytest
import torch
from safetensors.torch import load_file, save_file

from devtune.errors import DevtuneError
from devtune.weights.checkpoint import INDEX, SINGLE, ShardWriter
from devtune.weights.streaming import Planned, plan_shards, write_shards

NAMES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


def tensors():
    torch.manual_seed(0)
    kinds = [torch.bfloat16, torch.float32, torch.float16]
    given = {f"layers.{n}.wéight": torch.randn(8, 16).to(kinds[n % 3]) for n in range(11)}
    return {**given, "scale": torch.tensor(2.0), "empty": torch.zeros(0, 4)}


def planned(given):
    return [Planned(name, tuple(each.shape), NAMES[each.dtype]) for name, each in given.items()]


def pieces_of(given, size=100):
    def pieces(name):
        data = given[name].flatten().view(torch.uint8).numpy().tobytes()
        return (data[start : start + size] for start in range(0, len(data), size))

    return pieces


def write(directory, max_shard_bytes=10**9, given=None):
    given = given or tensors()
    directory.mkdir(exist_ok=True)
    shards = plan_shards(planned(given), max_shard_bytes)
    return list(write_shards(directory, shards, pieces_of(given)))


def test_one_shard_is_byte_for_byte_what_safetensors_writes(tmp_path):
    names = write(tmp_path)
    save_file(tensors(), tmp_path / "theirs", metadata={"format": "pt"})
    assert [each.name for each in tmp_path.glob("model*")] == [SINGLE]
    assert (tmp_path / SINGLE).read_bytes() == (tmp_path / "theirs").read_bytes()
    assert sorted(names) == sorted(tensors())


@pytest.mark.parametrize("max_shard_bytes", [1, 600, 1000])
def test_shards_and_index_are_those_of_the_writer_that_holds_them_in_memory(
    tmp_path, max_shard_bytes
):
    write(tmp_path / "ours", max_shard_bytes)
    (tmp_path / "theirs").mkdir()
    with ShardWriter(tmp_path / "theirs", max_shard_bytes) as writer:
        for name, tensor in tensors().items():
            writer.add(name, tensor)
    theirs = sorted((tmp_path / "theirs").iterdir())
    assert [each.name for each in theirs] == sorted(
        each.name for each in (tmp_path / "ours").iterdir()
    )
    assert len(theirs) > 3
    for file in theirs:
        assert (tmp_path / "ours" / file.name).read_bytes() == file.read_bytes()


def test_a_whole_shard_is_kept_and_a_torn_one_is_written_again(tmp_path):
    write(tmp_path, 1000)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    times = {each.name: each.stat().st_mtime_ns for each in tmp_path.glob("model-*")}
    torn, changed, *kept = sorted(times)
    (tmp_path / torn).rename(tmp_path / f"{torn}.part")
    os.truncate(tmp_path / f"{torn}.part", 50)
    header = (tmp_path / changed).read_bytes().replace(b"BF16", b"F16 ")
    (tmp_path / changed).write_bytes(header)
    (tmp_path / INDEX).unlink()
    assert len(write(tmp_path, 1000)) == len(tensors())
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    after = {each.name: each.stat().st_mtime_ns for each in tmp_path.glob("model-*")}
    assert [name for name in kept if after[name] != times[name]] == []


def test_a_shard_has_its_name_only_when_it_is_whole(tmp_path):
    shards = plan_shards(planned(tensors()), 10**9)
    writing = write_shards(tmp_path, shards, pieces_of(tensors()))
    next(writing)
    assert [each.name for each in tmp_path.iterdir()] == [f"{SINGLE}.part"]
    assert len(list(writing)) == len(tensors()) - 1
    assert [each.name for each in tmp_path.iterdir()] == [SINGLE]
    assert len(load_file(tmp_path / SINGLE)) == len(tensors())


def test_a_tensor_that_comes_with_too_few_bytes_is_a_mistake_of_the_caller(tmp_path):
    shards = plan_shards(planned(tensors()), 10**9)
    with pytest.raises(ValueError, match="did not come with"):
        list(write_shards(tmp_path, shards, lambda name: [b"1"]))


def test_a_disk_that_refuses_is_one_line_and_leaves_no_torn_shard(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        with pytest.raises(DevtuneError, match=rf"{SINGLE}\.part: File too large; ") as raised:
            write(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_files_have_the_permissions_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path, 1000)
    finally:
        os.umask(before)
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o640}


def test_the_index_counts_the_bytes_of_tensors(tmp_path):
    write(tmp_path, 600)
    index = json.loads((tmp_path / INDEX).read_text(encoding="utf-8"))
    assert index["metadata"]["total_size"] == sum(each.nbytes for each in tensors().values())
