"""One side of the proxy: HTTP/1.1 over a stream, its events as they arrive.

Reads and writes a socket. Bodies are never changed; of headers only those change that concern one
connection alone.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Sequence

import h11

from devtune.record.address import Address

READ_BYTES = 1 << 18
MAX_HEAD_BYTES = 1 << 18
CODINGS = (b"gzip", b"deflate", b"identity")
"""Content encodings a journal can read."""
_CONNECTION = (b"connection", b"keep-alive")
_KEPT_TOKENS = {b"close", b"keep-alive"}
_DROPPED = {b"te", b"upgrade", b"proxy-connection", b"proxy-authorization", b"proxy-authenticate"}

Headers = list[tuple[bytes, bytes]]


class Gone(Exception):
    """The other side has left, or speaks no HTTP; then `status` is what to answer."""

    def __init__(self, status: int = 0) -> None:
        super().__init__(status)
        self.status = status


class Peer:
    """A connection to the client (`h11.SERVER` is our role) or to the server (`h11.CLIENT`)."""

    def __init__(
        self,
        role: type[h11.SERVER] | type[h11.CLIENT],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._reader, self._writer = reader, writer
        self._is_paused, self._resumed = False, asyncio.Event()
        # asyncio forgets this for what a socket accepts that was made elsewhere; else the end of a
        # stream waits 40 ms for the other side to acknowledge what came before.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self) -> list[h11.Event]:
        """Return what has arrived, waiting for it, up to the end of a message. Raises `Gone`.

        Called before `next_cycle` it waits for that, and meanwhile notices when the other leaves.
        """
        while not (events := self._parsed()):
            if self._is_paused and self.http.trailing_data[0]:
                await self._resumed.wait()
                continue
            content = await self._read()
            if self._is_paused and not content:
                raise Gone
            self.http.receive_data(content)
        return events

    def _parsed(self) -> list[h11.Event]:
        events: list[h11.Event] = []
        try:
            while not (events and isinstance(events[-1], h11.EndOfMessage)):
                event = self.http.next_event()
                if isinstance(event, h11.ConnectionClosed):
                    break
                if event is h11.PAUSED:
                    self._is_paused = True
                    self._resumed.clear()
                    return events
                if event is h11.NEED_DATA:
                    return events
                events.append(event)  # pyright: ignore[reportArgumentType]
        except h11.RemoteProtocolError as error:
            if not events:
                raise Gone(error.error_status_hint or 400) from None
        if not events:
            raise Gone
        return events

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(READ_BYTES)
        except OSError:
            raise Gone from None

    async def send(self, events: Sequence[h11.Event]) -> None:
        """Send events, and wait while the other side is slow. Raises `Gone`."""
        try:
            content = b"".join(self.http.send(each) or b"" for each in events)
            if content:
                self._writer.write(content)
                await self._writer.drain()
        except (OSError, h11.LocalProtocolError):
            raise Gone from None

    def next_cycle(self) -> bool:
        """Make ready for another exchange; return whether the connection can have one."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        self._is_paused = False
        self._resumed.set()
        return True

    def close(self) -> None:
        """Hang up when all is sent."""
        self._writer.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._writer.transport.abort()


def request_for(request: h11.Request, address: Address, is_recorded: bool) -> h11.Request:
    """Return a request as the server gets it: its name as the host, all else as it was."""
    headers: Headers = []
    for raw, value in _passed_on(request):
        name, new = raw.lower(), value
        if name == b"host":
            new = address.authority.encode()
        elif name == b"accept-encoding" and is_recorded:
            new = _readable(value)
        headers.append((raw, new))
    if not any(raw.lower() == b"host" for raw, _ in headers):  # HTTP/1.0 knows none
        headers.insert(0, (b"Host", address.authority.encode()))
    return h11.Request(method=request.method, target=request.target, headers=headers)


def response_for(event: h11.Event) -> h11.Event:
    """Return a response as the client gets it; other events as they are."""
    if not isinstance(event, h11.Response | h11.InformationalResponse):
        return event
    return type(event)(
        status_code=event.status_code,
        headers=_passed_on(event),
        reason=event.reason,
    )


def header(event: h11.Request | h11.Response, name: bytes) -> str:
    """Return a header in lower case, empty where there is none."""
    found = b",".join(value for each, value in event.headers if each == name)
    return found.decode("ascii", "replace").strip().lower()


def _passed_on(head: h11.Request | h11.Response | h11.InformationalResponse) -> Headers:
    """The two connections live and die together, so keep-alive and close hold for both."""
    tokens = {
        token.strip().lower()
        for name, value in head.headers
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _DROPPED | (tokens - _KEPT_TOKENS - {b"host", b"content-length"})
    if (b"transfer-encoding", b"chunked") in head.headers:
        dropped = dropped | {b"content-length"}
    if tokens - _KEPT_TOKENS:
        dropped = dropped | {b"connection"}
    return [(raw, value) for raw, value in head.headers.raw_items() if raw.lower() not in dropped]


def _readable(value: bytes) -> bytes:
    offered = [each for each in value.split(b",") if each.partition(b";")[0].strip() in CODINGS]
    return b",".join(offered).strip() or b"identity"


def reason_of(error: OSError) -> str:
    """Say in a few words why no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return "no TLS is spoken there"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()
