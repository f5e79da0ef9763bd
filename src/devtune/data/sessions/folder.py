"""A folder of files that make up one session.

Reads regular files below it, once each; writes nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devtune.data.sessions.log import Log, Unreadable, parse
from devtune.data.sources.exports import Listed, open_regular
from devtune.data.sources.fields import Object, as_object

MAX_BYTES = 256 << 20
"""Of a file: a day of an agent's work is a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Files by their path below the folder."""

    path: str
    files: dict[str, Listed]

    def log(self, name: str) -> Log:
        """Return one file taken apart. Raises `Unreadable`."""
        listed = self.files.get(name)
        if listed is None:
            raise Unreadable("incomplete_store", f"{name} is missing")
        return parse(listed.path, read_bytes(listed))

    def object(self, name: str) -> Object:
        """Return the document of one file, empty where it has none."""
        try:
            return self.log(name).document
        except Unreadable:
            return {}

    def below(self, prefix: str) -> list[str]:
        """Return the names that begin with `prefix`, in order."""
        return sorted(each for each in self.files if each.startswith(prefix))

    def __contains__(self, name: str) -> bool:
        return name in self.files


def read_bytes(listed: Listed) -> bytes:
    """Return the content of a file. Raises `Unreadable`."""
    if listed.reason:
        raise Unreadable(listed.reason)
    file = open_regular(listed.file)
    if file is None:
        raise Unreadable("unreadable")
    with file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Unreadable("oversized", f"more than {MAX_BYTES >> 20} MiB")
    return content


def peek(listed: Listed) -> Object:
    """Return the object a small file or its first line holds, else an empty one."""
    file = None if listed.reason else open_regular(listed.file)
    if file is None:
        return {}
    with file:
        start = file.read(1 << 16)
    for text in (start, start.partition(b"\n")[0]):
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            continue
        return as_object(value)
    return {}


def folders_of(files: list[Listed]) -> Iterator[tuple[str, list[tuple[str, Listed]]]]:
    """Yield every folder with all files below it, as (path below it, file); outer ones first."""
    found: dict[str, list[tuple[str, Listed]]] = {}
    for each in files:
        parts = each.path.split("/")
        for depth in range(len(parts)):
            folder = "/".join(parts[:depth])
            found.setdefault(folder, []).append(("/".join(parts[depth:]), each))
    yield from sorted(found.items(), key=lambda item: (item[0].count("/"), item[0]))
