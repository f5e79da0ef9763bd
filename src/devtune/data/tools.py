"""The tools of the served agent: their definitions, and how one action is a call of one of them.

Reads a JSON file of `data_prep/tools/`; writes nothing.
"""

import json
from pathlib import Path
from typing import Any, cast

from devtune.errors import DevtuneError, one_line
from devtune.records import Action, ToolCall

READ, WRITE, EDIT, SHELL = "read_file", "write_file", "edit", "bash"


class Tools:
    """One set of tools, in the shape of the OpenAI API."""

    def __init__(self, file: Path) -> None:
        try:
            definitions: Any = json.loads(file.read_text(encoding="utf-8"))
            names = {each["function"]["name"] for each in definitions}
        except OSError as error:
            raise DevtuneError(one_line(error, file)) from None
        except (ValueError, TypeError, KeyError):
            raise DevtuneError(
                f"{file}: not a JSON array of tools as the OpenAI API has them; correct it"
            ) from None
        if missing := sorted({READ, WRITE, EDIT, SHELL} - names):
            raise DevtuneError(f"{file}: no tool is called {missing[0]!r}; add its definition")
        self.text = json.dumps(definitions, ensure_ascii=False)
        """The definitions as a row of `Sample.tools` holds them."""

    @staticmethod
    def call(call_id: str, action: Action) -> ToolCall:
        """Return `action` as the served agent calls it."""
        given = cast(dict[str, Any], json.loads(action.arguments))
        name, arguments = _spelt(action.tool, given)
        return ToolCall(call_id, name, json.dumps(arguments, ensure_ascii=False))


def _spelt(tool: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    match tool:
        case "read":
            return READ, given
        case "write":
            return WRITE, given
        case "edit":
            return EDIT, {
                "file_path": given["path"],
                "old_string": given["old"],
                "new_string": given["new"],
            }
        case "grep":
            where = f" -- {_quoted(given['path'])}" if "path" in given else ""
            cut = f" | head -n {given['limit']}" if "limit" in given else ""
            return SHELL, {"command": f"git grep -n -F -e {_quoted(given['pattern'])}{where}{cut}"}
        case _:
            return SHELL, {"command": given["command"]}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
