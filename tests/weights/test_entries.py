import json

import pytest
import torch
from safetensors.torch import save_file

from devtune.errors import DevtuneError
from devtune.weights.entries import DTYPES, read_entries


def with_header(file, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return file


def one(dtype="BF16", shape=(2,), offsets=(0, 4)):
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=list(DTYPES))
@pytest.mark.parametrize("shape", [(3, 5), (), (0, 4)])
def test_what_safetensors_wrote_is_read_back_bit_for_bit(tmp_path, dtype, shape):
    tensor = torch.randint(0, 2, shape).to(dtype)
    save_file({"a": tensor, "b": tensor.clone()}, tmp_path / "file")
    entry = read_entries(tmp_path / "file")["b"]
    loaded = entry.load()
    assert (loaded.dtype, loaded.shape) == (dtype, tensor.shape)
    assert torch.equal(loaded.flatten().view(torch.uint8), tensor.flatten().view(torch.uint8))


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (b"", b""),
        (b"[]", b""),
        (b"\xff\xfe", b""),
        (b"{" * 100_000, b""),
        ({"a": 1}, b""),
        ({"a": {"dtype": "BF16"}}, b""),
        (one(), b"123"),
        (one(), b"12345"),
        (one(shape=(3,)), b"1234"),
        (one(shape=(-1, -2)), b"1234"),
        (one(offsets=(4, 0)), b"1234"),
        (one(offsets=(4, 8)), b"12345678"),
        ({**one(), "b": one()["a"]}, b"1234"),
    ],
)
def test_a_header_that_does_not_fit_its_file_is_refused_in_one_line(tmp_path, header, data):
    file = with_header(tmp_path / "model.safetensors", header, data)
    with pytest.raises(DevtuneError, match=r"model\.safetensors: damaged or cut off") as raised:
        read_entries(file)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < len(str(file)) + 200


def test_a_header_as_long_as_it_likes_to_be_is_not_read(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff" * 8 + b"{}")
    with pytest.raises(DevtuneError, match="damaged or cut off"):
        read_entries(tmp_path / "file")


def test_a_shard_that_is_a_directory_or_missing_is_named(tmp_path):
    with pytest.raises(DevtuneError, match="missing; copy this shard again"):
        read_entries(tmp_path / "absent")
    with pytest.raises(DevtuneError, match=f"{tmp_path}: Is a directory"):
        read_entries(tmp_path)
