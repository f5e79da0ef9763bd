"""Checkpoints that are whole or not there: written apart, hashed, signed, renamed.

Under `checkpoints/`: `checkpoint-<step>/` with a `manifest.json` of its files, `latest` (its name,
for people and other programs), one `staging-<owner>/` for each job that writes, and
`skipped-<name>/`, damaged ones until the next is committed. Loads no torch.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from devtune.durable import permitted, sync
from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file

MANIFEST, LATEST = "manifest.json", "latest"
STAGING, DOOMED, SKIPPED = "staging-", "removed-", "skipped-"
NAME = re.compile(r"checkpoint-(\d+)$")
PICKLES_NOBODY_READS = ("training_args.bin",)
"""transformers writes it beside weights; it is a pickle and nothing of it is needed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A committed one."""

    path: Path
    step: int
    facts: dict[str, Any]
    """What its writer said: `num_processes`, `best_step`, …"""
    num_bytes: int


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The folder of one training."""

    root: Path
    owner: str = ""
    """Token of the job that writes; another job's files are never mixed with its own."""

    @property
    def staging(self) -> Path:
        """Where this job writes what is not committed yet."""
        return self.root / f"{STAGING}{self.owner}"

    def staged(self, step: int) -> Path:
        """Where transformers writes the checkpoint of a step."""
        return self.staging / f"checkpoint-{step}"

    def commit(self, step: int, hashes: Mapping[str, str], facts: Mapping[str, Any]) -> Checkpoint:
        """Publish what was staged; `hashes` are the sha256 of its files by relative name.

        When this returns the checkpoint survives a crash of the machine; before the rename nobody
        sees it.
        """
        staged, final = self.staged(step), self.root / f"checkpoint-{step}"
        mode = 0o666 & permitted()
        files: dict[str, dict[str, Any]] = {
            name: {"sha256": each, "bytes": _size(staged / name)} for name, each in hashes.items()
        }
        for name in files:
            (staged / name).chmod(mode)  # safetensors leaves 0600 whatever the umask
            sync(staged / name)
        content = {"step": step, "facts": dict(facts), "files": files}
        _write(staged / MANIFEST, json.dumps(content, indent=2, sort_keys=True) + "\n")
        for folder in {(staged / name).parent for name in files} | {staged}:
            sync(folder)
        if final.exists():  # damaged, or this run would have gone on from it
            self._remove(final)
        staged.rename(final)
        sync(self.root)
        _write(self.root / LATEST, final.name + "\n")
        return Checkpoint(final, step, dict(facts), sum(each["bytes"] for each in files.values()))

    def committed(self) -> list[Checkpoint]:
        """Return what was committed, the newest first; their files are not looked at."""
        found = (_read(path, step) for step, path in self._folders())
        return [each for each, _ in found if each]

    def newest(self, tell: Callable[[str], None]) -> Checkpoint | None:
        """Return the newest one whose files are what was committed; each that is not is told of.

        Nothing of a checkpoint is loaded that did not pass here, pickles of the engine least of
        all. What did not pass is set aside until the next one is committed, so that none that is
        whole makes room for it.
        """
        found: Checkpoint | None = None
        folders = self._folders()
        for number, (step, path) in enumerate(folders, 1):
            fault = fault_of(path, step)
            if fault is None:
                found, _ = _read(path, step)
                break
            is_last = number == len(folders)
            then = (
                "no other is left: beginning anew" if is_last else "going on from the one before it"
            )
            tell(f"{path.name} is skipped: {fault}; {then}")
            aside = path.with_name(SKIPPED + path.name)
            if aside.exists():
                self._remove(aside)
            path.rename(aside)
        return found

    def of_step(self, step: int) -> Checkpoint:
        """Return that of a step; raises `DevtuneError` when it is not what was committed."""
        path = self.root / f"checkpoint-{step}"
        found, _ = _read(path, step)
        fault = fault_of(path, step)
        if found is None or fault:
            raise DevtuneError(
                f"{path}: is to be the result and {fault}; move {self.root} away and run the"
                " command again: it begins anew"
            )
        return found

    def _folders(self) -> list[tuple[int, Path]]:
        """Return what is named like a checkpoint, with its step, the newest first."""
        found = ((NAME.fullmatch(each.name), each) for each in self.root.glob("checkpoint-*"))
        return sorted(((int(name[1]), each) for name, each in found if name), reverse=True)

    def prune(self, keep: int, also: int | None = None) -> None:
        """Remove all but the newest `keep` and the one of step `also`, and what was skipped."""
        for each in self.committed()[keep:]:
            if each.step != also:
                self._remove(each.path)
        for each in list(self.root.glob(f"{SKIPPED}*")):
            self._remove(each)

    def sweep(self) -> None:
        """Remove what killed jobs left: what they staged, what they were removing."""
        for each in list(self.root.glob("*")):
            if each.name.startswith((STAGING, DOOMED)) or each.name.endswith(".new"):
                if each.is_dir():
                    shutil.rmtree(each, ignore_errors=True)
                else:
                    each.unlink(missing_ok=True)

    def _remove(self, path: Path) -> None:
        """Take the name away first: what is half removed must not look committed.

        A disk that keeps a file of it (NFS, while another machine reads it) ends no training:
        the next job sweeps.
        """
        doomed = path.with_name(f"{DOOMED}{self.owner}-{path.name}")
        path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def fault_of(path: Path, step: int) -> str | None:
    """Return what is wrong with the checkpoint of a step, None when nothing is."""
    found, files = _read(path, step)
    if found is None:
        state = "damaged" if (path / MANIFEST).exists() else "missing"
        return f"its {MANIFEST} is {state}"
    for name, known in files.items():
        if fault := _fault_of_file(path / name, known):
            return f"{name} {fault}"
    known = {path / name for name in (*files, MANIFEST)}
    for each in path.rglob("*"):
        if each not in known and (each.is_symlink() or not each.is_dir()):
            return f"{each.relative_to(path)} was added to it"
    return None


def _fault_of_file(file: Path, known: Mapping[str, Any]) -> str | None:
    if not file.is_file():
        return "is missing"
    if _size(file) != known["bytes"]:
        return f"has {_size(file)} bytes, not {known['bytes']}"
    try:
        is_same = hash_file(file) == known["sha256"]
    except DevtuneError as error:
        return f"cannot be read ({error})"
    return None if is_same else "is not what was written (sha256 differs)"


def files_of(staged: Path) -> list[str]:
    """Return the relative names of what was staged, after what nobody reads is removed."""
    for name in PICKLES_NOBODY_READS:
        (staged / name).unlink(missing_ok=True)
    files = (each for each in staged.rglob("*") if each.is_file())
    return sorted(each.relative_to(staged).as_posix() for each in files)


def has_space(where: Path, num_bytes: int) -> bool:
    """Whether a checkpoint of `num_bytes` has room."""
    return shutil.disk_usage(where).free >= num_bytes


def no_space(where: Path, num_bytes: int) -> DevtuneError:
    """Say that it has none."""
    free = shutil.disk_usage(where).free
    return DevtuneError(
        f"{where}: no space left for a checkpoint: {num_bytes / 1e6:,.1f} MB are needed,"
        f" {free / 1e6:,.1f} MB free; free space there and run the command again, it goes on"
        " from the last checkpoint"
    )


def _read(path: Path, step: int) -> tuple[Checkpoint | None, dict[str, dict[str, Any]]]:
    """Return what the manifest of a step's folder says, None where it does not say it."""
    try:
        content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        files, facts = content["files"], content["facts"]
        num_bytes = sum(int(each["bytes"]) for each in files.values() if each["sha256"])
        if isinstance(facts, dict) and content["step"] == step:
            return Checkpoint(path, step, cast(dict[str, Any], facts), num_bytes), files
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None, {}


def _write(file: Path, text: str) -> None:
    """Replace a small file at once and for good."""
    new = file.with_name(file.name + ".new")
    new.write_text(text, encoding="utf-8")
    sync(new)
    new.replace(file)
    sync(file.parent)


def _size(file: Path) -> int:
    return file.stat().st_size
