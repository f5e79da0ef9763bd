import json
import shutil

import pytest

from devtune.data.sessions.log import Unreadable
from tests.session_logs import LOGS, calls, read, results, said

OUTPUT = '{"output":"x","metadata":{"exit_code":0}}'
ASKED = "The hour of the day should wrap at midnight. Correct it and run the tests."


def lines(*objects):
    return "".join(json.dumps(each) + "\n" for each in objects)


def read_text(tmp_path, text, name="anything.log"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return [(name, draft) for _, name, draft in read(tmp_path)]


def call(number, name="bash", arguments='{"command": "ls"}'):
    return {
        "id": f"c{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def test_a_directory_of_mixed_logs_is_read_by_content(tmp_path):
    for name in ("mini", "vibe3/plain", "codex/continued"):
        shutil.copytree(LOGS / name, tmp_path / name)
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    (tmp_path / "x.txt").write_text(json.dumps({"messages": messages}))
    found = [name for _, name, _ in read(tmp_path)]
    assert found == ["codex", "mini_swe_agent", "vibe3", "openai"]


def test_openai_messages_with_parallel_calls_and_tools(tmp_path):
    row = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "List"}]},
            {"role": "assistant", "content": None, "tool_calls": [call(1), call(2)]},
            {"role": "tool", "tool_call_id": "c2", "content": "second"},
            {"role": "tool", "tool_call_id": "c1", "content": "first"},
            {"role": "tool", "tool_call_id": "c1", "content": "again"},
            {"role": "assistant", "content": "Done"},
        ],
        "tools": [{"type": "function", "function": {"name": "bash", "parameters": {}}}],
        "resolved": True,
        "instance_id": "task-1",
    }
    [(name, draft), (_, other)] = read_text(tmp_path, lines(row, row))
    assert (name, draft.outcome, draft.task) == ("openai", "resolved", "task-1")
    assert draft.tools == row["tools"]
    assert [each["content"] for each in results(draft)] == ["second", "first"]
    assert said(draft) == said(other)


def test_arguments_that_are_no_json_object_are_kept_as_written(tmp_path):
    wrong = [call(1, arguments='{"command": "ls'), call(2, arguments="[1]"), call(3, arguments="")]
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": wrong},
    ]
    [(_, draft)] = read_text(tmp_path, json.dumps(messages))
    found = draft.steps[-1]["tool_calls"]
    assert [each.get("extra", {}).get("raw_arguments") for each in found] == [
        '{"command": "ls', "[1]", None,
    ]  # fmt: skip
    assert not draft.ends_well(), "nobody answered"


def test_half_a_character_in_arguments_can_be_written(tmp_path):
    half = [call(1, arguments='{"a": "\\ud83d", "\\ud83d": ["\\ud83d"]}')]
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": half},
    ]
    [(_, draft)] = read_text(tmp_path, json.dumps(messages))
    assert calls(draft) == [("bash", {"a": "\ufffd", "\ufffd": ["\ufffd"]})]
    json.dumps(draft.document(), ensure_ascii=False).encode()


def claude(uuid, parent, kind, content, **more):
    return {
        "uuid": uuid, "parentUuid": parent, "sessionId": "s1", "version": "2.1.0", "cwd": "/srv/x",
        "type": kind, "timestamp": "2026-01-01T00:00:00Z",
        "message": {"role": kind, "content": content, "id": more.pop("answer", uuid)},
        **more,
    }  # fmt: skip


def test_claude_code_follows_the_path_to_the_last_leaf(tmp_path):
    use = [
        {"type": "tool_use", "id": f"t{n}", "name": "Read", "input": {"file_path": f"{n}"}}
        for n in (1, 2)
    ]
    result = [
        {"type": "tool_result", "tool_use_id": f"t{n}", "content": f"file {n}", "is_error": n == 1}
        for n in (1, 2)
    ]
    text = lines(
        {"type": "file-history-snapshot", "messageId": "m"},
        claude("a", None, "user", "Begin"),
        claude("x", "a", "assistant", [{"type": "text", "text": "A way that was left"}]),
        claude("b", "a", "assistant", [{"type": "text", "text": "Both."}], answer="m1"),
        claude("c", "b", "assistant", [use[0]], answer="m1"),
        claude("d", "c", "assistant", [use[1]], answer="m1"),
        claude("e", "c", "user", [result[0]]),
        claude("f", "d", "user", [result[1]]),
        claude("side", None, "user", "Sub", isSidechain=True, agentId="k"),
        claude("side2", "side", "assistant", [{"type": "text", "text": "Sub answer"}],
               isSidechain=True, agentId="k"),
        claude("g", "f", "assistant", [{"type": "text", "text": "Done"}], answer="m2"),
    )  # fmt: skip
    [(name, main), (_, side)] = read_text(tmp_path, text)
    assert name == "claude_code"
    assert said(main) == [("user", "Begin"), ("agent", "Both."), ("agent", "Done")]
    assert [each["content"] for each in results(main)] == ["file 1", "file 2"]
    assert main.ends_well()
    assert (side.parent, side.session_id) == ("s1", "s1/k")
    assert said(side) == [("user", "Sub"), ("agent", "Sub answer")]


def test_claude_code_begins_anew_where_it_summed_up(tmp_path):
    text = lines(
        claude("a", None, "user", "Begin"),
        claude("b", "a", "assistant", [{"type": "text", "text": "First"}]),
        {
            **claude("c", None, "system", ""),
            "subtype": "compact_boundary",
            "logicalParentUuid": "b",
        },
        claude("d", "c", "user", "What was before: …", isCompactSummary=True),
        claude("e", "d", "assistant", [{"type": "text", "text": "Second"}]),
        claude("f", "e", "user", "[Request interrupted by user]"),
    )
    [(_, draft)] = read_text(tmp_path, text)
    summary, second = draft.steps[2], draft.steps[3]
    assert summary["extra"] == {"is_injected": True, "is_compaction": True}
    assert second["extra"] == {"is_undone": True}
    assert not draft.ends_well()


def test_codex_reads_what_the_model_read(tmp_path):
    def item(**payload):
        return {"timestamp": "2026-01-01T00:00:00Z", "type": "response_item", "payload": payload}

    def message(role, text):
        kind = "output_text" if role == "assistant" else "input_text"
        return item(type="message", role=role, content=[{"type": kind, "text": text}])

    text = lines(
        {"timestamp": "…", "type": "session_meta", "payload": {
            "id": "s", "cwd": "/srv/x", "cli_version": "0.1", "timestamp": "2026-01-01T00:00:00Z",
            "base_instructions": {"text": "You are Codex"}, "git": {"commit_hash": "a" * 40}}},
        {"timestamp": "…", "type": "turn_context", "payload": {"model": "m"}},
        message("user", "<environment_context>x</environment_context>"),
        message("user", "Begin"),
        {"timestamp": "…", "type": "event_msg", "payload": {"type": "user_message"}},
        item(type="reasoning", summary=[{"type": "summary_text", "text": "hm"}]),
        message("assistant", "Both."),
        item(type="function_call", name="shell", arguments='{"command": ["ls"]}', call_id="1"),
        item(type="function_call", name="shell", arguments='{"command": ["pwd"]}', call_id="2"),
        item(type="function_call_output", call_id="1", output="Exit code: 1\nOutput:\nno"),
        item(type="function_call_output", call_id="1", output="twice"),
        item(type="function_call_output", call_id="2", output=OUTPUT),
        message("assistant", "Done"),
    )  # fmt: skip
    [(name, draft)] = read_text(tmp_path, text)
    assert (name, draft.model, draft.commit) == ("codex", "m", "a" * 40)
    assert said(draft) == [
        ("system", "You are Codex"), ("user", "<environment_context>x</environment_context>"),
        ("user", "Begin"), ("agent", "Both."), ("agent", "Done"),
    ]  # fmt: skip
    assert draft.steps[1]["extra"] == {"is_injected": True}
    assert draft.steps[3]["reasoning_content"] == "hm"
    assert [each["extra"]["exit_code"] for each in results(draft)] == [1, 0]


def test_an_atif_document_keeps_what_was_copied(tmp_path):
    steps = [
        {"step_id": 1, "source": "user", "message": "Begin"},
        {"step_id": 2, "source": "agent", "message": "Old", "is_copied_context": True},
        {"step_id": 3, "source": "agent", "message": "New"},
    ]
    document = {"schema_version": "ATIF-v1.7", "session_id": "s", "steps": steps,
                "agent": {"name": "terminus", "version": "2"}}  # fmt: skip
    [(name, draft)] = read_text(tmp_path, json.dumps(document))
    assert name == "atif"
    assert [each.get("is_copied_context") for each in draft.steps] == [None, True, None]
    steps[0]["message"] = [{"type": "text", "text": "Begin"}]
    [(_, draft)] = read_text(tmp_path, json.dumps(document))
    assert draft.first_request() == "Begin"
    steps[0]["step_id"] = 7
    with pytest.raises(Unreadable, match="invalid_atif"):
        read_text(tmp_path, json.dumps(document))


def test_swe_agent_and_its_demonstrations(tmp_path):
    history = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "demo", "is_demo": True},
        {"role": "assistant", "content": "shown", "is_demo": True},
        {"role": "user", "content": [{"type": "text", "text": "Task"}]},
        {"role": "assistant", "content": "look", "tool_calls": [call(1)]},
        {"role": "tool", "content": "ok", "tool_call_ids": ["c1"]},
    ]
    document = {"history": history, "trajectory": [], "info": {"exit_status": "submitted"}}
    [(name, draft)] = read_text(tmp_path, json.dumps(document))
    assert (name, draft.ends_well()) == ("swe_agent", True)
    assert draft.steps[2]["is_copied_context"]
    assert results(draft)[0]["content"] == "ok"


def test_cline_speaks_in_blocks(tmp_path):
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "<task>Go</task>"}], "ts": 1},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look"},
            {"type": "tool_use", "id": "t", "name": "read_file", "input": {"path": "a"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t",
             "content": [{"type": "text", "text": "The user denied this operation."}]},
            {"type": "text", "text": "No"}]},
    ]  # fmt: skip
    [(name, draft)] = read_text(tmp_path, json.dumps(messages))
    assert name == "cline"
    assert said(draft) == [("user", "<task>Go</task>"), ("agent", "I look"), ("user", "No")]
    assert draft.steps[1]["extra"] == {"is_undone": True}


def test_blocks_are_read_as_such_whoever_put_them_into_lines(tmp_path):
    use = {"type": "tool_use", "id": "t", "name": "ls", "input": {"path": "."}}
    messages = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": [{"type": "text", "text": "I look"}, use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "a"}]},
        {"role": "assistant", "content": "Done"},
    ]
    row = {"system": "Be brief.", "messages": messages}
    [(name, draft), (_, other)] = read_text(tmp_path, lines(row, row))
    assert (name, said(draft)) == ("cline", said(other))
    assert said(draft)[0] == ("system", "Be brief.")
    assert calls(draft) == [("ls", {"path": "."})]
    assert [each["content"] for each in results(draft)] == ["a"]


def test_an_openhands_conversation_is_one_folder(tmp_path):
    def event(number, kind, **more):
        file = tmp_path / "events" / f"event-{number:05}-x.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"kind": kind, "id": str(number), **more}))

    (tmp_path / "base_state.json").write_text(
        json.dumps({"id": "s", "agent": {"llm": {"model": "m"}}})
    )
    event(0, "SystemPromptEvent", system_prompt={"type": "text", "text": "S"}, tools=[])
    event(1, "MessageEvent", source="user",
          llm_message={"role": "user", "content": [{"type": "text", "text": "Go"}]})  # fmt: skip
    for number, name in ((2, "terminal"), (3, "file_editor")):
        event(number, "ActionEvent", thought=[{"type": "text", "text": "T"}], tool_name=name,
              tool_call_id=f"t{number}", llm_response_id="r1",
              tool_call={"name": name, "arguments": '{"command": "ls"}'})  # fmt: skip
    event(4, "ObservationEvent", tool_call_id="t2",
          observation={"content": [{"type": "text", "text": "out"}], "exit_code": 0})  # fmt: skip
    event(5, "AgentErrorEvent", tool_call_id="t3", error="wrong")
    event(6, "ActionEvent", tool_name="finish", tool_call_id="t6", llm_response_id="r2", thought=[],
          tool_call={"name": "finish", "arguments": '{"message": "Done"}'})  # fmt: skip
    [(_, name, draft)] = read(tmp_path)
    assert (name, draft.model, draft.ends_well()) == ("openhands", "m", True)
    assert [each for each, _ in calls(draft)] == ["terminal", "file_editor", "finish"]
    assert len(draft.steps) == 4, "parallel calls are one answer"
    assert results(draft)[1]["extra"] == {"is_error": True}


def test_of_requests_that_repeat_each_other_the_longest_is_the_session(tmp_path):
    def exchange(*messages):
        *asked, answer = messages
        return {"messages": asked, "response": {"choices": [{"message": answer}]},
                "kwargs": {"tools": []}}  # fmt: skip

    a, b = {"role": "user", "content": "A"}, {"role": "assistant", "content": "B"}
    c, d = {"role": "user", "content": "C"}, {"role": "assistant", "content": "D"}
    [(name, draft)] = read_text(tmp_path, lines(exchange(a, b), exchange(a, b, c, d)))
    assert name == "completions"
    assert said(draft) == [("user", "A"), ("agent", "B"), ("user", "C"), ("agent", "D")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"), (b"\xff\xfe{", "not_utf8"), (b"hello", "not_a_session"),
        (b"{}", "not_a_session"), (b'{"a": ', "broken_json"),
        (b'{"a": 1}\n{"b": \n{}', "broken_json"),
        (b"[" * 3000 + b"]" * 3000, "nested_too_deeply"),
        (b'{"a":' * 80 + b"1" + b"}" * 80, "nested_too_deeply"),
        (b'{"messages": [{"role": "user", "content": "Hi"}]}', "no_answer"),
        (b'{"messages": [{"role": "nobody", "content": "Hi"}]}', "not_a_session"),
    ],
)  # fmt: skip
def test_what_is_no_log_has_one_reason(tmp_path, content, reason):
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read(tmp_path)


def test_a_store_with_a_missing_chunk_is_refused(tmp_path):
    ignored = shutil.ignore_patterns("chunks")
    shutil.copytree(LOGS / "vibe3" / "plain", tmp_path, ignore=ignored, dirs_exist_ok=True)
    with pytest.raises(Unreadable, match="incomplete_store"):
        read(tmp_path)


def test_a_log_that_ends_in_the_middle_of_a_line_is_incomplete(tmp_path):
    whole = lines({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
    [(_, draft)] = read_text(tmp_path, whole + '{"role": "us')
    assert not draft.ends_well()


def test_an_evaluation_of_openhands_0_has_a_history_of_events(tmp_path):
    def answer(number, text, *made):
        message = {"role": "assistant", "content": text, "tool_calls": list(made)}
        return {"id": f"r{number}", "choices": [{"message": message}]}

    both = answer(1, "Both.", call(1), call(2))
    last = answer(2, "", call(3, "finish", "{}"))

    def event(kind, name, **more):
        return {kind: name, "timestamp": "2026-01-01T00:00:00", **more}

    def from_call(number, response):
        return {"tool_call_id": f"c{number}", "model_response": response}

    history = [
        event("action", "system", args={"content": "S", "tools": []}, source="agent"),
        event("action", "message", args={"content": "Go"}, source="user"),
        event("observation", "recall", content="x"),
        event("action", "run", tool_call_metadata=from_call(1, both), args={}),
        event("action", "run", tool_call_metadata=from_call(2, both), args={}),
        event("observation", "run", tool_call_metadata=from_call(1, both), content="out",
              extras={"metadata": {"exit_code": 2}}),
        event("observation", "error", tool_call_metadata=from_call(2, both), content="wrong"),
        event("action", "message", args={"content": "Please continue"}, source="user"),
        event("action", "finish", tool_call_metadata=from_call(3, last), args={}, source="agent"),
    ]  # fmt: skip
    task = {"instance_id": "t-1", "history": history, "metadata": {"llm_config": {"model": "m"}}}
    pairs = {**task, "history": [[each] for each in history], "report": {"resolved": False}}
    stopped = {**task, "history": history[:-1], "error": "budget"}
    found = [draft for _, draft in read_text(tmp_path, lines(task, pairs, stopped))]
    assert [each.ends_well() for each in found] == [True, True, False]
    assert [each.outcome for each in found] == ["unknown", "unresolved", "unknown"]
    assert (found[0].task, found[0].model, found[0].tools) == ("t-1", "m", [])
    assert said(found[0]) == said(found[1]) == [
        ("system", "S"), ("user", "Go"), ("agent", "Both."), ("user", "Please continue"),
        ("agent", ""),
    ]  # fmt: skip
    assert [each["extra"] for each in results(found[0])] == [
        {"is_error": False, "exit_code": 2}, {"is_error": True},
    ]  # fmt: skip
