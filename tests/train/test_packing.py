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
