"""Conversations as mistral-common renders them, for models that ship a `tekken.json`.

Reads that file; writes nothing. The loss mask comes from token ids, never from text.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.base import TokenizerVersion
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer
from numpy.typing import NDArray

from devtune.data.renderers.openai import to_openai
from devtune.data.renderers.rows import Renderer
from devtune.data.renderers.tokens import Tokens, Unrendered
from devtune.data.renderers.windows import answers_of, as_context
from devtune.records import Sample

NUM_CONTROL = 1000
"""Ids below are control tokens; text can never contain one."""
EOS, INST, END_INST, AVAILABLE_TOOLS, TOOL_RESULTS, END_TOOL_RESULTS = 2, 3, 4, 5, 7, 8
SYSTEM_PROMPT, END_SYSTEM_PROMPT = 17, 18


REMEMBERED_TEXTS = 512
MAX_REMEMBERED = 65_536
"""Characters of a text that is remembered: all in all no more than some hundred megabytes."""


class _Remembering(Tekkenizer):
    """The same tokens in less time.

    System prompts and tools stand in every session of an agent, and windows of one conversation
    share most of their messages.
    """

    @cached_property
    def num_special_tokens(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().num_special_tokens

    def encode(self, s: str, bos: bool, eos: bool) -> list[int]:
        if bos or eos or len(s) > MAX_REMEMBERED:
            return super().encode(s, bos, eos)
        return [*self._remembered(s)]

    @cached_property
    def _remembered(self) -> Callable[[str], list[int]]:
        encode = super().encode
        return lru_cache(REMEMBERED_TEXTS)(lambda text: encode(text, False, False))


class MistralRenderer(Renderer):
    """mistral-common in finetuning mode: what it refuses, the server would not understand."""

    def __init__(self, tekken: Path) -> None:
        self._file = tekken
        self._tokenizer = MistralTokenizer.from_file(str(tekken), mode=ValidationMode.finetuning)
        text = self._tokenizer.instruct_tokenizer.tokenizer
        assert isinstance(text, Tekkenizer)
        self._text = text
        # Two thirds of the time of mistral-common 1.13: it counts its special tokens again for
        # every token, and writes out every conversation as text.
        text.__class__ = _Remembering
        self._tokenizer.instruct_tokenizer.decode = _unwritten

    def tokens(self, sample: Sample) -> Tokens:
        """Return the ids from `<s>` to the last `</s>`."""
        try:
            input_ids = self.encode(sample)
        except (MistralCommonException, ValueError) as error:
            raise Unrendered("invalid_conversation", str(error)) from None
        turns = list(trained_spans(input_ids))
        is_trained = [
            all(each.is_trained for each in sample.messages[start:end])
            for start, end in answers_of(sample.messages)
        ]
        if len(turns) != len(is_trained):
            found = f"{len(turns)} spans of tokens for {len(is_trained)} assistant turns"
            raise Unrendered("turns_not_found", found)
        return Tokens(input_ids, turns, is_trained)

    def encode(self, sample: Sample) -> list[int]:
        """Token ids of the whole conversation.

        Raises:
            MistralCommonException: it is none the server would understand.
        """
        tools = json.loads(sample.tools) if sample.tools else None
        messages = [to_openai(each) for each in sample.messages]
        request = ChatCompletionRequest.from_openai(messages=messages, tools=tools)  # pyright: ignore
        return list(self._tokenizer.encode_chat_completion(request).tokens)

    def views(self, sample: Sample) -> Sequence[Sample]:
        """Return one conversation for each question where tools stand before the last of them.

        So they do before v13: the server moves them on with each question, and what a model
        answered to an earlier one it answered to other tokens.
        """
        moves = self._text.version < TokenizerVersion.v13 and sample.tools
        return list(_questions(sample)) if moves else (sample,)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens without control tokens."""
        return self._text.decode(list(tokens), special_token_policy=SpecialTokenPolicy.IGNORE)

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of the tokens, control tokens spelt by their names."""
        return self._text.decode(list(tokens), special_token_policy=SpecialTokenPolicy.KEEP)

    def num_bytes(self, tokens: Sequence[int]) -> int:
        """UTF-8 bytes of the text of the tokens."""
        return int(self._piece_lengths[list(tokens)].sum())

    @cached_property
    def _piece_lengths(self) -> NDArray[np.int32]:
        """Bytes of each token, none for control tokens."""
        vocabulary = orjson.loads(self._file.read_bytes())["vocab"]
        codes = (entry["token_bytes"] for entry in vocabulary)
        pieces = [len(code) // 4 * 3 - code[-2:].count("=") for code in codes]
        lengths = [0] * self._text.num_special_tokens + pieces
        return np.array(lengths[: self._text.n_words], np.int32)

    def is_control(self, token: int) -> bool:
        """Whether it is one that no text of a conversation can contain."""
        return token < NUM_CONTROL


def _questions(sample: Sample) -> Iterator[Sample]:
    """Yield the conversation up to the last answer to each question; only these are trained."""
    messages = sample.messages
    roles = [each.role for each in messages]
    starts = [
        index
        for index, (role, after) in enumerate(zip(roles, [*roles[1:], ""], strict=True))
        if role == "user" != after
    ]
    for start, end in zip(starts, (*starts[1:], len(messages)), strict=True):
        answers = [index for index in range(start, end) if messages[index].role == "assistant"]
        if not any(messages[index].is_trained for index in answers):
            continue
        before = (as_context(each) for each in messages[:start])
        yield replace(sample, messages=(*before, *messages[start : answers[-1] + 1]))


def trained_spans(input_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of each assistant turn, its `</s>` included.

    A turn starts after `[/INST]`, `[/TOOL_RESULTS]` or `[/SYSTEM_PROMPT]` unless another control
    block follows. Exact on mistral-common tokens, where text can never contain a control id.
    """
    controls = np.flatnonzero(np.asarray(input_ids) < NUM_CONTROL).tolist()
    free = 0
    for number, position in enumerate(controls):
        start = position + 1
        opens = input_ids[position] in (END_INST, END_TOOL_RESULTS, END_SYSTEM_PROMPT)
        if start < max(free, 1) or not opens or start == len(input_ids):
            continue
        if input_ids[start] in (TOOL_RESULTS, INST, SYSTEM_PROMPT, AVAILABLE_TOOLS):
            continue
        free = next(each for each in controls[number + 1 :] if input_ids[each] == EOS) + 1
        yield start, free


def _unwritten(*_: Any, **__: Any) -> str:
    return ""
