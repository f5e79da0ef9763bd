"""The contents of a repository's blobs, one at a time, each asked for its size first.

Reads objects through two long-lived `git cat-file` processes; writes nothing.
"""

import subprocess
import tempfile
from types import TracebackType
from typing import IO

from devtune.data.sources.git import Repository


class Blobs:
    """A reader of blobs; use it in a `with` block so that its processes end."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        # A pipe would fill up and block git if it had much to complain about.
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._sizes = repository.converse(
            "cat-file",
            "--batch-check=%(objecttype) %(objectname) %(objectsize)",
            complaints=self._complaints,
        )
        self._contents = repository.converse("cat-file", "--batch", complaints=self._complaints)

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

    def size(self, blob: str) -> int:
        """Return the size of a blob in bytes without reading it."""
        return int(self._ask(self._sizes, blob)[-1])

    def read(self, blob: str) -> bytes:
        """Return the content of a blob; ask `size` first, it is held in memory whole."""
        size = int(self._ask(self._contents, blob)[-1])
        output = self._contents.stdout
        assert output is not None
        content = output.read(size + 1)[:-1]
        if len(content) != size:
            raise self._fault(blob)
        return content

    def find(self, commit: str, path: str) -> str:
        """Return the blob id of a path at a commit, `""` where there is none."""
        if "\n" in path:
            return ""
        answer = self._answer(self._sizes, f"{commit}:{path}")
        return answer[1] if len(answer) == 3 and answer[0] == "blob" else ""

    def _ask(self, child: "subprocess.Popen[bytes]", blob: str) -> list[str]:
        answer = self._answer(child, blob)
        if not answer or not answer[-1].isdigit():
            raise self._fault(blob)
        return answer

    def _answer(self, child: "subprocess.Popen[bytes]", question: str) -> list[str]:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(f"{question}\n".encode("utf-8", "replace"))
            child.stdin.flush()
        except BrokenPipeError:
            raise self._fault(question) from None
        return child.stdout.readline().decode("utf-8", "replace").split()

    def _fault(self, blob: str) -> Exception:
        self._complaints.seek(0)
        complaint = self._complaints.read().decode("utf-8", "replace")
        return self._repository.fault(complaint or f"fatal: object {blob} is missing")


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return
