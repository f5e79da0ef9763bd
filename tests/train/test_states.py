import json
import pickletools
import random

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import get_scheduler
from transformers.optimization import Adafactor

from devtune.train.states import (
    load_optimizer,
    load_random,
    load_scheduler,
    save_optimizer,
    save_random,
    save_scheduler,
)


def model(seed, dtype=torch.float32):
    torch.manual_seed(seed)
    layers = (torch.nn.Linear(6, 5), torch.nn.LayerNorm(5), torch.nn.Linear(5, 3, bias=False))
    return torch.nn.Sequential(*layers).to(dtype)


def adamw(parameters):
    decayed, rest = parameters[:2], parameters[2:]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))


def adafactor(parameters):
    """Its `step` is a number, and its `RMS`; parameters of one and two dimensions differ."""
    return Adafactor(parameters, lr=0.01, relative_step=False, scale_parameter=False)


def adamw_in_8_bits(parameters):
    """One table of values for the states of all parameters."""
    bitsandbytes = pytest.importorskip("bitsandbytes")
    return bitsandbytes.optim.AdamW8bit(parameters, lr=0.01, min_8bit_size=1)


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def take_steps(network, optimizer, count):
    for _ in range(count):
        optimizer.zero_grad()
        network(torch.randn(4, 6, dtype=next(network.parameters()).dtype)).square().sum().backward()
        optimizer.step()


def equal(one, other):
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.equal(other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
        return type(one) is type(other) and all(equal(*each) for each in pairs)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("make", [adamw, adafactor, adamw_in_8_bits, momentum])
def test_an_optimizer_goes_on_as_if_it_had_not_been_saved(make, dtype, tmp_path):
    network = model(0, dtype)
    optimizer = make(list(network.parameters()))
    take_steps(network, optimizer, 3)
    save_optimizer(optimizer, tmp_path)
    again = model(1, dtype)
    again.load_state_dict(network.state_dict())
    other = make(list(again.parameters()))
    load_optimizer(other, tmp_path)
    assert optimizer.state_dict()["state"]
    assert equal(other.state_dict(), optimizer.state_dict())
    for each, its in ((network, optimizer), (again, other)):
        torch.manual_seed(7)
        take_steps(each, its, 3)
    assert equal(dict(again.state_dict()), dict(network.state_dict()))
    assert equal(other.state_dict(), optimizer.state_dict())


def test_an_optimizer_that_took_no_step_has_nothing_to_say(tmp_path):
    network = model(0)
    save_optimizer(adamw(list(network.parameters())), tmp_path)
    other = adamw(list(network.parameters()))
    load_optimizer(other, tmp_path)
    assert other.state_dict()["state"] == {}


@pytest.mark.parametrize(
    "name",
    ["linear", "cosine", "cosine_with_restarts", "cosine_with_min_lr", "polynomial", "constant",
     "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau", "warmup_stable_decay"],
)  # fmt: skip
def test_a_schedule_goes_on_as_if_it_had_not_been_saved(name, tmp_path):
    special = {
        "cosine_with_min_lr": {"min_lr": 1e-4},
        "warmup_stable_decay": {"num_decay_steps": 6},
    }

    def make():
        optimizer = torch.optim.SGD(model(0).parameters(), lr=0.1)
        steps = {"num_warmup_steps": 3, "num_training_steps": 20}
        more = special.get(name, {})
        return optimizer, get_scheduler(name, optimizer, **steps, scheduler_specific_kwargs=more)

    def step(optimizer, scheduler, number):
        optimizer.step()
        scheduler.step(*([1 / (1 + number // 15)] if name == "reduce_lr_on_plateau" else []))
        return optimizer.param_groups[0]["lr"]

    optimizer, scheduler = make()
    for number in range(5):
        step(optimizer, scheduler, number)
    save_optimizer(optimizer, tmp_path)
    save_scheduler(scheduler, tmp_path)
    other, again = make()
    load_optimizer(other, tmp_path)
    load_scheduler(again, tmp_path)
    rates = [step(optimizer, scheduler, number) for number in range(5, 40)]
    assert [step(other, again, number) for number in range(5, 40)] == rates
    assert name.startswith("constant") or len(set(rates)) > 1


def test_generators_go_on_as_if_they_had_not_been_saved(tmp_path):
    def draw():
        numbers = (random.gauss(0, 1), random.random(), np.random.standard_normal())
        return (*numbers, np.random.rand(), torch.rand(1).item(), torch.randn(1).item())

    random.gauss(0, 1)  # leaves one more in hand, as NumPy's does
    np.random.standard_normal()
    save_random(tmp_path, 3)
    ours = [draw() for _ in range(400)]
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    load_random(tmp_path, 3)
    assert [draw() for _ in range(400)] == ours


def test_a_rank_that_was_not_there_before_keeps_its_own_generators(tmp_path):
    save_random(tmp_path, 0)
    torch.manual_seed(5)
    load_random(tmp_path, 1)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert drawn.equal(torch.rand(1))


def test_nothing_that_is_saved_is_a_pickle(tmp_path):
    network = model(0)
    optimizer = adamw(list(network.parameters()))
    take_steps(network, optimizer, 1)
    save_optimizer(optimizer, tmp_path)
    save_scheduler(get_scheduler("cosine", optimizer, 1, 5), tmp_path)
    save_random(tmp_path, 0)
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == [
        "optimizer.json",
        "optimizer.safetensors",
        "random-0.safetensors",
        "scheduler.json",
    ]
    for file in files:
        with pytest.raises(ValueError, match="."):
            list(pickletools.genops(file.read_bytes()))
        if file.suffix == ".json":
            json.loads(file.read_text())
        else:
            with safe_open(file, framework="pt") as opened:
                assert list(opened.keys())
