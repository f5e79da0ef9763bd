"""Between an agent and a server: each connection of the one has its own to the other.

Passes bytes on as they arrive and hands them to a recording. Where one side hangs up the other is
hung up on, as if nobody stood between.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
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


@dataclass(slots=True, eq=False)
class Conversation:
    """A connection of a client, its own to the server, and what is going on."""

    client: Peer
    server: Peer | None = None
    is_connected: asyncio.Event = field(default_factory=asyncio.Event)
    recording: Recording | None = None
    is_running: bool = False
    """Whether a request has begun and its response has not ended."""

    def end_exchange(self) -> bool:
        """Make ready for another exchange; return whether both connections can have one."""
        self.recording, self.is_running = None, False
        return all(each.next_cycle() for each in (self.client, self.server) if each)

    def close(self) -> None:
        """Hang up on both sides."""
        self.client.close()
        if self.server:
            self.server.abort()


class Proxy:
    """Serves connections until it is closed."""

    def __init__(
        self, address: Address, recorder: Recorder, give_up: Callable[[DevtuneError], None]
    ) -> None:
        """`give_up` is called where recording is strict and cannot go on."""
        self._address, self._recorder, self._give_up = address, recorder, give_up
        self._encryption = ssl.create_default_context() if address.is_encrypted else None
        self._conversations: dict[asyncio.Task[None], Conversation] = {}
        self._num_exchanges = 0
        self._is_closing = False

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client, which may ask many times."""
        conversation = Conversation(Peer(h11.SERVER, reader, writer))
        task = asyncio.create_task(self._converse(conversation))
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)

    async def close(self, seconds: float) -> None:
        """Let exchanges that run end within a time, then cut them off; what they said is kept."""
        self._is_closing = True
        for task, conversation in self._conversations.items():
            if not conversation.is_running:
                task.cancel()
        for limit in (seconds, None):
            if self._conversations:
                await asyncio.wait(self._conversations, timeout=limit)
            self.cut_off()

    def cut_off(self) -> None:
        """End exchanges that run."""
        for task in self._conversations:
            task.cancel()

    async def _converse(self, conversation: Conversation) -> None:
        client = conversation.client
        try:
            try:
                await _first(self._pass_responses(conversation), self._pass_requests(conversation))
            finally:
                if conversation.recording:
                    conversation.recording.answered(is_complete=False)
        except Gone as gone:
            if gone.status:
                await _refuse(client, gone.status, "what came in is no HTTP/1.1 request")
        except DevtuneError as error:
            self._give_up(error)
            await _refuse(client, 500, str(error))
        finally:
            conversation.close()

    async def _pass_requests(self, conversation: Conversation) -> None:
        """Pass requests on until the client hangs up, or nobody is there to answer."""
        while True:
            events = await conversation.client.receive()
            if isinstance(request := events[0], h11.Request):
                if not await self._begin(conversation, request):
                    await _drain(conversation.client, events)
                    return
                is_recorded = conversation.recording is not None
                events[0] = request_for(request, self._address, is_recorded)
            if conversation.recording:
                conversation.recording.sent(events)
            assert conversation.server
            try:
                await conversation.server.send(events)
            except Gone:  # it may have answered before, and that is passed on by others
                await asyncio.get_running_loop().create_future()

    async def _begin(self, conversation: Conversation, request: h11.Request) -> bool:
        """Make ready for a request; answer it here when the server cannot be reached."""
        conversation.is_running = True
        if is_recorded(request):
            self._num_exchanges += 1
            recording = Recording(self._recorder, self._num_exchanges, request)
            conversation.recording = recording
        if conversation.server:
            return True
        try:
            opening = asyncio.open_connection(
                self._address.host, self._address.port, ssl=self._encryption, limit=READ_BYTES
            )
            reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
        except TimeoutError:
            why = f"no connection within {CONNECT_SECONDS:.0f} seconds"
        except OSError as error:
            why = reason_of(error)
        else:
            conversation.server = Peer(h11.CLIENT, reader, writer)
            conversation.is_connected.set()
            return True
        if conversation.recording:
            conversation.recording.note("no answer: the server cannot be reached")
            conversation.recording = None
        what = f"cannot reach {self._address}: {why}; start it, or correct --to"
        await _refuse(conversation.client, 502, what)
        return False

    async def _pass_responses(self, conversation: Conversation) -> None:
        """Pass responses on until the server hangs up, or the client does while one comes."""
        await conversation.is_connected.wait()
        assert conversation.server
        try:
            while True:
                events = await conversation.server.receive()
                if conversation.recording:
                    conversation.recording.received(events)
                await conversation.client.send([response_for(each) for each in events])
                if not isinstance(events[-1], h11.EndOfMessage):
                    continue
                if not conversation.end_exchange() or self._is_closing:
                    return
        except Gone:
            return


async def _drain(client: Peer, events: list[h11.Event]) -> None:
    """Let a client say all it has to say, or it may not listen to the answer."""
    while not isinstance(events[-1], h11.EndOfMessage):
        if client.http.they_are_waiting_for_100_continue:
            return
        events = await client.receive()


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
