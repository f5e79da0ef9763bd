"""The grammar of what `build` writes beside its samples."""

from typing import Literal

from devtune.section import Count, Section


class Preferences(Section):
    """Pairs of sessions of one task, the better one chosen (`samples/preferences.jsonl`).

    A session is chosen that is trained on and resolved its task. Rejected is one that did not, or
    that loops, claims what is not so, looks where the answer lies or bends the tests.
    """

    type: Literal["preferences"]
    """Name of the step."""
    kinds: tuple[Literal["trajectory", "divergence"], ...] = ("trajectory", "divergence")
    """`trajectory` pairs the whole sessions, `divergence` their first answers that differ after
    equal messages."""
    per_task: Count = 2
    """Pairs of a task and kind, chosen by hash; no session stands in two of a kind."""
