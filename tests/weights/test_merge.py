import json

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from devtune.errors import DevtuneError
from devtune.model import load_model
from devtune.progress import Progress
from devtune.recipe import MergeSection
from devtune.tuning import LINEAR_LAYERS
from devtune.weights.checkpoint import CheckpointReader
from devtune.weights.merge import merge

QUIET = Progress("quiet")


def make_adapter(directory, base, **settings):
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=LINEAR_LAYERS, **settings)
    model = get_peft_model(load_model(base, torch.float32), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
        if "magnitude" in name:
            parameter.data.mul_(1.1)
    model.save_pretrained(directory)
    return model


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_merging_equals_what_peft_does_in_float32(settings, small_dir, tmp_path):
    expected = make_adapter(tmp_path / "adapter", small_dir, **settings).merge_and_unload()
    (tmp_path / "out").mkdir()
    outcome = merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)
    assert outcome.counts["changed"] == 14
    merged = load_file(tmp_path / "out" / "model.safetensors")
    for name, parameter in expected.state_dict().items():
        assert torch.equal(merged[name], parameter.to(torch.bfloat16)), name


def test_untouched_tensors_and_files_are_carried_byte_for_byte(small_dir, tmp_path):
    (small_dir / "LICENSE").write_text("Apache License", encoding="utf-8")
    make_adapter(tmp_path / "adapter", small_dir)
    (tmp_path / "out").mkdir()
    merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)
    merged = load_file(tmp_path / "out" / "model.safetensors")
    reader = CheckpointReader(small_dir)
    untouched = [name for name in reader.entries if "_proj" not in name]
    assert len(untouched) == 7
    assert all(torch.equal(merged[name], reader.load(name)) for name in untouched)
    for name in ("LICENSE", "config.json", "tekken.json"):
        assert (tmp_path / "out" / name).read_bytes() == (small_dir / name).read_bytes()


def test_shards_have_the_size_that_was_asked_for(small_dir, tmp_path):
    make_adapter(tmp_path / "adapter", small_dir)
    (tmp_path / "out").mkdir()
    section = MergeSection(max_shard_gb=60_000 / 1e9)
    merge(section, tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)
    assert len(list((tmp_path / "out").glob("model-*-of-*.safetensors"))) > 2
    load_model(tmp_path / "out")


def test_an_adapter_that_changes_nothing_is_an_error(small_dir, tmp_path):
    config = LoraConfig(r=4, target_modules=LINEAR_LAYERS)  # B starts at zero
    get_peft_model(load_model(small_dir), config).save_pretrained(tmp_path / "adapter")
    (tmp_path / "out").mkdir()
    with pytest.raises(DevtuneError, match="merging it changes no tensor"):
        merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)


def test_an_adapter_of_another_base_is_an_error(small_dir, tmp_path):
    make_adapter(tmp_path / "adapter", small_dir)
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    renamed = {name.replace("layers.1.", "layers.7."): t for name, t in load_file(file).items()}
    save_file(renamed, file)
    (tmp_path / "out").mkdir()
    with pytest.raises(DevtuneError, match=r"7 of its tensors have no place in the base"):
        merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)


def test_half_a_pair_is_an_error(small_dir, tmp_path):
    make_adapter(tmp_path / "adapter", small_dir)
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    tensors = load_file(file)
    del tensors[next(name for name in tensors if "lora_B" in name)]
    save_file(tensors, file)
    (tmp_path / "out").mkdir()
    with pytest.raises(DevtuneError, match="lacks lora_A or lora_B"):
        merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)


@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern", "modules_to_save"])
def test_what_merge_does_not_take_is_named(key, small_dir, tmp_path):
    make_adapter(tmp_path / "adapter", small_dir)
    file = tmp_path / "adapter" / "adapter_config.json"
    config = {**json.loads(file.read_text()), key: {"q_proj": 2}}
    file.write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "out").mkdir()
    with pytest.raises(DevtuneError, match=f"`{key}` is set"):
        merge(MergeSection(), tmp_path / "adapter", small_dir, tmp_path / "out", QUIET)


def test_full_weights_take_the_place_of_the_base(small_dir, small_model, save_model, tmp_path):
    with torch.no_grad():
        small_model.model.layers[1].mlp.up_proj.weight.add_(1)
    save_model(small_model, tmp_path / "trained")
    (tmp_path / "out").mkdir()
    outcome = merge(MergeSection(), tmp_path / "trained", small_dir, tmp_path / "out", QUIET)
    assert outcome.counts["changed"] == 1
    merged = load_file(tmp_path / "out" / "model.safetensors")
    assert torch.equal(
        merged["model.layers.1.mlp.up_proj.weight"], small_model.model.layers[1].mlp.up_proj.weight
    )
