"""What is said in one exchange, collected as it passes, and written once it is whole.

Writes lines of the journal: the text of bodies, the path and the status; no header, no query.
"""

import codecs
import zlib
from collections.abc import Sequence

import h11

from devtune.record.journal import Recorder, now
from devtune.record.wire import header
from devtune.records.journal import NOTE, REQUEST, RESPONSE

ENDPOINT = b"/chat/completions"
MAX_BYTES = 64 << 20
"""Of a body, also once it is decompressed."""
_LAST_EVENT = "data: [DONE]"


class Recording:
    """One exchange of a conversation."""

    def __init__(self, recorder: Recorder, number: int, request: h11.Request) -> None:
        self._recorder, self._journal, self._id = recorder, recorder.current(), str(number)
        self._path = request.target.partition(b"?")[0].decode("ascii", "replace")
        self._request, self._response = Body(header(request, b"content-encoding")), Body()
        self._status = 0
        self._is_asked = self._is_kept = self._is_answered = False

    def sent(self, events: Sequence[h11.Event]) -> None:
        """Keep a part of the request; at its end, write it."""
        for each in events:
            if isinstance(each, h11.Data):
                self._request.add(each.data)
            elif isinstance(each, h11.EndOfMessage):
                self._asked()

    def received(self, events: Sequence[h11.Event]) -> None:
        """Keep a part of the response; at its end, write it."""
        for each in events:
            if isinstance(each, h11.Response):
                self._status = each.status_code
                self._response = Body(header(each, b"content-encoding"))
            elif isinstance(each, h11.Data):
                self._response.add(each.data)
            elif isinstance(each, h11.EndOfMessage):
                self.answered(is_complete=True)

    def _asked(self) -> None:
        """Write the request, which is whole."""
        self._is_asked = True
        try:
            body = self._request.text()
        except ValueError as error:
            self.note(f"the request is not recorded: {error}")
            return
        line = {"event": REQUEST, "id": self._id, "at": now(), "path": self._path, "body": body}
        self._is_kept = self._recorder.append(self._journal, line)

    def answered(self, is_complete: bool) -> None:
        """Write the response to a request that is written, or what there is of it; once."""
        if self._is_answered:
            return
        self._is_answered = True
        if not self._is_asked or not self._status:
            self.note("no answer: the request or the connection was cut off")
            return
        if not self._is_kept:
            self._recorder.num_lost += 1
            return
        try:
            body = self._response.text(is_complete)
        except ValueError as error:
            self._recorder.num_lost += 1
            self.note(f"the response is not recorded: {error}")
            return
        # Clients hang up after this event, before the server has closed the message around it.
        is_complete = is_complete or body.rstrip().endswith(_LAST_EVENT)
        line = {
            "event": RESPONSE, "id": self._id, "at": now(), "status": self._status,
            "body": body, "is_complete": is_complete,
        }  # fmt: skip
        self._recorder.append(self._journal, line)

    def note(self, text: str) -> None:
        """Write why a text or an answer is missing."""
        line = {"event": NOTE, "id": self._id, "at": now(), "note": text}
        self._recorder.append(self._journal, line)


class Body:
    """The bytes of one message."""

    def __init__(self, encoding: str = "") -> None:
        self._encoding, self._content, self._is_over = encoding, bytearray(), False

    def add(self, content: bytes) -> None:
        """Keep more of it, as long as it is not too much."""
        self._is_over = self._is_over or len(self._content) + len(content) > MAX_BYTES
        if not self._is_over:
            self._content += content

    def text(self, is_complete: bool = True) -> str:
        """Return the text, without a character that was cut off. Raises `ValueError`: why not."""
        if self._is_over:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
        content = bytes(self._content)
        if self._encoding in ("gzip", "x-gzip", "deflate"):
            content = _decompressed(content)
        elif self._encoding not in ("", "identity"):
            raise ValueError("a content encoding other than gzip and deflate")
        try:
            return codecs.getincrementaldecoder("utf-8")().decode(content, final=is_complete)
        except UnicodeDecodeError:
            raise ValueError("not UTF-8") from None


def _decompressed(content: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=47)  # the header of gzip or of zlib
    try:
        text = decompressor.decompress(content, MAX_BYTES + 1)
    except zlib.error:
        raise ValueError("damaged compression") from None
    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
    return text


def is_recorded(request: h11.Request) -> bool:
    """Whether a request asks a model to say something in a conversation."""
    path = request.target.partition(b"?")[0].rstrip(b"/")
    return request.method == b"POST" and path.endswith(ENDPOINT)
