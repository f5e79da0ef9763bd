"""What an agent has seen so far, and whether it leads to the next file or line.

Reads and writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from devtune.data.families.hunks import Span


@dataclass(slots=True)
class Sightings:
    """Paths that stood in the task, a listing or a search, and the lines printed of each."""

    _lines: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    _directories: set[str] = field(default_factory=lambda: {"."})

    def copy(self) -> "Sightings":
        """Return the same sightings, to be added to apart from these."""
        lines = {path: set(numbers) for path, numbers in self._lines.items()}
        return Sightings(lines, set(self._directories))

    def add(self, places: Mapping[str, Iterable[int]]) -> None:
        """Remember paths and numbers of lines, from 1."""
        for path, numbers in places.items():
            self._lines.setdefault(path, set()).update(numbers)
            self._directories.update(str(each) for each in PurePosixPath(path).parents)

    def has_path(self, path: str) -> bool:
        """Whether the path was seen."""
        return path in self._lines

    def has_directory(self, path: str) -> bool:
        """Whether the directory was seen, itself or by something in it."""
        return path in self._directories or path in self._lines

    def leads_to(self, path: str, window: Span) -> bool:
        """Whether a line in the window, [first, last) from 0, was seen."""
        return any(window[0] < number <= window[1] for number in self._lines.get(path, ()))
