"""An OpenAI-compatible server on the loopback that plays a list of answers, whatever is asked.

It stands in for a model that would need a GPU. Run by itself:
`python tests/scripted_server.py PORT SCRIPT.json REQUESTS.jsonl`.
"""

import json
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Script:
    """Answers in their order, each an assistant's message; the last one is repeated."""

    answers: list
    requests: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    log: Path | None = None
    chunk_characters: int = 7

    def next(self, request):
        self.requests.append(request)
        if self.log:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(request) + "\n")
        return self.answers[min(len(self.requests), len(self.answers)) - 1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        model = {"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}
        self._send("application/json", json.dumps({"object": "list", "data": [model]}).encode())

    def do_POST(self):
        script = self.server.script
        length = int(self.headers.get("Content-Length", 0))
        script.headers.append(dict(self.headers))
        request = json.loads(self.rfile.read(length))
        answer = script.next(request)
        if isinstance(answer, int):
            self._send("application/json", b'{"error": {"message": "scripted"}}', answer)
            return
        if request.get("stream"):
            self._stream(answer)
            return
        calls = _calls(answer)
        message = {"role": "assistant", "content": answer.get("content") or None}
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "finish_reason": _reason(calls)}
        body = {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE}
        self._send("application/json", json.dumps(body).encode())

    def _send(self, kind, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        size = self.server.script.chunk_characters
        self._event({"role": "assistant", "content": ""})
        text = answer.get("content") or ""
        for start in range(0, len(text), size):
            self._event({"content": text[start : start + size]})
        for index, call in enumerate(_calls(answer)):
            opening = {**call, "index": index}
            arguments = opening["function"]["arguments"]
            opening["function"] = {**call["function"], "arguments": ""}
            self._event({"tool_calls": [opening]})
            for start in range(0, len(arguments), size):
                part = {"index": index, "function": {"arguments": arguments[start : start + size]}}
                self._event({"tool_calls": [part]})
        self._event({}, finish_reason=_reason(_calls(answer)), usage=_USAGE)
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, delta, finish_reason=None, **more):
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        body = {**_HEAD, "object": "chat.completion.chunk", "choices": [choice], **more}
        self._chunk(b"data: " + json.dumps(body).encode() + b"\n\n")

    def _chunk(self, content):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()


_HEAD = {"id": "chatcmpl-1", "created": 0, "model": "scripted"}
_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def _calls(answer):
    return [
        {
            "id": f"c{abs(hash((each[0], str(each[1])))) % 10**8:08}",
            "type": "function",
            "function": {
                "name": each[0],
                "arguments": each[1] if isinstance(each[1], str) else json.dumps(each[1]),
            },
        }
        for each in answer.get("calls", [])
    ]


def _reason(calls):
    return "tool_calls" if calls else "stop"


def make_server(answers, port=0, log=None):
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.script = Script(answers, log=log)
    return server


@contextmanager
def scripted_server(answers):
    """Yield (base URL, script) of a server that runs until the end of the block."""
    server = make_server(answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", server.script
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    answers = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    make_server(answers, int(sys.argv[1]), Path(sys.argv[3])).serve_forever()
