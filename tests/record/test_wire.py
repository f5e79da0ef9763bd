import os
import ssl

import h11
import pytest

from devtune.record.address import parse_address
from devtune.record.wire import reason_of, request_for, response_for

ADDRESS = parse_address("https://models.test/v1")


def passed(*headers, is_recorded=True):
    request = h11.Request(method="POST", target="/v1/x", headers=[("Host", "me"), *headers])
    found = request_for(request, ADDRESS, is_recorded).headers.raw_items()
    assert found[0] == (b"Host", b"models.test")
    return [f"{name.decode()}: {value.decode()}" for name, value in found[1:]]


def test_headers_of_one_connection_alone_stay_behind():
    assert passed(
        ("Connection", "Upgrade, X-Hop"), ("Upgrade", "h2c"), ("X-Hop", "1"), ("TE", "trailers"),
        ("Proxy-Authorization", "Basic x"), ("X-Kept", "1"),
    ) == ["X-Kept: 1"]  # fmt: skip


def test_both_connections_are_kept_or_closed_together():
    assert passed(("Connection", "keep-alive")) == ["Connection: keep-alive"]
    assert passed(("Connection", "Close")) == ["Connection: Close"]


def test_a_length_beside_chunks_is_dropped():
    both = (("Content-Length", "5"), ("Transfer-Encoding", "chunked"))
    assert passed(*both) == ["Transfer-Encoding: chunked"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gzip, br", "gzip"),
        ("br;q=1.0, zstd", "identity"),
        ("gzip;q=1,deflate", "gzip;q=1,deflate"),
    ],
)
def test_a_journal_can_read_what_the_server_may_compress_with(asked, expected):
    assert passed(("accept-encoding", asked)) == [f"accept-encoding: {expected}"]
    assert passed(("accept-encoding", asked), is_recorded=False) == [f"accept-encoding: {asked}"]


def test_a_request_without_a_host_gets_one():
    request = h11.Request(method="GET", target="/", headers=[], http_version="1.0")
    assert list(request_for(request, ADDRESS, False).headers) == [(b"host", b"models.test")]


def test_reason_and_spelling_of_a_response_are_kept():
    response = h11.Response(status_code=200, reason="Fine", headers=[("x-A", "1"), ("X-a", "2")])
    found = response_for(response)
    assert (found.reason, found.headers.raw_items()) == (b"Fine", [(b"x-A", b"1"), (b"X-a", b"2")])
    assert response_for(h11.Data(data=b"x")) == h11.Data(data=b"x")


def test_why_no_connection_came_about_is_said_in_words():
    assert reason_of(ConnectionRefusedError(111, "odd")) == os.strerror(111).lower()
    assert reason_of(OSError(-2, "Name or service not known")) == "name or service not known"
    assert (
        reason_of(OSError("no connection within 10 seconds")) == "no connection within 10 seconds"
    )
    assert reason_of(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] …")) == "no TLS is spoken there"
    untrusted = ssl.SSLCertVerificationError()
    untrusted.verify_message = "self-signed certificate"
    assert reason_of(untrusted) == "self-signed certificate"
