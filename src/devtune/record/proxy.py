"""Between an agent and a server: each connection of the one has its own to the other.

Passes bytes on as they arrive and hands them to a recording. Where one side hangs up the other is
hung up on, as if nobody stood between.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import h11

from devtune.errors import DevtuneError
from devtune.record.address import Address
from devtune.record.journal import Recorder
from devtune.record.recording import Recording, is_recorded
from devtune.record.wire import (
    READ_BYTES,
    Gone,
    Peer,
    reason_of,
    request_for,
    response_for,
)

CONNECT_SECONDS = 10.0


class Proxy:
    """Serves connections until it is closed."""

    def __init__(
        self, address: Address, recorder: Recorder, give_up: Callable[[DevtuneError], None]
    ) -> None:
        """`give_up` is called where recording is strict and cannot go on."""
        self._address, self._recorder, self._give_up = address, recorder, give_up
        self._encryption = ssl.create_default_context() if address.is_encrypted else None
        self._conversations: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._num_exchanges = 0
        self._is_closing = False

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client, which may ask many times."""
        client = Peer(h11.SERVER, reader, writer)
        task = asyncio.create_task(self._converse(client))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def close(self, seconds: float) -> None:
        """Let exchanges that run end within a time, then cut them off; what they said is kept."""
        self._is_closing = True
        for task in tuple(self._idle):
            task.cancel()
        for limit in (seconds, None):
            if self._conversations:
                await asyncio.wait(self._conversations, timeout=limit)
            self.cut_off()

    def cut_off(self) -> None:
        """End exchanges that run."""
        for task in tuple(self._conversations):
            task.cancel()

    async def _converse(self, client: Peer) -> None:
        servers: list[Peer] = []
        try:
            while events := await self._next_request(client, servers):
                await self._exchange(client, servers, events)
                peers = (client, *servers)
                if self._is_closing or not all(each.next_cycle() for each in peers):
                    break
        except Gone as gone:
            if gone.status:
                await _refuse(client, gone.status, "what came in is no HTTP/1.1 request")
        except DevtuneError as error:
            self._give_up(error)
            await _refuse(client, 500, str(error))
        finally:
            client.close()
            for each in servers:
                each.abort()

    async def _next_request(self, client: Peer, servers: list[Peer]) -> list[h11.Event]:
        """Return the beginning of a request; nothing when the server hangs up first."""
        task = asyncio.current_task()
        assert task
        self._idle.add(task)
        try:
            return await _first(client.receive(), *(each.left() for each in servers)) or []
        finally:
            self._idle.discard(task)

    async def _exchange(self, client: Peer, servers: list[Peer], events: list[h11.Event]) -> None:
        request = events[0]
        assert isinstance(request, h11.Request)
        recording = None
        if is_recorded(request):
            self._num_exchanges += 1
            recording = Recording(self._recorder, self._num_exchanges, request)
        if not servers:
            try:
                servers.append(await self._connect())
            except OSError as error:
                await self._unreachable(client, recording, events, error)
                return
        events[0] = request_for(request, self._address, recording is not None)
        is_complete = False
        try:
            up = _pass_request(client, servers[0], recording, events)
            down = _pass_response(client, servers[0], recording)
            is_complete = bool(await _first(down, up))
        finally:
            if recording:
                recording.answered(is_complete)
        if not is_complete:
            raise Gone

    async def _connect(self) -> Peer:
        try:
            opening = asyncio.open_connection(
                self._address.host, self._address.port, ssl=self._encryption, limit=READ_BYTES
            )
            reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except TimeoutError:
            raise OSError(f"no connection within {CONNECT_SECONDS:.0f} seconds") from None
        return Peer(h11.CLIENT, reader, writer)

    async def _unreachable(
        self, client: Peer, recording: Recording | None, events: list[h11.Event], error: OSError
    ) -> None:
        if recording:
            recording.note("no answer: the server cannot be reached")
        while not isinstance(events[-1], h11.EndOfMessage):
            if client.http.they_are_waiting_for_100_continue:
                break
            events = await client.receive()
        what = f"cannot reach {self._address}: {reason_of(error)}; start it, or correct --to"
        await _refuse(client, 502, what)


async def _pass_request(
    client: Peer, server: Peer, recording: Recording | None, events: list[h11.Event]
) -> None:
    """Pass a request on, its first events given; return when the client hangs up."""
    try:
        while True:
            is_whole = isinstance(events[-1], h11.EndOfMessage)
            if recording:
                for each in events:
                    recording.sent(each)
                if is_whole:
                    recording.asked()
            await _send_or_wait(server, events)
            if is_whole:
                break
            events = await client.receive()
    except Gone:
        return
    await client.left()


async def _send_or_wait(server: Peer, events: list[h11.Event]) -> None:
    """A server that hangs up may have answered before, and that is passed on by others."""
    try:
        await server.send(events)
    except Gone:
        await asyncio.get_running_loop().create_future()


async def _pass_response(client: Peer, server: Peer, recording: Recording | None) -> bool:
    """Pass a response on; return whether it was whole."""
    try:
        while True:
            events = await server.receive()
            is_whole = isinstance(events[-1], h11.EndOfMessage)
            if recording:
                for each in events:
                    recording.received(each)
                if is_whole:
                    recording.answered(is_complete=True)
            await client.send([response_for(each) for each in events])
            if is_whole:
                return True
    except Gone:
        return False


async def _first(*works: Coroutine[Any, Any, Any]) -> Any:
    """Return what the first of several works returns, or raise what it raises; end the others."""
    tasks = [asyncio.create_task(each) for each in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(each for each in tasks if each.done()).result()
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _refuse(client: Peer, status: int, why: str) -> None:
    """Answer in the server's place, as the API words an error; nothing of the request is in it."""
    error = {"message": f"devtune record: {why}", "type": "proxy_error", "param": None}
    body = json.dumps({"error": {**error, "code": status}}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    headers.append(("Connection", "close"))
    try:
        response = h11.Response(status_code=status, headers=headers)
        await client.send([response, h11.Data(data=body), h11.EndOfMessage()])
    except Gone:
        return
