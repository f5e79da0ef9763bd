"""Where exchanges are written down: files of one JSON object a line, which nothing overwrites.

Writes new files of mode 0600 in a directory of mode 0700; reads none.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from devtune.errors import DevtuneError, RecipeError, one_line
from devtune.records.journal import FORMAT, RESPONSE

SECONDS_BETWEEN_SYNCS = 0.5
"""What a power cut may cost; a kill costs nothing that was written."""
MAX_BYTES = 100 << 20
"""A journal beyond is followed by another: `collect` reads no file of more than 256 MiB."""


class Journal:
    """One file."""

    def __init__(self, file: Path) -> None:
        self.file, self.size = file, 0
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(file, flags, 0o600)
        self.append({"format": FORMAT, "journal": file.stem, "at": now()})
        self.sync()
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)  # the name of the file, too
        os.close(folder)

    def append(self, line: dict[str, Any]) -> None:
        """Write one line, or raise `OSError` and leave the file as it was."""
        content = memoryview(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        try:
            written = 0
            while written < len(content):
                written += os.write(self._descriptor, content[written:])
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(content)

    def sync(self) -> None:
        """Wait until what was written would survive a power cut."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)


class Recorder:
    """Writes lines at once, and has a thread wait for the disk.

    A write goes to memory of the system and is done sooner than a thread could be asked to do it.
    What cannot be written is said once by `warn` and counted; where recording is strict it is
    raised as `DevtuneError`.
    """

    def __init__(self, place: Path, warn: Callable[[str], None], is_strict: bool = False) -> None:
        """Open the first journal: `place` if it ends in `.jsonl`, else a new file below it."""
        self._warn, self._is_strict, self._is_warned = warn, is_strict, False
        self._syncer = ThreadPoolExecutor(1)
        self._timer: asyncio.TimerHandle | None = None
        self.num_recorded = self.num_lost = 0
        try:
            self.journals = [Journal(_new_file(place))]
        except FileExistsError:
            raise RecipeError(
                f"--journal: {place}: is there already; name a new file or a directory"
            ) from None
        except OSError as error:
            raise DevtuneError(one_line(error, place, "--journal")) from None

    def current(self) -> Journal:
        """Return the journal that an exchange which begins now is written to."""
        if self.journals[-1].size > MAX_BYTES:
            first = self.journals[0].file
            try:
                name = f"{first.stem}-{len(self.journals) + 1}{first.suffix}"
                self.journals.append(Journal(first.with_name(name)))
            except OSError as error:
                self._say(error, first)
        return self.journals[-1]

    def append(self, journal: Journal, line: dict[str, Any]) -> bool:
        """Write one line; return whether it is written.

        Raises `DevtuneError` where recording is strict and this fails.
        """
        try:
            journal.append(line)
        except OSError as error:
            self.num_lost += line["event"] == RESPONSE
            if self._is_strict:
                raise DevtuneError(one_line(error, journal.file, "--journal")) from None
            self._say(error, journal.file)
            return False
        self.num_recorded += line["event"] == RESPONSE and line["is_complete"]
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SECONDS_BETWEEN_SYNCS, self._begin_sync)
        return True

    def _begin_sync(self) -> None:
        self._timer = None
        self._syncer.submit(self._sync)

    def _sync(self) -> None:
        try:
            for each in self.journals[-2:]:
                each.sync()
        except OSError as error:
            self._say(error, self.journals[-1].file)

    def _say(self, error: OSError, file: Path) -> None:
        if not self._is_warned and not self._is_strict:
            self._is_warned = True
            self._warn(f"{one_line(error, file, '--journal')}; traffic passes on unrecorded")

    def close(self) -> None:
        """Write what is left to the disk; nothing may be appended any more."""
        if self._timer:
            self._timer.cancel()
        self._syncer.shutdown()
        self._sync()
        for each in self.journals:
            each.close()


def _new_file(place: Path) -> Path:
    folder = place.parent if place.suffix == ".jsonl" else place
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder != place:
        return place
    started = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"record-{started}-{secrets.token_hex(4)}.jsonl"


def now() -> str:
    """Return the time as journals have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
