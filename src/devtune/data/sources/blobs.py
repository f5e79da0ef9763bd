"""The contents of a repository's blobs, each asked for its size first.

Reads objects through two long-lived `git cat-file` processes; writes nothing. What is said to be
asked for next is fetched several at a time: an answer costs less than waiting for it.
"""

import hashlib
import subprocess
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import IO

from devtune.data.sources.git import Repository
from devtune.data.temporary import unnamed_file

SIZES_AT_ONCE = 256
CONTENTS_AT_ONCE = 32
BYTES_AT_ONCE = 4_000_000


class Blobs:
    """A reader of blobs; use it in a `with` block so that its processes end."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        # A pipe would fill up and block git if it had much to complain about.
        self._complaints = unnamed_file()
        self._sizes = repository.converse(
            "cat-file",
            "--batch-check=%(objecttype) %(objectname) %(objectsize)",
            complaints=self._complaints,
        )
        self._contents = repository.converse("cat-file", "--batch", complaints=self._complaints)
        self._expected: list[str] = []
        self._places: dict[str, int] = {}
        self._known_sizes: dict[str, int] = {}
        self._fetched: dict[str, bytes] = {}
        self._reached = 0
        """The furthest place of an expected blob that was read; one before it may be read late."""

    def __enter__(self) -> "Blobs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in (self._sizes, self._contents):
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    _close(pipe)
            child.wait()
        self._complaints.close()

    def expect(self, blobs: Iterable[str]) -> None:
        """Say which blobs will be asked for, in which order; others may be, too."""
        self._expected = list(dict.fromkeys(blobs))
        self._places = {blob: place for place, blob in enumerate(self._expected)}
        self._known_sizes.clear()
        self._fetched.clear()
        self._reached = 0

    def size(self, blob: str) -> int:
        """Return the size of a blob in bytes without reading it."""
        if (known := self._known_sizes.get(blob)) is not None:
            return known
        asked = self._from(blob)[:SIZES_AT_ONCE]
        self._write(self._sizes, asked)
        answers = [self._line(self._sizes) for _ in asked]
        for each, answer in zip(asked[1:], answers[1:], strict=True):
            if answer[:1] == ["blob"]:
                self._known_sizes[each] = int(answer[-1])
        return self._number(answers[0], blob)

    def read(self, blob: str, max_bytes: int | None = None) -> bytes:
        """Return the content of a blob; ask `size` first, it is held in memory whole.

        Expected blobs of more than `max_bytes` are not fetched ahead. Raises `DevtuneError` for one
        that is not what its name says: git does not look.
        """
        if (content := self._fetched.pop(blob, None)) is not None:
            return content
        asked = self._ahead(blob, max_bytes)
        self._write(self._contents, asked)
        contents = [self._content(each) for each in asked]
        self._fetched |= zip(asked[1:], contents[1:], strict=True)
        return contents[0]

    def _from(self, blob: str) -> list[str]:
        place = self._places.get(blob)
        return [blob] if place is None else self._expected[place : place + SIZES_AT_ONCE]

    def _ahead(self, blob: str, max_bytes: int | None) -> list[str]:
        """Return `blob` and the expected ones after it that are small and of known size."""
        place = self._places.get(blob, -1)
        if place < self._reached:
            return [blob]  # late: what was fetched ahead is still waiting
        self._reached = place
        self._fetched.clear()  # passed over
        asked, total = [blob], 0
        for each in self._from(blob)[1:]:
            size = self._known_sizes.get(each)
            if size is None or max_bytes is None or len(asked) == CONTENTS_AT_ONCE:
                break
            total += size
            if total > BYTES_AT_ONCE:
                break
            if size <= max_bytes:
                asked.append(each)
        return asked

    def _content(self, blob: str) -> bytes:
        size = self._number(self._line(self._contents), blob)
        output = self._contents.stdout
        assert output is not None
        content = output.read(size)
        if len(content) != size or output.read(1) != b"\n":
            raise self._fault(blob)
        if _name_of(content, "sha256" if len(blob) == 64 else "sha1") != blob:
            raise self._repository.fault(f"fatal: object {blob} holds something else")
        return content

    def find(self, commit: str, path: str) -> str:
        """Return the blob id of a path at a commit, `""` where there is none."""
        if "\n" in path:
            return ""
        self._write(self._sizes, [f"{commit}:{path}"])
        answer = self._line(self._sizes)
        return answer[1] if len(answer) == 3 and answer[0] == "blob" else ""

    def _number(self, answer: list[str], blob: str) -> int:
        if not answer or not answer[-1].isdigit():
            raise self._fault(blob)
        if "blob" not in answer:
            raise self._repository.fault(f"fatal: object {blob} is no file content")
        return int(answer[-1])

    def _write(self, child: "subprocess.Popen[bytes]", questions: Sequence[str]) -> None:
        assert child.stdin is not None
        try:
            child.stdin.write("".join(f"{each}\n" for each in questions).encode("utf-8", "replace"))
            child.stdin.flush()
        except BrokenPipeError:
            raise self._fault(questions[0]) from None

    def _line(self, child: "subprocess.Popen[bytes]") -> list[str]:
        assert child.stdout is not None
        return child.stdout.readline().decode("utf-8", "replace").split()

    def _fault(self, blob: str) -> Exception:
        self._complaints.seek(0)
        complaint = self._complaints.read().decode("utf-8", "replace")
        return self._repository.fault(complaint or f"fatal: object {blob} is missing")


def _name_of(content: bytes, algorithm: str) -> str:
    whole = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    whole.update(content)
    return whole.hexdigest()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return
