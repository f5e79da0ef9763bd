"""Texts that nothing may be trained on: files the user names, and public benchmarks on disk.

Reads .txt .md .json .jsonl .parquet files, also .gz ones, and directories of them; writes nothing.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa
import pyarrow.parquet as pq

from devtune.data.selection.wording import strings_in
from devtune.errors import DevtuneError, one_line

OWN = "own texts"
SUFFIXES = (".txt", ".md", ".json", ".jsonl", ".parquet")
NAMED = ".txt .md .json .jsonl .parquet"


class Document(NamedTuple):
    """One problem of a benchmark, or one text the user named."""

    benchmark: str
    """Name of the benchmark, `own texts` for what is none."""
    name: str
    """Its id there; otherwise the file and the row."""
    parts: tuple[str, ...]
    """Statement, solution, tests: runs of words do not go from one into the next."""


class Layout(NamedTuple):
    """How a benchmark names its columns."""

    benchmark: str
    key: str
    columns: tuple[str, ...]
    """The first two tell it from others; one that is missing later on is not read."""


LAYOUTS = (
    Layout("SWE-bench", "instance_id", ("problem_statement", "patch", "test_patch")),
    Layout("HumanEval", "task_id", ("prompt", "canonical_solution", "test")),
    Layout(
        "LiveCodeBench",
        "question_id",
        ("question_content", "starter_code", "question_title", "canonical_solution"),
    ),
)


def read_texts(path: Path) -> Iterator[Document]:
    """Yield every text of a file, or of the files below a directory; of rows, all their strings.

    Raises `DevtuneError` when there is nothing to read, or a file is damaged.
    """
    files = [path] if path.is_file() else _files_below(path)
    if not files or not all(map(_kind_of, files)):
        raise DevtuneError(f"{path}: no {NAMED} file; name one, or a directory of them")
    for file in files:
        yield from _documents(file, path, only_benchmarks=False)


def read_benchmarks(directory: Path) -> Iterator[Document]:
    """Yield the problems of each benchmark below a directory; files of no benchmark are passed.

    Raises `DevtuneError` when none of the three is there, or a file is damaged.
    """
    found = False
    for file in _files_below(directory):
        if _kind_of(file) in (".txt", ".md"):
            continue
        for each in _documents(file, directory, only_benchmarks=True):
            found = True
            yield each
    if not found:
        raise DevtuneError(
            f"{directory}: no SWE-bench Verified, HumanEval or LiveCodeBench there;"
            " download one, or leave out `benchmarks`"
        )


def _files_below(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise DevtuneError(f"{directory}: no such file or directory; correct the path")
    return sorted(each for each in directory.rglob("*") if _kind_of(each) and each.is_file())


def _kind_of(file: Path) -> str:
    name = file.name.lower().removesuffix(".gz")
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")


def _documents(file: Path, root: Path, *, only_benchmarks: bool) -> Iterator[Document]:
    place = file.relative_to(root).as_posix() if file != root else file.name
    try:
        if _kind_of(file) in (".txt", ".md"):
            yield Document(OWN, place, (_read(file).decode("utf-8", "replace"),))
            return
        for number, row in _rows(file, only_benchmarks):
            layout = layout_of(row)
            if layout is not None:
                yield _problem(layout, row, f"{place}:{number}")
            elif not only_benchmarks:
                yield Document(OWN, f"{place}:{number}", tuple(strings_in(row)))
    except (OSError, ValueError, RecursionError, EOFError, zlib.error, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DevtuneError(one_line(error, file)) from None
        detail = " ".join(str(error).split())[:120] or type(error).__name__
        raise DevtuneError(
            f"{file}: damaged or not {_kind_of(file)} ({detail}); download it again or leave it out"
        ) from None


def layout_of(row: Any) -> Layout | None:
    """Return which benchmark a row is of, by the names of its columns."""
    if not isinstance(row, Mapping):
        return None
    for layout in LAYOUTS:
        if layout.key in row and all(name in row for name in layout.columns[:2]):
            return layout
    return None


def _problem(layout: Layout, row: Mapping[str, Any], place: str) -> Document:
    parts = (text for name in layout.columns for text in strings_in(row.get(name)))
    return Document(layout.benchmark, str(row[layout.key] or place), tuple(parts))


def _rows(file: Path, only_benchmarks: bool) -> Iterator[tuple[int, Any]]:
    """Rows from 1 on; of a list in a .json file its items, of anything else the whole."""
    match _kind_of(file):
        case ".parquet":
            yield from enumerate(_parquet_rows(file, only_benchmarks), 1)
        case ".jsonl":
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
                for number, line in enumerate(cast(Iterable[bytes], lines), 1):
                    if line.strip():
                        yield number, json.loads(line)
        case _:
            value = json.loads(_read(file))
            yield from enumerate(value if isinstance(value, list) else [value], 1)


def _parquet_rows(file: Path, only_benchmarks: bool) -> Iterator[dict[str, Any]]:
    """Of a benchmark only the columns that are compared: hidden tests are huge."""
    with pq.ParquetFile(file) as table:
        names: list[str] = table.schema_arrow.names
        layout = layout_of(dict.fromkeys(names))
        if layout is not None:
            names = [name for name in names if name in (layout.key, *layout.columns)]
        elif only_benchmarks:
            return
        for batch in table.iter_batches(batch_size=100, columns=names):
            yield from batch.to_pylist()


def _read(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
