"""Which files are code, and what their language is called in a Markdown fence."""

import re
from functools import lru_cache
from pathlib import PurePosixPath

_BY_SUFFIX = {
    ".bash": "bash", ".c": "c", ".cc": "cpp", ".clj": "clojure", ".cpp": "cpp", ".cs": "csharp",
    ".css": "css", ".cxx": "cpp", ".dart": "dart", ".ex": "elixir", ".exs": "elixir",
    ".go": "go", ".h": "c", ".hpp": "cpp", ".hs": "haskell", ".java": "java", ".jl": "julia",
    ".js": "javascript", ".jsx": "jsx", ".kt": "kotlin", ".lua": "lua", ".m": "objectivec",
    ".ml": "ocaml", ".php": "php", ".pl": "perl", ".py": "python", ".pyi": "python", ".r": "r",
    ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".sh": "bash", ".sql": "sql",
    ".swift": "swift", ".tcl": "tcl", ".tf": "hcl", ".ts": "typescript", ".tsx": "tsx",
    ".vue": "vue", ".zig": "zig",
}  # fmt: skip
_FENCE = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)


@lru_cache(65_536)
def language_of(path: str) -> str:
    """Return the fence name of a path's language, `""` when it is not code."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower(), "")


def fenced(code: str, language: str) -> str:
    """Return `code` between Markdown fences longer than any that stands in it."""
    fence = fence_for(code)
    return f"{fence}{language}\n{code}\n{fence}"


def fence_for(code: str) -> str:
    """Return a Markdown fence longer than any that stands in `code`."""
    longest = max((len(fence) for fence in _FENCE.findall(code)), default=2)
    return "`" * (longest + 1)
