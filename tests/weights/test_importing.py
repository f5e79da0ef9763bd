import io

import pytest
import torch

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import BreezeImport, CheckpointImport, Shape
from devtune.stage import MARK
from devtune.weights.checkpoint import CheckpointReader, read_json, write_json
from devtune.weights.importing import import_weights

BREEZE = {
    "architecture": "Ministral3ForCausalLM",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "head_dim": 64,
    "intermediate_size": 1536,
    "vocab_size": 50_156,
    "tie_word_embeddings": True,
}


def test_a_checkpoint_becomes_bf16_and_says_what_it_is(breeze_fp8_dir, tmp_path):
    section = CheckpointImport(type="checkpoint", path=breeze_fp8_dir, shape=Shape(**BREEZE))
    outcome = import_weights(section, tmp_path / "base", Progress("quiet"))
    assert outcome.summary == "Ministral3ForCausalLM, 135 M parameters in BF16"
    assert outcome.counts == {"tensors": 272}
    assert outcome.metrics["num_dequantised"] == 210


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architecture", "MistralForCausalLM"),
        ("num_hidden_layers", 40),
        ("tie_word_embeddings", False),
        ("vision_parameters", 7),
    ],
)
def test_another_shape_is_refused_before_anything_is_written(breeze_dir, tmp_path, name, value):
    found = {**BREEZE, "vision_parameters": 0}[name]
    shape = Shape(**{**BREEZE, name: value})
    section = CheckpointImport(type="checkpoint", path=breeze_dir, shape=shape)
    with pytest.raises(DevtuneError) as raised:
        import_weights(section, tmp_path / "base", Progress("quiet"))
    expected = f"config.json: {name} is {found}, but import.shape.{name} says {value};"
    assert expected in str(raised.value)
    assert not (tmp_path / "base").exists()


def test_a_context_shorter_than_the_config_s_is_said_and_recorded(small_dir, tmp_path):
    write_json(small_dir / "generation_config.json", {"max_length": 128})
    section = CheckpointImport(type="checkpoint", path=small_dir)
    said = io.StringIO()
    outcome = import_weights(section, tmp_path / "base", Progress("auto", said))
    assert outcome.metrics["max_context"] == 128
    assert "published for 128 tokens, config.json says 256" in said.getvalue()


@pytest.mark.slow
def test_what_a_killed_run_left_of_breeze_is_not_kept(tmp_path):
    (tmp_path / MARK).write_text("fingerprint")
    (tmp_path / "model-00001.safetensors.part").write_text("half")
    (tmp_path / "published.killed").mkdir()
    (tmp_path / "published.killed" / "config.json").write_text("{}")
    section = BreezeImport(type="breeze", shape=Shape(**BREEZE))
    import_weights(section, tmp_path, Progress("quiet"))
    left = {each.name for each in tmp_path.iterdir()}
    assert {MARK, "model.safetensors"} <= left
    assert not left & {"model-00001.safetensors.part", "published.killed"}


@pytest.mark.slow
@pytest.mark.parametrize("format", ["bf16", "fp8"])
def test_breeze_is_imported_in_bf16_from_either_format(breeze_dir, tmp_path, format):
    section = BreezeImport(type="breeze", format=format, shape=Shape(**BREEZE))
    outcome = import_weights(section, tmp_path / "base", Progress("quiet"))
    assert outcome.metrics["max_abs_logit_difference"] < 1e-4
    assert "quantization_config" not in read_json(tmp_path / "base" / "config.json")
    assert not [each for each in (tmp_path / "base").iterdir() if each.is_dir()]
    reader, exact = CheckpointReader(tmp_path / "base"), CheckpointReader(breeze_dir)
    assert reader.entries.keys() == exact.entries.keys()
    name = "model.layers.3.mlp.up_proj.weight"
    assert torch.equal(reader.load(name), exact.load(name)) == (format == "bf16")
    assert torch.allclose(reader.load(name), exact.load(name), rtol=0.07, atol=1e-2)
