"""In what a finished result differs from what is asked for now, for people. Reads no files."""

from collections.abc import Iterator, Mapping
from typing import Any, cast


def differences(manifest: Mapping[str, Any], signed: Mapping[str, Any]) -> Iterator[str]:
    """Name each value in which a finished result differs from what is asked for now."""
    if manifest["stage"] != signed["stage"]:
        yield f"it was written by {manifest['stage']}"
        return
    before, after = _flat(manifest["section"], ""), _flat(signed["section"], "")
    same = manifest["inputs"] == signed["inputs"]
    if before == after and same:
        yield "it was written by another version of devtune"
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            old, new = _short(before.get(key)), _short(after.get(key))
            yield f"{manifest['stage']}.{key} was {old}, is now {new}"
    for key in sorted(manifest["inputs"].keys() | signed["inputs"].keys()):
        if manifest["inputs"].get(key) != signed["inputs"].get(key):
            yield f"its input {key}/ is another one"


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        pairs = [(str(key), each) for key, each in cast(Mapping[str, Any], value).items()]
    elif isinstance(value, list):
        pairs = [(str(index), each) for index, each in enumerate(cast(list[Any], value))]
    else:
        return {} if value is None else {prefix: value}
    flat: dict[str, Any] = {}
    for key, each in pairs:
        flat.update(_flat(each, f"{prefix}.{key}" if prefix else key))
    return flat


def _short(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 40 else text[:12] + "…"
