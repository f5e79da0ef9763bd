"""An author, a path, a source or a commit out of a dataset, and what was trained on it named.

Reads a recipe, its sources and the folder of runs; appends tombstones, rebuilds corpus/, samples/
and dataset/ beside the old ones and puts them in their place, and writes `erasure.json`.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.config import Resolved
from devtune.data.filters.tombstones import Tombstone, add_tombstones, digest_of, read_tombstones
from devtune.data.sources.targets import Asked, find_targets
from devtune.errors import DevtuneError, RecipeError, one_line
from devtune.fates import Fates, find_fates
from devtune.progress import Progress
from devtune.recipe import Recipe
from devtune.run import directory, run_line
from devtune.stage import MANIFEST

REBUILT = {"collect": "corpus", "build": "samples", "render": "dataset"}
"""Stages that are run again, and their directories."""
DRAFT, RECORD, KEYS = "erasure.partial", "erasure.json", "keys"
PARTIAL = ("corpus.partial", "samples.partial", "dataset.partial", "report.partial")
PAGES = ("dataset.html", "privacy.html", "dataset-trajectories", "dataset-trajectories.partial")
"""Written beside a run by `devtune report` and `devtune privacy`."""
PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be erased, and how far to go."""

    asked: Asked
    runs: Path | None = None
    """Folder whose runs are looked through; by default the one the run stands in."""
    is_trial: bool = False
    """Say all of it, change nothing."""
    takes_weights: bool = False
    """Delete what was trained on it, too."""
    overrides: tuple[str, ...] = ()
    """As the recipe was read with, for the commands to type."""


def erase(resolved: Resolved, order: Order, progress: Progress) -> dict[str, Any]:
    """Erase what `order` asks for and return what was done, as JSON.

    Killed at any moment, the same call goes on. Raises `RecipeError` where nothing matches, or the
    recipe names no salt or no tombstones; then nothing was changed.
    """
    recipe = resolved.recipe
    file = recipe.collect.tombstones
    if file is None or recipe.collect.salt is None:
        raise RecipeError(
            f"{resolved.file}: erasing needs a secret and a file of this site, one for all its"
            " recipes; set collect.salt and collect.tombstones"
        )
    rows = find_targets(order.asked, recipe.collect)
    runs = order.runs or recipe.run_dir.parent
    if order.is_trial:
        with tempfile.TemporaryDirectory(prefix=".erasure-", dir=_existing(runs)) as folder:
            trial = Path(folder, "tombstones.jsonl")
            add_tombstones(trial, (*read_tombstones(file), *rows))
            draft = _rebuild(_with_tombstones(recipe, trial), Path(folder), progress)
            return _entry(rows, find_fates(recipe, draft, runs), resolved.file, order)
    with _alone(recipe.run_dir):
        add_tombstones(file, rows)
        if not _goes_on(recipe.run_dir, rows):
            _finish(recipe.run_dir)
            draft = _rebuild(recipe, recipe.run_dir / DRAFT, progress)
            fates = find_fates(recipe, draft, runs)
            entry = _entry(rows, fates, resolved.file, order)
            _write(recipe.run_dir, [*_entries(recipe.run_dir), entry])
        return _finish(recipe.run_dir)


def _goes_on(run_dir: Path, rows: Sequence[Tombstone]) -> bool:
    """Whether the same was all but done when it was interrupted."""
    last = _entries(run_dir)[-1:]
    known = {each["key"] for entry in last for each in entry["tombstones"]}
    return any(not entry["is_finished"] for entry in last) and {x.key for x in rows} <= known


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _with_tombstones(recipe: Recipe, file: Path) -> Recipe:
    collect = recipe.collect.model_copy(update={"tombstones": file})
    return recipe.model_copy(update={"collect": collect})


def _rebuild(recipe: Recipe, folder: Path, progress: Progress) -> Path:
    """Run the data stages that were run before into `folder`; return the run made there."""
    # Of the same name, should a stage write down where it was run.
    draft = folder / recipe.run_dir.name
    assert recipe.collect.tombstones is not None
    keys = digest_of(each.key for each in read_tombstones(recipe.collect.tombstones))
    mark = folder / KEYS
    if folder.exists() and not (mark.is_file() and mark.read_text(encoding="ascii") == keys):
        shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(PRIVATE, parents=True, exist_ok=True)
    folder.chmod(PRIVATE)
    mark.write_text(keys, encoding="ascii")
    present = [name for name, output in REBUILT.items() if (recipe.run_dir / output).exists()]
    if not present:
        return draft
    stages = tuple(REBUILT)[: list(REBUILT).index(present[-1]) + 1]
    base = recipe.import_.model_copy(update={"out": directory(recipe, "base")})
    values = {"run_dir": draft, "import_": base}
    run_line(Resolved(recipe.model_copy(update=values), {}, Path()), progress, stages)
    return draft


def _entry(rows: Sequence[Tombstone], fates: Fates, recipe: Path, order: Order) -> dict[str, Any]:
    own = [str(fates.run_dir / name) for name in (*PAGES, *PARTIAL)]
    own += [str(each) for each in (*fates.reports, *fates.exported)]
    kept = () if order.takes_weights else tuple(fates.weights)
    return {
        "date": rows[0].date,
        "tombstones": [{"kind": each.kind, "key": each.key} for each in rows],
        **fates.as_dict(),
        "removed": own if kept else own + [str(each) for each in fates.weights],
        "commands": list(fates.commands(recipe, order.overrides, kept)),
        "is_finished": False,
    }


def _finish(run_dir: Path) -> dict[str, Any]:
    """Put what was rebuilt in the place of what it replaces, if that is what is left to do."""
    *others, last = _entries(run_dir) or [{"is_finished": True}]
    if last["is_finished"]:
        return last
    draft = run_dir / DRAFT / run_dir.name
    for output in reversed(REBUILT.values()):
        if (draft / output / MANIFEST).is_file():
            _remove([run_dir / output])
            (draft / output).rename(run_dir / output)
    _remove([Path(each) for each in last["removed"]])
    _remove([run_dir / DRAFT])
    done = {**last, "is_finished": True}
    _write(run_dir, [*others, done])
    return done


def _entries(run_dir: Path) -> list[dict[str, Any]]:
    file = run_dir / RECORD
    if not file.is_file():
        return []
    try:
        return json.loads(file.read_text(encoding="utf-8"))["erasures"]
    except (ValueError, KeyError, TypeError):
        raise DevtuneError(f"{file}: damaged; move it away") from None


def _write(run_dir: Path, entries: list[dict[str, Any]]) -> None:
    handle, draft = tempfile.mkstemp(prefix=f".{RECORD}.", dir=run_dir)  # 0600
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({"erasures": entries}, out, indent=2, sort_keys=True)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    Path(draft).replace(run_dir / RECORD)


def _remove(paths: Sequence[Path]) -> None:
    for each in paths:
        try:
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink(missing_ok=True)
        except OSError as error:
            raise DevtuneError(one_line(error, each)) from None


@contextmanager
def _alone(run_dir: Path) -> Generator[None]:
    """Let no second erasure into a run."""
    try:
        run_dir.mkdir(PRIVATE, parents=True, exist_ok=True)
        handle = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DevtuneError(one_line(error, run_dir)) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DevtuneError(f"{run_dir}: another `devtune erase` is at work here; wait") from None
    finally:
        os.close(handle)
