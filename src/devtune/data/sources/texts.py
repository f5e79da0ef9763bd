"""The texts of a source on their way into the corpus: rules asked, notebooks read, secrets marked.

Reads what it is handed; writes nothing. One for each part of the work, so its cache is bounded.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar, cast

from devtune.data.filters.files import NOTEBOOK, FileRules
from devtune.data.privacy.marking import Marker
from devtune.data.sources.notebook import read_notebook

CACHED_CHARACTERS = 32_000_000
CACHED_NAMES = 4096
IDENTIFIERS = frozenset(
    {"source", "commit", "blob", "old_blob", "date", "split", "language", "license", "kind", "tool"}
)
"""Fields no secret can stand in; a digest that looks like a found value must not be mangled."""
NESTED_JSON = "arguments"
"""The field of a row that holds JSON as text."""
MAX_GENERIC = 3
"""A text with more secrets that only their surroundings give away is a dump of them."""
AUTHOR_FIELD = "author"
T = TypeVar("T")
Rewrite: TypeAlias = Callable[[str], str]


class Text:
    """One text, or the reason it is left out."""

    __slots__ = ("is_clean", "language", "reason", "text")

    def __init__(
        self, text: str, reason: str | None = None, language: str = "", is_clean: bool = False
    ) -> None:
        self.text, self.reason, self.language = text, reason, language
        self.is_clean = is_clean
        """Whether there was nothing to mark in it."""


class Texts:
    """Turns bytes of files into marked texts; equal bytes at one path are looked at once."""

    def __init__(self, rules: FileRules, marker: Marker) -> None:
        self.rules, self.marker = rules, marker
        self._cache: OrderedDict[tuple[str, str], Text] = OrderedDict()
        self._cached_characters = 0
        self._clean: dict[str, str] = {}
        """By path the latest version read that had nothing to mark."""
        self.mark = lru_cache(CACHED_NAMES)(marker.mark)
        """Marks names, subjects and other short texts."""
        self.author = lru_cache(CACHED_NAMES)(marker.pseudonym)
        """Marks who wrote something."""

    def load(self, path: str, blob: str, size: int, read: Callable[[], bytes]) -> Text:
        """Return the text of a file; `read` is called only when its bytes are needed."""
        if (known := self._cache.get((path, blob))) is not None:
            self._cache.move_to_end((path, blob))
            return known
        if reason := self.rules.reject_path(path, size):
            return Text("", reason)
        text = self._read(path, read())
        self._cache[path, blob] = text
        if text.is_clean:
            self._clean[path] = blob
        self._cached_characters += len(text.text)
        while self._cached_characters > CACHED_CHARACTERS and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached_characters -= len(dropped.text)
        return text

    def _read(self, path: str, content: bytes) -> Text:
        text, reason = self.rules.read(path, content)
        if reason:
            return Text("", reason)
        language = self.rules.language_of(path)
        if path.lower().endswith(NOTEBOOK):
            notebook = read_notebook(text)
            if notebook is None:
                return Text("", "not_a_notebook")
            text, language = notebook
            if reason := self._reject_cells(path, text, language):
                return Text("", reason)
        clean = self._cache.get((path, self._clean.get(path, "")))
        marked = self.marker.look(text, clean.text if clean else "")
        if marked.num_generic > MAX_GENERIC:
            return Text("", "many_secrets")
        return Text(marked.text, None, language, marked.is_clean)

    def _reject_cells(self, path: str, text: str, language: str) -> str | None:
        if not text:
            return "empty"
        return self.rules.reject_language(language) or self.rules.reject_text(path, text)


def map_texts(
    row: T,
    change: Callable[[str], str],
    author: Callable[[str], str] | None = None,
    skipped: frozenset[str] = IDENTIFIERS,
) -> T:
    """Return a row of `records` with every text in it, but for `skipped` fields, changed.

    What stands in its `author` fields is changed by `author`.
    """
    return _map(row, change, author or change, skipped)


def _map(value: Any, change: Rewrite, author: Rewrite, skipped: frozenset[str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_map(each, change, author, skipped) for each in value)  # pyright: ignore
    if is_dataclass(value) and not isinstance(value, type):
        kept = (each.name for each in fields(value) if each.name not in skipped)
        changed: dict[str, Any] = {}
        for name in kept:
            how = author if name == AUTHOR_FIELD else change
            old = getattr(value, name)
            changed[name] = (
                map_json(old, how) if name == NESTED_JSON else _map(old, how, author, skipped)
            )
        return replace(value, **changed)
    return value


def map_json(text: str, change: Callable[[str], str]) -> str:
    """Return JSON with every text in it changed, names of fields excepted.

    What is looked for in JSON as it is written could end within an escape.
    """
    return json.dumps(_map_value(json.loads(text), change), ensure_ascii=False)


def _map_value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_value(each, change) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        inside = cast(dict[str, Any], value)
        return {name: _map_value(each, change) for name, each in inside.items()}
    return value
