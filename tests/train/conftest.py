"""A 2-layer Ministral3 with random weights, and a dataset of random tokens for it."""

import json
import random

import pytest

from devtune.data.render import write_rows
from devtune.records import TokenRow
from devtune.tuning import SftSection
from tests.tiny import VOCABULARY

ADAPTER = {"type": "lora", "r": 4, "lora_alpha": 8}


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dataset")
    write_rows(directory / "train.parquet", make_rows(48, seed=1))
    write_rows(directory / "held_out.parquet", make_rows(8, seed=2))
    return directory


def make_rows(count, seed):
    source = random.Random(seed)
    rows = []
    for number in range(count):
        length = source.randint(12, 60)
        # A learnable pattern: the answer repeats one token of the question.
        token = source.randrange(1000, VOCABULARY)
        prompt = [1, 3, *[token] * (length // 2), 4]
        answer = [token] * (length - length // 2) + [2]
        labels = [-100] * len(prompt) + answer
        rows.append(TokenRow(f"{seed}-{number}", "repeat", prompt + answer, labels, len(answer)))
    return rows


@pytest.fixture
def make_section(tmp_path):
    def make(**values):
        settings = values.pop("deepspeed_settings", None)
        if settings is not None:
            values["deepspeed"] = tmp_path / "deepspeed.json"
            values["deepspeed"].write_text(json.dumps(settings), encoding="utf-8")
        defaults = {
            "type": "sft",
            "adapter": ADAPTER,
            "learning_rate": 1e-2,
            "max_steps": 6,
            "max_length": 128,
            "gradient_checkpointing": False,
            "save_steps": 2,
        }
        return SftSection.model_validate({**defaults, **values})

    return make
