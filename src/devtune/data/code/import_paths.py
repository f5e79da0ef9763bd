"""Which file of a source an import statement names, by its path alone.

Reads and writes nothing. No search path and no build file is known, so an import names every file
whose path ends with what it asks for.
"""

import posixpath
import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from devtune.data.code.facts import Imported, Place
from devtune.data.languages import language_of

Parts = tuple[str, ...]
"""A path or dotted name in lower case, cut at its separators."""
EXACT, PACKAGE = 2, 1
_GROUPS = {
    "cpp": "c", "objectivec": "c", "typescript": "javascript", "jsx": "javascript",
    "tsx": "javascript", "vue": "javascript", "kotlin": "java", "scala": "java",
}  # fmt: skip
_PATH_LIKE = ("c", "javascript", "php", "ruby")
"""Languages whose imports are written as paths, with or without a suffix."""
_PACKAGE_FILES = {"python": ("__init__",), "javascript": ("index",), "rust": ("mod", "lib")}
"""Files that stand for the directory they are in."""
_HERE = ("crate", "self", "super")


def group_of(language: str) -> str:
    """Return a name shared by the languages whose files can call each other."""
    return _GROUPS.get(language, language)


def spellings(imported: Imported) -> tuple[str, str]:
    """Return the names under which an import may be used in its file."""
    last = re.split(r"[./\\:]+", imported.module.rstrip("./\\:"))[-1]
    return imported.name, last


def names_file(module: str, user: Place, target: Place, name: str = "") -> int:
    """Return 2 where an import written in `user` names the file of `target`, 1 for its package.

    `name` is what is imported: it may be a file itself, or be written as the last part of the
    module. 0 is returned for everything else.
    """
    group = group_of(user.language)
    here = user.path.rpartition("/")[0]
    return _rank(module, here, group, target.path, target.source, name)


@lru_cache(65_536)
def _rank(module: str, here: str, group: str, path: str, source: str, name: str) -> int:
    wanted, is_whole = _wanted(module, here, group)
    if wanted is None:
        return 0
    options = [wanted]
    if name:
        options.append((*wanted, name.lower()))
    if name and wanted[-1:] == (name.lower(),):
        options.append(wanted[:-1])
    parts = _parts_of(path, group)
    source = source.lower().replace("-", "_")
    if group == "go":
        return PACKAGE if _is_package(wanted, parts[:-1], source) else 0
    if is_whole:
        return max(_match(each, parts) for each in options)
    return max(_match_end(each, (source, *parts)) for each in options)


@lru_cache(16_384)
def _wanted(module: str, directory: str, group: str) -> tuple[Parts | None, bool]:
    """Return the parts an import asks for, and whether they begin at the top of the source.

    None stands for what is no file of the source: a standard module, an installed package.
    """
    here = PurePosixPath(directory).parts
    if group == "python" and module.startswith("."):
        above = len(module) - len(module.lstrip(".")) - 1
        kept = here[: max(len(here) - above, 0)]
        return _lowered((*kept, *filter(None, module.split(".")))), True
    if group in _PATH_LIKE and language_of(module):
        module = posixpath.splitext(module)[0]
    if module.startswith(("./", "../")):
        joined = PurePosixPath(posixpath.normpath(posixpath.join(*here, module)))
        return _lowered(_without_package_file(joined.parts, group)), True
    separator = r"/+" if group in ("go", "javascript") else r"[./\\:]+"
    parts = [each for each in re.split(separator, module) if each and each not in _HERE]
    is_foreign = (group == "python" and parts[:1] and parts[0] in sys.stdlib_module_names) or (
        group == "javascript" and len(parts) < 2
    )
    if is_foreign or (not parts and group != "rust"):
        return None, False
    if group == "c":  # what a header declares is defined in the file of that name, anywhere
        parts = parts[-1:]
    if group == "php" and len(parts) > 1:  # the first part of a namespace is no directory
        parts = parts[1:]
    return _lowered(parts), False


def _match(wanted: Parts, path: Parts) -> int:
    if wanted == path:
        return EXACT
    return PACKAGE if wanted and wanted == path[:-1] else 0


def _match_end(wanted: Parts, path: Parts) -> int:
    if not wanted:
        return 0
    if wanted == path[-len(wanted) :]:
        return EXACT
    return PACKAGE if wanted == path[:-1][-len(wanted) :] else 0


def _is_package(wanted: Parts, directory: Parts, source: str) -> bool:
    """Whether an import path, which begins with the address of a repository, is a directory."""
    if not directory:
        return wanted[-1].replace("-", "_") == source
    return wanted[-len(directory) :] == directory


@lru_cache(16_384)
def _parts_of(path: str, group: str) -> Parts:
    pure = PurePosixPath(path)
    parts = (*pure.parent.parts, pure.name.split(".")[0])
    if group == "rust":
        parts = tuple(each.replace("-", "_") for each in parts if each != "src")
    return _lowered(_without_package_file(parts, group))


def _without_package_file(parts: Parts, group: str) -> Parts:
    return parts[:-1] if len(parts) > 1 and parts[-1] in _PACKAGE_FILES.get(group, ()) else parts


def _lowered(parts: Iterable[str]) -> Parts:
    return tuple(each.lower() for each in parts)
