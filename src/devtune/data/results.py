"""What the served agent is told a tool call gave: the results of Vibe 3 as its model reads them.

Reads and writes nothing. A result is one JSON object without spaces, its keys in a fixed order.
"""

import json
from typing import Any

from devtune.data.tools import EDIT, READ, SHELL, WRITE, Tools
from devtune.records import Action

WORKSPACE = "/workspace"
"""Directory the agent works in: results name files from the root."""


def show_result(action: Action, is_replaced: bool = False) -> str:
    """Return the content of the `tool` message that answers the call of `action`.

    `is_replaced`: the file it writes was there before.
    """
    call = Tools.call("", action)
    given: dict[str, Any] = json.loads(call.arguments)
    match call.name:
        case name if name == READ:
            result = _read(action, given)
        case name if name == WRITE:
            result = {
                "path": _placed(given["path"]),
                "bytes_written": len(given["content"].encode()),
                "file_existed": is_replaced,
            }
        case name if name == EDIT:
            lines = (given["old_string"].splitlines(), given["new_string"].splitlines())
            result = {
                "file": _placed(given["file_path"]),
                "lines_changed": max(map(len, lines)),
                "warnings": [],
            }
        case name:
            assert name == SHELL
            result = {
                "command": given["command"],
                "stdout": action.output,
                "stderr": "",
                "returncode": action.exit_code,
                "was_truncated": False,
                "timed_out": False,
            }
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def _read(action: Action, given: dict[str, Any]) -> dict[str, Any]:
    offset: int = given.get("offset", 0)
    num_read = action.output.count("\n") + bool(action.output and action.output[-1] != "\n")
    end = offset + num_read
    is_cut = end < action.num_lines
    return {
        "path": _placed(given["path"]),
        "content": action.output,
        "file_size_bytes": action.num_bytes,
        "returned_bytes": len(action.output.encode()),
        "offset": offset,
        "lines_read": len(action.output.splitlines()),
        "total_lines": action.num_lines,
        "next_offset": end if is_cut else None,
        "was_truncated": is_cut,
    }


def _placed(path: str) -> str:
    return f"{WORKSPACE}/{path}"
