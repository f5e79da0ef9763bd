import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from devtune.errors import DevtuneError
from devtune.memory import forget_peak_memory, peak_memory_mib
from devtune.weights.entries import read_blocks, read_entries
from devtune.weights.fp8 import dequantise
from devtune.weights.pieces import PIECE_BYTES, Carried, same_bytes
from devtune.weights.streaming import Planned, plan_shards


def entry_of(tensor, directory, name="weight"):
    file = directory / f"{name}.safetensors"
    save_file({name: tensor}, file)
    return read_entries(file)[name]


def made(carried):
    return b"".join(np.ascontiguousarray(each).tobytes() for each in carried.pieces())


def bits(tensor):
    return tensor.contiguous().view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("scale", [torch.tensor(0.0123).bfloat16(), torch.tensor([3.7e-5])])
def test_pieces_of_fp8_are_the_product_bit_for_bit(tmp_path, scale):
    codes = torch.randint(0, 256, (PIECE_BYTES // 256 + 1, 257), dtype=torch.uint8)
    codes.view(-1)[:256] = torch.arange(256)
    weight = codes.view(torch.float8_e4m3fn)
    entry = entry_of(weight, tmp_path)
    carried = Carried(Planned("weight", entry.shape, "BF16"), entry, scale)
    assert made(carried) == bits(dequantise(weight, scale))


def test_rows_that_lie_side_by_side_become_the_halves_of_a_head(tmp_path):
    heads, size = 3, 8
    rows = torch.arange(heads * size, dtype=torch.float32)[:, None].repeat(1, 5)
    entry = entry_of(rows, tmp_path)
    carried = Carried(Planned("weight", entry.shape, "F32"), entry, num_heads=heads)
    first = np.frombuffer(made(carried), np.float32).reshape(-1, 5)[:, 0].tolist()
    assert first[:size] == [0, 2, 4, 6, 1, 3, 5, 7]
    assert first[size : 2 * size] == [8, 10, 12, 14, 9, 11, 13, 15]


def test_a_shard_cut_off_after_it_was_planned_is_named(tmp_path):
    entry = entry_of(torch.ones(1000), tmp_path)
    os.truncate(entry.file, 1000)
    with pytest.raises(DevtuneError, match=r"weight\.safetensors: cut off while it was read; copy"):
        list(read_blocks(entry, 100))


def test_a_shard_removed_after_it_was_planned_is_named(tmp_path):
    entry = entry_of(torch.ones(1000), tmp_path)
    entry.file.unlink()
    with pytest.raises(DevtuneError, match=r"weight\.safetensors: no such file or directory"):
        list(read_blocks(entry, 100))


def test_tensors_are_the_same_only_with_the_same_shape_dtype_and_bytes(tmp_path):
    ones = torch.ones(PIECE_BYTES // 4 + 3)
    one = entry_of(ones, tmp_path)
    assert same_bytes(one, entry_of(ones, tmp_path, "same"))
    ones[-1] = 2
    assert not same_bytes(one, entry_of(ones, tmp_path, "other"))
    assert not same_bytes(one, entry_of(torch.ones(3), tmp_path, "shorter"))


def test_memory_is_that_of_a_piece_whatever_the_size_of_the_tensor(tmp_path):
    planned = Planned("weight", (1 << 14, 1 << 14), "F8_E4M3")
    shard = plan_shards([planned], 10**12)[0]
    file = tmp_path / shard.file
    file.write_bytes(shard.header)
    os.truncate(file, shard.num_bytes)
    entry = read_entries(file)["weight"]
    carried = Carried(Planned("weight", entry.shape, "BF16"), entry, torch.tensor(0.5))
    next(carried.pieces())
    forget_peak_memory()
    before = peak_memory_mib()
    assert sum(each.nbytes for each in carried.pieces()) == 1 << 29
    assert peak_memory_mib() - before < 64
