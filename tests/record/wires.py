"""`devtune record` as a process of its own, and servers and clients that do what is asked of them.

Reads and writes sockets of the loopback; the process writes its journal.
"""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

from devtune.data.sessions.reading import places_of, read_place
from devtune.data.sources.exports import walk

KEY = "sk-" + "b9Tq71XyLm"
QUESTION = {"model": "scripted", "messages": [{"role": "user", "content": "Où est-ce ?"}]}
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Recorded:
    """A proxy that runs."""

    def __init__(self, process, place) -> None:
        self.process, self.place = process, place
        self.first = json.loads(process.stdout.readline())
        self.url, self.errors, self.said = self.first["address"], "", []

    def stop(self, number=signal.SIGTERM):
        """Send a signal, wait, and return the exit code."""
        self.process.send_signal(number)
        out, self.errors = self.process.communicate(timeout=20)
        self.said = [json.loads(line) for line in out.splitlines()]
        return self.process.returncode

    def lines(self, event=None):
        """Return lines of all journals, or those of one event."""
        files = sorted(self.place.rglob("*.jsonl"))
        found = [json.loads(line) for file in files for line in file.read_text().split("\n")[:-1]]
        return [each for each in found if event is None or each.get("event") == event]

    def sessions(self):
        """Return what `collect` makes of the journals."""
        places = places_of(walk(self.place))
        return [draft for place in places for _, draft in read_place(place)]


@contextmanager
def recording(to, place, *more, before=()):
    """Yield a proxy to a base URL; stop it if the block did not."""
    command = [*before, sys.executable, "-m", "devtune", "record", "--to", to]
    command += ["--journal", str(place), "--port", "0", "--json", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    proxy = None
    try:
        proxy = Recorded(process, place)
        yield proxy
        if process.returncode is None:
            proxy.stop()
        assert "Traceback" not in proxy.errors
        assert "fault of the proxy" not in proxy.errors
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@contextmanager
def raw_server(play):
    """Yield the base URL of a server whose every connection is given to `play`, in a thread."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=run, args=(connection,), daemon=True).start()

    def run(connection):
        with connection:
            connection.settimeout(20)
            play(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def read_request(connection):
    """Return head and body of a request with a Content-Length."""
    content = b""
    while b"\r\n\r\n" not in content:
        part = connection.recv(1 << 16)
        if not part:
            return b"", b""
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    body = bytearray(body)
    while length and len(body) < int(length[1]):
        body += connection.recv(1 << 16)
    return head, bytes(body)


def chunk(content):
    return b"%x\r\n%b\r\n" % (len(content), content)


def event(text):
    """One event of a stream with a piece of an answer."""
    delta = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(delta, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def connect(url):
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)


def ask(url, request=QUESTION, path="/chat/completions", body=None, connection=None, **headers):
    """Ask once; return status, headers in their order, and the bytes of the body."""
    connection = connection or connect(url)
    body = json.dumps(request, ensure_ascii=False).encode() if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", urlsplit(url).path + path, body, named)
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


def exchange_raw(url, content):
    """Send bytes to where a URL points; return all that comes back until the end."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
        connection.sendall(content)
        found = b""
        while part := connection.recv(1 << 16):
            found += part
    return found
