import json

import pytest
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.data.corpus import Made
from devtune.data.families.context import Context
from devtune.data.families.replay import commit_replay
from devtune.data.prompts import Prompt
from devtune.records import Action, Provenance, Rejected, Replay
from devtune.steps.families import CommitReplay
from tests.changes import PROMPTS, TOOLS, change_of

PROMPT = PROMPTS / "commit_replay.jinja"
OLD = "def f():\n    return 1\n"


def action(tool, output="", is_grounded=True, **arguments):
    return Action(tool, json.dumps(arguments), output, is_grounded, num_lines=2, num_bytes=len(OLD))


READ = action("read", OLD, path="app.py")
EDIT = action("edit", path="app.py", old="    return 1", new="    # two\n    return 2")
WRITE = action("write", path="new.py", content="x = 1\n", is_grounded=False)
SESSION = (action("grep", "app.py:1:def f():\n", pattern="f"), READ, EDIT, WRITE)


def replay_of(*actions, subject="Let f return two", body="", commit="c1", **values):
    place = Provenance("app", commit, "app.py", "b", "Ada <a@b>", "2024")
    return Replay(
        "app", commit, "Ada <a@b>", "2024", "train", subject, body, (place,),
        actions or SESSION, **values,
    )  # fmt: skip


def run(row, **values):
    step = CommitReplay(type="commit_replay", prompt=PROMPT, tools=TOOLS, **values)
    (made,) = commit_replay(step, row, Context(Prompt(PROMPT), TOOLS.parent, TOOLS))
    return made


def test_a_session_asks_acts_and_closes():
    made = run(replay_of())
    assert isinstance(made, Made)
    assert made.split == "train"
    messages = made.sample.messages
    assert [each.role for each in messages] == ["user", *["assistant", "tool"] * 4, "assistant"]
    assert "Let f return two" in messages[0].content
    assert messages[-1].content == "Let f return two." or "f return" in messages[-1].content
    calls = [call for each in messages for call in each.tool_calls]
    assert [each.name for each in calls] == ["bash", "read_file", "edit", "write_file"]
    assert [each.id for each in calls] == [f"call0000{number}" for number in (1, 2, 3, 4)]
    assert [each.tool_call_id for each in messages if each.role == "tool"] == [
        each.id for each in calls
    ]
    assert json.loads(messages[4].content)["content"] == OLD
    assert made.sample.tools == json.dumps(json.loads(TOOLS.read_text(encoding="utf-8")))


def test_what_nothing_led_to_is_not_trained():
    trained = [each.is_trained for each in run(replay_of()).sample.messages if each.tool_calls]
    assert trained == [True, True, True, False]


def test_the_agent_says_nothing_between_its_calls():
    said = [each.content for each in run(replay_of()).sample.messages if each.tool_calls]
    assert said == [""] * 4


def test_the_evidence_is_what_was_added():
    assert run(replay_of()).evidence == ("    # two\n    return 2", "x = 1\n")


def test_tests_that_passed_are_told_of():
    tested = action("run", "1 passed\n", command="pytest -q tests/test_a.py 2>&1")
    messages = run(replay_of(*SESSION, tested)).sample.messages
    assert messages[-1].content.endswith(" `pytest -q tests/test_a.py` passes.")
    compound = action("run", "1 passed\n", command="(cd a && make test) 2>&1")
    assert (
        run(replay_of(*SESSION, compound))
        .sample.messages[-1]
        .content.endswith(" `cd a && make test` passes.")
    )


def test_a_file_that_was_read_is_replaced_by_a_write():
    row = replay_of(action("read", "", path="e.py"), action("write", path="e.py", content="1"))
    assert json.loads(run(row).sample.messages[4].content)["file_existed"] is True


def test_the_message_is_phrased_in_several_ways():
    rows = [replay_of(commit=str(n), body="Because it must.") for n in range(40)]
    requests = {run(row).sample.messages[0].content for row in rows}
    assert len(requests) >= 6
    for request in requests:
        assert "Let f return two" in request
        assert "Because it must." in request
    assert run(rows[0]) == run(rows[0])


def test_the_scope_of_a_message_is_not_lost():
    for number in range(20):
        row = replay_of(subject="fix(parser): let f return two", commit=str(number))
        request = run(row).sample.messages[0].content
        assert "parser" in request


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (replay_of(subject="Oops"), "message_says_too_little"),
        (replay_of(*SESSION[:2], *[EDIT] * 39), "too_many_actions"),
        (replay_of(READ, WRITE), "nothing_grounded"),
    ],
)
def test_a_session_that_teaches_nothing_has_a_reason(row, reason):
    made = run(row)
    assert isinstance(made, Rejected)
    assert (made.reason, made.source, made.commit, made.path) == (reason, "app", "c1", "app.py")


def test_other_rows_give_nothing():
    step = CommitReplay(type="commit_replay", prompt=PROMPT, tools=TOOLS)
    context = Context(Prompt(PROMPT), TOOLS.parent, TOOLS)
    assert list(commit_replay(step, change_of("Change it all", ("x.py", "1", "2")), context)) == []


def openai(message):
    made = {"role": message.role, "content": message.content}
    if message.tool_calls:
        made["tool_calls"] = [
            {"id": e.id, "type": "function", "function": {"name": e.name, "arguments": e.arguments}}
            for e in message.tool_calls
        ]
    if message.tool_call_id:
        made["tool_call_id"] = message.tool_call_id
    return made


def test_the_renderer_of_the_server_takes_it(tekken_file):
    sample = run(replay_of()).sample
    request = ChatCompletionRequest.from_openai(
        messages=[openai(each) for each in sample.messages], tools=json.loads(sample.tools)
    )
    tokenizer = MistralTokenizer.from_file(str(tekken_file), mode=ValidationMode.finetuning)
    text = tokenizer.encode_chat_completion(request).text
    assert '[TOOL_CALLS]edit[ARGS]{"file_path": "app.py", "old_string": "    return 1"' in text
    assert '[TOOL_RESULTS]{"file":"/workspace/app.py","lines_changed":2,"warnings":[]}' in text
    assert text.count("</s>") == 5


def test_a_session_needs_its_last_word_to_be_taken(tekken_file):
    messages = [openai(each) for each in run(replay_of()).sample.messages[:-1]]
    request = ChatCompletionRequest.from_openai(messages=messages)
    tokenizer = MistralTokenizer.from_file(str(tekken_file), mode=ValidationMode.finetuning)
    with pytest.raises(MistralCommonException):
        tokenizer.encode_chat_completion(request)
