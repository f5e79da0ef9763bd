"""Rows of `samples/` and `dataset/`: conversations, and what was made of them."""

from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from devtune.records.origins import Provenance
from devtune.records.split import STRICT


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool by the assistant."""

    id: str
    name: str
    arguments: str
    """JSON object as text, as the OpenAI API has it."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Message:
    """One chat message in the shape mistral-common and the OpenAI API share."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Only the assistant's."""
    tool_call_id: str = ""
    """Of a `tool` message: the call it answers."""
    is_trained: bool = True
    """Only the assistant's: False keeps it as context without loss."""
    mask_reason: str = ""
    """Why it is not trained."""
    reasoning_content: str = ""
    """What the assistant thought before it spoke."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation to train on or to be measured with (`samples/{train,held_out}.jsonl`)."""

    sample_id: str
    """First 16 hex digits of sha256 over family and messages: equal text, equal id."""
    family: str
    """Name of the step that made it, e.g. `commit_edit`."""
    messages: tuple[Message, ...]
    provenance: tuple[Provenance, ...]
    """Every place the text came from; more than one when duplicates were folded together."""
    tools: str = ""
    """JSON array of the tools the assistant may call, as the OpenAI API has it; `""` for none."""
    step: int = 0
    """Number of the step that made it in `build.steps`, from 1."""
    template: str = ""
    """Template of the request and the first 12 hex digits of its sha256: `name.jinja@0123…`."""
    transformations: tuple[str, ...] = ()
    """What was done to texts of the repository on the way into the messages, in this order."""
    task: str = ""
    """Equal for the sessions that were given one task; of trajectories."""
    outcome: str = ""
    """Whether that task was resolved: `resolved`, `unresolved` or `unknown`."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Preference:
    """Two sessions of one task (`samples/preferences.jsonl`); `prompt` is common to both.

    Both are of the training side: nothing held out is a side of a pair.
    """

    sample_id: str
    """First 16 hex digits of sha256 over kind, prompt, chosen and rejected."""
    kind: Literal["trajectory", "divergence"]
    task: str
    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    """What follows in the session that resolved the task; of a divergence, one message."""
    rejected: tuple[Message, ...]
    reason: str
    """Why the other one is rejected."""
    chosen_id: str
    """`sample_id` of the chosen session."""
    provenance: tuple[Provenance, ...]
    """Of the chosen session, then of the rejected one."""
    tools: str = ""
    """As in `Sample`."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class DuplicateCluster:
    """Files that are nearly the same (`samples/duplicates.jsonl`); nothing is made of `dropped`."""

    kept: Provenance
    """The newest of them."""
    dropped: tuple[Provenance, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Contamination:
    """One sample that was left out for words it shares (`samples/contamination.jsonl`)."""

    sample_id: str
    family: str
    source: str
    path: str
    reference: str
    """The benchmark, or the file the user named."""
    document: str
    """Which of its documents."""
    ngram: str
    """The words in a row that stand in both."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One rendered sample (`dataset/{train,held_out}.parquet`)."""

    sample_id: str
    family: str
    input_ids: list[int]
    labels: list[int]
    """Same length as `input_ids`; -100 where the token is not trained."""
    num_trained_bytes: int
    """UTF-8 bytes of the trained text, the denominator of bits per byte."""
    part: int = 0
    """Number of the row among those of its sample, from 1; 0 where it has only one."""


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """One rendered pair (`dataset/preferences.parquet`), in the names TRL's `DPOTrainer` has.

    `prompt_ids + chosen_ids` is one whole conversation as the server has it, `prompt_ids +
    rejected_ids` another.
    """

    sample_id: str
    """That of the pair."""
    family: str
    """Its kind: `trajectory` or `divergence`."""
    prompt_ids: list[int]
    """Up to where the assistant begins to speak."""
    chosen_ids: list[int]
    rejected_ids: list[int]
    chosen_labels: list[int]
    """Same length as `chosen_ids`; -100 where the assistant did not say it, or is not to learn it.
    """
    rejected_labels: list[int]
    """Same length as `rejected_ids`; -100 where the assistant did not say it."""

    @property
    def num_tokens(self) -> int:
        """Tokens of the longer one of both conversations."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))
