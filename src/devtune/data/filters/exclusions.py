"""What the policy of the data's owner leaves out by path and by header, and what it keeps.

Reads `exclude.yaml` of `data_prep/policy/`; writes nothing.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path

from devtune.data.filters.policy import Patterns, PolicySection, read_policy

HEADER_LINES = 5
HEADER_CHARACTERS = 4096
_CACHED_HEADERS = 4096
PATH_REASONS = ("vendored", "generated", "lock_file", "minified", "data_file")


class Exclusions(PolicySection):
    """The policy file: for each reason the patterns of the paths it takes out."""

    keep: Patterns
    """Own files that Linguist's rules would take out; they object to nothing else."""
    vendored: Patterns
    """Other people's code kept in the tree."""
    generated: Patterns
    """Written by a program, as its path says."""
    lock_file: Patterns
    """Resolved dependencies."""
    minified: Patterns
    """Code squeezed for browsers."""
    data_file: Patterns
    """Data rather than code or prose."""
    generated_headers: Patterns
    """Written by a program, as its first five lines say."""

    def reject_path(self, path: str) -> str | None:
        """Return the reason a path alone is left out, or None. `path` has forward slashes."""
        for reason in PATH_REASONS:
            patterns: Patterns = getattr(self, reason)
            if any(pattern.search(path) for pattern in patterns):
                return reason
        return None

    def reject_text(self, text: str) -> str | None:
        """Return `generated` where the first lines say so, or None."""
        head = text[:HEADER_CHARACTERS].split("\n", HEADER_LINES)[:HEADER_LINES]
        return "generated" if self._judge_header("\n".join(head)) else None

    @cached_property
    def _judge_header(self) -> Callable[[str], bool]:
        # The versions of a file have most often the same header.
        return lru_cache(_CACHED_HEADERS)(self._look_at_header)

    def _look_at_header(self, header: str) -> bool:
        return any(pattern.search(header) for pattern in self.generated_headers)

    def keeps(self, path: str) -> bool:
        """Whether a path is one of `keep`."""
        return any(pattern.search(path) for pattern in self.keep)


def load_policy(file: Path) -> Exclusions:
    """Read the policy file. Raises `RecipeError` as `read_policy`."""
    return read_policy(file, Exclusions, "a list of regular expressions")
