"""On SDPA with its mask of blocks; the kernels of flash attention need a GPU: *not measured*."""

import pytest
import torch

from devtune.model import load_model
from devtune.train.rows import load_rows
from devtune.train.trainers import arguments_of


def loader(section, rows, base, out):
    from transformers import AutoTokenizer
    from trl import SFTTrainer

    trainer = SFTTrainer(
        model=load_model(base, torch.float32),
        args=arguments_of(section, {"accelerator": "cpu", "engine": None}, out),
        train_dataset=rows,
        processing_class=AutoTokenizer.from_pretrained(base, mode="finetuning"),
    )
    return trainer.get_train_dataloader()


@torch.no_grad()
def nats(model, batches, drop=()):
    """Summed loss and number of trained tokens over all batches."""
    total, count = 0.0, 0
    for batch in batches:
        inputs = {key: value for key, value in batch.items() if key not in ("labels", *drop)}
        logits = model(**inputs, use_cache=False).logits[:, :-1].flatten(0, 1)
        labels = batch["labels"][:, 1:].flatten()
        total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
        count += int((labels != -100).sum())
    return total, count


def test_packed_and_unpacked_samples_have_the_same_loss(make_section, dataset, base, tmp_path):
    rows = load_rows(dataset / "train.parquet", 128)
    model = load_model(base, torch.float32).eval()
    packed = list(loader(make_section(bf16=False), rows, base, tmp_path))
    apart = list(loader(make_section(bf16=False, packing=False), rows, base, tmp_path))
    assert len(packed) < len(apart) / 2
    assert packed[0]["input_ids"].shape[1] > 60
    (packed_nats, packed_count), (apart_nats, apart_count) = nats(model, packed), nats(model, apart)
    assert packed_count == apart_count
    assert packed_nats == pytest.approx(apart_nats, rel=1e-5)


def test_without_positions_that_restart_the_loss_would_be_another(
    make_section, dataset, base, tmp_path
):
    rows = load_rows(dataset / "train.parquet", 128)
    model = load_model(base, torch.float32).eval()
    packed = list(loader(make_section(bf16=False), rows, base, tmp_path))
    clean, _ = nats(model, packed)
    sequence = ("position_ids", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
    mixed, _ = nats(model, packed, drop=(*sequence, "seq_idx"))
    assert abs(mixed - clean) > 1e-3 * clean


def gradients(model, batches):
    """Of the summed loss over all batches, by name of the parameter."""
    model.zero_grad()
    for batch in batches:
        inputs = {key: value for key, value in batch.items() if key != "labels"}
        logits = model(**inputs, use_cache=False).logits[:, :-1].flatten(0, 1)
        labels = batch["labels"][:, 1:].flatten()
        torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def test_packed_and_unpacked_samples_teach_the_same(make_section, dataset, base, tmp_path):
    rows = load_rows(dataset / "train.parquet", 128)
    model = load_model(base, torch.float32)
    packed = list(loader(make_section(bf16=False), rows, base, tmp_path))
    apart = list(loader(make_section(bf16=False, packing=False), rows, base, tmp_path))
    mine, theirs = gradients(model, packed), gradients(model, apart)
    assert len(mine) == 21
    for name, gradient in theirs.items():
        off = float((mine[name] - gradient).norm() / gradient.norm())
        assert off < 1e-5, (name, off)
    sequence = ("position_ids", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
    dropped = (*sequence, "seq_idx")
    mixed = [{key: value for key, value in batch.items() if key not in dropped} for batch in packed]
    name = "model.layers.0.self_attn.v_proj.weight"
    off = (gradients(model, mixed)[name] - theirs[name]).norm() / theirs[name].norm()
    assert off > 1e-2  # where samples see each other
