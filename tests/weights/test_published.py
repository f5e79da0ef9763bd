import io
import json

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PixtralVisionConfig,
)

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.weights.checkpoint import INDEX, CheckpointReader, ShardWriter, read_json, write_json
from devtune.weights.fp8 import dequantise, quantise_directory
from devtune.weights.published import import_checkpoint

IDS = torch.arange(20)[None]


@pytest.fixture
def published(small_dir):
    linears = [
        name.removesuffix(".weight")
        for name in CheckpointReader(small_dir).entries
        if "_proj." in name
    ]
    quantise_directory(small_dir, {name: torch.tensor(0.01) for name in linears}, 30_000)
    return small_dir


def rewrite(directory, change):
    reader = CheckpointReader(directory)
    tensors = {name: reader.load(name).clone() for name in reader.entries}
    change(tensors)
    for file in [*directory.glob("*.safetensors"), directory / INDEX]:
        file.unlink(missing_ok=True)
    with ShardWriter(directory) as writer:
        for name, tensor in tensors.items():
            writer.add(name, tensor)


def edit_config(directory, change):
    config = read_json(directory / "config.json")
    change(config)
    write_json(directory / "config.json", config)


def refusal(path, out):
    with pytest.raises(DevtuneError) as raised:
        import_checkpoint(path, out)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def logits(kind, directory):
    model = kind.from_pretrained(directory, dtype=torch.bfloat16)
    with torch.inference_mode():
        return model(input_ids=IDS).logits


def test_fp8_weights_are_multiplied_by_their_scale_and_all_else_is_carried(published, tmp_path):
    metrics = import_checkpoint(published, tmp_path / "base", 20_000)
    before, after = CheckpointReader(published), CheckpointReader(tmp_path / "base")
    assert metrics["num_dequantised"] == 14
    assert metrics["num_tensors"] == len(after.entries) == 14 + 5 + 2
    assert {entry.dtype for entry in after.entries.values()} == {"BF16"}
    assert len({entry.file for entry in after.entries.values()}) > 3
    for name in after.entries:
        expected = before.load(name)
        if before.entries[name].dtype == "F8_E4M3":
            scale = before.load(name.removesuffix(".weight") + ".weight_scale_inv")
            expected = dequantise(expected, scale)
        assert torch.equal(after.load(name), expected)


def test_it_loads_without_quantisation_and_computes_what_fp8_computes(published, tmp_path):
    import_checkpoint(published, tmp_path / "base")
    assert "quantization_config" not in read_json(tmp_path / "base" / "config.json")
    assert torch.equal(
        logits(AutoModelForCausalLM, tmp_path / "base"), logits(AutoModelForCausalLM, published)
    )


def test_a_bf16_checkpoint_goes_through_unchanged(small_dir, tmp_path):
    metrics = import_checkpoint(small_dir, tmp_path / "base", 40_000)
    assert metrics["num_dequantised"] == 0
    for file in small_dir.glob("model*"):
        assert (tmp_path / "base" / file.name).read_bytes() == file.read_bytes()


def as_published(name):
    for ours, theirs in (
        ("model.language_model.", "language_model.model."),
        ("lm_head.", "language_model.lm_head."),
        ("model.vision_tower.", "vision_tower."),
        ("model.multi_modal_projector.", "multi_modal_projector."),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


@pytest.mark.parametrize("rename", [as_published, lambda name: name], ids=["published", "saved"])
def test_small_2_with_its_vision_tower_is_carried_under_either_spelling(
    small_config, save_model, tmp_path, rename
):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    vision = PixtralVisionConfig(**sizes, num_attention_heads=2, head_dim=16, patch_size=14)
    config = Mistral3Config(
        vision_config=vision, text_config=small_config, tie_word_embeddings=False
    )
    model = Mistral3ForConditionalGeneration(config).to(torch.bfloat16).eval()
    path = save_model(model, tmp_path / "small2", rename)
    expected = logits(AutoModelForImageTextToText, path)
    edit_config(path, lambda config: config.pop("tie_word_embeddings"))
    edit_config(path, lambda config: config["text_config"].pop("tie_word_embeddings"))
    import_checkpoint(path, tmp_path / "base")
    written = read_json(tmp_path / "base" / "config.json")
    assert written["tie_word_embeddings"] is written["text_config"]["tie_word_embeddings"] is False
    assert (
        CheckpointReader(tmp_path / "base").entries.keys() == CheckpointReader(path).entries.keys()
    )
    assert torch.equal(logits(AutoModelForImageTextToText, tmp_path / "base"), expected)


def test_what_belongs_to_a_model_goes_along_and_mistral_format_does_not(small_dir, tmp_path):
    kept = (
        "tekken.json", "generation_config.json", "LICENSE", "NOTICE.txt", "chat_template.jinja",
        "processor_config.json", "preprocessor_config.json", "CHAT_SYSTEM_PROMPT.txt",
        "tokenizer.json", "tokenizer_config.json",
    )  # fmt: skip
    left = ("params.json", "consolidated.safetensors", "README.md")
    for name in kept + left:
        (small_dir / name).write_text('{"from": "published"}')
    import_checkpoint(small_dir, tmp_path / "base")
    for name in kept:
        assert (tmp_path / "base" / name).read_text() == '{"from": "published"}'
    assert not [name for name in left if (tmp_path / "base" / name).exists()]


@pytest.mark.parametrize("said", [None, False])
def test_an_lm_head_on_disk_means_untied_embeddings(small_dir, tmp_path, said):
    def say(config):
        config.pop("tie_word_embeddings")
        if said is not None:
            config["tie_word_embeddings"] = said

    edit_config(small_dir, say)
    import_checkpoint(small_dir, tmp_path / "base")
    assert read_json(tmp_path / "base" / "config.json")["tie_word_embeddings"] is False


def test_no_lm_head_on_disk_means_tied_embeddings(small_dir, tmp_path):
    edit_config(small_dir, lambda config: config.pop("tie_word_embeddings"))
    rewrite(small_dir, lambda tensors: tensors.pop("lm_head.weight"))
    import_checkpoint(small_dir, tmp_path / "base")
    assert read_json(tmp_path / "base" / "config.json")["tie_word_embeddings"] is True


def test_untied_embeddings_without_lm_head_are_refused(small_dir, tmp_path):
    rewrite(small_dir, lambda tensors: tensors.pop("lm_head.weight"))
    message = refusal(small_dir, tmp_path / "base")
    assert "tie_word_embeddings is false but there is no lm_head.weight" in message


def test_an_fp8_weight_without_scale_is_refused(published, tmp_path):
    scale = "model.layers.1.mlp.up_proj.weight_scale_inv"
    rewrite(published, lambda tensors: tensors.pop(scale))
    message = refusal(published, tmp_path / "base")
    assert f"model.layers.1.mlp.up_proj.weight is FP8 but {scale} is missing" in message


@pytest.mark.parametrize("value", [torch.ones(2, 2), torch.tensor(0.0), torch.tensor(float("nan"))])
def test_a_scale_that_is_not_one_positive_number_is_refused(published, tmp_path, value):
    scale = "model.layers.1.mlp.up_proj.weight_scale_inv"
    rewrite(published, lambda tensors: tensors.update({scale: value}))
    message = refusal(published, tmp_path / "base")
    assert f"{scale} of shape {list(value.shape)} is not one positive number" in message


def test_a_missing_tekken_file_is_refused(small_dir, tmp_path):
    (small_dir / "tekken.json").unlink()
    assert f"{small_dir / 'tekken.json'}: missing" in refusal(small_dir, tmp_path / "base")


def test_a_checkpoint_with_code_is_refused(small_dir, tmp_path):
    edit_config(small_dir, lambda config: config.update(auto_map={"AutoModel": "own.Model"}))
    assert "auto_map names code to run" in refusal(small_dir, tmp_path / "base")


def test_another_quantisation_is_refused(small_dir, tmp_path):
    awq = {"quantization_config": {"quant_method": "awq"}}
    edit_config(small_dir, lambda config: config.update(awq))
    assert "quant_method is awq; import the published FP8" in refusal(small_dir, tmp_path / "base")


@pytest.mark.parametrize("key", ["llama_4_scaling_beta", "beta_fast", "mscale_all_dim"])
def test_a_rope_without_its_keys_is_refused(small_dir, tmp_path, key):
    edit_config(small_dir, lambda config: config["rope_parameters"].pop(key))
    assert f"rope_parameters lacks {key};" in refusal(small_dir, tmp_path / "base")


def test_other_architectures_need_no_rope_keys_of_ministral3(small_dir, tmp_path):
    def rename(config):
        config.update(
            architectures=["MistralForCausalLM"],
            model_type="mistral",
            rope_parameters={"rope_type": "default", "rope_theta": 1e9},
        )

    edit_config(small_dir, rename)
    assert import_checkpoint(small_dir, tmp_path / "base")["num_tensors"] == 21


def test_progress_counts_tensors(small_dir, tmp_path):
    said = io.StringIO()
    import_checkpoint(small_dir, tmp_path / "base", progress=Progress("json", said))
    assert all(json.loads(line) for line in said.getvalue().splitlines())
