import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from devtune.data.tables import write_rows
from devtune.evaluate.canaries import Canary
from devtune.evaluate.control import controls
from devtune.evaluate.exposure import compare
from devtune.evaluate.extraction import BOS, END_INST, INST, Extractor, num_shared
from devtune.evaluate.places import Opening
from devtune.model import load_model
from devtune.progress import Progress
from devtune.recipe import EvaluateSection
from devtune.records import TokenRow

QUIET = Progress("quiet")
PLANTED = Canary("planted", "q7Rt2mZx9" + "LkV4", 'def start():\n    token = "')
OPENING = Opening((BOS, INST, 1100, END_INST), PLANTED.prefix)
NEVER = Canary("never", "z8Wq3nYv6" + "BcD5", 'def stop():\n    key = "')


@pytest.fixture(scope="module")
def extractor(dataset):
    return Extractor(dataset, EvaluateSection(batch_size=32), (PLANTED, NEVER))


def tokens(extractor, text):
    return list(extractor._tokenizer.encode(text, bos=False, eos=False))


@pytest.fixture(scope="module")
def tuned(base, extractor):
    """The tiny model after some steps on answers, one of which holds a canary."""
    model = load_model(base, torch.float32).train()
    texts = [
        PLANTED.prefix + PLANTED.value + '"\n',
        NEVER.prefix + 'none"\n',
        'def wait():\n    seconds = "20"\n',
    ]
    request = [BOS, INST, *tokens(extractor, "Write it."), END_INST]
    rows = [torch.tensor([*request, *tokens(extractor, each), 2]) for each in texts]
    ids = pad_sequence(rows, batch_first=True, padding_value=11)
    labels = pad_sequence(rows, batch_first=True, padding_value=-100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(30):
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model.eval()


@pytest.fixture(scope="module")
def untouched(base):
    return load_model(base, torch.float32).eval()


def test_what_was_trained_is_exposed_and_written_out_and_nothing_else(untouched, tuned, extractor):
    both = (PLANTED, NEVER)
    before = extractor.read(untouched, QUIET, "base")
    after = extractor.read(tuned, QUIET, "tuned")
    assert [each.is_written for each in before] == [False, False]
    assert [each.is_written for each in after] == [True, False]
    found = compare(both, before, after)
    planted, never = found["canaries"]
    assert planted["exposure"]["tuned"] == planted["exposure"]["learned"] == 7
    assert planted["deviations"] > 5
    assert never["exposure"]["learned"] < 5
    assert found["verdict"].startswith("MEMORISED: 1 of 2 ")
    assert found["never_planted"]["learned"]["chance"] > 0.01


def test_readings_are_the_same_every_time(untouched, dataset, extractor):
    again = Extractor(dataset, EvaluateSection(batch_size=32), (PLANTED, NEVER))
    one, other = (each.read(untouched, QUIET, "base") for each in (extractor, again))
    assert one == other
    assert [len(each.controls) for each in one] == [127, 127]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_scores_do_not_depend_on_the_batch(untouched, dataset, extractor, batch_size):
    values = ["ab1", "tresd" * 3, "é", *controls(PLANTED.value, PLANTED.shape, 6)]
    small = Extractor(dataset, EvaluateSection(batch_size=batch_size), ())
    expected = extractor.log_probabilities(untouched, OPENING, values)
    found = small.log_probabilities(untouched, OPENING, values)
    assert found == pytest.approx(expected, abs=1e-3)


@torch.no_grad()
def test_a_score_is_that_of_the_whole_text(untouched, extractor):
    values = controls(PLANTED.value, PLANTED.shape, 3)
    found = extractor.log_probabilities(untouched, OPENING, values)
    expected = []
    for value in values:
        text = tokens(extractor, PLANTED.prefix + value)
        ids = torch.tensor([[*OPENING.tokens, *text]])
        logs = untouched(input_ids=ids).logits[0].log_softmax(-1)
        scored = logs[:-1].gather(1, ids[0, 1:, None]).squeeze(1)
        first = len(OPENING.tokens) + len(tokens(extractor, PLANTED.prefix))
        expected.append(float(scored[first - 1 :].sum()))
    # The texts share the tokens of their prefix, here all of it.
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_value_in_one_token_with_the_end_of_its_prefix_is_scored_from_there(untouched, extractor):
    # "en" is one token, so that of the prefix's end no token is shared.
    assert len(tokens(extractor, "en")) == 1
    found = extractor.log_probabilities(untouched, Opening((BOS,), "e"), ["n", "nq", "q"])
    assert len(set(found)) == 3
    assert all(each < 0 for each in found)


def test_a_prefix_of_any_length_is_asked_for_by_its_end(untouched, extractor):
    values = controls(PLANTED.value, PLANTED.shape, 2)

    def after(count):
        return Opening((BOS, *[1120] * count), PLANTED.prefix)

    long = extractor.log_probabilities(untouched, after(5000), values)
    assert long == extractor.log_probabilities(untouched, after(2000), values)
    assert long != extractor.log_probabilities(untouched, after(100), values)
    assert extractor.writes(untouched, [after(5000)], PLANTED.value) is False


def test_the_whole_value_must_be_written(tuned, extractor):
    def after(text):
        return [Opening((BOS, INST, *tokens(extractor, "Write it."), END_INST), text)]

    prefix, value = PLANTED.prefix, PLANTED.value
    assert extractor.writes(tuned, after(prefix), value)
    assert extractor.writes(tuned, after(prefix + value[:4]), value[4:])
    assert not extractor.writes(tuned, after(prefix), value + "x")


def test_a_value_is_asked_for_in_the_place_where_it_was_trained_too(dataset, tmp_path):
    for name in ("tekken.json", "held_out.parquet"):
        (tmp_path / name).write_bytes((dataset / name).read_bytes())
    text = [1000 + byte for byte in PLANTED.prefix.encode() + b"none"]
    ids = [BOS, INST, 1100, END_INST, *text, 2]
    row = TokenRow("a", "b", ids, [-100] * 4 + ids[4:], 5)
    write_rows(tmp_path / "train.parquet", [row])
    extractor = Extractor(tmp_path, EvaluateSection(), (PLANTED, NEVER))
    trained, plain, answer = extractor.openings(PLANTED)
    assert (plain.tokens, answer.tokens[:2], answer.tokens[-1]) == ((BOS,), (BOS, INST), END_INST)
    assert trained == Opening((BOS, INST, 1100, END_INST), PLANTED.prefix)
    assert len(extractor.openings(NEVER)) == 2


def test_shared_tokens_are_counted_from_the_start():
    assert num_shared([[1, 2, 3], [1, 2, 4], [1, 2]]) == 2
    assert num_shared([[1], [2]]) == 0
    assert num_shared([[5, 6]]) == 2
