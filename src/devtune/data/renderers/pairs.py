"""A pair of sessions as tokens: the prompt once, and the two sides that follow it.

Works on pairs in memory; reads and writes no files.
"""

from collections.abc import Iterable
from dataclasses import replace

from devtune.data.renderers.rows import Renderer, has_empty_answer
from devtune.data.renderers.tokens import Tokens, Unrendered
from devtune.data.renderers.windows import answers_of, as_context
from devtune.records import IGNORED, Message, Preference, PreferenceRow, Sample

REWRITTEN = frozenset(("malformed_call", "unanswered_call"))
"""Masks of turns that stand otherwise than the model wrote them: calls were repaired or removed."""


def sides_of(pair: Preference) -> tuple[Sample, Sample]:
    """Return both conversations, chosen and rejected; of the prompt nothing is trained.

    Of the chosen side what is masked stays masked: failed steps are no example. Of the rejected
    side they are trained: what a session is rejected for is just these steps, calls that repeat or
    fail, and with them masked the loss would push down all it did but that. Left out are only
    turns that do not stand as the model wrote them: nothing it says makes them likelier.
    """
    return _side(pair, pair.chosen), _side(pair, map(_counted, pair.rejected))


def _side(pair: Preference, messages: Iterable[Message]) -> Sample:
    prompt = (as_context(each) for each in pair.prompt)
    return Sample(
        pair.sample_id, pair.kind, (*prompt, *messages), pair.provenance, pair.tools, task=pair.task
    )


def _counted(message: Message) -> Message:
    if message.role != "assistant" or message.mask_reason in REWRITTEN:
        return message
    return replace(message, is_trained=True, mask_reason="")


def pair_row(renderer: Renderer, pair: Preference, max_length: int) -> PreferenceRow:
    """Return the row of a pair; the prompt ends where the assistant's turn begins in both sides.

    Raises:
        Unrendered: a side is no conversation the server would understand, is longer than
            `max_length`, trains nothing, or does not begin with the tokens of the common prompt.
    """
    start = len(answers_of(pair.prompt))
    if not pair.prompt or pair.prompt[-1].role == "assistant":
        raise Unrendered("turns_not_found", "the sides go on in the middle of a turn")
    chosen, rejected = (_tokens(renderer, each, start) for each in sides_of(pair))
    end = chosen.turns[start][0]
    prompt = chosen.input_ids[:end]
    if rejected.turns[start][0] != end or rejected.input_ids[:end] != prompt:
        raise Unrendered("prompts_differ", "the sides do not begin with the same tokens")
    row = PreferenceRow(
        pair.sample_id,
        pair.kind,
        prompt,
        chosen.input_ids[end:],
        rejected.input_ids[end:],
        chosen.labels[end:],
        rejected.labels[end:],
    )
    if row.num_tokens > max_length:
        raise Unrendered("too_long", f"{row.num_tokens} tokens")
    return row


def _tokens(renderer: Renderer, side: Sample, start: int) -> Tokens:
    """Return a side in one piece, as the server has it at each of its trained answers."""
    if has_empty_answer(side):
        raise Unrendered("empty_answer")
    views = renderer.views(side)
    if len(views) > 1 or any(len(x.messages) != len(side.messages) for x in views):
        raise Unrendered("several_questions", "tools move on with each question before v13")
    tokens = renderer.tokens(side)
    if all(each == IGNORED for each in tokens.labels):
        raise Unrendered("nothing_to_train")
    assert len(tokens.turns) > start
    return tokens
