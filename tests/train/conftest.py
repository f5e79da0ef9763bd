"""A 2-layer Ministral3 with random weights, and a dataset of random tokens for it."""

import json
import random

import pytest

from devtune.data.tables import write_preference_rows, write_rows
from devtune.records import PreferenceRow, TokenRow
from devtune.tuning import DpoSection, SftSection
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
def mixed(tmp_path, dataset):
    def make(seed):
        """What is to be learnt, and as much noise that depends on a seed."""
        directory = tmp_path / f"mixed-{seed}"
        directory.mkdir()
        chance = random.Random(seed)
        rows = make_rows(8, seed=1)
        for number in range(8):
            token = chance.randrange(1000, VOCABULARY)
            ids = [1, 3, token, token, 4, *[token] * 20, 2]
            labels = [-100] * 5 + ids[5:]
            rows.append(TokenRow(f"noise-{number}", "noise", ids, labels, 21))
        write_rows(directory / "train.parquet", rows)
        write_rows(directory / "held_out.parquet", make_rows(2, seed=2))
        return directory

    return make


@pytest.fixture(scope="session")
def breeze_dir(request):
    from tests.breeze import built

    return built(request, "bf16") / "model"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pairs")
    write_preference_rows(directory / "preferences.parquet", make_pairs(80))
    return directory


def make_pairs(count):
    """The better side repeats the question's token, the worse one its neighbour."""
    source = random.Random(3)
    for number in range(count):
        token = source.randrange(1000, VOCABULARY - 1)
        prompt = [1, 3, *[token] * source.randint(3, 20), 4]
        answers = [[each] * source.randint(2, 9) + [2] for each in (token, token + 1)]
        result = [7, token, 8]  # what a tool said counts on neither side
        sides = [[*each, *result, *each] for each in answers]
        labels = [[*each, *[-100] * len(result), *each] for each in answers]
        yield PreferenceRow(f"pair-{number}", "trajectory", prompt, *sides, *labels)


def with_engine(values, tmp_path):
    settings = values.pop("deepspeed_settings", None)
    if settings is None:
        return values
    file = tmp_path / "deepspeed.json"
    file.write_text(json.dumps(settings), encoding="utf-8")
    return {**values, "deepspeed": file}


@pytest.fixture
def make_preferences(tmp_path):
    def make(**values):
        defaults = {
            "type": "dpo",
            "adapter": ADAPTER,
            "learning_rate": 1e-3,
            "per_device_train_batch_size": 4,
            "max_steps": 6,
            "max_length": 128,
            "gradient_checkpointing": False,
            "save_steps": 2,
            "bf16": False,
        }
        return DpoSection.model_validate({**defaults, **with_engine(values, tmp_path)})

    return make


@pytest.fixture
def make_section(tmp_path):
    def make(**values):
        defaults = {
            "type": "sft",
            "adapter": ADAPTER,
            "learning_rate": 1e-2,
            "max_steps": 6,
            "max_length": 128,
            "gradient_checkpointing": False,
            "save_steps": 2,
        }
        return SftSection.model_validate({**defaults, **with_engine(values, tmp_path)})

    return make
