"""GitHub Linguist's rules, as go-enry has them: vendored, generated, and names of languages.

Reads what it is handed; writes nothing. The Go library is loaded when the first question is asked,
in the process that asks it: its threads do not outlive a fork.
"""

import re
from functools import lru_cache

_CACHED_PATHS = 65_536
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{0,30}")
_FENCES = {
    "batchfile": "batch", "c#": "csharp", "c++": "cpp", "f#": "fsharp", "objective-c": "objectivec",
    "objective-c++": "objectivec", "shell": "bash",
}  # fmt: skip


@lru_cache(_CACHED_PATHS)
def is_vendored(path: str) -> bool:
    """Whether Linguist takes a path for other people's code."""
    import enry

    return bool(enry.is_vendor(_plain(path)))


@lru_cache(_CACHED_PATHS)
def is_generated_path(path: str) -> bool:
    """Whether Linguist takes a path for written by a program, whatever stands in the file."""
    import enry

    return bool(enry.is_generated(_plain(path), b""))


def is_generated(path: str, content: bytes) -> bool:
    """Whether Linguist takes a file for written by a program, wherever it lies."""
    import enry

    # What its folders say is `is_generated_path`; it takes longer than the content.
    return bool(enry.is_generated(_plain(path.rpartition("/")[2]), content))


def fence_of(language: str) -> str:
    """Return the fence name of a language that `linguist-language` names, `""` for an odd one."""
    name = _FENCES.get(language.lower(), language.lower())
    # It goes into prompts: nothing that would end a fence.
    return name if _NAME.fullmatch(name) else ""


def _plain(path: str) -> str:
    # It goes through C: no surrogates, and nothing after a NUL.
    return path.encode("utf-8", "replace").decode().replace("\0", "?")
