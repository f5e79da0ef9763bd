"""What a task's own words give to search for: quoted code, names by their shape, then plain words.

Reads and writes nothing. Every repetition in a pattern is bounded: a message may be hostile.
"""

import re
from collections.abc import Iterable, Iterator

from devtune.data.families.messages import Words
from devtune.data.languages import language_of

SHORTEST, LONGEST = 3, 60
"""Characters of a pattern."""
_SPAN = re.compile(r"`{1,2}([^`\n]{2,80})`{1,2}")
_QUOTED = re.compile(r"[\"'“‘]([\w./:-]{3,60})[\"'”’]")
_TOKEN = re.compile(
    r"(?<![\w-])--?[A-Za-z][\w-]{1,40}|@?[A-Za-z_]\w{0,60}(?:(?:\.|::|->)\w{1,60}){0,5}(?:\(\))?"
)
_FILE = re.compile(r"(?<![\w./-])(?:[\w.-]{1,60}/){0,12}[\w.-]{0,60}\w\.[A-Za-z]\w{0,7}(?![\w/])")
_CALL = re.compile(r"@?([\w.:]{2,60})\(.*\)")
_WORD = re.compile(r"[A-Za-z]{4,30}")
_ENDINGS = (
    ".adoc", ".cfg", ".cmake", ".csproj", ".css", ".gradle", ".html", ".ini", ".json", ".md",
    ".proto", ".rst", ".toml", ".txt", ".xml", ".yaml", ".yml",
)  # fmt: skip
_PLAIN = frozenset((
    "about", "above", "after", "again", "against", "also", "always", "another", "because", "been",
    "before", "being", "below", "between", "both", "change", "changed", "code", "could", "does",
    "doing", "done", "down", "during", "each", "else", "even", "every", "file", "files", "fixes",
    "from", "further", "have", "having", "here", "hence", "into", "issue", "itself", "just",
    "like", "line", "lines", "made", "make", "makes", "making", "more", "most", "much", "must",
    "need", "needed", "never", "only", "other", "otherwise", "over", "own", "rather", "same",
    "should", "since", "some", "still", "such", "than", "that", "their", "them", "then", "there",
    "these", "they", "thing", "this", "those", "through", "thus", "under", "until", "unless",
    "upon", "used", "using", "very", "want", "well", "were", "what", "when", "where", "whether",
    "which", "while", "will", "with", "within", "without", "would", "your",
))  # fmt: skip


def find_patterns(words: Words) -> list[str]:
    """Return what the message names as code, the plainest evidence first."""
    text = f"{words.subject}\n{words.body}"
    spans = [each.strip() for each in _SPAN.findall(text)]
    shaped = [each for each in _TOKEN.findall(text) if _looks_like_code(each)]
    found = [*_names(spans), *_names(shaped), *_names(_QUOTED.findall(text))]
    files = set(find_files(words))
    return [each for each in _distinct(found) if each not in files]


def find_words(words: Words) -> list[str]:
    """Return plain words of the subject that may be names in the tree; not the verb before them."""
    rest = words.subject.split(" ", 1)[-1]
    found = [each for each in _WORD.findall(rest) if each.lower() not in _PLAIN]
    return _distinct([*([words.scope] if _WORD.fullmatch(words.scope) else ()), *found])


def find_files(words: Words) -> list[str]:
    """Return what looks like the name or path of a file, by an ending that files have."""
    found = _FILE.findall(f"{words.subject}\n{words.body}")
    known = (each for each in found if language_of(each) or each.lower().endswith(_ENDINGS))
    return _distinct(each.lstrip("/") for each in known)


def _looks_like_code(token: str) -> bool:
    bare = token.removesuffix("()")
    return (
        token != bare
        or token.startswith(("--", "@"))
        or any(mark in bare.strip("_") for mark in ("_", "::", "->"))
        or ("." in bare and all(len(part) > 1 for part in bare.split(".")))
        or bool(re.search(r"[a-z0-9][A-Z]", bare))
        or (bare.isupper() and len(bare) > 4)
    )


def _names(tokens: Iterable[str]) -> Iterator[str]:
    """Yield each token as it may stand in code, and what a dotted one names in the end."""
    for token in tokens:
        call = _CALL.fullmatch(token)
        bare = (call[1] if call else token).strip(" .,:;~")
        yield bare
        parts = re.split(r"\.|::|->", bare)
        if len(parts) > 1 and all(re.fullmatch(r"@?\w+", part) for part in parts):
            yield parts[-1]


def _distinct(found: Iterable[str]) -> list[str]:
    usable = (each for each in found if SHORTEST <= len(each) <= LONGEST and each.isprintable())
    return list(dict.fromkeys(usable))
