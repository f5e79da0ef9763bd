"""What all rows share: their strictness, the two sides of a split, the label of no token."""

from typing import Literal

from pydantic import ConfigDict

IGNORED = -100
"""Label of a token that is not trained, as torch's cross-entropy has it."""
Split = Literal["train", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "held_out")
PREFERENCES = "preferences"
"""Name of the files that hold pairs, all of them to train on."""
STRICT = ConfigDict(extra="forbid", strict=True)
