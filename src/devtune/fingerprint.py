"""What a section stands for: its values, and hashes of the files it names."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from devtune.errors import DevtuneError, one_line
from devtune.section import Section, is_file_reference


def identity_of(section: Section, found: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a section means: its values, each file replaced by its hash, bare directories left out.

    `found` is what only the stage can say, e.g. the commit a ref stands for.
    """
    identity = {
        name: value for name, value in _hashed(section).items() if name not in section.UNSIGNED
    }
    return {**identity, "found": dict(found)} if found else identity


def _hashed(section: BaseModel) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, info in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Path):
            if is_file_reference(info):
                result[name] = hash_file(value)
        elif isinstance(value, tuple) and any(isinstance(each, Path) for each in value):
            continue  # directories; the stage itself says what is in them
        else:
            result[name] = _plain(value)
    return result


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _hashed(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in cast(dict[Any, Any], value).items()}
    return value


def fingerprint_of(signed: Mapping[str, Any]) -> str:
    """Return the fingerprint of a result: a hash of its stage, section and inputs."""
    canonical = json.dumps(signed, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return the sha256 of a file's content, read in pieces."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DevtuneError(one_line(error, path)) from None
