import json
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

from devtune.cli import main
from devtune.data.sessions.reading import places_of, read_place
from devtune.data.sources.exports import walk
from tests.record.wires import (
    DONE,
    OK,
    QUESTION,
    ask,
    chunk,
    connect,
    event,
    raw_server,
    read_request,
    recording,
)
from tests.scripted_server import scripted_server

TO = "http://127.0.0.1:9/v1"
ANSWER = {"content": "It is there."}


@pytest.fixture
def refused(capsys, tmp_path):
    def run(*more):
        with pytest.raises(SystemExit) as ended:
            main(["record", "--journal", str(tmp_path / "j"), *more])
        return ended.value.code, capsys.readouterr().err

    return run


def test_a_port_that_is_taken_is_one_line(refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused("--to", TO, "--port", str(port))
    assert code == 2
    assert said == (
        f"devtune: error: --host 127.0.0.1 --port {port}: address already in use; set another\n"
    )


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("192.0.2.1", "0", "cannot assign requested address"),
        ("127.0.0.1", "70000", "ports end at 65535; set another"),
        ("nobody.invalid", "0", "name or service not known; set another"),
        ("a" * 64, "0", "no name of a machine; set another"),
    ],
)
def test_a_place_where_nobody_can_listen_is_one_line(host, port, why, refused):
    code, said = refused("--to", TO, "--host", host, "--port", port)
    assert code == 2
    assert said.startswith(f"devtune: error: --host {host} --port {port}: {why}")
    assert said.count("\n") == 1


def test_the_proxy_is_not_its_own_server(refused, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = f"http://localhost:{port}/v1"
    code, said = refused("--to", own, "--port", str(port))
    assert code == 2
    assert said == f"devtune: error: --to: {own} is the proxy itself; set another --port\n"
    assert not (tmp_path / "j").exists()


def test_a_journal_that_is_there_is_not_written_over(refused, tmp_path):
    file = tmp_path / "mine.jsonl"
    file.write_text("mine")
    code, said = refused("--to", TO, "--port", "0", "--journal", str(file))
    assert code == 2
    assert said == (
        f"devtune: error: --journal: {file}: is there already; name a new file or a directory\n"
    )
    assert file.read_text() == "mine"


def test_a_place_that_cannot_hold_a_journal_is_one_line(refused, tmp_path):
    (tmp_path / "file").touch()
    code, said = refused("--to", TO, "--port", "0", "--journal", str(tmp_path / "file" / "j"))
    assert code == 1
    assert said == (
        f"devtune: error: {tmp_path}/file/j: a part of the path is a file; set another path\n"
    )


def test_a_journal_is_new_at_each_start_and_for_its_owner_alone(tmp_path):
    place = tmp_path / "journals"
    for _ in range(2):
        with recording(TO, place):
            pass
    files = sorted(place.iterdir())
    assert len(files) == 2
    for file in files:
        assert re.fullmatch(r"record-\d{8}T\d{6}Z-[0-9a-f]{8}\.jsonl", file.name)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        first = json.loads(file.read_text())
        assert (first["format"], first["journal"]) == ("devtune-record-1", file.stem)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_a_host_that_others_can_reach_is_warned_of(tmp_path):
    with recording(TO, tmp_path, "--host", "0.0.0.0") as proxy:
        pass
    assert proxy.errors == (
        "devtune: warning: --host 0.0.0.0 --port 0: other machines can reach it, use the server"
        " and be recorded\n"
    )


def test_this_machine_alone_can_reach_it_otherwise(tmp_path):
    with recording(TO, tmp_path) as proxy:
        assert proxy.url.startswith("http://127.0.0.1:")
    assert proxy.errors == ""


def test_what_it_says_can_be_followed(tmp_path):
    command = [sys.executable, "-m", "devtune", "record", "--to", f"{TO}/", "--port", "0"]
    command += ["--journal", str(tmp_path / "a.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    greeting = process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert re.fullmatch(
        rf"  record  (http://127.0.0.1:\d+/v1) passes on to {TO}; give the agent \1 as its"
        r" base URL\n",
        greeting,
    )
    assert process.communicate(timeout=20)[0] == (
        "  record  0 exchanges recorded; as a source of a recipe:"
        f' {{type: sessions, path: "{tmp_path}/a.jsonl"}}\n'
    )
    assert process.returncode == 0


def test_it_says_nothing_when_asked(tmp_path):
    command = [sys.executable, "-m", "devtune", "record", "--to", TO, "--port", "0", "--quiet"]
    command += ["--journal", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not list(tmp_path.iterdir()):
        time.sleep(0.01)
    time.sleep(0.3)
    process.terminate()
    assert process.communicate(timeout=20)[0] == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_runs_come_to_its_end(number, tmp_path):
    has_begun, is_told = threading.Event(), threading.Event()

    def play(connection):
        read_request(connection)
        connection.sendall(OK + chunk(event("one")))
        has_begun.set()
        assert is_told.wait(20)
        connection.sendall(chunk(event("two")) + chunk(DONE) + chunk(b""))

    answers = []
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        idle = connect(proxy.url)
        idle.connect()
        asking = threading.Thread(target=lambda: answers.append(ask(proxy.url)[2]))
        asking.start()
        assert has_begun.wait(20)
        proxy.process.send_signal(number)
        assert idle.sock.recv(1) == b""  # idle connections end at once, and nobody is let in
        with pytest.raises(ConnectionError):
            ask(proxy.url)
        is_told.set()
        proxy.process.wait(20)
        assert proxy.stop() == 0
        asking.join(20)
    assert answers == [event("one") + event("two") + DONE]
    (said,) = proxy.said
    assert (said["num_recorded"], said["num_lost"]) == (1, 0)
    assert said["journals"] == [proxy.first["journal"]]


def test_a_second_signal_cuts_off_what_runs(tmp_path):
    has_begun = threading.Event()

    def play(connection):
        read_request(connection)
        connection.sendall(OK + chunk(event("one")))
        has_begun.set()
        connection.recv(1)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        connection = connect(proxy.url)
        connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION))
        assert has_begun.wait(20)
        connection.getresponse().read1()
        started = time.monotonic()
        proxy.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert proxy.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 4
    assert [each["is_complete"] for each in proxy.lines("response")] == [False]


def test_a_kill_costs_only_what_was_being_said(tmp_path):
    def play(connection):
        while body := read_request(connection)[1]:
            if b"last" in body:
                connection.sendall(OK + chunk(event("one")))
                connection.recv(1)
                return
            connection.sendall(OK + chunk(event("Yes.") + DONE) + chunk(b""))

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        for number in range(20):
            request = {"messages": [{"role": "user", "content": f"é{number}"}]}
            assert ask(proxy.url, request)[0] == 200
        connection = connect(proxy.url)
        request = {"messages": [{"role": "user", "content": "last"}]}
        connection.request("POST", "/v1/chat/completions", json.dumps(request))
        connection.getresponse().read1()
        proxy.process.kill()
        proxy.process.communicate()
        assert len(proxy.lines("request")) == 21
        assert len(proxy.sessions()) == 20


def test_a_line_torn_anywhere_costs_one_exchange(tmp_path):
    with scripted_server([ANSWER]) as (url, _), recording(url, tmp_path / "whole") as proxy:
        for number in range(3):
            ask(proxy.url, {"messages": [{"role": "user", "content": f"é 日本 {number}"}]})
    (file,) = (tmp_path / "whole").iterdir()
    content = file.read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    torn = tmp_path / "torn.jsonl"
    for end in range(start + 1, len(content) - 1):
        torn.write_bytes(content[:end])
        places = places_of([each for each in walk(tmp_path) if each.path == torn.name])
        found = [draft for place in places for _, draft in read_place(place)]
        assert [draft.ends_well() for draft in found] == [True, True]


SMALL = "mount -t tmpfs -o size=64k none {room} || exit 77"


@pytest.fixture
def small_disk(tmp_path):
    """A command that runs another where `tmp_path/room` is a disk of 64 kB."""
    (tmp_path / "room").mkdir()
    mount = SMALL.format(room=tmp_path / "room")
    own = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    tried = subprocess.run([*own, mount], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("no mounts of one's own here")
    # The journal is copied out when the proxy has ended: the disk is seen by it alone.
    copied = f'{mount}; "$@"; code=$?; cp {tmp_path}/room/*.jsonl {tmp_path}; exit $code'
    return [*own, f"trap '' TERM INT; {copied}", "sh"]


def big(name, size):
    return {"messages": [{"role": "user", "content": name + "x" * size}]}


def ended_by_a_signal(proxy):
    """The proxy is the child of the shell that made its disk."""
    children = f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children"
    with open(children) as file:  # noqa: PTH123 - no file of a disk
        (child,) = file.read().split()
    subprocess.run(["kill", "-INT", child], check=True)
    out, proxy.errors = proxy.process.communicate(timeout=20)
    proxy.said = [json.loads(line) for line in out.splitlines()]


def test_a_full_disk_is_said_once_and_the_agent_goes_on(small_disk, tmp_path):
    room = tmp_path / "room"
    with scripted_server([ANSWER]) as (url, _), recording(url, room, before=small_disk) as proxy:
        assert ask(proxy.url, big("one", 100))[0] == 200
        for name in ("two", "three"):
            assert ask(proxy.url, big(name, 90_000))[0] == 200
        assert ask(proxy.url, big("four", 100))[0] == 200
        ended_by_a_signal(proxy)
    proxy.place, file = tmp_path, proxy.first["journal"]
    assert proxy.errors == (
        f"devtune: warning: {file}: no space left on the device; free space there or set another"
        " --journal; traffic passes on unrecorded\n"
    )
    asked = [json.loads(each["body"])["messages"][0]["content"] for each in proxy.lines("request")]
    assert [each.rstrip("x") for each in asked] == ["one", "four"]
    assert (proxy.said[0]["num_recorded"], proxy.said[0]["num_lost"]) == (2, 2)
    assert len(proxy.lines("response")) == 2


def test_a_full_disk_ends_it_where_recording_is_strict(small_disk, tmp_path):
    strict = (tmp_path / "room", "--strict")
    with (
        scripted_server([ANSWER]) as (url, script),
        recording(url, *strict, before=small_disk) as proxy,
    ):
        assert ask(proxy.url, big("one", 100))[0] == 200
        status, _, body = ask(proxy.url, big("two", 90_000))
        proxy.errors = proxy.process.communicate(timeout=20)[1]
    why = f"{proxy.first['journal']}: no space left on the device; free space there or set another"
    assert status == 500
    assert json.loads(body)["error"]["message"] == f"devtune record: {why} --journal"
    assert proxy.errors == f"devtune: error: {why} --journal\n"
    assert proxy.process.returncode == 1
    assert len(script.requests) == 1  # nothing is answered that is not recorded


def test_a_fault_of_the_proxy_is_named_without_what_it_holds(capsys):
    from devtune.record.service import _say_fault

    _say_fault(None, {"exception": ValueError("sk-secret")})
    assert capsys.readouterr().err == (
        "devtune: warning: a connection ended by a fault of the proxy, ValueError;"
        " please report it\n"
    )
