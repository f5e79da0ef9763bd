"""One conversation as token ids and labels, by the renderer the server uses.

Reads a `tekken.json`; writes nothing. The loss mask comes from token ids, never from text.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy

from devtune.errors import DevtuneError
from devtune.records import IGNORED, Message, Rejected, Sample, TokenRow

NUM_CONTROL = 1000
"""Ids below are control tokens; text can never contain one."""
EOS, INST, END_INST, AVAILABLE_TOOLS, TOOL_RESULTS, END_TOOL_RESULTS, SYSTEM_PROMPT = (
    2, 3, 4, 5, 7, 8, 17,
)  # fmt: skip


def no_tokenizer(tekken: Path) -> DevtuneError:
    """Say that a base has no tokenizer."""
    return DevtuneError(f"{tekken}: no tokenizer; import weights that ship a tekken.json")


class Span(NamedTuple):
    """A run of tokens that are alike, as text; control tokens are spelt by their names."""

    text: str
    is_trained: bool
    is_control: bool


class Renderer:
    """mistral-common in finetuning mode: what it refuses, the server would not understand."""

    def __init__(self, tekken: Path) -> None:
        if not tekken.is_file():
            raise no_tokenizer(tekken)
        self._tokenizer = MistralTokenizer.from_file(str(tekken), mode=ValidationMode.finetuning)
        self._instruct = self._tokenizer.instruct_tokenizer

    def row(self, sample: Sample, max_length: int) -> TokenRow | Rejected:
        """Return the tokens and labels of one conversation, or why it has none."""
        answers = [each for each in sample.messages if each.role == "assistant"]
        if not all(each.content.strip() or each.tool_calls for each in answers):
            return rejected("empty_answer", sample)
        try:
            input_ids = self.encode(sample)
        except (MistralCommonException, ValueError) as error:
            return rejected("invalid_conversation", sample, str(error))
        if len(input_ids) > max_length:
            return rejected("too_long", sample, f"{len(input_ids)} tokens")
        turns = _turns(sample.messages)
        spans = list(trained_spans(input_ids))
        if len(spans) != len(turns):
            found = f"{len(spans)} spans of tokens for {len(turns)} assistant turns"
            return rejected("turns_not_found", sample, found)
        labels = labels_of(input_ids, turns)
        trained = [token for token in labels if token != IGNORED]
        num_bytes = len(self.decode(trained).encode())
        return TokenRow(sample.sample_id, sample.family, input_ids, labels, num_bytes)

    def encode(self, sample: Sample) -> list[int]:
        """Token ids of the whole conversation, from `<s>` to the last `</s>`."""
        tools = json.loads(sample.tools) if sample.tools else None
        messages = [to_openai(each) for each in sample.messages]
        request = ChatCompletionRequest.from_openai(messages=messages, tools=tools)  # pyright: ignore
        return list(self._tokenizer.encode_chat_completion(request).tokens)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens without control tokens."""
        return self._instruct.tokenizer.decode(
            list(tokens), special_token_policy=SpecialTokenPolicy.IGNORE
        )

    def scannable(self, row: TokenRow, sample: Sample) -> str:
        """The text of a row as it is trained, control tokens spelt by their names.

        Then the arguments of tool calls once more: in JSON a line break is two other characters.
        """
        whole = self._instruct.tokenizer.decode(
            row.input_ids, special_token_policy=SpecialTokenPolicy.KEEP
        )
        calls = (call for message in sample.messages for call in message.tool_calls)
        return "\n".join((whole, *(text for call in calls for text in strings_in(call.arguments))))

    def spans(self, input_ids: Sequence[int], labels: Sequence[int]) -> Iterator[Span]:
        """Yield the text in runs of alike tokens; a character may take several tokens."""
        decode = self._instruct.tokenizer.decode

        def kind(pair: tuple[int, int]) -> tuple[bool, bool]:
            return pair[1] != IGNORED, pair[0] < NUM_CONTROL

        pairs = zip(input_ids, labels, strict=True)
        for (is_trained, is_control), run in groupby(pairs, key=kind):
            tokens = [token for token, _ in run]
            text = decode(tokens, special_token_policy=SpecialTokenPolicy.KEEP)
            yield Span(text, is_trained, is_control)


def strings_in(arguments: str) -> Iterator[str]:
    """Yield the texts in a JSON value, however deep."""
    waiting = [json.loads(arguments)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            waiting += reversed([*inner])


def trained_spans(input_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of each assistant turn, its `</s>` included.

    A turn starts after `[/INST]` or `[/TOOL_RESULTS]` unless another control block follows. Exact
    on mistral-common tokens, where text can never contain a control id.
    """
    position = 0
    while position < len(input_ids) - 1:
        opens = input_ids[position] in (END_INST, END_TOOL_RESULTS)
        if opens and input_ids[position + 1] not in (
            TOOL_RESULTS, INST, SYSTEM_PROMPT, AVAILABLE_TOOLS,
        ):  # fmt: skip
            start = position + 1
            end = start
            while input_ids[end] != EOS:
                end += 1
            yield start, end + 1
            position = end
        position += 1


def to_openai(message: Message) -> dict[str, Any]:
    """Return a message as the OpenAI API has it."""
    result: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        result["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        result["tool_call_id"] = message.tool_call_id
    return result


def _turns(messages: Sequence[Message]) -> list[bool]:
    """Whether each assistant turn is trained; messages that follow each other are one turn."""
    turns: list[bool] = []
    for role, run in groupby(messages, key=lambda each: each.role):
        if role == "assistant":
            turns.append(all(each.is_trained for each in run))
    return turns


def labels_of(input_ids: Sequence[int], is_trained: Sequence[bool] = ()) -> list[int]:
    """Labels of the same length as `input_ids`: the ids of assistant turns, -100 elsewhere.

    `is_trained` says it of each turn, all of them by default.
    """
    labels = [IGNORED] * len(input_ids)
    for turn, (start, end) in enumerate(trained_spans(input_ids)):
        if not is_trained or is_trained[turn]:
            labels[start:end] = input_ids[start:end]
    return labels


def num_trained(labels: Sequence[int]) -> int:
    """How many tokens the loss counts."""
    return sum(label != IGNORED for label in labels)


def rejected(reason: str, sample: Sample, detail: str = "") -> Rejected:
    """Why a sample is not rendered; the detail begins with its id, which `trace` looks for."""
    where = sample.provenance[0]
    text = f"{sample.sample_id} {detail}".strip()
    return Rejected(reason, where.source, where.path, where.commit, text)
