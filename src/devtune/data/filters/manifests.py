"""The licence a package manifest states: package.json, pyproject.toml, Cargo.toml and their like.

Reads the texts it is handed; writes nothing. A manifest that cannot be read states nothing.
"""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

NOT_A_LICENSE = frozenset({"unlicensed", "proprietary", "private", "none", "unknown", "todo", ""})
"""What own packages state instead of a licence."""
_POM_LICENSES = re.compile(r"<licenses>(.{0,20000}?)</licenses>", re.DOTALL)
_POM_NAME = re.compile(r"<name>\s*([^<]{1,200}?)\s*</name>")


def stated_license(name: str, text: str) -> str:
    """Return what a manifest called `name` states, as it stands there; `""` for nothing."""
    try:
        stated = MANIFESTS[name](text)
    except (ValueError, configparser.Error, RecursionError):
        return ""
    stated = " ".join(stated.split())
    return "" if stated.lower() in NOT_A_LICENSE else stated


def _of_package_json(text: str) -> str:
    values = _mapping(json.loads(text))
    return _one(values.get("license")) or _any(values.get("licenses"))


def _of_composer(text: str) -> str:
    values = _mapping(json.loads(text))
    return _one(values.get("license")) or _any(values.get("license"))


def _of_pyproject(text: str) -> str:
    values = tomllib.loads(text)
    poetry = _mapping(_mapping(values.get("tool")).get("poetry"))
    return _one(_mapping(values.get("project")).get("license")) or _one(poetry.get("license"))


def _of_cargo(text: str) -> str:
    values = tomllib.loads(text)
    workspace = _mapping(_mapping(values.get("workspace")).get("package"))
    own = _one(_mapping(values.get("package")).get("license")) or _one(workspace.get("license"))
    # The old way of writing a choice.
    return own.replace("/", " OR ")


def _of_setup_cfg(text: str) -> str:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return parser.get("metadata", "license", fallback="") or ""


def _of_pom(text: str) -> str:
    # Not parsed as XML: a hostile one expands into gigabytes.
    found = _POM_LICENSES.search(text)
    return _any(_POM_NAME.findall(found[1])) if found else ""


MANIFESTS: Mapping[str, Callable[[str], str]] = {
    "package.json": _of_package_json,
    "pyproject.toml": _of_pyproject,
    "Cargo.toml": _of_cargo,
    "setup.cfg": _of_setup_cfg,
    "composer.json": _of_composer,
    "pom.xml": _of_pom,
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _one(value: Any) -> str:
    """An expression, or the table some manifests put it into."""
    if isinstance(value, dict):
        value = value.get("type") or value.get("text")
    return value if isinstance(value, str) else ""


def _any(values: Any) -> str:
    """A list of licences, of which the user may choose."""
    found = [_one(each) for each in values] if isinstance(values, list) else []
    return " OR ".join(f"({each})" for each in found if each) if len(found) > 1 else "".join(found)
