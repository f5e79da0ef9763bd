import gzip
import http.client
import json
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.record.wires import (
    DONE,
    KEY,
    OK,
    QUESTION,
    ask,
    chunk,
    connect,
    event,
    exchange_raw,
    raw_server,
    read_request,
    recording,
)
from tests.scripted_server import scripted_server

STREAMED = {**QUESTION, "stream": True}
ANSWER = {"content": "Là — 日本語, 🙂. " * 9, "calls": [["bash", {"command": "ls -la"}]]}
WHOLE = b'{"choices": [{"message": {"role": "assistant", "content": "Yes."}}]}'


def without_date(content):
    return re.sub(rb"Date: [^\r]*", b"", content)


def respond(connection, body, *headers, status=b"200 OK"):
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)


def until(condition):
    """Wait for what another process does."""
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def stream_of(*parts):
    def play(connection):
        read_request(connection)
        connection.sendall(OK + b"".join(map(chunk, parts)) + chunk(b""))

    return play


@pytest.mark.parametrize("answer", [ANSWER, 429, 500])
def test_a_response_is_byte_for_byte_what_the_server_sent(answer, tmp_path):
    body = json.dumps(QUESTION).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: me\r\nConnection: close\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with scripted_server([answer]) as (url, _), recording(url, tmp_path) as proxy:
        through, direct = exchange_raw(proxy.url, request), exchange_raw(url, request)
    # The server does not say that it closes; the proxy does, as it was asked to.
    through = through.replace(b"\r\nConnection: close", b"", 1)
    assert without_date(through) == without_date(direct)
    assert direct.endswith(b"}")


def test_a_stream_is_byte_for_byte_what_the_server_sent(tmp_path):
    with scripted_server([ANSWER]) as (url, script), recording(url, tmp_path) as proxy:
        through, direct = ask(proxy.url, STREAMED), ask(url, STREAMED)
    assert through[2] == direct[2]
    assert script.requests == [STREAMED, STREAMED]
    names = [[name for name, _ in each[1]] for each in (through, direct)]
    assert sorted(names[0], key=str.lower) == sorted(names[1], key=str.lower)
    assert [each["body"] for each in proxy.lines("response")] == [through[2].decode()]


def test_what_was_said_is_read_as_a_session(tmp_path):
    asked = {**STREAMED, "tools": [{"type": "function", "function": {"name": "bash"}}]}
    asked["messages"] = [{"role": "system", "content": "Be brief."}, *asked["messages"]]
    with scripted_server([ANSWER]) as (url, _), recording(url, tmp_path) as proxy:
        ask(proxy.url, asked)
    (session,) = proxy.sessions()
    assert session.tools == asked["tools"]
    said = [(each["source"], each["message"]) for each in session.steps]
    assert said == [
        ("system", "Be brief."),
        ("user", "Où est-ce ?"),
        ("agent", ANSWER["content"]),
    ]
    assert session.steps[-1]["tool_calls"][0]["arguments"] == {"command": "ls -la"}


def test_an_event_passes_before_the_next_one_is_sent(tmp_path):
    is_seen = threading.Event()

    def play(connection):
        read_request(connection)
        connection.sendall(OK + chunk(event("one")))
        assert is_seen.wait(20)
        connection.sendall(chunk(event("two")) + chunk(DONE) + chunk(b""))

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        connection = connect(proxy.url)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAMED))
        answer = connection.getresponse()
        assert answer.read1() == event("one")
        is_seen.set()
        assert answer.read() == event("two") + DONE


def test_a_character_cut_in_two_by_the_network_is_whole_in_the_journal(tmp_path):
    content = event("日本語") + DONE
    parts = [content[at : at + 1] for at in range(len(content))]
    with raw_server(stream_of(*parts)) as url, recording(url, tmp_path) as proxy:
        assert ask(proxy.url, STREAMED)[2] == content
    assert proxy.lines("response")[0]["body"] == content.decode()


def test_a_request_arrives_as_it_was_sent_but_for_the_name_of_the_host(tmp_path):
    seen = []

    def play(connection):
        seen.append(read_request(connection))
        respond(connection, WHOLE)

    head = [
        b"POST /v1/chat/completions?api-version=1 HTTP/1.1", b"hOST: me", b"X-b: 2", b"x-A: 1",
        b"Authorization: Bearer " + KEY.encode(), b"Connection: close", b"Content-Length: 60",
    ]  # fmt: skip
    body = json.dumps(QUESTION).encode()[:60]
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        exchange_raw(proxy.url, b"\r\n".join(head) + b"\r\n\r\n" + body)
    head[1] = b"hOST: " + urlsplit(url).netloc.encode()
    assert seen == [(b"\r\n".join(head), body)]


def test_no_key_is_written_or_printed(tmp_path):
    with raw_server(stream_of(event("x"), DONE)) as url, recording(url, tmp_path) as proxy:
        path = f"/chat/completions?api_key={KEY}"
        headers = {"Authorization": f"Bearer {KEY}", "api_key": KEY, "Cookie": KEY}
        assert ask(proxy.url, path=path, **headers)[0] == 200
    with recording("http://127.0.0.1:9/v1", tmp_path) as alone:
        assert KEY.encode() not in ask(alone.url, path=path, **headers)[2]
        bad = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: {KEY}\x01\r\n\r\n"
        assert KEY.encode() not in exchange_raw(alone.url, bad.encode())
    files = [each.read_text() for each in tmp_path.rglob("*.jsonl")]
    assert len(files) == 2
    printed = [str(each.said) + str(each.first) + each.errors for each in (proxy, alone)]
    assert not any(KEY in text for text in (*files, *printed))
    assert proxy.lines("request")[0]["path"] == "/v1/chat/completions"


def test_what_is_no_conversation_passes_unrecorded(tmp_path):
    with scripted_server([ANSWER]) as (url, _), recording(url, tmp_path) as proxy:
        connection = connect(proxy.url)
        connection.request("GET", "/v1/models")
        assert json.loads(connection.getresponse().read())["data"][0]["id"] == "scripted"
        assert ask(proxy.url, path="/embeddings")[0] == 200
    assert [list(each) for each in proxy.lines()] == [["format", "journal", "at"]]


def test_a_client_that_hangs_up_is_hung_up_for(tmp_path):
    is_left = threading.Event()

    def play(connection):
        read_request(connection)
        connection.sendall(OK + chunk(event("one")))
        if connection.recv(1) == b"":
            is_left.set()

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        connection = connect(proxy.url)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAMED))
        answer = connection.getresponse()
        assert answer.read1() == event("one")
        answer.close()
        connection.close()
        assert is_left.wait(5)
    (response,) = proxy.lines("response")
    assert (response["body"], response["is_complete"]) == (event("one").decode(), False)


def test_a_client_that_hangs_up_while_it_asks_is_hung_up_for(tmp_path):
    heads = []
    with raw_server(lambda each: heads.append(read_request_until_left(each))) as url:
        with recording(url, tmp_path) as proxy:
            parts = urlsplit(proxy.url)
            with socket.create_connection((parts.hostname, parts.port)) as connection:
                head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
                connection.sendall(head + b"{}")
                time.sleep(0.2)
            until(lambda: heads)
        assert heads[0].endswith(b"\r\n\r\n{}")
    assert [each["event"] for each in proxy.lines()[1:]] == ["note"]
    assert "cut off" in proxy.lines("note")[0]["note"]


def read_request_until_left(connection):
    content = b""
    try:
        while part := connection.recv(1 << 16):
            content += part
    except ConnectionError:
        pass
    return content


def test_an_answer_is_whole_for_a_client_that_leaves_after_its_last_event(tmp_path):
    def play(connection):
        read_request(connection)
        connection.sendall(OK + chunk(event("one")) + chunk(DONE))
        connection.recv(1)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        connection = connect(proxy.url)
        connection.request("POST", "/v1/chat/completions", json.dumps(STREAMED))
        answer, content = connection.getresponse(), b""
        while DONE not in content:
            content += answer.read1()
        answer.close()
        connection.close()
        until(lambda: proxy.lines("response"))
    assert proxy.lines("response")[0]["is_complete"] is True


@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_server_that_dies_breaks_the_connection_of_the_client(is_chunked, tmp_path):
    def play(connection):
        read_request(connection)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
        connection.sendall(OK + chunk(event("one")) if is_chunked else head + event("one"))

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        with pytest.raises(http.client.IncompleteRead) as broken:
            ask(proxy.url, STREAMED)
        assert broken.value.partial == event("one")
    assert [each["is_complete"] for each in proxy.lines("response")] == [False]


def test_a_server_that_dies_before_it_answers_breaks_it_too(tmp_path):
    with (
        raw_server(read_request) as url,
        recording(url, tmp_path) as proxy,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        ask(proxy.url)
    assert [each["event"] for each in proxy.lines()[1:]] == ["request", "note"]


def test_a_server_that_speaks_no_http_breaks_it_too(tmp_path):
    def play(connection):
        read_request(connection)
        connection.sendall(b"220 mail.test ESMTP\r\n\r\n")

    with (
        raw_server(play) as url,
        recording(url, tmp_path) as proxy,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        ask(proxy.url)


def test_two_clients_at_once_are_two_sessions(tmp_path):
    barrier = threading.Barrier(2, timeout=20)

    def play(connection):
        while body := read_request(connection)[1]:
            asked = json.loads(body)["messages"][-1]["content"]
            connection.sendall(OK)
            for word in ("You", " said ", asked):
                barrier.wait()  # word by word in turn
                connection.sendall(chunk(event(word)))
            connection.sendall(chunk(DONE) + chunk(b""))

    def talk(name):
        messages, connection = [], connect(proxy.url)
        for turn in range(3):
            messages.append({"role": "user", "content": f"{name}{turn}"})
            request = {"model": "m", "stream": True, "messages": messages}
            assert ask(proxy.url, request, connection=connection)[0] == 200
            messages.append({"role": "assistant", "content": f"You said {name}{turn}"})
        connection.close()

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        threads = [threading.Thread(target=talk, args=(name,)) for name in ("ada", "bob")]
        for each in threads:
            each.start()
        for each in threads:
            each.join(20)
    found = [[step["message"] for step in each.steps] for each in proxy.sessions()]
    expected = [
        [text for turn in range(3) for text in (f"{name}{turn}", f"You said {name}{turn}")]
        for name in ("ada", "bob")
    ]
    assert sorted(found) == expected


def test_a_connection_that_stays_open_is_one_to_the_server_too(tmp_path):
    connections = []

    def play(connection):
        connections.append(connection)
        while read_request(connection)[0]:
            respond(connection, WHOLE)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        client = connect(proxy.url)
        assert [ask(proxy.url, connection=client)[2] for _ in range(5)] == [WHOLE] * 5
    assert len(connections) == 1
    assert len(proxy.lines("response")) == 5


def test_a_server_that_ends_an_idle_connection_ends_it_for_the_client(tmp_path):
    def play(connection):
        read_request(connection)
        respond(connection, WHOLE)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        client = connect(proxy.url)
        assert ask(proxy.url, connection=client)[2] == WHOLE
        assert client.sock.recv(1) == b""


def test_requests_sent_before_the_answers_are_answered_in_order(tmp_path):
    def play(connection):
        while (found := read_request(connection))[0]:
            respond(connection, found[1])

    head = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
    content = head + b"\r\n1" + head + b"\r\n2" + head + b"Connection: close\r\n\r\n3"
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        found = exchange_raw(proxy.url, content)
    assert re.findall(rb"\r\n\r\n(.)", found) == [b"1", b"2", b"3"]


def test_a_server_that_cannot_be_reached_is_an_error_the_client_understands(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    with recording(url, tmp_path) as proxy:
        status, headers, body = ask(proxy.url)
    assert status == 502
    assert json.loads(body) == {
        "error": {
            "message": f"devtune record: cannot reach {url}: connection refused; start it, or"
            " correct --to",
            "type": "proxy_error", "param": None, "code": 502,
        }
    }  # fmt: skip
    assert ("Content-Type", "application/json") in headers
    assert [each["note"] for each in proxy.lines("note")] == [
        "no answer: the server cannot be reached"
    ]


def test_a_server_without_tls_where_it_is_expected_is_such_an_error(tmp_path):
    def play(connection):
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1)

    with raw_server(play) as url, recording(url.replace("http", "https"), tmp_path) as proxy:
        status, _, body = ask(proxy.url)
    assert status == 502
    assert b": no TLS is spoken there; " in body


def test_what_is_compressed_passes_as_it_is_and_is_written_as_text(tmp_path):
    seen = []

    def play(connection):
        seen.append(read_request(connection))
        respond(connection, gzip.compress(WHOLE), b"Content-Encoding: gzip")

    body = gzip.compress(json.dumps(QUESTION).encode())
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        headers = {"Content_Encoding": "gzip", "Accept_Encoding": "br, gzip;q=0.5, zstd"}
        assert ask(proxy.url, body=body, **headers)[2] == gzip.compress(WHOLE)
    assert seen[0][1] == body
    assert seen[0][0].endswith(b"\r\nAccept-Encoding: gzip;q=0.5")
    assert json.loads(proxy.lines("request")[0]["body"]) == QUESTION
    assert proxy.lines("response")[0]["body"] == WHOLE.decode()


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("br", b"\x0b\x01", "a content encoding other than gzip and deflate"),
        ("gzip", b"no gzip", "damaged compression"),
        ("gzip", gzip.compress(bytes(70 << 20), 1), "more than 64 MiB"),
        ("identity", b'{"a": "\xff"}', "not UTF-8"),
    ],
)
def test_what_is_no_text_passes_and_is_noted(encoding, body, reason, tmp_path):
    seen, encoded = [], b"Content-Encoding: " + encoding.encode()

    def play(connection):
        for answer in ((WHOLE,), (body, encoded)):
            seen.append(read_request(connection)[1])
            respond(connection, *answer)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        client = connect(proxy.url)
        assert ask(proxy.url, body=body, Content_Encoding=encoding, connection=client)[2] == WHOLE
        assert ask(proxy.url, connection=client)[2] == body
        proxy.stop()
    assert seen[0] == body
    assert [(each["id"], each["event"]) for each in proxy.lines()[1:]] == [
        ("1", "note"), ("2", "request"), ("2", "note")
    ]  # fmt: skip
    assert [each["note"] for each in proxy.lines("note")] == [
        f"the request is not recorded: {reason}", f"the response is not recorded: {reason}"
    ]  # fmt: skip
    assert (proxy.said[0]["num_recorded"], proxy.said[0]["num_lost"]) == (0, 2)


def test_a_body_of_many_megabytes_passes_both_ways(tmp_path):
    def play(connection):
        respond(connection, read_request(connection)[1])

    body = json.dumps({"messages": [{"role": "user", "content": "é" * (1 << 20)}]}).encode()
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        assert ask(proxy.url, body=body)[2] == body
    assert [len(each["body"]) for each in proxy.lines()[1:]] == [len(body)] * 2


def test_a_request_in_chunks_arrives_whole(tmp_path):
    seen = []

    def play(connection):
        content = b""
        while not content.endswith(b"0\r\n\r\n"):
            content += connection.recv(1 << 16)
        seen.append(content)
        respond(connection, WHOLE)

    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    content = head + chunk(b'{"a":') + chunk(b" 1}") + chunk(b"")
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        assert exchange_raw(proxy.url, content).endswith(WHOLE)
    assert seen[0].partition(b"\r\n\r\n")[2] == content.partition(b"\r\n\r\n")[2]
    assert proxy.lines("request")[0]["body"] == '{"a": 1}'


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(tmp_path):
    def play(connection):
        head = connection.recv(1 << 16)
        assert b"100-continue" in head
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        respond(connection, connection.recv(1 << 16))

    head = b"POST /v1/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        parts = urlsplit(proxy.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            connection.sendall(head)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"{}")
            assert connection.recv(1 << 16).endswith(b"\r\n\r\n{}")


def test_an_answer_before_the_whole_question_passes(tmp_path):
    def play(connection):
        connection.recv(1 << 10)
        respond(connection, b"no", status=b"413 Too Large")
        connection.recv(1 << 16)

    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        assert exchange_raw(proxy.url, head).startswith(b"HTTP/1.1 413 Too Large\r\n")


def test_a_client_of_1996_gets_an_answer_that_ends_with_the_connection(tmp_path):
    with raw_server(stream_of(event("one"), DONE)) as url, recording(url, tmp_path) as proxy:
        found = exchange_raw(proxy.url, b"GET /v1/x HTTP/1.0\r\n\r\n")
    assert found.endswith(b"\r\n\r\n" + event("one") + DONE)
    assert b"chunked" not in found


def test_a_server_that_ends_its_answer_with_the_connection_is_understood(tmp_path):
    def play(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + WHOLE)

    with raw_server(play) as url, recording(url, tmp_path) as proxy:
        assert ask(proxy.url)[2] == WHOLE
    assert proxy.lines("response")[0]["is_complete"] is True


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"Hello\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\nA: " + b"x" * (300 << 10), b"431")],
)
def test_what_is_no_request_is_refused(content, status, tmp_path):
    with recording("http://127.0.0.1:9/v1", tmp_path) as proxy:
        found = exchange_raw(proxy.url, content)
    assert found.startswith(b"HTTP/1.1 " + status)
    assert b"devtune record: what came in is no HTTP/1.1 request" in found
