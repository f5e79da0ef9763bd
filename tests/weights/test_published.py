import io
import json
import multiprocessing
import random
import shutil
import time

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    Ministral3ForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.stage import MANIFEST, Outcome, run_stage, verify_files
from devtune.weights.checkpoint import (
    CheckpointReader,
    ShardWriter,
    read_json,
    write_json,
)
from devtune.weights.fp8 import dequantise, quantise_directory
from devtune.weights.published import carry_out, import_checkpoint, plan_import
from tests.published import as_published, edit_config, refusal, rewrite, small_2, to_mistral
from tests.weights.conftest import SIZES, YARN

IDS = torch.arange(100)[None]
QUIET = Progress("quiet")


def quantise(directory):
    reader = CheckpointReader(directory)
    linears = [
        name.removesuffix(".weight")
        for name in reader.entries
        if "_proj." in name and "vision" not in name
    ]
    quantise_directory(directory, {name: torch.tensor(0.01) for name in linears}, 30_000)
    return directory


@pytest.fixture
def published(small_dir):
    return quantise(small_dir)


@pytest.fixture
def published_small_2(small_config, save_model, tmp_path):
    small_config.rope_parameters |= {"mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1}
    directory = save_model(small_2(small_config), tmp_path / "small2", as_published)
    return quantise(directory)


def logits(kind, directory):
    model = kind.from_pretrained(directory, dtype=torch.bfloat16)
    with torch.inference_mode():
        return model(input_ids=IDS).logits


def data_of(directory):
    entries = CheckpointReader(directory).entries
    return {
        name: each.file.read_bytes()[each.offset : each.offset + each.num_bytes]
        for name, each in entries.items()
    }


def test_fp8_weights_are_multiplied_by_their_scale_and_all_else_is_carried(published, tmp_path):
    metrics = import_checkpoint(published, tmp_path / "base", 20_000)
    before, after = CheckpointReader(published), CheckpointReader(tmp_path / "base")
    assert metrics["num_dequantised"] == 14
    assert metrics["num_tensors"] == len(after.entries) == 14 + 5 + 2
    assert metrics["num_bytes"] == sum(each.num_bytes for each in after.entries.values())
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


@pytest.mark.parametrize("rename", [as_published, lambda name: name], ids=["published", "saved"])
def test_small_2_with_its_vision_tower_is_carried_under_either_spelling(
    small_config, save_model, tmp_path, rename
):
    path = save_model(small_2(small_config), tmp_path / "small2", rename)
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


def test_vision_tower_and_projector_of_fp8_small_2_come_out_byte_for_byte(
    published_small_2, tmp_path
):
    metrics = import_checkpoint(published_small_2, tmp_path / "base")
    before, after = data_of(published_small_2), data_of(tmp_path / "base")
    seeing = [name for name in after if name.startswith(("vision_tower", "multi_modal"))]
    assert len(seeing) == 2 + 2 * 9 + 4
    assert all(after[name] == before[name] for name in seeing)
    assert metrics["num_dequantised"] == 14


def test_fp8_small_2_in_the_spelling_of_memory_keeps_it(small_config, save_model, tmp_path):
    path = quantise(save_model(small_2(small_config), tmp_path / "small2"))
    assert import_checkpoint(path, tmp_path / "base")["num_dequantised"] == 14
    names = data_of(tmp_path / "base").keys()
    assert "model.language_model.layers.0.mlp.up_proj.weight" in names
    assert {"lm_head.weight", "model.vision_tower.patch_conv.weight"} <= names
    AutoModelForImageTextToText.from_pretrained(tmp_path / "base", dtype=torch.bfloat16)


@pytest.mark.parametrize("num_shards", [1, 3])
def test_mistral_s_own_layout_computes_what_the_published_one_computes(
    published, tmp_path, num_shards
):
    expected = logits(AutoModelForCausalLM, published)
    own = to_mistral(published, tmp_path / "own", num_shards)
    import_checkpoint(own, tmp_path / "base", 20_000)
    import_checkpoint(published, tmp_path / "same", 20_000)
    assert torch.equal(logits(AutoModelForCausalLM, tmp_path / "base"), expected)
    assert data_of(tmp_path / "base") == data_of(tmp_path / "same")
    assert not (tmp_path / "base" / "params.json").exists()


def test_mistral_s_own_layout_of_small_2_has_its_vision_tower_and_query_scale(
    published_small_2, tmp_path
):
    own = to_mistral(published_small_2, tmp_path / "own")
    import_checkpoint(own, tmp_path / "base")
    import_checkpoint(published_small_2, tmp_path / "same")
    assert data_of(tmp_path / "base") == data_of(tmp_path / "same")
    config = read_json(tmp_path / "base" / "config.json")
    rope = config["text_config"]["rope_parameters"]
    assert (rope["mscale_all_dim"], rope["llama_4_scaling_beta"]) == (1.0, 0.1)
    seen = torch.rand(1, 3, 56, 56, dtype=torch.bfloat16)
    towers = [
        AutoModelForImageTextToText.from_pretrained(tmp_path / name, dtype=torch.bfloat16)
        for name in ("base", "same")
    ]
    with torch.inference_mode():
        one, other = (each.get_image_features(seen, torch.tensor([[56, 56]])) for each in towers)
    assert torch.equal(one.pooler_output[0], other.pooler_output[0])
    assert torch.equal(
        *(logits(AutoModelForImageTextToText, tmp_path / n) for n in ("base", "same"))
    )


@pytest.fixture
def small_2507(save_model, tmp_path):
    torch.manual_seed(0)
    rope = {"rope_type": "default", "rope_theta": 1e9}
    config = MistralConfig(**SIZES, rope_parameters=rope, sliding_window=None)
    model = MistralForCausalLM(config).to(torch.bfloat16).eval()
    return save_model(model, tmp_path / "small2507")


def test_devstral_small_of_2025_is_a_mistral_in_bf16(small_2507, tmp_path):
    expected = logits(AutoModelForCausalLM, small_2507)
    metrics = import_checkpoint(small_2507, tmp_path / "base")
    assert metrics["num_dequantised"] == 0
    assert torch.equal(logits(AutoModelForCausalLM, tmp_path / "base"), expected)
    own = to_mistral(small_2507, tmp_path / "own")
    import_checkpoint(own, tmp_path / "base2")
    assert torch.equal(logits(AutoModelForCausalLM, tmp_path / "base2"), expected)


def test_ministral_3_in_its_wrapper_ties_its_embeddings(small_config, save_model, tmp_path):
    small_config.tie_word_embeddings = True
    model = small_2(small_config, tied=True)
    path = save_model(model, tmp_path / "ministral", as_published, left_out=("lm_head.weight",))
    expected = logits(AutoModelForImageTextToText, path)
    import_checkpoint(path, tmp_path / "base")
    assert "language_model.lm_head.weight" not in CheckpointReader(tmp_path / "base").entries
    assert read_json(tmp_path / "base" / "config.json")["tie_word_embeddings"] is True
    assert torch.equal(logits(AutoModelForImageTextToText, tmp_path / "base"), expected)


def test_where_both_layouts_are_there_the_hugging_face_one_is_taken(published, tmp_path):
    own = to_mistral(published, tmp_path / "own", 2)
    for file in own.iterdir():
        file.rename(published / file.name)
    (published / "consolidated-00001-of-00002.safetensors").write_bytes(b"cut off")
    plan = plan_import(published)
    assert not plan.is_mistral
    assert "model.layers.0.self_attn.q_proj.weight" in plan.tensors


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


@pytest.mark.parametrize(("max_length", "expected"), [(None, 256), (128, 128), (1000, 256)])
def test_the_context_is_what_is_advertised_where_the_config_says_more(
    small_dir, tmp_path, max_length, expected
):
    if max_length:
        write_json(small_dir / "generation_config.json", {"max_length": max_length})
    assert import_checkpoint(small_dir, tmp_path / "base")["max_context"] == expected
    assert read_json(tmp_path / "base" / "config.json")["max_position_embeddings"] == 256


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


def test_an_lm_head_of_its_own_beside_tied_embeddings_is_refused(small_dir, tmp_path):
    edit_config(small_dir, lambda config: config.update(tie_word_embeddings=True))
    message = refusal(small_dir, tmp_path / "base")
    assert "lm_head.weight is not the embedding, but tie_word_embeddings is true;" in message

    def tie(tensors):
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()

    rewrite(small_dir, tie)
    import_checkpoint(small_dir, tmp_path / "base")


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


@pytest.mark.parametrize(
    ("scaled", "complaint"), [("lm_head", "is BF16"), ("model.layers.9.mlp.up_proj", "is missing")]
)
def test_a_scale_without_an_fp8_weight_is_refused(published, tmp_path, scaled, complaint):
    scale = {f"{scaled}.weight_scale_inv": torch.tensor(0.5)}
    rewrite(published, lambda tensors: tensors.update(scale))
    message = refusal(published, tmp_path / "base")
    assert f"{scaled}.weight_scale_inv scales a weight that {complaint};" in message


def test_what_a_quantiser_left_behind_is_dropped(published, tmp_path):
    leftovers = ("k_fake_quantizer.qscale_act", "q_proj.activation_scale", "attn.qscale_act")
    extra = {f"model.layers.0.self_attn.{each}": torch.tensor(1.0) for each in leftovers}
    rewrite(published, lambda tensors: tensors.update(extra))
    assert import_checkpoint(published, tmp_path / "base")["num_tensors"] == 21


def test_a_missing_tekken_file_is_refused(small_dir, tmp_path):
    (small_dir / "tekken.json").unlink()
    assert f"{small_dir / 'tekken.json'}: missing" in refusal(small_dir, tmp_path / "base")


def test_a_checkpoint_with_code_is_refused(small_dir, tmp_path):
    edit_config(small_dir, lambda config: config.update(auto_map={"AutoModel": "own.Model"}))
    assert "auto_map names code to run" in refusal(small_dir, tmp_path / "base")


def test_files_are_hashed_before_anything_is_written(published, tmp_path):
    (published / "SHA256SUMS").write_text(f"{'0' * 64}  tekken.json\n")
    assert "tekken.json: sha256 is " in refusal(published, tmp_path / "base")


def test_a_disk_that_is_too_small_is_named_with_what_is_needed(tmp_path):
    path = huge(tmp_path / "huge", layers=4)
    message = refusal(path, tmp_path / "base")
    free = shutil.disk_usage(tmp_path).free / 1e9
    needed, _, rest = message.partition("base/ needs ")[2].partition(" GB, ")
    assert float(needed.replace(",", "")) == pytest.approx(4 * 3 * 2**41 / 1e9, rel=1e-3)
    assert float(rest.partition(" GB are free;")[0].replace(",", "")) == pytest.approx(free, abs=20)


def huge(directory, layers):
    sizes = {**SIZES, "num_hidden_layers": layers, "hidden_size": 1 << 15}
    sizes["intermediate_size"] = 1 << 25
    config = {**sizes, "architectures": ["Ministral3ForCausalLM"], "model_type": "ministral3"}
    config |= {"tie_word_embeddings": True, "rope_parameters": YARN, "rms_norm_eps": 1e-5}
    directory.mkdir()
    write_json(directory / "config.json", config)
    (directory / "tekken.json").write_text("{}")
    from devtune.model import tensor_shapes
    from devtune.weights.streaming import Planned, plan_shards

    shapes = tensor_shapes(config, directory)
    shapes.pop("lm_head.weight")
    shards = plan_shards((Planned(n, s, "BF16") for n, s in shapes.items()), 10**12)
    for shard in shards:
        with (directory / shard.file).open("wb") as file:
            file.write(shard.header)
            file.truncate(shard.num_bytes)
    held = {each.name: shard.file for shard in shards for each in shard.tensors}
    write_json(directory / "model.safetensors.index.json", {"weight_map": held})
    return directory


def test_progress_counts_tensors(small_dir, tmp_path):
    said = io.StringIO()
    import_checkpoint(small_dir, tmp_path / "base", progress=Progress("json", said))
    assert all(json.loads(line) for line in said.getvalue().splitlines())


def stage(path, out):
    def work(scratch):
        return Outcome("", metrics=carry_out(plan_import(path, 2_000_000), scratch, QUIET))

    return run_stage("import", {"path": str(path)}, {}, out, work, resumable=True)


@pytest.fixture
def larger(small_config, save_model, tmp_path):
    torch.manual_seed(0)
    small_config.intermediate_size, small_config.num_hidden_layers = 20_000, 8
    model = Ministral3ForCausalLM(small_config).to(torch.bfloat16)
    return quantise(save_model(model, tmp_path / "larger"))


def test_killed_at_random_moments_and_run_again_the_bytes_are_the_same(larger, tmp_path):
    stage(larger, tmp_path / "whole")
    fork = multiprocessing.get_context("fork")  # loading torch anew takes longer than an import
    started = time.monotonic()
    stage(larger, tmp_path / "timed")
    usual_seconds = time.monotonic() - started
    chance = random.Random(0)
    partial, base = tmp_path / "base.partial", tmp_path / "base"
    num_killed, kept = 0, {}
    while num_killed < 12 and not base.exists():
        running = fork.Process(target=stage, args=(larger, base))
        running.start()
        running.join(chance.uniform(0, usual_seconds / 2))
        running.kill()
        running.join()
        num_killed += not base.exists()
        found = {each.name: each.stat().st_mtime_ns for each in partial.glob("*.safetensors")}
        assert base.exists() or kept.items() <= found.items(), "a whole shard was written again"
        kept = found
    assert num_killed > 2
    stage(larger, base)
    verify_files(base)
    names = {each.name for each in base.iterdir()}
    assert names == {each.name for each in (tmp_path / "whole").iterdir()}
    for name in names - {MANIFEST}:
        assert (base / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_shards_of_another_attempt_are_not_kept(published, tmp_path):
    out = tmp_path / "base"
    import_checkpoint(published, out, 20_000)
    number = len(list(out.glob("model-*")))
    (out / "model-00001-of-00002.safetensors.part").write_bytes(b"torn")
    import_checkpoint(published, out, 60_000)
    assert 1 < len(list(out.glob("model-*"))) < number
    assert not list(out.glob("*.part"))
    CheckpointReader(out)


def test_a_disk_error_while_writing_is_one_line(published, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").mkdir()
    with pytest.raises(OSError, match="config.json"):  # the stage turns it into one line
        import_checkpoint(published, tmp_path / "base")


def test_float32_norms_are_carried_as_they_are(small_dir, tmp_path):
    def widen(tensors):
        tensors["model.norm.weight"] = tensors["model.norm.weight"].float()

    rewrite(small_dir, widen)
    import_checkpoint(small_dir, tmp_path / "base")
    assert CheckpointReader(tmp_path / "base").entries["model.norm.weight"].dtype == "F32"


def test_two_consolidated_shards_that_hold_the_same_tensor_are_refused(published, tmp_path):
    own = to_mistral(published, tmp_path / "own", 2)
    first, second = sorted(own.glob("consolidated-*"))
    second.write_bytes(first.read_bytes())
    message = refusal(own, tmp_path / "base")
    assert f"{second}: holds " in message
    assert f", which {first.name} holds too; remove the shard" in message


def test_a_missing_consolidated_shard_is_named(published, tmp_path):
    own = to_mistral(published, tmp_path / "own", 3)
    (own / "consolidated-00002-of-00003.safetensors").unlink()
    message = refusal(own, tmp_path / "base")
    assert "consolidated-00002-of-00003.safetensors: missing; copy this shard again" in message


def test_a_writer_of_shards_and_an_import_agree_on_every_byte(small_dir, tmp_path):
    reader = CheckpointReader(small_dir)
    (tmp_path / "written").mkdir()
    with ShardWriter(tmp_path / "written", 50_000) as writer:
        for name in reader.entries:
            writer.add(name, reader.load(name))
    import_checkpoint(small_dir, tmp_path / "base", 50_000)
    for file in (tmp_path / "written").iterdir():
        assert (tmp_path / "base" / file.name).read_bytes() == file.read_bytes()


def test_a_refused_checkpoint_leaves_no_base(published, tmp_path):
    (published / "tekken.json").unlink()
    with pytest.raises(DevtuneError, match="tekken"):
        stage(published, tmp_path / "base")
    assert not (tmp_path / "base").exists()
