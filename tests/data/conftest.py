import io
import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from devtune.data.collect import collect
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.pipeline import CollectSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import Change, Discussion, Rejected, Replay, SourceFile
from tests.data import ray_cluster, slurm

ADA = "Ada Example <ada@corp.test>"


class Maker:
    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self.num_commits = 0
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str, author: str = ADA, **extra: str) -> str:
        name, mail = author.removesuffix(">").split(" <")
        date = f"2024-01-01T00:{self.num_commits:02}:00Z"
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": mail,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            **extra,
        }
        command = ["git", "-c", "protocol.file.allow=always", "-C", str(self.path), *arguments]
        answer = subprocess.run(command, env=environment, capture_output=True, check=True)
        return answer.stdout.decode("utf-8", "replace").strip()

    def write(self, files: dict[str | bytes, str | bytes | None]) -> None:
        for name, content in files.items():
            file = Path(os.fsdecode(os.path.join(os.fsencode(self.path), os.fsencode(name))))  # noqa: PTH118
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(
        self,
        message: str | bytes,
        files: dict[str | bytes, str | bytes | None] | None = None,
        author: str = ADA,
    ) -> str:
        self.write(files or {})
        self.git("add", "-A")
        (self.path / ".git" / "message").write_bytes(
            message.encode() if isinstance(message, str) else message
        )
        file = str(self.path / ".git" / "message")
        self.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", file, author=author)
        self.num_commits += 1
        return self.git("rev-parse", "HEAD")

    def spoil(self, object_id: str, damage: str) -> None:
        file = self.path / ".git" / "objects" / object_id[:2] / object_id[2:]
        content = file.read_bytes()
        file.chmod(0o644)
        if damage == "missing":
            file.unlink()
        else:
            file.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"garbage")

    def source(self, **values: Any) -> dict[str, Any]:
        return {"type": "git", "path": self.path, **values}


class Corpus:
    def __init__(self, section: CollectSection, out: Path, workers: int = 1) -> None:
        self.out = out
        executor = LocalExecutor(type="local", workers=workers)
        self.outcome = collect(section, executor, out, Progress("quiet", io.StringIO()))
        self.files = list(read_jsonl(out / "files.jsonl", SourceFile))
        self.changes = list(read_jsonl(out / "changes.jsonl", Change))
        self.discussions = list(read_jsonl(out / "discussions.jsonl", Discussion))
        self.replays = list(read_jsonl(out / "replays.jsonl", Replay))
        self.rejected = list(read_jsonl(out / "rejected.jsonl", Rejected))
        self.reasons = {(row.path, row.reason) for row in self.rejected}

    def texts(self, split: str) -> dict[str, str]:
        return {row.provenance.path: row.text for row in self.files if row.split == split}


@pytest.fixture(scope="session")
def policy_file() -> Path:
    return Path(__file__).resolve().parents[2] / "data_prep" / "policy" / "exclude.yaml"


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Maker]:
    return lambda name="app", *options: Maker(tmp_path / name, *options)


@pytest.fixture
def section(policy_file: Path) -> Callable[..., CollectSection]:
    def make(
        *sources: dict[str, Any], max_bytes: int = 1_000_000, max_line_length: int = 1000, **values
    ):
        rules = (
            {"type": "excluded_paths", "policy": policy_file},
            {"type": "size", "max_bytes": max_bytes},
            {"type": "line_length", "max": max_line_length, "mean": max_line_length},
        )
        return CollectSection.model_validate({"sources": sources, "file_rules": rules, **values})

    return make


@pytest.fixture
def corpus(section, tmp_path: Path) -> Callable[..., Corpus]:
    def make(*sources: dict[str, Any], out: str = "corpus", workers: int = 1, **values):
        return Corpus(section(*sources, **values), tmp_path / out, workers)

    return make


@pytest.fixture
def collect_fails(tmp_path: Path) -> Callable[[CollectSection], str]:
    def fails(section: CollectSection) -> str:
        out = tmp_path / "never-written"
        executor = LocalExecutor(type="local", workers=1)
        with pytest.raises(DevtuneError) as caught:
            collect(section, executor, out, Progress("quiet"))
        assert "\n" not in str(caught.value)
        assert not out.exists() or [each.name for each in out.iterdir()] == ["scratch"]
        return str(caught.value)

    return fails


@pytest.fixture
def is_damaged() -> Callable[[DevtuneError, Path], bool]:
    remedy = "run `git fsck` there and restore it from a good clone"

    def check(error: DevtuneError, where: Path) -> bool:
        message = str(error)
        starts = message.startswith(f"{where}: damaged or incomplete (")
        return starts and message.endswith(remedy) and "\n" not in message

    return check


@pytest.fixture(scope="session")
def slurm_of_this_session() -> Generator[slurm.Cluster]:
    if absent := slurm.missing():
        pytest.skip(absent)
    with slurm.cluster() as made:
        yield made


@pytest.fixture
def cluster(
    slurm_of_this_session: slurm.Cluster, monkeypatch: pytest.MonkeyPatch
) -> Generator[slurm.Cluster]:
    for name in ("SLURM_CONF", "PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, slurm_of_this_session.environment[name])
    yield slurm_of_this_session
    slurm_of_this_session.empty()


@pytest.fixture(scope="session")
def ray_of_this_session() -> Generator[dict[str, str]]:
    if absent := ray_cluster.missing():
        pytest.skip(absent)
    with ray_cluster.cluster() as known:
        yield known


@pytest.fixture
def ray_address(ray_of_this_session: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in ray_of_this_session.items():
        monkeypatch.setenv(name, value)
    return ray_of_this_session["RAY_ADDRESS"]
