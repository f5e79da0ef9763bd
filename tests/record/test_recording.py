import gzip
import zlib

import h11
import pytest

from devtune.record import recording
from devtune.record.recording import Body, is_recorded


def body_of(*parts, encoding=""):
    body = Body(encoding)
    for each in parts:
        body.add(each)
    return body


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("POST", "/v1/chat/completions", True),
        ("POST", "/v1/chat/completions/", True),
        ("POST", "/openai/deployments/m/chat/completions?api-version=1", True),
        ("GET", "/v1/chat/completions", False),
        ("POST", "/v1/completions", False),
        ("POST", "/v1/chat/completions/x", False),
        ("POST", "/v1/embeddings?next=/chat/completions", False),
    ],
)
def test_conversations_alone_are_recorded(method, target, expected):
    request = h11.Request(method=method, target=target, headers=[("Host", "x")])
    assert is_recorded(request) is expected


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_what_is_compressed_is_text(pack):
    encoding = "gzip" if pack is gzip.compress else "deflate"
    packed = pack("Où ?".encode())
    assert body_of(packed[:3], packed[3:], encoding=encoding).text() == "Où ?"


def test_what_there_is_of_a_compressed_stream_is_text():
    packed = zlib.compressobj(wbits=31)
    start = packed.compress(b"data: 1\n\n") + packed.flush(zlib.Z_SYNC_FLUSH)
    assert body_of(start, encoding="gzip").text(is_complete=False) == "data: 1\n\n"


def test_a_character_that_was_cut_off_is_left_out():
    content = "日本".encode()[:-1]
    assert body_of(content).text(is_complete=False) == "日"
    with pytest.raises(ValueError, match="not UTF-8"):
        body_of(content).text()


def test_a_body_that_is_too_long_is_not_kept(monkeypatch):
    monkeypatch.setattr(recording, "MAX_BYTES", 1 << 20)
    body = body_of(bytes(1 << 19), bytes(1 << 20), b"x")
    assert len(body._content) == 1 << 19
    with pytest.raises(ValueError, match="more than 1 MiB"):
        body.text()
