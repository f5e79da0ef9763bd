"""Optimizer, schedule and random generators as safetensors and JSON: nothing here is a pickle.

Reads and writes `optimizer.safetensors`, `optimizer.json`, `scheduler.json` and
`random-<rank>.safetensors` of a checkpoint. An engine with states of its own writes those itself.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

OPTIMIZER, OPTIMIZER_GROUPS = "optimizer.safetensors", "optimizer.json"
SCHEDULER = "scheduler.json"
INSIDE = "/"


def save_optimizer(optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Write the tensors of each parameter by `<number>/<name>`, and all else as JSON."""
    content: dict[str, Any] = optimizer.state_dict()
    tensors: dict[str, torch.Tensor] = {}
    plain = _without_tensors(content["state"], "", tensors)
    save_file(tensors, folder / OPTIMIZER)
    rest = {"param_groups": content["param_groups"], "plain": plain}
    (folder / OPTIMIZER_GROUPS).write_text(json.dumps(rest), encoding="utf-8")


def _without_tensors(
    values: Mapping[Any, Any], prefix: str, tensors: dict[str, torch.Tensor]
) -> dict[str, Any]:
    """Return values without their tensors, which are added to `tensors` under their path."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            # 8-bit optimizers have one table for all parameters; safetensors wants each apart.
            tensors[f"{prefix}{name}"] = value.detach().to("cpu", copy=True).contiguous()
        elif isinstance(value, dict):
            inner = cast(dict[Any, Any], value)
            plain[str(name)] = _without_tensors(inner, f"{prefix}{name}{INSIDE}", tensors)
        else:
            plain[str(name)] = value
    return plain


def load_optimizer(optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Take back what `save_optimizer` wrote, bit for bit, on the devices of the parameters."""
    content = json.loads((folder / OPTIMIZER_GROUPS).read_text(encoding="utf-8"))
    plain: dict[str, Any] = content["plain"]
    for path, tensor in load_file(folder / OPTIMIZER).items():
        *outer, name = path.split(INSIDE)
        place = plain
        for each in outer:
            place = place[each]
        place[name] = tensor
    state = {int(number): values for number, values in plain.items()}
    groups = [_as_before(each) for each in content["param_groups"]]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for number, values in state.items():
        own = optimizer.state[parameters[number]]
        for name, value in values.items():
            # torch gives states the dtype of their parameter: a float32 one would be rounded.
            if isinstance(value, torch.Tensor) and own[name].dtype != value.dtype:
                own[name] = value.to(own[name].device)


def _as_before(group: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples; optimizers unpack their betas, so a list would do, but not compare."""
    return {
        key: tuple(cast(list[Any], value)) if isinstance(value, list) and key != "params" else value
        for key, value in group.items()
    }


def save_scheduler(scheduler: Any, folder: Path) -> None:
    """Write the state of a learning-rate schedule; functions in it are not part of the state."""
    state = {key: value for key, value in scheduler.state_dict().items() if key != "lr_lambdas"}
    (folder / SCHEDULER).write_text(json.dumps(state), encoding="utf-8")


def load_scheduler(scheduler: Any, folder: Path) -> None:
    """Take back what `save_scheduler` wrote."""
    state = json.loads((folder / SCHEDULER).read_text(encoding="utf-8"))
    own = scheduler.state_dict()
    scheduler.load_state_dict({**own, **state})


def save_random(folder: Path, rank: int) -> None:
    """Write the states of the generators of Python, NumPy, torch and CUDA of one rank."""
    version, python, gauss = random.getstate()
    name, keys, position, has_gauss, cached = cast(tuple[Any, ...], np.random.get_state())
    tensors = {"torch": torch.random.get_rng_state()}
    tensors["numpy"] = torch.from_numpy(keys.astype(np.int64))  # pyright: ignore
    tensors["python"] = torch.tensor(python, dtype=torch.int64)
    if torch.cuda.is_available():
        tensors["cuda"] = torch.cuda.get_rng_state()
    rest = {"python": [version, gauss], "numpy": [name, int(position), int(has_gauss), cached]}
    save_file(tensors, folder / _random(rank), metadata={"rest": json.dumps(rest)})


def load_random(folder: Path, rank: int) -> None:
    """Take back what `save_random` wrote; a rank that was not there before keeps its own."""
    file = folder / _random(rank)
    if not file.is_file():
        return
    with safe_open(file, framework="pt") as opened:
        rest = json.loads(opened.metadata()["rest"])
        tensors = {name: opened.get_tensor(name) for name in list(opened.keys())}
    version, gauss = rest["python"]
    random.setstate((version, tuple(tensors["python"].tolist()), gauss))
    name, position, has_gauss, cached = rest["numpy"]
    keys = tensors["numpy"].numpy().astype(np.uint32)
    np.random.set_state((name, keys, position, has_gauss, cached))
    torch.random.set_rng_state(tensors["torch"])
    if "cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["cuda"])


def _random(rank: int) -> str:
    return f"random-{rank}.safetensors"
