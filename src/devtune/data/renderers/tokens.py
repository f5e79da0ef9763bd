"""A rendered conversation, and why there may be none."""

from typing import NamedTuple

from devtune.records import IGNORED


class Tokens(NamedTuple):
    """A whole conversation."""

    input_ids: list[int]
    turns: list[tuple[int, int]]
    """[start, end) of each of the assistant's turns, the token that ends it included."""
    is_trained: list[bool]
    """Whether each turn is trained."""

    @property
    def labels(self) -> list[int]:
        """The ids of the trained turns, -100 elsewhere; as long as `input_ids`."""
        labels = [IGNORED] * len(self.input_ids)
        for (start, end), is_trained in zip(self.turns, self.is_trained, strict=True):
            if is_trained:
                labels[start:end] = self.input_ids[start:end]
        return labels


class Unrendered(Exception):
    """A conversation that has no tokens."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
