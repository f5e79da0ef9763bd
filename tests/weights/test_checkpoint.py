import json

import pytest
import torch

from devtune.errors import DevtuneError
from devtune.weights.checkpoint import (
    INDEX,
    SINGLE,
    CheckpointReader,
    ShardWriter,
    read_json,
    refuse_code,
)


def tensors():
    torch.manual_seed(0)
    return {
        f"layers.{number}.weight": torch.randn(8, 16, dtype=torch.bfloat16) for number in range(11)
    }


def write(directory, max_shard_bytes=10**9, given=None):
    directory.mkdir()
    with ShardWriter(directory, max_shard_bytes) as writer:
        for name, tensor in (given or tensors()).items():
            writer.add(name, tensor)
    return directory


def refusal(action, *arguments: object):
    with pytest.raises(DevtuneError) as raised:
        action(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_fits_in_one_shard_is_one_file_without_index(tmp_path):
    directory = write(tmp_path / "model")
    assert [file.name for file in directory.iterdir()] == [SINGLE]


def test_shards_stay_below_the_limit_and_the_index_names_every_tensor(tmp_path):
    directory = write(tmp_path / "model", max_shard_bytes=1000)
    shards = sorted(file.name for file in directory.glob("*.safetensors"))
    index = json.loads((directory / INDEX).read_text())
    assert shards == [f"model-{number:05d}-of-00004.safetensors" for number in range(1, 5)]
    assert index["metadata"]["total_size"] == 11 * 8 * 16 * 2
    assert set(index["weight_map"]) == set(tensors())
    for shard in shards:
        held = [name for name, file in index["weight_map"].items() if file == shard]
        assert sum(tensors()[name].numel() * 2 for name in held) <= 1000


def test_what_was_written_is_read_back_bit_for_bit(tmp_path):
    reader = CheckpointReader(write(tmp_path / "model", max_shard_bytes=1000))
    for name, tensor in tensors().items():
        assert torch.equal(reader.load(name), tensor)


def test_a_tensor_larger_than_a_shard_gets_its_own_file(tmp_path):
    given = {"a": torch.ones(2), "b": torch.ones(500), "c": torch.ones(2)}
    reader = CheckpointReader(write(tmp_path / "model", 100, given))
    assert len({entry.file for entry in reader.entries.values()}) == 3


def test_entries_count_layers_and_tell_shape_and_dtype(tmp_path):
    given = {**tensors(), "scale": torch.tensor(2.0)}
    entries = CheckpointReader(write(tmp_path / "model", given=given)).entries
    assert list(entries)[2:4] == ["layers.2.weight", "layers.3.weight"]
    assert list(entries)[-2:] == ["layers.10.weight", "scale"]
    weight, scale = entries["layers.10.weight"], entries["scale"]
    assert (weight.shape, weight.dtype, weight.num_parameters) == ((8, 16), "BF16", 128)
    assert (scale.shape, scale.dtype, scale.num_parameters) == ((), "F32", 1)


def test_equal_tensors_give_equal_bytes(tmp_path):
    one, two = write(tmp_path / "one", 1000), write(tmp_path / "two", 1000)
    for file in one.iterdir():
        assert file.read_bytes() == (two / file.name).read_bytes()


def test_a_transposed_view_is_written_as_it_reads(tmp_path):
    view = torch.arange(6.0).reshape(2, 3).T
    reader = CheckpointReader(write(tmp_path / "model", given={"view": view}))
    assert torch.equal(reader.load("view"), view)


def test_a_writer_that_was_interrupted_leaves_nothing_that_can_be_read(tmp_path):
    def lose():
        with ShardWriter(tmp_path, 100) as writer:
            for name, tensor in tensors().items():
                writer.add(name, tensor)
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        lose()
    assert "neither" in refusal(CheckpointReader, tmp_path)


def test_a_name_is_written_once(tmp_path):
    writer = ShardWriter(tmp_path)
    writer.add("a", torch.ones(1))
    with pytest.raises(ValueError, match="a was added before"):
        writer.add("a", torch.ones(1))


def test_a_shard_that_cannot_be_written_says_where(tmp_path):
    def write_nowhere():
        with ShardWriter(tmp_path / "absent") as writer:
            writer.add("a", torch.ones(1))

    assert "absent/model-00001.safetensors.part: " in refusal(write_nowhere)


def test_a_missing_shard_is_named(tmp_path):
    directory = write(tmp_path / "model", 1000)
    (directory / "model-00002-of-00004.safetensors").unlink()
    assert "model-00002-of-00004.safetensors: missing; copy" in refusal(CheckpointReader, directory)


def test_a_shard_cut_off_is_named(tmp_path):
    directory = write(tmp_path / "model", 1000)
    shard = directory / "model-00003-of-00004.safetensors"
    shard.write_bytes(shard.read_bytes()[:-100])
    message = refusal(CheckpointReader, directory)
    assert "model-00003-of-00004.safetensors: damaged or cut off" in message


def test_an_index_that_names_a_missing_tensor_is_refused(tmp_path):
    directory = write(tmp_path / "model", 1000)
    index = json.loads((directory / INDEX).read_text())
    index["weight_map"]["lm_head.weight"] = "model-00001-of-00004.safetensors"
    (directory / INDEX).write_text(json.dumps(index))
    message = refusal(CheckpointReader, directory)
    assert f"{INDEX}: names lm_head.weight in model-00001-of-00004.safetensors" in message


def test_an_index_may_not_point_outside_its_directory(tmp_path):
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    assert "outside the directory" in refusal(CheckpointReader, tmp_path)


def test_an_index_without_weight_map_is_refused(tmp_path):
    (tmp_path / INDEX).write_text("{}")
    assert "no weight_map" in refusal(CheckpointReader, tmp_path)


def test_a_directory_without_weights_is_refused(tmp_path):
    assert f"{tmp_path}: neither {INDEX} nor {SINGLE}" in refusal(CheckpointReader, tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("{", "not readable as JSON"), ("[]", "not a JSON object"), (None, "missing")],
)
def test_unreadable_json_is_named(tmp_path, content, complaint):
    file = tmp_path / "config.json"
    if content is not None:
        file.write_text(content)
    assert f"{file}: {complaint}" in refusal(read_json, file)


@pytest.mark.parametrize("name", ["a.bin", "a.pt", "a.pth", "a.pkl", "deep/a.PT"])
def test_pickled_weights_are_refused(tmp_path, name):
    (tmp_path / "deep").mkdir()
    (tmp_path / name).write_bytes(b"")
    assert f"{tmp_path / name}: a pickle can run code" in refusal(refuse_code, tmp_path)


def test_python_files_are_refused(tmp_path):
    (tmp_path / "modeling_own.py").write_text("")
    assert "modeling_own.py: code of a model is never run" in refusal(refuse_code, tmp_path)


@pytest.mark.parametrize("key", ["auto_map", "_attn_implementation_internal"])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_config_keys_that_name_code_are_refused_at_any_depth(tmp_path, key, file):
    (tmp_path / file).write_text(json.dumps({"text_config": [{key: "someone/kernel"}]}))
    assert f"{file}: {key} names code to run" in refusal(refuse_code, tmp_path)


def test_a_missing_model_directory_is_named(tmp_path):
    assert "no such directory" in refusal(refuse_code, tmp_path / "absent")


def test_a_directory_without_code_is_accepted(tmp_path):
    directory = write(tmp_path / "model")
    (directory / "config.json").write_text('{"model_type": "ministral3"}')
    refuse_code(directory)
