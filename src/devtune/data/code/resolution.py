"""Which of the definitions of a name a call means, as far as imports and places tell.

Reads and writes nothing. Without types this is a guess; what stays open is answered with None.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from devtune.data.code.facts import UNKNOWN, Entry, Imported, Mention, Place
from devtune.data.code.imports import EXACT, group_of, names_file, spellings

_OWN = ("self", "this", "cls", "Self", "static", "$this")
_RECEIVER_NEEDED = ("go", "javascript", "php", "python", "rust")
"""Languages in which a bare name is never a method of the class it is called in."""
_SAME_PACKAGE = ("c", "csharp", "go", "java", "php", "swift")
"""Languages in which files of one directory see each other without an import."""
_WHOLE_NAMESPACE = ("c", "csharp", "php", "ruby")
"""Languages in which an import binds everything a file defines."""
_NO_FILE = ("csharp", "php", "ruby", "java", "swift")
"""Languages in which a class may be used without naming its file."""
SURE, LIKELY, NEAR = 5, 3, 2


def choose(
    mention: Mention, imports: Sequence[Imported], candidates: Iterable[Entry]
) -> Entry | None:
    """Return the definition that is closest to a mention, or None where none or several are."""
    ranked = [(closeness(mention, imports, each), each) for each in candidates]
    best = max((rank for rank, _ in ranked), default=0)
    if best < NEAR:
        return None
    closest = [each for rank, each in ranked if rank == best]
    # A constructor is found where its class is; overloads stand under one name.
    classes = [each for each in closest if each.kind == "class"]
    closest = classes or closest
    if len({(each.place.path, each.qualified_name) for each in closest}) > 1:
        return None
    return min(closest, key=lambda each: (each.span.start, each.id))


def closeness(mention: Mention, imports: Sequence[Imported], target: Entry) -> int:
    """Say how much speaks for `target` being what is called: 0 for nothing, 5 for all but proof."""
    user = mention.place
    group = group_of(user.language)
    if mention.qualifier in _OWN:
        return SURE if target.place.path == user.path and target.owner else 0
    if not mention.qualifier:
        return _bare(mention, imports, target, group)
    if target.kind == "class" and mention.qualifier == UNKNOWN:
        return 0
    return _bound(mention, imports, target, group)


def _bare(mention: Mention, imports: Sequence[Imported], target: Entry, group: str) -> int:
    user = mention.place
    if target.owner and target.kind == "function" and group in _RECEIVER_NEEDED:
        return 0
    if target.place.path == user.path:
        return SURE
    if target.owner and target.kind == "function":
        return 0
    if imported := max((_bare_import(mention, each, target, group) for each in imports), default=0):
        return imported
    if group in _SAME_PACKAGE and _is_beside(user, target.place):
        return NEAR
    return NEAR if target.kind == "class" and group in _NO_FILE else 0


def _bare_import(mention: Mention, imported: Imported, target: Entry, group: str) -> int:
    match = names_file(imported.module, mention.place, target.place, mention.name)
    if match and imported.name == mention.name:
        return LIKELY + match - 1
    binds_all = not imported.name and group in _WHOLE_NAMESPACE
    return LIKELY if match == EXACT and binds_all else 0


def _bound(mention: Mention, imports: Sequence[Imported], target: Entry, group: str) -> int:
    """Rank a call on something: a module, a class, or a value of unknown class."""
    user, owner = mention.place, target.owner
    is_here = target.place.path == user.path
    if owner and mention.qualifier == owner:
        return SURE if is_here else _of_class(mention, imports, target, group)
    matches = [(each, names_file(each.module, user, target.place, each.name)) for each in imports]
    if not owner or target.kind == "class":
        named = any(match for each, match in matches if mention.qualifier in spellings(each))
        # Under another name than its own a file is less likely meant than a class in it.
        is_own_name = mention.qualifier in PurePosixPath(target.place.path).with_suffix("").parts
        return LIKELY + is_own_name if named else 0
    if is_here:
        return NEAR
    if any(match for each, match in matches if each.name == owner):
        return LIKELY
    if any(match == EXACT for _, match in matches):
        return NEAR
    return NEAR if group in _SAME_PACKAGE and _is_beside(user, target.place) else 0


def _of_class(mention: Mention, imports: Sequence[Imported], target: Entry, group: str) -> int:
    user = mention.place
    if any(
        names_file(each.module, user, target.place, target.owner)
        for each in imports
        if target.owner in spellings(each)
    ):
        return LIKELY + 1
    if group in _SAME_PACKAGE and _is_beside(user, target.place):
        return LIKELY
    return NEAR if group in _NO_FILE else 0


def _is_beside(one: Place, other: Place) -> bool:
    return PurePosixPath(one.path).parent == PurePosixPath(other.path).parent
