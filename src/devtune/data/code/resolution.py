"""Which of the definitions of a name a call means, as far as imports and places tell.

Reads and writes nothing. Without types this is a guess; what stays open is answered with None.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from devtune.data.code.facts import Entry, Imported, Mention, Place
from devtune.data.code.import_paths import EXACT, group_of, names_file, spellings
from devtune.data.code.names import words_of

_OWN = ("self", "this", "cls", "Self", "static", "$this")
_RECEIVER_NEEDED = ("go", "javascript", "php", "python", "rust")
"""Languages in which a bare name is never a method of the class it is called in."""
_SAME_PACKAGE = ("c", "csharp", "go", "java", "php", "swift")
"""Languages in which files of one directory see each other without an import."""
_WHOLE_NAMESPACE = ("c", "csharp", "php", "ruby")
"""Languages in which an import binds everything a file defines."""
_NO_FILE = ("csharp", "php", "ruby", "java", "swift")
"""Languages in which a class may be used without naming its file."""
_OF_ALL = (
    "CompareTo", "GetHashCode", "GetType", "ToString", "compareTo", "getClass", "hasOwnProperty",
    "hashCode", "toJSON", "toLocaleString", "toString", "to_a", "to_h", "to_owned",
    "to_s", "to_string", "to_sym", "valueOf",
)  # fmt: skip
"""Methods that values of every class have, so that one definition of them is not rare."""
SURE, LIKELY, NEAR = 5, 3, 2


def choose(
    mention: Mention, imports: Sequence[Imported], candidates: Sequence[Entry]
) -> Entry | None:
    """Return the definition that is closest to a mention, or None where none or several are.

    `candidates` are all definitions of that name, also those nothing speaks for.
    """
    is_only = len({(each.place.path, each.qualified_name) for each in candidates}) == 1
    ranked = [(closeness(mention, imports, each, is_only), each) for each in candidates]
    best = max((rank for rank, _ in ranked), default=0)
    if best < NEAR:
        return None
    closest = [each for rank, each in ranked if rank == best]
    # A constructor is found where its class is; overloads stand under one name.
    classes = [each for each in closest if each.kind == "class"]
    closest = classes or closest
    if len({(each.place.path, each.qualified_name) for each in closest}) > 1:
        return None
    # Of overloads the last one has the body in Python; elsewhere the longest says most.
    if group_of(mention.place.language) == "python":
        return max(closest, key=lambda each: (each.span.start, each.id))
    return max(closest, key=lambda each: (each.span.end - each.span.start, -each.id))


def closeness(
    mention: Mention, imports: Sequence[Imported], target: Entry, is_only: bool = False
) -> int:
    """Say how much speaks for `target` being what is called: 0 for nothing, 5 for all but proof.

    `is_only` says that nothing else in the source has this name.
    """
    user, owner = mention.place, target.owner
    group = group_of(user.language)
    if mention.qualifier in _OWN:
        return SURE if target.place.path == user.path and owner else 0
    if not mention.qualifier:
        return _bare(mention, imports, target, group)
    if owner and mention.qualifier == owner:
        is_here = target.place.path == user.path
        return SURE if is_here else _of_class(mention, imports, target, group)
    if not owner or target.kind == "class":
        is_space = mention.qualifier in target.qualified_name.split(".")[:-1]
        inside = _bare(mention, imports, target, group) if is_space else 0
        return max(inside, _of_module(mention, imports, target))
    return _of_value(mention, imports, target, is_only, group)


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
    binds_all = not imported.name and group in _WHOLE_NAMESPACE
    if imported.name != mention.name and not binds_all:
        return 0
    match = names_file(imported.module, mention.place, target.place, mention.name)
    if binds_all:
        return LIKELY if match == EXACT else 0
    return LIKELY + match - 1 if match else 0


def _of_module(mention: Mention, imports: Sequence[Imported], target: Entry) -> int:
    user, qualifier = mention.place, mention.qualifier
    if not any(
        names_file(each.module, user, target.place, each.name)
        for each in imports
        if qualifier in spellings(each)
    ):
        return 0
    # Under another name than its own a file is less likely meant than a class in it.
    return LIKELY + (qualifier in PurePosixPath(target.place.path).with_suffix("").parts)


def _of_value(
    mention: Mention, imports: Sequence[Imported], target: Entry, is_only: bool, group: str
) -> int:
    """Rank a method called on a value whose class is not known.

    Either the value is called like the class, or the name is so long that nobody else has it.
    """
    user, words = mention.place, words_of(mention.qualifier)
    is_alike = bool(words) and words[-1:] == words_of(target.owner)[-1:]
    is_rare = is_only and len(words_of(target.name)) > 1 and target.name not in _OF_ALL
    if not (is_alike or is_rare) or any(mention.qualifier == each.name for each in imports):
        return 0
    matches = (
        (each.name, names_file(each.module, user, target.place, each.name)) for each in imports
    )
    known = [(name, match) for name, match in matches if match]
    if is_alike and any(name == target.owner for name, _ in known):
        return LIKELY
    is_near = target.place.path == user.path or (
        group in _SAME_PACKAGE and _is_beside(user, target.place)
    )
    is_seen = any(name in ("", target.owner) or match == EXACT for name, match in known)
    return NEAR if is_near or is_seen else 0


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
    return one.path.rpartition("/")[0] == other.path.rpartition("/")[0]
