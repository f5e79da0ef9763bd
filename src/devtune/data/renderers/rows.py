"""What every renderer does alike: tokens and labels of a conversation, in one row or several.

Works on samples in memory; reads and writes no files.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from devtune.data.renderers.tokens import Tokens, Unrendered
from devtune.data.renderers.windows import Windows
from devtune.data.selection.wording import strings_in
from devtune.pipeline import RenderSection
from devtune.records import IGNORED, Rejected, Sample, TokenRow


class Span(NamedTuple):
    """A run of tokens that are alike, as text; control tokens are spelt by their names."""

    text: str
    is_trained: bool
    is_control: bool


class Renderer(ABC):
    """Token ids as the server computes them, and which of them are the assistant's own."""

    @abstractmethod
    def tokens(self, sample: Sample) -> Tokens:
        """Return the whole conversation.

        Raises:
            Unrendered: the server would not understand it.
        """

    @abstractmethod
    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens without control tokens."""

    @abstractmethod
    def spell(self, tokens: Sequence[int]) -> str:
        """Text of the tokens, control tokens spelt by their names."""

    @abstractmethod
    def is_control(self, token: int) -> bool:
        """Whether it is one that no text of a conversation can contain."""

    def num_bytes(self, tokens: Sequence[int]) -> int:
        """UTF-8 bytes of the text of the tokens."""
        return len(self.decode(tokens).encode())

    def views(self, sample: Sample) -> Sequence[Sample]:
        """Return the conversation once for each prompt that is no beginning of the next one."""
        return (sample,)

    def rows(self, sample: Sample, section: RenderSection) -> tuple[list[TokenRow], list[Rejected]]:
        """Return the rows of one conversation, and why it has none or not all."""
        rows: list[TokenRow] = []
        rejects: list[Rejected] = []
        if has_empty_answer(sample):
            return [], [rejected("empty_answer", sample)]
        try:
            for view in self.views(sample):
                found = self._rows_of(view, section, rejects)
                rows += (self._row(sample, tokens) for tokens in found if any(tokens.is_trained))
        except Unrendered as error:
            return [], [rejected(error.reason, sample, error.detail)]
        if not rows and not rejects:
            rejects.append(rejected("nothing_to_train", sample))
        if len(rows) > 1:
            rows = [replace(row, part=number) for number, row in enumerate(rows, 1)]
        return rows, rejects

    def _rows_of(
        self, view: Sample, section: RenderSection, rejects: list[Rejected]
    ) -> Iterator[Tokens]:
        whole = self.tokens(view)
        num = len(whole.input_ids)
        if num <= section.max_length:
            yield whole
            return
        if section.over_length == "drop" or len(whole.turns) == 1:
            rejects.append(rejected("too_long", view, f"{num} tokens"))
            return
        for window in Windows(view, whole, section.max_length, self.tokens):
            if isinstance(window, Tokens):
                yield window
            else:
                detail = f"turn {window} of {len(whole.turns)}"
                rejects.append(rejected("turn_too_long", view, detail))

    def _row(self, sample: Sample, tokens: Tokens) -> TokenRow:
        ids = tokens.input_ids
        num_bytes = sum(
            self.num_bytes(ids[start:end])
            for (start, end), is_trained in zip(tokens.turns, tokens.is_trained, strict=True)
            if is_trained
        )
        return TokenRow(sample.sample_id, sample.family, ids, tokens.labels, num_bytes)

    def scannable(self, input_ids: Sequence[int], sample: Sample) -> str:
        """The text of a row of a sample as it is trained, control tokens spelt by their names.

        Then the arguments of tool calls once more: in JSON a line break is two other characters.
        """
        calls = (call for message in sample.messages for call in message.tool_calls)
        again = (text for call in calls for text in strings_in(json.loads(call.arguments)))
        return "\n".join((self.spell(input_ids), *again))

    def spans(self, input_ids: Sequence[int], labels: Sequence[int]) -> Iterator[Span]:
        """Yield the text in runs of alike tokens; a character may take several tokens."""

        def kind(pair: tuple[int, int]) -> tuple[bool, bool]:
            return pair[1] != IGNORED, self.is_control(pair[0])

        pairs = zip(input_ids, labels, strict=True)
        for (is_trained, is_control), run in groupby(pairs, key=kind):
            yield Span(self.spell([token for token, _ in run]), is_trained, is_control)


def has_empty_answer(sample: Sample) -> bool:
    """Whether the assistant says nothing and calls nothing somewhere: no server has that."""
    answers = (each for each in sample.messages if each.role == "assistant")
    return not all(each.content.strip() or each.tool_calls for each in answers)


def num_trained(labels: Sequence[int]) -> int:
    """How many tokens the loss counts."""
    return len(labels) - labels.count(IGNORED)


def rejected(reason: str, sample: Sample, detail: str = "") -> Rejected:
    """Why a sample is not rendered; the detail begins with its id, which `trace` looks for."""
    where = sample.provenance[0]
    text = f"{sample.sample_id} {detail}".strip()
    return Rejected(reason, where.source, where.path, where.commit, text)
