import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.data.parts import Run, run_parts
from devtune.errors import DevtuneError
from devtune.pipeline import LocalExecutor
from devtune.progress import Progress


@dataclass(frozen=True)
class Waiting:
    gate: Path
    dies: bool = False
    fails: bool = False

    def __call__(self, unit: Any, out: Path) -> None:
        if unit == 1 and self.fails:
            raise DevtuneError(f"unit {unit}: refused; ask for another")
        while unit and not self.gate.exists():
            if self.dies:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.05)
        (out / "value").write_text(str(unit))


def launch(tmp_path: Path, kind: str = "local", how: str = "waits") -> subprocess.Popen[str]:
    code = (
        "import signal, sys; from pathlib import Path\n"
        "from devtune.errors import DevtuneError\n"
        "from devtune.pipeline import LocalExecutor, RayExecutor\n"
        "from tests.data.launcher import do_here\n"
        "types = {'local': LocalExecutor, 'ray': RayExecutor}\n"
        "executor = types[sys.argv[2]](type=sys.argv[2], workers=2)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('terminated'))\n"
        "try:\n    do_here(Path(sys.argv[1]), executor, fails=sys.argv[3] == 'fails')\n"
        "except KeyboardInterrupt:\n    sys.exit('interrupted')\n"
        "except DevtuneError as error:\n    sys.exit(str(error))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), kind, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def do_here(tmp_path: Path, executor: Any = None, **values: Any) -> list[str]:
    chosen = executor or LocalExecutor(type="local", workers=2)
    work = Waiting(tmp_path / "gate", **values)
    parts = run_parts(
        "wait", list(range(6)), work, Run(tmp_path, chosen, Progress("quiet"), "collect")
    )
    return [(each / "value").read_text() for each in parts]


def processes_of(session: int) -> list[int]:
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            fields = (each / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(each.name))
    return found


def drafts_of(tmp_path: Path) -> list[str]:
    return [each.name for each in (tmp_path / "parts" / "wait").glob("*.*-*-*")]


def workers_of(tmp_path: Path) -> list[str]:
    processes = [name.rpartition("-")[2] for name in drafts_of(tmp_path)]
    return [each for each in processes if Path("/proc", each).exists()]


def first_part_is_whole(tmp_path: Path) -> Callable[[], bool]:
    return (tmp_path / "parts" / "wait" / "000000").is_dir
