import json

import pytest

from devtune.data.sessions.log import Unreadable
from devtune.data.sessions.reading import places_of, read_place
from devtune.data.sources.exports import walk

HEAD = {"format": "devtune-record-1", "journal": "j1", "at": "2026-01-01T00:00:00.000+00:00"}
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}]
HERE = {"choices": [{"message": {"role": "assistant", "content": "Here."}}]}


def request(name, messages=ASKED, **more):
    body = json.dumps({"model": "m", "messages": messages, **more})
    return {"event": "request", "id": name, "at": "", "path": "/v1/chat/completions", "body": body}


def response(name, body=HERE, status=200, is_complete=True):
    text = body if isinstance(body, str) else json.dumps(body)
    line = {"event": "response", "id": name, "at": "", "status": status, "body": text}
    return {**line, "is_complete": is_complete}


def stream(*deltas, end="data: [DONE]\n\n", newline="\n"):
    events = [{"choices": [{"index": 0, "delta": each}]} for each in deltas]
    lines = [f"data: {json.dumps(each, ensure_ascii=False)}\n\n" for each in events]
    return ("".join(lines) + end).replace("\n", newline)


def read(tmp_path, *lines, torn=""):
    text = "".join(json.dumps(each) + "\n" for each in (HEAD, *lines)) + torn
    (tmp_path / "j.jsonl").write_text(text)
    (place,) = places_of(walk(tmp_path))
    found = list(read_place(place))
    assert {name for name, _ in found} == {"recorded"}
    return [draft for _, draft in found]


def said(draft):
    return [(each["source"], each["message"]) for each in draft.steps]


def test_a_conversation_is_what_no_later_request_repeats(tmp_path):
    answered = [*ASKED, HERE["choices"][0]["message"], {"role": "user", "content": "Sure?"}]
    tools = [{"type": "function", "function": {"name": "bash"}}]
    lines = (request("1"), response("1"), request("2", answered, tools=tools), response("2"))
    (draft,) = read(tmp_path, *lines)
    assert said(draft) == [
        ("system", "Be brief."), ("user", "Where?"), ("agent", "Here."), ("user", "Sure?"),
        ("agent", "Here."),
    ]  # fmt: skip
    assert (draft.tools, draft.model, draft.session_id) == (tools, "m", "j1")
    assert draft.date == HEAD["at"]


def test_answers_find_their_questions_whatever_the_order(tmp_path):
    other = [{"role": "user", "content": "Who?"}]
    me = {"choices": [{"message": {"role": "assistant", "content": "Me."}}]}
    drafts = read(tmp_path, request("1"), request("2", other), response("2", me), response("1"))
    assert [said(each)[-2:] for each in drafts] == [
        [("user", "Who?"), ("agent", "Me.")], [("user", "Where?"), ("agent", "Here.")]
    ]  # fmt: skip
    assert [each.session_id for each in drafts] == ["j1/1", "j1/2"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_stream_is_put_together(newline, tmp_path):
    opening = {"id": "c1", "function": {"name": "bash", "arguments": ""}}
    body = stream(
        {"role": "assistant", "content": ""},
        {"reasoning_content": "Hm."},
        {"content": "One\u2028"},
        {"content": "two"},
        {"tool_calls": [{"index": 0, **opening}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"command": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"ls"}'}}]},
        newline=newline,
    )
    (draft,) = read(tmp_path, request("1"), response("1", body))
    step = draft.steps[-1]
    assert (step["message"], step["reasoning_content"]) == ("One\u2028two", "Hm.")
    assert [each["arguments"] for each in step["tool_calls"]] == [{"command": "ls"}]


def test_a_stream_that_gives_a_reason_to_finish_needs_no_last_event(tmp_path):
    event = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    body = f": keep-alive\n\ndata: {json.dumps(event)}\n\n"
    assert said(read(tmp_path, request("1"), response("1", body))[0])[-1] == ("agent", "x")


@pytest.mark.parametrize(
    "answer",
    [
        response("1", is_complete=False),
        response("1", status=429),
        response("1", status=500),
        response("1", {"error": {"message": "busy"}}),
        response("1", stream({"content": "Her"}, end="")),
        response("1", stream({"content": "Her"}, end='data: {"error": {}, "x": 1}\n\n')),
        response("1", 'data: {"error": {"message": "out of memory"}}\n\ndata: [DONE]\n\n'),
        response("2"),
        {"event": "note", "id": "1", "at": "", "note": "no answer: …"},
    ],
)
def test_what_is_no_whole_answer_ends_no_session(answer, tmp_path):
    with pytest.raises(Unreadable, match="no_answer"):
        read(tmp_path, request("1"), answer)


def test_a_torn_last_line_harms_no_other(tmp_path):
    torn = json.dumps(request("2"))[:50]
    (draft,) = read(tmp_path, request("1"), response("1"), torn=torn)
    assert draft.ends_well()


def test_a_request_that_is_no_json_is_passed_over(tmp_path):
    bad = {**request("1"), "body": "{"}
    (draft,) = read(tmp_path, bad, response("1"), request("2"), response("2"))
    assert said(draft)[-1] == ("agent", "Here.")
