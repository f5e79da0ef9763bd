"""Repositories, directories and packages become the corpus, every text cleared of secrets.

Reads the sources of a recipe; writes `files.jsonl`, `changes.jsonl` and `rejected.jsonl`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from devtune.data.filters.classify import Terms, load_policy
from devtune.data.secrets import Redactor
from devtune.data.sources.directory_source import open_directory, open_package
from devtune.data.sources.git_source import open_git
from devtune.errors import DevtuneError, RecipeError
from devtune.pipeline import CollectSection, GitSource, PackageSource
from devtune.progress import Progress
from devtune.records import SPLITS, Change, Provenance, Rejected, SourceFile, to_json
from devtune.stage import Outcome

Row = SourceFile | Change | Rejected
FILES = {SourceFile: "files.jsonl", Change: "changes.jsonl", Rejected: "rejected.jsonl"}


class Reader(Protocol):
    """A source that can be read more than once and says the same each time."""

    @property
    def name(self) -> str:
        """Name in provenance."""
        ...

    def identify(self) -> str:
        """What the content is: a commit or a hash."""
        ...

    def rows(self) -> Iterator[Any]:
        """The rows, with raw texts: they are held in memory only."""
        ...


@dataclass(slots=True)
class Tally:
    """What was counted while rows went by."""

    counts: Counter[str] = field(default_factory=Counter[str])
    rejects: Counter[str] = field(default_factory=Counter[str])

    def add(self, row: Row) -> None:
        """Count one row."""
        if isinstance(row, Rejected):
            self.rejects[row.reason] += 1
            return
        kind = "files" if isinstance(row, SourceFile) else "changes"
        self.counts[f"{kind}_{row.split}"] += 1
        if isinstance(row, Change):
            self.counts[f"edits_{row.split}"] += len(row.edits)


def collect(section: CollectSection, out: Path, progress: Progress) -> Outcome:
    """Write the corpus of `section` into `out`; equal sources give equal bytes.

    Every source is read twice: first for the secrets it holds, so that a value that one text
    gives away is replaced in all of them, and then for its rows. No raw text touches the disk.
    Raises `DevtuneError` for a source that cannot be read or of which nothing is kept.
    """
    readers = _open(section)
    redactor = Redactor()
    seen = Tally()
    for reader in readers:
        rows = progress.track("collect", reader.rows(), unit="rows searched for secrets")
        tally = _learn(rows, redactor)
        _require_kept(tally, reader.name, section.exclude)
        seen.counts += tally.counts
    if not (seen.counts["files_train"] or seen.counts["edits_train"]):
        raise DevtuneError(
            "collect.held_out: all of the corpus is held out, nothing is left to train on;"
            " lower it or add a source"
        )
    tally = Tally()
    out.mkdir(parents=True, exist_ok=True)
    files = {kind: (out / name).open("w", encoding="utf-8") for kind, name in FILES.items()}
    try:
        for reader in readers:
            for row in progress.track("collect", reader.rows(), unit="rows written"):
                tally.add(row)
                files[type(row)].write(to_json(_with_texts(row, redactor.redact)) + "\n")
    finally:
        for file in files.values():
            file.close()
    return _outcome(tally, redactor, len(readers))


def identify(section: CollectSection) -> dict[str, str]:
    """Return what each source is now, by name: its commit and ref, or a hash of its content.

    Raises `DevtuneError` for every source and policy `collect` could not work with.
    """
    return {reader.name: reader.identify() for reader in _open(section)}


def _open(section: CollectSection) -> list[Reader]:
    policy = load_policy(section.exclude)
    terms = Terms(policy, section.max_bytes, section.max_line_length, section.held_out)
    readers: list[Reader] = []
    for source in section.sources:
        if isinstance(source, PackageSource):
            reader: Reader = open_package(source.name, terms)
        elif isinstance(source, GitSource):
            reader = open_git(source, source.name or _default_name(source.path), terms)
        else:
            name = source.name or _default_name(source.path)
            reader = open_directory(source.path, name, terms)
        if any(reader.name == other.name for other in readers):
            raise RecipeError(
                f"collect.sources: two are called {reader.name!r}; give one another `name`"
            )
        readers.append(reader)
    return readers


def _default_name(path: Path) -> str:
    """Name of the directory: `app` for `app`, `app.git` and `app/.git`."""
    return path.name.removesuffix(".git") or path.parent.name or "source"


def _learn(rows: Iterator[Row], redactor: Redactor) -> Tally:
    """Show every text to the redactor, and count the rows."""
    tally = Tally()

    def look(text: str) -> str:
        redactor.learn(text)
        return text

    for row in rows:
        tally.add(row)
        _with_texts(row, look)
    return tally


def _require_kept(tally: Tally, name: str, policy: Path) -> None:
    if any(tally.counts[f"{kind}_{split}"] for kind in ("files", "edits") for split in SPLITS):
        return
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(tally.rejects.items()))
    raise DevtuneError(
        f"{name}: nothing to train on: all {tally.rejects.total()} files were rejected"
        f" ({reasons}); correct the source, or the policy in {policy}"
    )


def _with_texts(row: Row, change: Callable[[str], str]) -> Row:
    """Return `row` with every text that came from a source passed through `change`."""

    def placed(place: Provenance) -> Provenance:
        return replace(place, path=change(place.path), author=change(place.author))

    match row:
        case SourceFile():
            return replace(row, provenance=placed(row.provenance), text=change(row.text))
        case Rejected():
            return replace(row, path=change(row.path), detail=change(row.detail))
        case Change():
            edits = tuple(
                replace(
                    edit,
                    provenance=placed(edit.provenance),
                    old=change(edit.old),
                    new=change(edit.new),
                )
                for edit in row.edits
            )
            return replace(
                row,
                author=change(row.author),
                subject=change(row.subject),
                body=change(row.body),
                edits=edits,
            )


def _outcome(tally: Tally, redactor: Redactor, num_sources: int) -> Outcome:
    counts = {
        f"{kind}_{split}": tally.counts[f"{kind}_{split}"]
        for kind in ("files", "changes", "edits")
        for split in SPLITS
    }
    found = redactor.counts
    sides = [
        f"{counts['files_' + split]} files and {counts['edits_' + split]} edits" for split in SPLITS
    ]
    summary = (
        f"{sides[0]} to train on, {sides[1]} held out, from {num_sources}"
        f" {'source' if num_sources == 1 else 'sources'}; {tally.rejects.total()} rejected,"
        f" {sum(found.values())} secrets replaced"
    )
    secrets = {f"secret_{kind}": number for kind, number in found.items()}
    return Outcome(summary, {**counts, **secrets}, dict(sorted(tally.rejects.items())))
