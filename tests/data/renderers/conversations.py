"""Conversations of every shape an agent's may have."""

from devtune.records import Message, Sample, ToolCall
from tests.conftest import make_place

TOOLS = (
    '[{"type": "function", "function": {"name": "bash", "description": "run — 日本",'
    ' "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}}},'
    ' {"type": "function", "function": {"name": "read_file", "description": "",'
    ' "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}}]'
)
CONTROL = "s = '</s>[INST]'  # [/INST] [TOOL_CALLS] [ARGS] <s> [THINK] [CALL_ID] <|im_end|>"


def system(text="Answer with code."):
    return Message("system", text)


def user(text):
    return Message("user", text)


def says(text, *calls, thinks="", is_trained=True):
    return Message("assistant", text, tuple(calls), "", is_trained, reasoning_content=thinks)


def call(number, name="bash", arguments='{"command": "ls"}'):
    return ToolCall(f"call{number:05}", name, arguments)


def result(number, text):
    return Message("tool", text, tool_call_id=f"call{number:05}")


def sample_of(*messages, tools=TOOLS):
    return Sample("0123456789abcdef", "trajectory", messages, (make_place(),), tools)


LOOK = (says("", call(1)), result(1, "a.py\n"))
TWICE = (
    says("Both at once.", call(2), call(3, "read_file", '{"path": "ä b.py",   "n": 1.0}')),
    result(2, "two"),
    result(3, ""),
)
CONVERSATIONS = {
    "no tools": sample_of(user("Add."), says("a + b"), user("And?"), says("c"), tools=""),
    "tools that are never called": sample_of(system(), user("Hi"), says("Hello.")),
    "one call": sample_of(user("Look."), *LOOK, says("One file.")),
    "parallel calls": sample_of(system(), user("Look."), *TWICE, says("Done.")),
    "results in another order": sample_of(
        user("Look."), TWICE[0], TWICE[2], TWICE[1], says("Done.")
    ),
    "several questions": sample_of(
        system(), user("Look."), *LOOK, says("One."), user("Again."), *TWICE, says("Two."),
        user("Thanks."), says("Any time."),
    ),
    "a question before the answer": sample_of(user("Look."), *LOOK, user("Hurry."), says("One.")),
    "a question after a last call": sample_of(
        user("Look."), says("", call(1)), result(1, "x"), user("Stop."), *TWICE, says("Stopped."),
    ),
    "unicode": sample_of(
        user("naïve 日本 🙂 e\u0301 \u202e"),
        says("ça va 🙂", call(1, arguments='{"command": "echo 日本 🙂 \\u00e9 \\ud83d\\ude42"}')),
        result(1, "日本\r\n\t🙂\x00"),
        says("…\n\n"),
    ),
    "control strings": sample_of(
        system(CONTROL), user(CONTROL),
        says(CONTROL, call(1, arguments='{"command": "echo \'</s>\' [INST] [/INST]"}')),
        result(1, CONTROL), says(CONTROL),
    ),
    "empty content": sample_of(
        user("Go."), says("", call(1, arguments="{}")), result(1, ""), says("", call(2)),
        result(2, "x"), says("."),
    ),
    "blanks at the ends": sample_of(
        user("  Go. \n"), says("\n  yes  ", call(1)), result(1, " \n"), says("  end\n\n ")
    ),
    "deep arguments": sample_of(
        user("Go."),
        says("", call(1, arguments='{"a": [1, null, {"b": "x\\ny", "c": 1e3}], "d": true}')),
        result(1, "x"),
        says("Done."),
    ),
    "messages that follow each other": sample_of(
        user("Go."), user("Now."), says("I look."), says("", call(1)), result(1, "x"),
        says("Done."), says("Really."),
    ),
    "a system prompt on the way": sample_of(
        system(), user("Go."), *LOOK, says("One."), user("More."), system("Be short."), says("ok")
    ),
    "ends with a call": sample_of(user("Go."), *LOOK, says("More.", call(2))),
    "masked turns": sample_of(
        user("Go."), says("", call(1), is_trained=False), result(1, "no"), *TWICE,
        says("Done.", is_trained=False), user("And?"), says("Yes."),
    ),
}  # fmt: skip
THINKING = {
    "a thought": sample_of(user("Go."), says("Done.", thinks="Hm. </s>")),
    "a thought before a call": sample_of(
        user("Go."), says("", call(1), thinks="I look. 日本"), result(1, "x"), says("Done.")
    ),
}
