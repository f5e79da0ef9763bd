import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from devtune.data.signals import held_back

WORKER = """
import os, signal, sys, time
from multiprocess import get_context
from devtune.data.signals import follow_parent

def work(start):
    follow_parent()
    follow_parent()
    os.kill(os.getpid(), signal.SIGINT)
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    context = get_context(sys.argv[1])
    context.Process(target=work, args=(0,)).start()
    time.sleep(600)
"""


def test_a_signal_held_back_comes_when_the_block_ends():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():  # noqa: PT012 - it rises at the end
        os.kill(os.getpid(), signal.SIGINT)
        done.append("after")
    assert done == ["after"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_signal_is_held_back_from_threads_that_would_take_it():
    done, ended = [], threading.Event()
    other = threading.Thread(target=ended.wait)
    other.start()
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: done.append("SIGTERM"))
    try:
        with held_back():
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.01)
            done.append("after")
        assert done == ["after", "SIGTERM"]
    finally:
        ended.set()
        signal.signal(signal.SIGTERM, before)


def test_what_is_started_while_a_signal_is_held_back_never_gets_it():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('alive')"
    with held_back({signal.SIGINT}):
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    assert (answer.stdout, answer.stderr) == ("alive\n", "")


@pytest.mark.parametrize("way", ["fork", "forkserver"])
def test_a_worker_outlives_ctrl_c_but_not_its_parent(tmp_path, way):
    script = tmp_path / "script.py"
    script.write_text(WORKER)
    with subprocess.Popen([sys.executable, str(script), way], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)
        parent.kill()
        # Nothing more comes, not before the worker that holds the other end is gone.
        assert parent.stdout.read() == b""
