"""What a stage says while it works: a bar on a terminal, lines in a log, events for scripts."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TextIO, TypeVar

Style = Literal["auto", "quiet", "json"]
T = TypeVar("T")
SECONDS_BETWEEN_LINES = 10.0


@dataclass
class Progress:
    """The voice of one command. `quiet` says nothing, `json` writes one event a line."""

    style: Style = "auto"
    out: TextIO | None = None
    _last_line: float = 0.0
    _live: Any = None

    @property
    def _out(self) -> TextIO:
        return self.out or sys.stdout

    def say(self, stage: str, text: str, **event: Any) -> None:
        """One fact, in a line; `event` carries it for scripts."""
        if self.style == "json":
            self.event(stage=stage, message=text, **event)
        elif self.style == "auto":
            print(f"{stage:>8}  {text}", file=self._out, flush=True)

    def event(self, **event: Any) -> None:
        """One JSON event; only in the json style."""
        if self.style == "json":
            print(json.dumps(event, sort_keys=True, default=str), file=self._out, flush=True)

    def track(
        self, stage: str, items: Iterable[T], total: int | None = None, unit: str = "rows"
    ) -> Iterator[T]:
        """Pass `items` through, showing how far it is."""
        if self.style == "auto" and self._out.isatty():
            yield from self._bar(stage, items, total, unit)
        elif self.style == "auto":
            yield from self._lines(stage, items, total, unit)
        else:
            yield from items

    def step(self, stage: str, done: int, total: int, text: str) -> None:
        """How far long work in another process is; call it as often as there is news."""
        if self.style != "auto":
            return
        if self._out.isatty():
            self._move_bar(stage, done, total, text)
        elif done == total or time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.say(stage, f"step {done} of {total}  {text}")

    def _move_bar(self, stage: str, done: int, total: int, text: str) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        if self._live is None:
            self._live = Bar(console=Console(file=self._out), transient=True)
            self._live.add_task(stage, total=total)
            self._live.start()
        self._live.update(self._live.task_ids[0], completed=done, description=f"{stage}  {text}")
        if done == total:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Take a bar off the terminal that its work did not finish."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _bar(self, stage: str, items: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description:>8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=Console(file=self._out), transient=True) as bar:
            yield from bar.track(items, total=total, description=stage)

    def _lines(self, stage: str, items: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        last = time.monotonic()
        for count, item in enumerate(items):
            if time.monotonic() - last > SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                self.say(stage, f"{count}{f' of {total}' if total else ''} {unit}")
            yield item
