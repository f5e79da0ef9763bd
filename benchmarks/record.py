"""What `devtune record` adds to the time an agent waits: the same exchanges with and without it.

Writes a journal in a temporary directory; prints a table.
Usage: python benchmarks/record.py [--exchanges N] [--kilobytes N]

A server that has an answer, and each event of a stream, at fixed times after the request stands in
for a model, whose next word is made while the last one is sent; what is beyond is the time of the
parts in between. Clients, proxy and server are
processes of their own. Rounds with and without the proxy alternate; each client keeps its
connection, as agents do. The journal is on the disk of the temporary directory: set TMPDIR to
measure another.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

EVENTS = 20
"""Events of a stream."""
SECONDS_TO_FIRST, SECONDS_BETWEEN = 0.03, 0.005
"""What the stand-in for a model takes: a fast one, so that little is hidden behind it."""
ROUNDS = 10
SECONDS_OF_WORK = 0.06
"""At most, between two exchanges of a client, by chance: agents do not ask in step."""
WARM_UP = 2
"""Exchanges of each client in each round that are not counted."""


class Times(NamedTuple):
    """Of one exchange, in milliseconds."""

    first_byte: float
    whole: float


def main() -> None:
    """Measure 1 and 8 clients, whole answers and streams, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--exchanges", type=int, default=100, help="of each client, each way")
    parser.add_argument("--kilobytes", type=int, default=100, help="size of a request")
    options = parser.parse_args()
    print(
        f"{options.exchanges} exchanges a client, requests of {options.kilobytes} kB,"
        f" streams of {EVENTS} events, one each {SECONDS_BETWEEN * 1000:.0f} ms after the first"
        f" {SECONDS_TO_FIRST * 1000:.0f} ms; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f};"
        " milliseconds"
    )
    head = f"{'':32} {'direct':^15} {'recorded':^15} {'added':^15} {'proxy':>7}"
    print(head + f"\n{'':32}" + f" {'median':>7} {'95 %':>7}" * 3 + f" {'CPU':>7}")
    with server() as direct, proxy(direct) as (recorded, process):
        for num_clients in (1, 8):
            for is_stream in (False, True):
                body = request(options.kilobytes, is_stream)
                rounds = max(1, options.exchanges // ROUNDS)
                before = cpu_seconds(process)
                found = measure((direct, recorded), num_clients, rounds, body)
                worked = cpu_seconds(process) - before
                each = worked * 1000 / ROUNDS / num_clients / (rounds + WARM_UP)
                clients = f"{num_clients} client{'s' * (num_clients > 1)}"
                print_rows(f"{clients}, {'stream' if is_stream else 'whole'}", *found, each)


def request(kilobytes: int, is_stream: bool) -> bytes:
    """Return a request of about the size of a conversation that has gone on for a while."""
    said = {"role": "user", "content": "def f(x):\n    return x\n" * 43}
    messages = [said] * max(1, kilobytes)
    return json.dumps({"model": "m", "stream": is_stream, "messages": messages}).encode()


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of a server that waits and answers."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(child,), daemon=True)
    process.start()
    try:
        yield parent.recv()
    finally:
        process.terminate()


def serve(pipe: Any) -> None:
    """Listen, and tell where."""

    async def run() -> None:
        serving = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 20)
        pipe.send(f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}")
        await serving.serve_forever()

    asyncio.run(run())


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after another; a stream is sent event by event."""
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "x" * 2000}}]})
    whole = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    delta = json.dumps({"choices": [{"index": 0, "delta": {"content": " word"}}]})
    event = f"data: {delta}\n\n".encode()
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            asked = await reader.readexactly(length)
            due = time.perf_counter() + SECONDS_TO_FIRST
            await asyncio.sleep(SECONDS_TO_FIRST)
            if b'"stream": false' in asked[:100]:
                writer.write(whole)
                await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(EVENTS):
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                due += SECONDS_BETWEEN
                await asyncio.sleep(due - time.perf_counter())
            writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


@contextmanager
def proxy(to: str) -> Iterator[tuple[str, int]]:
    """Yield address and process of `devtune record` before a server."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-m", "devtune", "record", "--to", to, "--journal", place]
        command += ["--port", "0", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())["address"], process.pid
        finally:
            process.terminate()
            said = json.loads(process.communicate()[0])
            print(f"{said['num_recorded']} exchanges recorded, {said['num_lost']} lost")


def cpu_seconds(process: int) -> float:
    """Return what a process has worked: other programs of the machine do not lengthen it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(
    addresses: tuple[str, str], num_clients: int, exchanges: int, body: bytes
) -> list[list[Times]]:
    """Return the times of each address; rounds alternate, so that both have the same weather."""
    found: list[list[Times]] = [[], []]
    for _ in range(ROUNDS):
        for number, address in enumerate(addresses):
            found[number] += asyncio.run(one_round(address, num_clients, exchanges, body))
    return found


async def one_round(address: str, num_clients: int, exchanges: int, body: bytes) -> list[Times]:
    """Let clients ask at once."""
    clients = [client(address, exchanges, body) for _ in range(num_clients)]
    return [each for times in await asyncio.gather(*clients) for each in times]


async def client(address: str, exchanges: int, body: bytes) -> list[Times]:
    """Ask one time after another on one connection."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    times: list[Times] = []
    for _ in range(WARM_UP + exchanges):
        await asyncio.sleep(random.uniform(0, SECONDS_OF_WORK))
        started = time.perf_counter()
        writer.write(head.encode() + body)
        content = await reader.read(1 << 16)
        first = time.perf_counter()
        while not content.endswith((b"0\r\n\r\n", b'"}}]}')):
            content += await reader.read(1 << 16)
        whole = time.perf_counter()
        times.append(Times((first - started) * 1000, (whole - started) * 1000))
    writer.close()
    return times[WARM_UP:]


def print_rows(name: str, direct: list[Times], recorded: list[Times], cpu: float) -> None:
    """Print the median and the 95th percentile of both, their differences, and the work done."""
    for field, label in (("first_byte", "first byte"), ("whole", "exchange")):
        numbers: list[float] = []
        for times in (direct, recorded):
            values = [getattr(each, field) for each in times]
            numbers += [statistics.median(values), statistics.quantiles(values, n=20)[-1]]
        numbers += [numbers[2] - numbers[0], numbers[3] - numbers[1]]
        numbers += [cpu] if field == "whole" else []
        print(f"{f'{name}, {label}':<32}" + "".join(f" {each:7.2f}" for each in numbers))


if __name__ == "__main__":
    main()
