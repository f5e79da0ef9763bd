"""A conversation that is longer than a row, in windows that each begin as a session does.

Works on messages in memory; reads and writes no files.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from devtune.data.renderers.tokens import Tokens
from devtune.records import Message, Sample

CONTEXT = "context"


def answers_of(messages: Sequence[Message]) -> list[tuple[int, int]]:
    """[start, end) of each run of the assistant's messages: one turn of a rendered conversation."""
    found: list[tuple[int, int]] = []
    start = 0
    for role, run in groupby(messages, key=lambda each: each.role):
        end = start + len(list(run))
        if role == "assistant":
            found.append((start, end))
        start = end
    return found


def as_context(message: Message) -> Message:
    """Return a message that is trained in another row."""
    is_trained = message.role == "assistant" and message.is_trained
    return replace(message, is_trained=False, mask_reason=CONTEXT) if is_trained else message


@dataclass(frozen=True, slots=True)
class Windows:
    """Cuts one conversation after its answers; each answer is trained in one window at most."""

    sample: Sample
    whole: Tokens
    max_length: int
    render: Callable[[Sample], Tokens]

    def __iter__(self) -> Iterator[Tokens | int]:
        """Yield each window that fits and trains something, or the number of a turn too long.

        A window is what stands before the first answer, the last words of the user before the
        window, up to half of its length of turns that were trained already, then as many new ones
        as fit.
        """
        answers = answers_of(self.sample.messages)
        new = 0
        while new < len(answers):
            first = self._first(new)
            last = self._last(first, new)
            trains = any(
                each.is_trained
                for start, end in answers[new : last + 1]
                for each in self.sample.messages[start:end]
            )
            found = self._fitting(answers, first, new, last) if trains else None
            if found:
                tokens, last = found
                yield tokens
            elif trains:
                last = new
                yield new + 1
            new = last + 1

    def _fitting(
        self, answers: Sequence[tuple[int, int]], first: int, new: int, last: int
    ) -> tuple[Tokens, int] | None:
        while last >= new:
            tokens = self.render(self._window(answers, first, new, last))
            if len(tokens.input_ids) <= self.max_length:
                return tokens, last
            if last > new:
                last -= 1
            elif first < new:
                first = new
            else:
                break
        return None

    def _window(
        self, answers: Sequence[tuple[int, int]], first: int, new: int, last: int
    ) -> Sample:
        messages = self.sample.messages
        start, first_new, end = answers[first][0], answers[new][0], answers[last][1]
        opening = messages[: answers[0][0]]
        between = messages[len(opening) : start]
        asked = [each for each in between if each.role == "user"][-1:]
        seen = (as_context(each) for each in messages[start:first_new])
        return replace(self.sample, messages=(*opening, *asked, *seen, *messages[first_new:end]))

    def _first(self, new: int) -> int:
        """Return the first turn of context that takes no more than half of the row."""
        first = new
        while first and self._length(first - 1, new - 1) <= self.max_length // 2:
            first -= 1
        return first

    def _last(self, first: int, new: int) -> int:
        """Return the last turn that seems to fit, `new` at least."""
        last = new
        while last + 1 < len(self.whole.turns) and self._length(first, last + 1) <= self.max_length:
            last += 1
        return last

    def _length(self, first: int, last: int) -> int:
        """Tokens of a window without the words of the user that stand before it."""
        turns = self.whole.turns
        return turns[0][0] + turns[last][1] - turns[first][0]
