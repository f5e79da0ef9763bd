"""The grammar of session steps: what is selected of agents' sessions, repaired, and masked.

They run from top to bottom on every session before the family `trajectory` makes samples of it.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from devtune.section import Count, Section

Handling = Literal["drop", "mask"]
"""`drop` leaves the session out; `mask` keeps the steps as context and does not train them."""


class Consent(Section):
    """Sessions of sources that say nobody agreed, or whose vendor's terms forbid training."""

    type: Literal["consent"]
    """Name of the step."""
    vendor_terms: tuple[Literal["permitted", "unknown"], ...] = ("permitted",)
    """Terms under which a session may be trained on."""


class OutcomeRule(Section):
    """Sessions by whether their task was resolved."""

    type: Literal["outcome"]
    """Name of the step."""
    keep: Literal["resolved", "all", "weighted"] = "resolved"
    """`weighted` keeps a share of each outcome, chosen by hash."""
    weights: dict[
        Literal["resolved", "unknown", "unresolved"], Annotated[float, Field(ge=0, le=1)]
    ] = {"resolved": 1.0, "unknown": 0.5, "unresolved": 0.0}
    """Share of each outcome that stays, for `weighted`."""


class Complete(Section):
    """Sessions the agent did not end: cut off, over a limit, or with a call left open."""

    type: Literal["complete"]
    """Name of the step."""


class Injected(Section):
    """What the agent program said in a person's place, and system text that is there twice."""

    type: Literal["injected"]
    """Name of the step."""
    keep: bool = True
    """Whether it stays as context, which the model saw; or is taken out."""
    patterns: tuple[str, ...] = (r"(?s)<system-reminder>.*?</system-reminder>\s*",)
    """Regular expressions; what they find inside a message is injected too."""


class ToolOutput(Section):
    """Long outputs of tools, cut in the middle as the serving agent cuts them."""

    type: Literal["tool_output"]
    """Name of the step."""
    max_characters: Count = 10_000
    """Longer ones are cut."""
    head: Count = 5_000
    """Characters kept of the beginning."""
    tail: Count = 5_000
    """Characters kept of the end."""
    marker: str = "\n[... {num} characters elided ...]\n"
    """What stands between; `{num}` is how many are left out."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.head + self.tail > self.max_characters:
            raise ValueError("head and tail are more than max_characters; lower one of them")
        return self


class Loops(Section):
    """Sessions that go round in circles."""

    type: Literal["loops"]
    """Name of the step."""
    same_call: Count = 3
    """Equal calls in a row from which it is a loop."""
    same_result: Count = 5
    """Equal calls with equal results, in all, from which it is a loop."""
    failed_edits: Count = 4
    """Failed edits of one path in a row from which it is a loop."""
    handling: Handling = "drop"
    """What becomes of them."""


class Claims(Section):
    """Sessions whose last word says tests pass, with no passing run after the last edit."""

    type: Literal["claims"]
    """Name of the step."""
    handling: Handling = "drop"
    """What becomes of them; `mask` does not train the last word."""


class HistoryPeeking(Section):
    """Sessions that look where the answer may lie: other commits, the forge, a newer release."""

    type: Literal["history_peeking"]
    """Name of the step."""
    patterns: tuple[str, ...] = (
        r"\bgit\s+(-\S+\s+)*(log|reflog|stash|cherry-pick|fetch|pull|show|blame)\b",
        r"\bgit\s+checkout\s+[0-9a-f]{7,40}\b",
        r"\b(curl|wget)\b[^|;&]*\b(github|gitlab|bitbucket|gitea|codeberg)\b",
        r"\bsite-packages/",
    )
    """Regular expressions of what is looked for in the arguments of calls."""
    handling: Handling = "drop"
    """What becomes of them."""


class TestTampering(Section):
    """Sessions that bend the tests instead of the code."""

    type: Literal["test_tampering"]
    """Name of the step."""
    paths: str = (
        r"(^|/)(tests?/|test_[^/]+$|[^/]+_test\.\w+$|conftest\.py$|[^/]+\.(test|spec)\.\w+$)"
    )
    """Regular expression of the paths of tests."""
    patterns: tuple[str, ...] = (
        r"@(pytest\.mark\.)?(skip|xfail|unittest\.skip)",
        r"\bpytest\.(skip|xfail)\(",
        r"\bself\.skipTest\(",
        r"\b(it|test|describe)\.skip\(",
        r"\bsys\.exit\(0\)",
        r"@(Disabled|Ignore)\b",
    )
    """Regular expressions of what an edit of a test may not add."""
    handling: Handling = "drop"
    """What becomes of them."""


class StepMasks(Section):
    """Steps that stay as context and are not trained, each with its reason."""

    type: Literal["step_masks"]
    """Name of the step."""
    reasons: tuple[
        Literal["failed_edit", "malformed_call", "unknown_tool", "repeated_call", "undone"]
        | Literal["command_not_found", "timeout"],
        ...,
    ] = (
        "failed_edit",
        "malformed_call",
        "unknown_tool",
        "repeated_call",
        "undone",
        "command_not_found",
        "timeout",
    )
    """What masks a step. A failing test the agent ran on purpose is none of them."""


SessionStep = (
    Consent
    | OutcomeRule
    | Complete
    | Injected
    | ToolOutput
    | Loops
    | Claims
    | HistoryPeeking
    | TestTampering
    | StepMasks
)
