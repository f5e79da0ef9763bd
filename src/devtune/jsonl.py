"""Files of rows: one JSON object a line, keys sorted, UTF-8, so that equal rows are equal bytes.

Reads and writes `*.jsonl` files of the dataclasses in `records` and of their like.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from devtune.errors import DevtuneError, one_line


class Row(Protocol):
    """Any of the dataclasses above."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


T = TypeVar("T")


def write_jsonl(path: Path, rows: Iterable[Row]) -> int:
    """Write one JSON object a line and return how many."""
    count = 0
    with path.open("wb") as out:
        for row in rows:
            out.write(to_json(row))
            count += 1
    return count


def to_json(row: Row) -> bytes:
    """One row as one line of JSON, keys sorted, so that equal rows are equal bytes.

    The keys of a session stay as they are: the model wrote its arguments in that order.
    """
    if isinstance(row, BaseModel):
        document = row.model_dump(mode="json", exclude_none=True)
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return orjson.dumps(
        row,
        default=_as_object,
        option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
    )


def _as_object(row: Row) -> dict[str, Any]:
    # Left to itself orjson sorts the keys of dictionaries, but not those of dataclasses.
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


@cache
def reader_of(row_type: type[T]) -> TypeAdapter[T]:
    """Return what reads rows of a type; making one takes longer than reading many rows."""
    return TypeAdapter(row_type)


def read_jsonl(path: Path, row_type: type[T]) -> Iterator[T]:
    """Yield the rows of `path` as `row_type`; a damaged line raises with file and line number."""
    adapter = reader_of(row_type)
    try:
        lines = path.open("rb")
    except OSError as error:
        raise DevtuneError(one_line(error, path)) from None
    with lines:
        for number, line in enumerate(lines, 1):
            try:
                yield adapter.validate_json(line)
            except ValidationError as error:
                raise DevtuneError(
                    f"{path}:{number}: not a {row_type.__name__} row ({first_fault(error)});"
                    " remove the directory and run its stage again"
                ) from None


def first_fault(error: ValidationError) -> str:
    """Say where a row departs from its type, without showing what it holds."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
