"""A repository read through git's plumbing; nothing it holds or configures is ever executed.

Reads the objects and refs of one repository; writes nothing. No checkout, hook, filter, textconv,
pager, signature program, credential helper, lazy fetch or network: the environment forbids each.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from devtune.data.temporary import unnamed_file
from devtune.errors import DevtuneError

CONFIG = (
    # What was derived from the objects may be stale, damaged or made up.
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "advice.graftFileDeprecated=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.sshCommand=false",
    "core.askPass=",
    "credential.helper=",
    "protocol.allow=never",
    "log.showSignature=false",
    "mailmap.file=/dev/null",
)
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    # A file that is not there is an empty index; one that is there may be damaged.
    "GIT_INDEX_FILE": "/dev/null-index",
    "GIT_PAGER": "cat",
    "LC_ALL": "C",
    "TZ": "UTC",
}
MAX_MEMORY_BYTES = 8 << 30
"""Of one git: much for any history, while a hostile one can ask for any amount."""
MAX_MAILMAP_BYTES = 4_000_000
"""A larger one, which git would hold whole, names nobody."""
_OBJECT = re.compile(r"[0-9a-f]{40}")
NOWHERE = Path(__file__).resolve().parent
"""Where git runs, and what it takes for the working tree: nothing in it says anything to git.

From the repository's own it would take a `.mailmap` and attributes that are in no commit.
"""


@dataclass(frozen=True, slots=True)
class Repository:
    """An opened repository: where the user says it is, and where git keeps its objects."""

    path: Path
    git_dir: Path

    def ask(self, *arguments: str) -> str | None:
        """Return the answer of one plumbing command, or None where git says no."""
        answer = _call(self._command(arguments), NOWHERE, self._environment())
        return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else None

    def complain(self, *arguments: str) -> str:
        """Return what git says on standard error when asked the same."""
        answer = _call(self._command(arguments), NOWHERE, self._environment())
        return answer.stderr.decode("utf-8", "replace")

    @contextmanager
    def stream(
        self, *arguments: str, fed_by: Sequence[str] = (), fed: bytes = b"", mailmap: str = ""
    ) -> Generator[IO[bytes]]:
        """Give the output of a command while it runs; its input is `fed`, or what `fed_by` prints.

        `mailmap` is the commit whose `.mailmap` counts. Raises `DevtuneError` when git fails and
        the output was read to its end; a reader that leaves early ends the command.
        """
        with unnamed_file() as complaints, unnamed_file() as given:
            given.write(fed)
            given.seek(0)
            feeder = self._start(fed_by, complaints) if fed_by else None
            source = feeder.stdout if feeder else given
            child = self._start(arguments, complaints, source, mailmap)
            finished = False
            try:
                assert child.stdout is not None
                yield child.stdout
                finished = not child.stdout.read(1)
            finally:
                codes = [_end(each, finished) for each in (feeder, child) if each]
            if finished and any(codes):
                complaints.seek(0)
                complaint = complaints.read().decode("utf-8", "replace")
                about = next((f", at {each}" for each in arguments if _OBJECT.fullmatch(each)), "")
                last = f"fatal: git ended with code {max(codes, key=abs)}"
                raise self.fault(f"{complaint}\n{last}", about)

    def converse(self, *arguments: str, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a command that answers on its output what it is asked on its input."""
        return self._start(arguments, complaints, subprocess.PIPE)

    def fault(self, complaint: str, about: str = "") -> DevtuneError:
        """Say in one line what git complained about; `about` is added where it names no object."""
        found = _first_fault(complaint)
        found += "" if _OBJECT.search(found) else about
        return DevtuneError(
            f"{self.path}: damaged or incomplete ({found});"
            " run `git fsck` there and restore it from a good clone"
        )

    def _start(
        self,
        arguments: Sequence[str],
        complaints: IO[bytes],
        source: IO[bytes] | int | None = subprocess.DEVNULL,
        mailmap: str = "",
    ) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            self._command(arguments, mailmap),
            cwd=NOWHERE,
            env=self._environment(),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        _bound(child)
        return child

    def _command(self, arguments: Sequence[str], mailmap: str = "") -> list[str]:
        # An empty mailmap.blob would name no object; without a commit no author is asked for.
        settings = (f"mailmap.blob={mailmap}:.mailmap",) if self._has_mailmap(mailmap) else ()
        return _git(*settings, arguments=arguments)

    def _has_mailmap(self, commit: str) -> bool:
        size = self.ask("cat-file", "-s", f"{commit}:.mailmap") if commit else None
        return size is not None and int(size) <= MAX_MAILMAP_BYTES

    def _environment(self) -> dict[str, str]:
        own = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(NOWHERE)}
        return {**_environment(), **own}


def open_repository(path: Path) -> Repository:
    """Find the objects of the repository whose top directory, or bare directory, is `path`.

    Raises `DevtuneError`: no such directory, not a repository, somebody else's, shallow, no git.
    """
    if not path.exists():
        raise DevtuneError(f"{path}: no such directory; correct `path` of the source")
    if not path.is_dir():
        raise DevtuneError(f"{path}: a file, not a repository; correct `path` of the source")
    ask = ("rev-parse", "--absolute-git-dir")
    ceiling = {"GIT_CEILING_DIRECTORIES": str(path.parent.resolve())}
    answer = _call(_git(arguments=ask), path, {**_environment(), **ceiling})
    if b"dubious ownership" in answer.stderr:
        if not _declared_safe(path):
            raise DevtuneError(
                f"{path}: owned by another user, so git refuses it; run as its owner, or declare"
                f" it: git config --global --add safe.directory {path}"
            )
        answer = _call(_git("safe.directory=*", arguments=ask), path, {**_environment(), **ceiling})
    if answer.returncode != 0:
        raise _not_opened(path, answer.stderr.decode("utf-8", "replace"))
    git_dir = Path(os.fsdecode(answer.stdout.rstrip(b"\n")))
    repository = Repository(path, git_dir)
    if repository.ask("rev-parse", "--is-shallow-repository") == "true":
        raise DevtuneError(
            f"{path}: a shallow clone, its history is cut; run `git fetch --unshallow` there"
        )
    return repository


def resolve(repository: Repository, ref: str | None) -> str:
    """Return the id of the commit `ref` stands for; None is the checked-out branch.

    Raises `DevtuneError`: detached HEAD without a ref, no commits yet, unknown ref, damaged.
    """
    where = repository.path
    name = ref or repository.ask("symbolic-ref", "-q", "HEAD")
    if name is None:
        if complaint := repository.complain("symbolic-ref", "-q", "HEAD"):
            raise _not_opened(where, complaint)
        raise DevtuneError(
            f"{where}: HEAD is detached, no branch is checked out;"
            " name what to read with `ref: HEAD` or a branch"
        )
    # A leading dash would be read as an option; git allows no ref of that form.
    named = None if name.startswith("-") else _commit_id(repository, name)
    if named is None:
        if ref is None and repository.ask("rev-parse", "--verify", "--quiet", name):
            raise repository.fault(f"fatal: {name} names what is no commit")
        listing = ("for-each-ref", "--count=1")
        refs = repository.ask(*listing)
        if refs is None:
            raise _not_opened(where, repository.complain(*listing))
        if (ref is None or ref == "HEAD") and not refs:
            raise DevtuneError(f"{where}: no commits yet; commit something, or use type: directory")
        if ref is None or ref == "HEAD":
            raise DevtuneError(f"{where}: the checked-out branch has no commits yet; name a `ref:`")
        raise DevtuneError(
            f"{where}: no branch, tag or commit is called {ref!r}; correct `ref` of the source"
        )
    return named


def _commit_id(repository: Repository, name: str) -> str | None:
    object_id = repository.ask("rev-parse", "--verify", "--quiet", name)
    if object_id is None:
        return None
    commit = repository.ask("rev-parse", "--verify", "--quiet", f"{object_id}^{{commit}}")
    if commit is None and repository.ask("cat-file", "-t", object_id) in (None, "commit"):
        raise repository.fault(repository.complain("cat-file", "-p", object_id))
    return commit


def _git(*settings: str, arguments: Sequence[str]) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise DevtuneError("git: not found on PATH; install git, or add its directory to PATH")
    configured = [part for each in (*CONFIG, *settings) for part in ("-c", each)]
    return [str(Path(program).absolute()), "--no-pager", *configured, *arguments]


def _environment() -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**inherited, **ENVIRONMENT}


def _call(
    command: list[str], where: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def _bound(child: subprocess.Popen[bytes]) -> None:
    """End git before it takes all memory of the machine; elsewhere than on Linux it may."""
    if sys.platform == "linux":
        with suppress(OSError):  # it may be gone already
            resource.prlimit(child.pid, resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _end(child: subprocess.Popen[bytes], finished: bool) -> int:
    if child.stdout:
        child.stdout.close()
    if not finished:
        child.kill()
    return child.wait()


def _declared_safe(path: Path) -> bool:
    """Whether the user's own configuration trusts the directory, as git itself would ask."""
    command = _git(arguments=("config", "--global", "--get-all", "safe.directory"))
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    if "GIT_CONFIG_GLOBAL" in os.environ:
        inherited["GIT_CONFIG_GLOBAL"] = os.environ["GIT_CONFIG_GLOBAL"]
    declared = os.fsdecode(_call(command, Path("/"), inherited).stdout).splitlines()
    places = {str(path), str(path.resolve()), "*"}
    return any(each.rstrip("/") in places for each in declared)


def _not_opened(path: Path, complaint: str) -> DevtuneError:
    if "not a git repository" in complaint and not (path / ".git").exists():
        return DevtuneError(
            f"{path}: not the top of a git repository; give its top directory, or use"
            " type: directory"
        )
    return DevtuneError(
        f"{path}: git cannot read it ({_first_fault(complaint)}); run `git fsck` there"
    )


def _first_fault(complaint: str) -> str:
    # An alternate that is not there ends no command; the complaint about it comes first.
    lines = [line for each in complaint.splitlines() if (line := each.strip())]
    lines = [line for line in lines if "alternate" not in line] or lines
    faults = [line for line in lines if line.startswith(("fatal:", "error:"))]
    faults.sort(key=lambda line: _OBJECT.search(line) is None)
    return (faults or lines or ["no reason given"])[0].split(": ", 1)[-1][:200]
