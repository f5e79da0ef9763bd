import platform

import pytest
import torch

from devtune.model import computes_in_bf16


def test_gpus_compute_in_bf16():
    assert computes_in_bf16("cuda")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of x86 instruction sets")
def test_a_cpu_computes_in_bf16_from_avx512_on():
    known = torch.backends.cpu.get_cpu_capability()
    assert computes_in_bf16("cpu") == (known == "AVX512")
