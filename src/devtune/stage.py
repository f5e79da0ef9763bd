"""The contract of every stage: read directories, write one new directory, sign it.

`out/manifest.json` is written last; a directory without it is not finished. Work happens in
`out.partial/`, so a crash leaves nothing under the final name.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from devtune.differences import differences
from devtune.durable import permitted, sync
from devtune.errors import DevtuneError, one_line
from devtune.fingerprint import fingerprint_of, hash_file
from devtune.memory import forget_peak_memory, peak_memory_mib
from devtune.scratch import MARK, owned
from devtune.versions import own_commit, versions

MANIFEST = "manifest.json"
NEW_MANIFEST = MANIFEST + ".new"
QUICK_BYTES = 64_000_000
"""Inputs up to this size are hashed before they are read; larger ones are checked for size."""
SIGNED = ("stage", "section", "inputs", "fingerprint", "files")
"""What a manifest says of itself at least."""


@dataclass
class Outcome:
    """What a stage did, for its manifest and for the line that is printed."""

    summary: str
    """One line for the terminal."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    rejects: dict[str, int] = field(default_factory=dict[str, int])
    """Rejected rows by reason."""
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])
    unsigned: tuple[str, ...] = ()
    """Folders whose content is kept but is never the same twice."""


Work = Callable[[Path], Outcome]


def run_stage(
    name: str,
    identity: Mapping[str, Any],
    inputs: Mapping[str, Path],
    out: Path,
    work: Work,
    *,
    resumable: bool = False,
    precious: tuple[str, ...] = (),
    permissions: int | None = None,
) -> tuple[dict[str, Any], bool]:
    """Return the manifest of `out`, doing the work only if it is not there yet.

    `identity` is everything the result depends on besides its inputs: the resolved section with
    paths replaced by content hashes. `work` gets the scratch directory and fills it; if
    `resumable`, it gets what a killed run left there; what another recipe's run left is cleared,
    unless a file of it matches one of `precious`. `permissions` are those of a folder of the
    result, files the same without the right to enter; by default the umask decides. Until it is
    done nobody but its owner can look into it. Returns (manifest, whether work was done).
    Raises `DevtuneError` when an input is unfinished, when `out` holds another result (naming
    what differs), when another process is at work, or when the disk refuses.
    """
    input_manifests = {key: read_manifest(path) for key, path in inputs.items()}
    signed = {
        "stage": name,
        "section": dict(identity),
        "inputs": {key: each["fingerprint"] for key, each in input_manifests.items()},
    }
    fingerprint = fingerprint_of(signed)
    scratch = out.with_name(out.name + ".partial")
    permissions = permitted() if permissions is None else permissions
    try:
        if manifest := _finished(out, signed, fingerprint):
            return manifest, False
        with owned(scratch, signed, resumable, precious, permissions):
            (scratch / NEW_MANIFEST).unlink(missing_ok=True)
            # Another process may have finished just before this one got the directory.
            if manifest := _finished(out, signed, fingerprint):
                shutil.rmtree(scratch)
                return manifest, False
            for path in inputs.values():
                verify_files(path, largest=QUICK_BYTES)
            forget_peak_memory()
            started = _now()
            outcome = work(scratch)
            manifest = {**signed, "fingerprint": fingerprint, **_record(outcome, scratch, started)}
            _publish(scratch, out, manifest, permissions)
    except OSError as error:
        raise DevtuneError(one_line(error, scratch)) from error
    return manifest, True


def _record(outcome: Outcome, scratch: Path, started: str) -> dict[str, Any]:
    """What a manifest says besides what it signs."""
    return {
        "counts": outcome.counts,
        "rejects": outcome.rejects,
        "metrics": outcome.metrics,
        "summary": outcome.summary,
        "files": _sign_files(scratch, outcome.unsigned),
        "versions": versions(),
        "git_commit": own_commit(),
        "started": started,
        "finished": _now(),
        "peak_memory_mib": peak_memory_mib(),
    }


def _finished(out: Path, signed: Mapping[str, Any], fingerprint: str) -> dict[str, Any] | None:
    """Return the manifest if `out` holds what is asked for, None if it is not there yet."""
    if not out.exists():
        return None
    if not (out / MANIFEST).is_file():
        raise DevtuneError(f"{out}: exists but has no {MANIFEST}; not devtune's: move it away")
    manifest = read_manifest(out)
    if manifest["fingerprint"] == fingerprint:
        return manifest
    raise DevtuneError(
        f"{out}: holds another result: {'; '.join(differences(manifest, signed))};"
        " set another run_dir, or move it away to run again"
    )


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a finished stage directory, or say in one line why there is none."""
    file = directory / MANIFEST
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(manifest, dict):
            raise ValueError("not a JSON object")
        if absent := [key for key in SIGNED if key not in manifest]:
            raise ValueError(f"no {absent[0]}")
    except FileNotFoundError:
        state = "is not there" if not directory.exists() else "is not finished"
        partial = directory.with_name(directory.name + ".partial")
        state = "is not finished" if partial.exists() else state
        raise DevtuneError(f"{directory}: {state}; run the stage that writes it first") from None
    except ValueError as error:
        raise DevtuneError(
            f"{file}: damaged ({error}); move the directory away and rerun"
        ) from None
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    return cast(dict[str, Any], manifest)


def verify_files(directory: Path, largest: int | None = None) -> None:
    """Check every file of a finished directory against its manifest; the first fault raises.

    Files of more than `largest` bytes are checked for their size only.
    """
    remedy = f"move {directory} away and run its stage again"
    for name, known in read_manifest(directory)["files"].items():
        file = directory / name
        if not file.is_file():
            raise DevtuneError(f"{file}: missing; {remedy}")
        is_quick = largest is None or known["bytes"] <= largest
        if file.stat().st_size != known["bytes"] or (
            is_quick and hash_file(file) != known["sha256"]
        ):
            raise DevtuneError(f"{file}: damaged; {remedy}")


def _sign_files(directory: Path, unsigned: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    files = sorted(each for each in directory.rglob("*") if each.is_file())
    return {
        each.relative_to(directory).as_posix(): {
            "sha256": hash_file(each),
            "bytes": each.stat().st_size,
        }
        for each in files
        if each != directory / MARK and each.relative_to(directory).parts[0] not in unsigned
    }


def _publish(scratch: Path, out: Path, manifest: Mapping[str, Any], permissions: int) -> None:
    temporary = scratch / NEW_MANIFEST
    temporary.write_text(
        json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    _permit(scratch, permissions)
    for each in scratch.rglob("*"):
        sync(each)
    (scratch / MARK).unlink(missing_ok=True)  # so late that a kill during all this costs nothing
    temporary.rename(scratch / MANIFEST)
    sync(scratch)
    scratch.rename(out)
    sync(out.parent)


def _permit(directory: Path, permissions: int) -> None:
    """Whatever library wrote them: safetensors leaves 0600, others what the umask says."""
    for each in directory.rglob("*"):
        each.chmod(permissions if each.is_dir() else permissions & 0o666)
    directory.chmod(permissions)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
