import pytest
import torch
from transformers import AutoModelForCausalLM

from devtune.weights.breeze import python_corpus
from devtune.weights.checkpoint import CheckpointReader, read_json
from devtune.weights.fp8 import (
    activation_scales,
    dequantise,
    quantise,
    quantise_directory,
    scale_of,
)
from devtune.weights.published import import_checkpoint


@pytest.fixture(scope="module")
def python_ids(breeze_dir):
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    tekken = Tekkenizer.from_file(breeze_dir / "tekken.json")
    text = "".join(python_corpus("pydantic"))[:1500]
    return torch.tensor([tekken.encode(text, bos=True, eos=False)])


def logits(directory, ids):
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16)
    with torch.inference_mode():
        return model(ids).logits.float()


def test_quantising_keeps_every_value_within_the_precision_of_e4m3():
    torch.manual_seed(0)
    weight = torch.randn(64, 32).to(torch.bfloat16)
    quantised, scale = quantise(weight)
    assert (quantised.dtype, quantised.shape) == (torch.float8_e4m3fn, weight.shape)
    assert (scale.dtype, scale.shape) == (torch.bfloat16, ())
    error = (dequantise(quantised, scale).float() - weight.float()).abs()
    # half a step of 3 mantissa bits, half a subnormal step, and one rounding to BF16
    assert (error <= weight.abs().float() * (2**-4 + 2**-8) + scale.float() * 2**-10).all()


def test_the_largest_value_never_becomes_nan():
    for largest in torch.linspace(0.01, 3.0, 200):
        quantised, _ = quantise(torch.tensor([[largest, -largest, 0.0]]))
        assert quantised.float().abs().max() <= 448
        assert quantised.float().isfinite().all()


def test_a_weight_of_zeros_stays_zeros():
    quantised, scale = quantise(torch.zeros(4, 4))
    assert scale == 1
    assert not dequantise(quantised, scale).any()


def test_dequantising_multiplies_in_float32_and_rounds_once():
    quantised = torch.tensor([[1.0, -448.0, 0.1875]]).to(torch.float8_e4m3fn)
    for scale in (torch.tensor(0.0123), torch.tensor([0.0123])):
        expected = (quantised.to(torch.float32) * 0.0123).to(torch.bfloat16)
        assert torch.equal(dequantise(quantised, scale), expected)


def test_an_activation_scale_is_the_largest_input_over_448(small_model):
    seen = []
    layer = small_model.model.layers[1].mlp.down_proj
    handle = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].abs().max()))
    batches = [torch.arange(50)[None], torch.arange(50, 100)[None]]
    scales = activation_scales(small_model, batches)
    handle.remove()
    assert len(scales) == 2 * 7
    assert scales["model.layers.1.mlp.down_proj"] == scale_of(max(seen))
    assert not layer._forward_pre_hooks


def test_only_the_calibrated_linears_become_fp8(small_model, small_dir):
    before = CheckpointReader(small_dir)
    kept = before.load("lm_head.weight").clone()
    files = set(small_dir.iterdir())
    scales = activation_scales(small_model, [torch.arange(50)[None]])
    quantise_directory(small_dir, scales)
    after = CheckpointReader(small_dir)
    dtypes = {name: entry.dtype for name, entry in after.entries.items()}
    assert sum(dtype == "F8_E4M3" for dtype in dtypes.values()) == 2 * 7
    assert dtypes["lm_head.weight"] == dtypes["model.embed_tokens.weight"] == "BF16"
    assert torch.equal(after.load("lm_head.weight"), kept)
    assert {file.name for file in small_dir.iterdir()} - {file.name for file in files} == {
        "model.safetensors"
    }


def test_breeze_fp8_has_the_published_layout(breeze_fp8_dir):
    entries = CheckpointReader(breeze_fp8_dir).entries
    module = "model.layers.0.self_attn.q_proj"
    assert entries[f"{module}.weight"].dtype == "F8_E4M3"
    for scale in ("weight_scale_inv", "activation_scale"):
        assert entries[f"{module}.{scale}"].shape == ()
    assert sum(entry.dtype == "F8_E4M3" for entry in entries.values()) == 30 * 7
    assert len(entries) == 272 + 2 * 30 * 7
    assert read_json(breeze_fp8_dir / "config.json")["quantization_config"] == {
        "quant_method": "fp8",
        "activation_scheme": "static",
        "weight_block_size": None,
        "dequantize": False,
        "modules_to_not_convert": ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
    }


def test_activation_scales_of_breeze_are_calibrated(breeze_fp8_dir):
    reader = CheckpointReader(breeze_fp8_dir)
    names = [name for name in reader.entries if name.endswith("activation_scale")]
    values = {float(reader.load(name)) for name in names}
    assert len(values) > 30
    assert all(0 < value < 100 for value in values)


def test_transformers_reads_breeze_fp8_with_logits_near_bf16(
    breeze_dir, breeze_fp8_dir, python_ids
):
    exact, quantised = logits(breeze_dir, python_ids), logits(breeze_fp8_dir, python_ids)
    targets = python_ids[0, 1:]
    losses = [
        torch.nn.functional.cross_entropy(each[0, :-1], targets) for each in (exact, quantised)
    ]
    assert abs(losses[0] - losses[1]) < 0.1
    assert (exact.argmax(-1) == quantised.argmax(-1)).float().mean() > 0.8
    assert not torch.equal(exact, quantised)


def test_what_is_imported_from_fp8_is_what_transformers_dequantises(
    breeze_fp8_dir, python_ids, tmp_path
):
    import_checkpoint(breeze_fp8_dir, tmp_path / "base")
    assert torch.equal(logits(tmp_path / "base", python_ids), logits(breeze_fp8_dir, python_ids))
