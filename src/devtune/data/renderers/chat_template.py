"""Conversations as a chat template of Transformers renders them, for models of other families.

Reads `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json`;
writes nothing. What mistral-common makes impossible is looked for in every conversation here: a
prompt that is no beginning of the next one, and text that becomes a control token.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick
from jinja2 import TemplateError
from tokenizers import Tokenizer

from devtune.data.renderers.openai import to_openai
from devtune.data.renderers.rows import Renderer
from devtune.data.renderers.templates import compile_template
from devtune.data.renderers.tokens import Tokens, Unrendered
from devtune.data.renderers.windows import answers_of
from devtune.errors import DevtuneError
from devtune.records import Message, Sample

NOT_STABLE = "not_prefix_stable"
_PROBE = (
    Message("user", "One?"), Message("assistant", "Two."),
    Message("user", "Three?"), Message("assistant", "Four."),
)  # fmt: skip


class ChatTemplateRenderer(Renderer):
    """A template whose prompts go on from each other, over a fast tokenizer."""

    def __init__(self, directory: Path) -> None:
        self._tokenizer = _tokenizer_in(directory / "tokenizer.json")
        settings = _json_in(directory / "tokenizer_config.json")
        self._template = compile_template(_template_in(directory, settings), directory)
        self._names = {
            name: _text_of(settings.get(name))
            for name in ("bos_token", "eos_token", "pad_token", "unk_token")
        }
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = frozenset(id for id, token in added.items() if token.special)
        self._ends = _ends_in(directory, self._tokenizer, self._names["eos_token"])
        names = [each.content for each in added.values() if each.content.strip()]
        self._finder = AhoCorasick(names) if names else None
        self._probe(directory)

    def tokens(self, sample: Sample) -> Tokens:
        """Return the ids of the whole conversation, each answer as it goes on from its prompt."""
        self._refuse_control(sample)
        tools = json.loads(sample.tools) if sample.tools else None
        messages = _merged(sample.messages)
        given = [_for_template(each) for each in messages]
        whole = self._split(self._render(given, tools))
        turns: list[tuple[int, int]] = []
        is_trained: list[bool] = []
        for start, _ in answers_of(messages):
            prompt = self._render(given[:start], tools, is_open=True)
            answer = self._render(given[: start + 1], tools)
            if not (answer.startswith(prompt) and whole.text.startswith(answer)):
                raise Unrendered(NOT_STABLE)
            if messages[start].content.strip() not in answer[len(prompt) :]:
                raise Unrendered("content_changed")
            turns.append(self._turn(whole, prompt, answer))
            is_trained.append(messages[start].is_trained)
        return Tokens(whole.ids, turns, is_trained)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens without control tokens."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=True)

    def spell(self, tokens: Sequence[int]) -> str:
        """Text of the tokens, control tokens spelt by their names."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=False)

    def is_control(self, token: int) -> bool:
        """Whether it is a special one; text that spells one is refused."""
        return token in self._control

    def _render(self, given: Sequence[Any], tools: Any, *, is_open: bool = False) -> str:
        try:
            return self._template.render(
                messages=given, tools=tools, documents=None, add_generation_prompt=is_open,
                **self._names,
            )  # fmt: skip
        except (TemplateError, TypeError, ValueError) as error:
            raise Unrendered("invalid_conversation", str(error)) from None

    def _split(self, text: str) -> "_Split":
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return _Split(text, encoding.ids, [end for _, end in encoding.offsets])

    def _turn(self, whole: "_Split", prompt: str, answer: str) -> tuple[int, int]:
        """Return [start, end) of the answer that follows `prompt` in `whole`."""
        start = self._length(whole, prompt)
        for position in range(start, whole.num_tokens_of(answer)):
            if whole.ids[position] in self._ends:
                rest = whole.text[whole.ends[position] : len(answer)]
                if rest.strip():
                    break
                return start, position + 1
        raise Unrendered("turns_not_found", "an answer that does not end with the model's own end")

    def _length(self, whole: "_Split", prompt: str) -> int:
        """Return how many tokens a prompt has; they are those the whole text begins with."""
        length = whole.num_tokens_of(prompt)
        # Text between two control tokens is split by itself: what stands before the last one is
        # the same in both.
        since = length
        while since and whole.ids[since - 1] not in self._control:
            since -= 1
        begin = whole.ends[since - 1] if since else 0
        is_same = self._split(prompt[begin:]).ids == whole.ids[since:length]
        if not is_same and self._split(prompt).ids != whole.ids[:length]:
            raise Unrendered(NOT_STABLE, "an answer changes how its prompt is split")
        return length

    def _refuse_control(self, sample: Sample) -> None:
        if self._finder is None:
            return
        for text in _texts(sample):
            if self._finder.find_matches_as_indexes(text):
                raise Unrendered("control_string")

    def _probe(self, directory: Path) -> None:
        """Refuse a template that no conversation could be trained with."""
        try:
            self.tokens(Sample("", "", _PROBE, ()))
        except Unrendered as error:
            why = {NOT_STABLE: "the prompt after an answer is no continuation of the one before"}
            raise DevtuneError(
                f"{directory}: its chat template cannot be trained with"
                f" ({why.get(error.reason, error.detail or error.reason)}); use the template the"
                " model is trained with"
            ) from None


class _Split(NamedTuple):
    """A text and its tokens; `ends` are places in the text, ascending."""

    text: str
    ids: list[int]
    ends: list[int]

    def num_tokens_of(self, beginning: str) -> int:
        """How many tokens end within a beginning of the text."""
        return bisect_right(self.ends, len(beginning))


def _merged(messages: Sequence[Message]) -> list[Message]:
    """Join messages of one role as mistral-common does; results of tools stay apart."""
    merged: list[Message] = []
    for role, run in groupby(messages, key=lambda each: each.role):
        if role == "tool":
            merged += run
            continue
        some = list(run)
        merged.append(
            replace(
                some[0],
                content="\n\n".join(each.content for each in some if each.content),
                tool_calls=tuple(call for each in some for call in each.tool_calls),
                is_trained=all(each.is_trained for each in some),
                reasoning_content="\n\n".join(filter(None, (e.reasoning_content for e in some))),
            )
        )
    return merged


def _for_template(message: Message) -> dict[str, Any]:
    """Arguments are objects: so servers give them to templates."""
    found = to_openai(message)
    for call in found.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return found


def _texts(sample: Sample) -> Iterator[str]:
    yield sample.tools
    for message in sample.messages:
        yield message.content
        yield message.reasoning_content
        for call in message.tool_calls:
            yield call.name
            # Parsed and written again: an escape may hide a letter.
            yield json.dumps(json.loads(call.arguments), ensure_ascii=False)


def _tokenizer_in(file: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:
        # `tokenizers` raises nothing more precise.
        why = str(error).splitlines()[0]
        raise DevtuneError(f"{file}: cannot be read ({why}); import the weights again") from None


def _json_in(file: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DevtuneError(f"{file}: cannot be read ({error}); import the weights again") from None
    return found if isinstance(found, dict) else {}


def _template_in(directory: Path, settings: dict[str, Any]) -> str:
    file = directory / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = next((each["template"] for each in found if each.get("name") == "default"), None)
    if isinstance(found, str):
        return found
    raise DevtuneError(f"{directory}: no chat template; add a chat_template.jinja")


def _text_of(token: Any) -> str:
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _ends_in(directory: Path, tokenizer: Tokenizer, eos: str) -> frozenset[int]:
    """Ids that end an answer: those generation stops at."""
    found = _json_in(directory / "generation_config.json").get("eos_token_id", [])
    ids = [*found] if isinstance(found, list) else [found]
    ids.append(tokenizer.token_to_id(eos) if eos else None)
    return frozenset(each for each in ids if isinstance(each, int))
