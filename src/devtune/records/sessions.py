"""Rows of `corpus/sessions.jsonl`: ATIF documents, and beside what agents log where they came from.

Each row is a whole ATIF 1.8 document, so other tools read it; what devtune adds is under `extra`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import orjson
from atif import Trajectory
from pydantic import TypeAdapter, with_config

from devtune.records.origins import Provenance
from devtune.records.split import STRICT, Split

KEY = "devtune"
"""The key under `extra` of a document that holds `SessionFacts`."""
Outcome = Literal["resolved", "unresolved", "unknown"]

INJECTED = "is_injected"
"""Extra of a user or system step: the agent program put it there, not a person."""
COMPACTION = "is_compaction"
"""Extra of a step: the model saw nothing before it any more, but what it sums up."""
UNDONE = "is_undone"
"""Extra of an agent step: a person declined it or took it back."""
RAW_ARGUMENTS = "raw_arguments"
"""Extra of a call: what the model wrote where that is no JSON object."""
IS_ERROR = "is_error"
"""Extra of a result: whether the agent program calls it one."""
EXIT_CODE = "exit_code"
"""Extra of a result: of the command that was run."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What devtune knows of a session besides what its log says."""

    provenance: Provenance
    """`path` is the log's in its source, `commit` that of the repository it began at."""
    split: Split
    format: str
    """The reader that understood the log."""
    task: str
    """Equal for the sessions that were given one task."""
    is_complete: bool
    """Whether the agent ended it: submitted, or gave a last answer with no call left open."""
    outcome: Outcome = "unknown"
    exit_status: str = ""
    """As the log has it."""
    parent: str = ""
    """Id of the session whose agent started this one."""
    consent: str = ""
    """Where it is on record that it may be trained on; empty where nobody said so."""
    vendor_terms: Literal["permitted", "forbidden", "unknown"] = "unknown"
    """Whether the terms of the model's vendor let its output be trained on."""


_FACTS = TypeAdapter(SessionFacts)


class Session(Trajectory):
    """One session of a coding agent; raises `ValidationError` for what is no ATIF document."""

    @cached_property
    def facts(self) -> SessionFacts:
        """Where it came from, and what is known of it."""
        return _FACTS.validate_json(orjson.dumps((self.extra or {}).get(KEY)))

    @property
    def split(self) -> Split:
        """The side of the split it belongs to."""
        return self.facts.split


def as_text(content: Any) -> str:
    """Return the text of a message or an observation; pictures and sounds have none."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if part.text is not None)
