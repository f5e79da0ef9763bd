"""`devtune record`: listens, lets a proxy answer, and stops when it is told to.

Writes journals; stdout says where they are and what to do with them.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from devtune.errors import DevtuneError, RecipeError
from devtune.progress import Progress
from devtune.record.address import Address, is_loopback, parse_address
from devtune.record.journal import Recorder
from devtune.record.proxy import Proxy
from devtune.record.wire import READ_BYTES, reason_of

MAX_PORT = 65535
SECONDS_TO_END = 5.0
"""What runs when a signal comes may take that long; a second signal cuts it off."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    to: str
    journal: Path
    host: str
    port: int
    is_strict: bool = False


def record(order: Order, progress: Progress) -> None:
    """Record until a signal comes. Raises `DevtuneError` when it cannot begin, or go on."""
    address = parse_address(order.to)
    listening = _listen(order.host, order.port)
    with listening:
        own = Address("http", order.host, listening.getsockname()[1], address.path)
        if own.port == address.port and (address.host == own.host or _are_here(address, own)):
            raise RecipeError(f"--to: {address} is the proxy itself; set another --port")
        recorder = Recorder(order.journal.absolute(), _warn, order.is_strict)
        try:
            greet = partial(_greet, own, address, recorder, progress)
            fault = uvloop.run(_serve(listening, address, recorder, greet))
        finally:
            recorder.close()
    _conclude(recorder, progress)
    if fault:
        raise fault


def _are_here(address: Address, own: Address) -> bool:
    return is_loopback(address.host) and (is_loopback(own.host) or own.host in ("0.0.0.0", "::"))


def _listen(host: str, port: int) -> socket.socket:
    where = f"--host {host} --port {port}"
    if not 0 <= port <= MAX_PORT:
        raise RecipeError(f"{where}: ports end at {MAX_PORT}; set another")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, place = found[0]
        listening = socket.create_server(place[:2], family=family, backlog=128)
    except OSError as error:
        raise RecipeError(f"{where}: {reason_of(error)}; set another") from None
    except UnicodeError:
        raise RecipeError(f"{where}: no name of a machine; set another") from None
    if not is_loopback(host):
        _warn(f"{where}: other machines can reach it, use the server and be recorded")
    return listening


def _greet(own: Address, address: Address, recorder: Recorder, progress: Progress) -> None:
    file = str(recorder.journals[0].file)
    text = f"{own} passes on to {address}; give the agent {own} as its base URL"
    progress.say("record", text, address=str(own), to=str(address), journal=file)
    if progress.style == "auto":
        progress.say("record", f"writing {file}; Ctrl-C ends it")


async def _serve(
    listening: socket.socket, address: Address, recorder: Recorder, greet: Callable[[], None]
) -> DevtuneError | None:
    """Serve until a signal comes, or recording cannot go on; then return why."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_say_fault)
    stop = asyncio.Event()
    faults: list[DevtuneError] = []

    def give_up(fault: DevtuneError) -> None:
        faults.append(fault)
        stop.set()

    proxy = Proxy(address, recorder, give_up)
    server = await asyncio.start_server(proxy.accept, sock=listening, limit=READ_BYTES)
    _on_signals(stop.set)
    greet()
    await stop.wait()
    server.close()
    ending = asyncio.create_task(proxy.close(SECONDS_TO_END))
    _on_signals(proxy.cut_off)
    await ending
    return faults[0] if faults else None


def _on_signals(do: Callable[[], object]) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, do)


def _say_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Name a fault of our own and nothing it holds, which may be a key."""
    fault = type(context.get("exception")).__name__
    _warn(f"a connection ended by a fault of the proxy, {fault}; please report it")


def _conclude(recorder: Recorder, progress: Progress) -> None:
    path = recorder.journals[0].file
    if len(recorder.journals) > 1:
        path = path.parent
    text = f"{recorder.num_recorded} exchanges recorded"
    if recorder.num_lost:
        text += f", {recorder.num_lost} could not be"
    source = f'{{type: sessions, path: "{path}"}}'
    progress.say(
        "record", f"{text}; as a source of a recipe: {source}",
        num_recorded=recorder.num_recorded, num_lost=recorder.num_lost,
        journals=[str(each.file) for each in recorder.journals],
    )  # fmt: skip


def _warn(text: str) -> None:
    print(f"devtune: warning: {text}", file=sys.stderr, flush=True)
