import inspect

import pytest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

import devtune.paths
import devtune.train.batches
import devtune.train.checkpoints
from devtune.data.tables import write_rows
from devtune.fingerprint import hash_file
from devtune.records import TokenRow
from tests.fine_tuning import curve, kill_after_a_checkpoint, run

MODULES = (devtune.train.batches, devtune.train.checkpoints, devtune.paths)
MAX_LENGTH = 64
METHODS = {"full": ({"type": "full"}, 1e-4), "qlora": ({"type": "qlora", "r": 4}, 1e-3)}


@pytest.fixture(scope="module")
def functions(tmp_path_factory, breeze_dir):
    """Some of devtune's own functions, asked for by name."""
    encode = MistralTokenizer.from_file(str(breeze_dir / "tekken.json"))
    encode = encode.instruct_tokenizer.tokenizer.encode
    rows = []
    for module in MODULES:
        for name, each in inspect.getmembers(module, inspect.isfunction):
            prompt = [1, 3, *encode(f"Write {name}.", bos=False, eos=False), 4]
            answer = [*encode(inspect.getsource(each), bos=False, eos=False), 2]
            answer = answer[: MAX_LENGTH - len(prompt)]
            labels = [-100] * len(prompt) + answer
            rows.append(TokenRow(name, "function", prompt + answer, labels, len(labels)))
    directory = tmp_path_factory.mktemp("functions")
    write_rows(directory / "train.parquet", rows)
    write_rows(directory / "held_out.parquet", rows[:2])
    return directory


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("method", METHODS)
def test_a_killed_fine_tuning_of_breeze_ends_byte_for_byte_like_one_that_was_not(
    method, make_section, functions, breeze_dir, tmp_path
):
    adapter, rate = METHODS[method]
    section = make_section(
        adapter=adapter, learning_rate=rate, max_steps=3, save_steps=1, max_length=MAX_LENGTH,
        lr_scheduler_type="constant",
    )  # fmt: skip
    run(section, functions, breeze_dir, tmp_path / "whole")
    kill_after_a_checkpoint(section, functions, breeze_dir, tmp_path / "killed")
    outcome = run(section, functions, breeze_dir, tmp_path / "killed")
    assert outcome.metrics["resumed_at_step"] in (1, 2)
    losses = curve(tmp_path / "whole")
    assert losses[0] < 5  # a model that knows Python; ln V is 10.8
    whole = tmp_path / "whole"
    files = [each.name for each in whole.iterdir() if each.name != "metrics.json"]  # with seconds
    assert len(files) >= 3
    for name in files:
        assert hash_file(tmp_path / "killed" / name) == hash_file(tmp_path / "whole" / name), name
