"""One session as the rules look at it: turns with their calls, and what each call gave.

Works on rows in memory; reads and writes no files.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from atif import Step

from devtune.records.sessions import (
    COMPACTION,
    EXIT_CODE,
    INJECTED,
    IS_ERROR,
    RAW_ARGUMENTS,
    UNDONE,
    Session,
    as_text,
)

EDITS = frozenset(
    ("edit", "multiedit", "write", "write_file", "search_replace", "str_replace", "apply_patch")
    + ("str_replace_editor", "str_replace_based_edit_tool", "file_editor", "replace_in_file")
    + ("write_to_file", "create_file", "edit_file", "insert", "replace")
)
SHELLS = frozenset(
    ("bash", "shell", "exec_command", "execute_bash", "execute_command", "local_shell", "terminal")
    + ("run_command", "run_shell_command", "run_in_terminal")
)
_PATHS = ("path", "file_path", "filename", "file", "target_file")
_FAILED_EDIT = re.compile(
    r"(?i)not found in|no match|did not match|does not match|not unique|multiple (matches|occurr)"
    r"|no replacement was performed|string to replace not found|failed to (find|apply)"
    r"|\"type\": ?\"error\"|<error>"
)
_EXIT_CODE = re.compile(
    r"<returncode>(-?\d+)</returncode>|\"(?:returncode|exit_code)\": ?(-?\d+)"
    r"|(?i:exit(?:ed with)? code:? (-?\d+))"
)
_NOT_FOUND = re.compile(r"command not found|: not found$|No such file or directory: '\S+'", re.M)
_TIMEOUT = re.compile(r"\"timed_out\": ?true|(?i:\b(command|call|execution) timed out\b)")
_UNKNOWN = re.compile(r"(?i)(unknown|no such|invalid|unavailable) (tool|function)|tool .{0,60}not")
_TESTS = re.compile(
    r"\b(pytest|unittest|tox|nox|jest|vitest|mocha|rspec|phpunit|ctest|minitest)\b"
    r"|\b(cargo|go|npm|yarn|pnpm|dotnet|mix|swift|bazel|make|mvn|gradlew?|npm run)\b[^|;&]*"
    r"\b(test|check|verify)\b|\bpython\S*\s+\S*test\S*\.py"
)
_FAILURES = re.compile(r"\b(FAILED|FAILURES|failed|Traceback|Error|ERROR|panicked)\b")
_SHELL_EDIT = re.compile(
    r"\bsed\s+(-\S+\s+)*-i|\bgit\s+apply\b|\bpatch\b|\btee\b|(?<![0-9&])>>?\s*\w"
)
_HEAD = 4000
"""Characters at the beginning and the end of a result where a tool says how it went."""


@dataclass(slots=True)
class Called:
    """One call and its result."""

    id: str
    name: str
    arguments: dict[str, Any]
    raw: str = ""
    """What the model wrote where that is no JSON object."""
    result: str | None = None
    is_error: bool | None = None
    exit_code: int | None = None

    @property
    def signature(self) -> str:
        """Equal for equal calls."""
        return json.dumps([self.name, self.arguments, self.raw], sort_keys=True)

    @property
    def is_edit(self) -> bool:
        """Whether it changes a file by a tool made for that."""
        is_look = self.arguments.get("command") in ("view", "read")
        return self.name.lower().rpartition(".")[2] in EDITS and not is_look

    @property
    def path(self) -> str:
        """The file it is about, `""` where it names none."""
        found = (self.arguments.get(name) for name in _PATHS)
        return next((each for each in found if isinstance(each, str) and each), "")

    @property
    def command(self) -> str:
        """What a shell is asked, `""` for other tools."""
        if self.name.lower().rpartition(".")[2] not in SHELLS:
            return ""
        given = self.arguments.get("command", self.arguments.get("cmd", ""))
        if isinstance(given, list):
            return " ".join(str(each) for each in cast(list[Any], given))
        return given if isinstance(given, str) else ""

    @property
    def status(self) -> int | None:
        """Exit code of a command, as the log or the result itself tells it."""
        if self.exit_code is not None:
            return self.exit_code
        match = _EXIT_CODE.search(self._ends) if self.command else None
        return int(next(filter(None, match.groups()))) if match else None

    @property
    def is_failed_edit(self) -> bool:
        """Whether an edit changed nothing."""
        if not self.is_edit or self.result is None:
            return False
        if self.is_error is not None:
            return self.is_error
        return _FAILED_EDIT.search(self.result[:_HEAD]) is not None

    @property
    def changes_files(self) -> bool:
        """Whether it may have changed something."""
        return (self.is_edit and not self.is_failed_edit) or bool(_SHELL_EDIT.search(self.command))

    @property
    def is_test(self) -> bool:
        """Whether it runs tests."""
        return bool(_TESTS.search(self.command))

    @property
    def passes(self) -> bool:
        """Whether a command ended well; what its output says decides where no code is known."""
        if self.status is not None:
            return self.status == 0
        return self.is_error is not True and not _FAILURES.search(self.result or "")

    @property
    def is_not_found(self) -> bool:
        """Whether the shell did not know the command."""
        if not self.command or self.status in (0, None):
            return self.status == 127
        return self.status == 127 or bool(_NOT_FOUND.search(self._ends))

    @property
    def is_timeout(self) -> bool:
        """Whether it ran out of time."""
        return bool(_TIMEOUT.search(self._ends))

    def is_unknown(self, known: frozenset[str]) -> bool:
        """Whether no tool is called so; `known` is empty where the log has no definitions."""
        if known:
            return self.name not in known
        return self.is_error is True and bool(_UNKNOWN.search((self.result or "")[:200]))

    @property
    def _ends(self) -> str:
        text = self.result or ""
        return text if len(text) <= 2 * _HEAD else f"{text[:_HEAD]}\n{text[-_HEAD:]}"


@dataclass(slots=True)
class Turn:
    """What somebody said, and what came of it."""

    source: Literal["system", "user", "agent"]
    text: str
    calls: list[Called] = field(default_factory=list[Called])
    reasoning: str = ""
    """What it thought before it spoke."""
    observed: str = ""
    """What the surroundings answered to no call in particular."""
    is_injected: bool = False
    is_compaction: bool = False
    is_undone: bool = False
    mask: str = ""
    """Why the turn is not trained; empty where it is. The first reason stays."""

    def hide(self, reason: str) -> None:
        """Keep the turn as context only."""
        if self.source == "agent":
            self.mask = self.mask or reason


@dataclass(slots=True)
class Talk:
    """A session; rules change it in place."""

    session: Session
    turns: list[Turn]
    known_tools: frozenset[str]
    done: list[str] = field(default_factory=list[str])
    """What was done to it, in this order, each once."""

    @staticmethod
    def of(session: Session) -> "Talk":
        """Take a session apart."""
        definitions = session.agent.tool_definitions or []
        functions = (each.get("function") or {} for each in definitions)
        names = frozenset(str(each.get("name")) for each in functions if each.get("name"))
        return Talk(session, [_turn(each) for each in session.steps], names)

    def note(self, what: str) -> None:
        """Remember what was done."""
        if what not in self.done:
            self.done.append(what)

    def agent_turns(self) -> list[Turn]:
        """Return what the model said."""
        return [each for each in self.turns if each.source == "agent"]

    def calls(self) -> Iterator[tuple[Turn, Called]]:
        """Yield every call with the turn it stands in."""
        for turn in self.turns:
            for call in turn.calls:
                yield turn, call


def _turn(step: Step) -> Turn:
    extra = step.extra or {}
    turn = Turn(step.source, as_text(step.message))
    turn.reasoning = step.reasoning_content or ""
    turn.is_injected = extra.get(INJECTED) is True
    turn.is_compaction = extra.get(COMPACTION) is True
    turn.is_undone = extra.get(UNDONE) is True
    for call in step.tool_calls or ():
        raw = (call.extra or {}).get(RAW_ARGUMENTS)
        raw = raw if isinstance(raw, str) else ""
        turn.calls.append(Called(call.tool_call_id, call.function_name, call.arguments, raw))
    by_id = {call.id: call for call in turn.calls}
    loose: list[str] = []
    for result in step.observation.results if step.observation else ():
        text, about = as_text(result.content), result.extra or {}
        call = by_id.get(result.source_call_id or "")
        if call is None:
            loose.append(text)
            continue
        call.result = text
        is_error, code = about.get(IS_ERROR), about.get(EXIT_CODE)
        call.is_error = is_error if isinstance(is_error, bool) else None
        call.exit_code = code if isinstance(code, int) else None
    turn.observed = "\n".join(filter(None, loose))
    if step.is_copied_context:
        turn.hide("copied_context")
    if step.llm_call_count == 0:
        turn.hide("not_the_models")
    return turn
