"""What issues and reviews say of commits and file versions.

Reads `discussions.jsonl` of a corpus once, whole; writes nothing.
"""

from collections import defaultdict
from pathlib import Path

from devtune.jsonl import read_jsonl
from devtune.records import Discussion, ReviewComment


class Discussions:
    """Looks discussions up by source and commit, issue number, or the blob a remark stands on."""

    def __init__(self, file: Path) -> None:
        self._by_commit: dict[tuple[str, str], list[Discussion]] = defaultdict(list)
        self._by_number: dict[tuple[str, str, int], Discussion] = {}
        self._by_blob: dict[tuple[str, str], list[tuple[Discussion, ReviewComment]]] = defaultdict(
            list
        )
        for each in read_jsonl(file, Discussion) if file.is_file() else ():
            self._by_number[each.source, each.kind, each.number] = each
            for commit in each.commits:
                self._by_commit[each.source, commit].append(each)
            for remark in each.reviews:
                if remark.blob:
                    self._by_blob[each.source, remark.blob].append((each, remark))

    def of_commit(self, source: str, commit: str) -> list[Discussion]:
        """Return the change requests that name this commit as theirs."""
        return self._by_commit.get((source, commit), [])

    def issue(self, source: str, number: int) -> Discussion | None:
        """Return the issue of that number, if the dump has it."""
        return self._by_number.get((source, "issue", number))

    def change_request(self, source: str, number: int) -> Discussion | None:
        """Return the pull or merge request of that number, if the dump has it."""
        return self._by_number.get((source, "change_request", number))

    def remarks_on(self, source: str, blob: str) -> list[tuple[Discussion, ReviewComment]]:
        """Return the review comments that talk about this version of a file."""
        return self._by_blob.get((source, blob), [])
