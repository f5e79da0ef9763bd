"""Real logs, damaged in thousands of ways: each place has sessions or one reason, never a crash."""

import json
import math
import random
import re
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest

from devtune.data.sessions.reading import places_of
from devtune.data.sources.exports import walk
from devtune.data.sources.session_source import SessionReader
from devtune.pipeline import CollectSection, SessionsSource
from devtune.records import Rejected
from devtune.records.sessions import Session
from tests.session_logs import LOGS

SEED = 20260102
NORMAL, MANY = 3_000, 100_000
DEEP, VERY_DEEP, HUGE = "@deep@", "@very deep@", "@huge@"
LITERALS = {
    DEEP: "[" * 70 + "]" * 70,
    VERY_DEEP: '{"a":' * 20_000 + "1" + "}" * 20_000,
    HUGE: "9" * 5_000,
}
"""What `json` would not write."""
VALUES = (
    None, True, False, 0, -1, 1.5, 2**63, 1e308, math.nan, math.inf, "", "x", "\ud800", "\udc80 🙂",
    "\0", " ", "{", '{"a": 1}', "[1]", "user", "assistant", "tool", "replace", "<tool_error>", [],
    [None], [[]], [{}], ["a", 1, None], {}, {"": None}, {"type": "text", "text": 3},
    {"role": "assistant", "content": "x"}, DEEP, VERY_DEEP, HUGE,
)  # fmt: skip
BYTES = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0", b"\xef\xbb\xbf", b"\r\n", b"\n", b"{", b"]")


CALL = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"a": 1}'}}
USER, ANSWER = {"role": "user", "content": "Go"}, {"role": "assistant", "content": "Done"}
CALLING = {"role": "assistant", "content": "I look", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "ok", "tool_call_id": "c1"}
TALK = [{"role": "system", "content": "S"}, USER, CALLING, RESULT, ANSWER]
RESPONSE = {"id": "r", "model": "m", "choices": [{"index": 0, "message": ANSWER}]}
BLOCKS = [
    {**USER, "ts": 1},
    {"role": "assistant", "content": [
        {"type": "text", "text": "I look"},
        {"type": "tool_use", "id": "t", "name": "ls", "input": {}},
    ]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "no"}]},
]  # fmt: skip
EVENTS = [
    {"action": "message", "source": "user", "args": {"content": "Go"}},
    {"action": "run", "tool_call_metadata": {"tool_call_id": "c1", "model_response": {
        "id": "r", "choices": [{"message": CALLING}]}}},
    {"observation": "run", "content": "ok", "extras": {"metadata": {"exit_code": 0}},
     "tool_call_metadata": {"tool_call_id": "c1"}},
    {"action": "finish", "source": "agent", "args": {"message": "Done"}},
]  # fmt: skip
BY_SCHEMA = {
    "rows.jsonl": [{"messages": TALK, "tools": [], "resolved": True, "id": "a"}] * 2,
    "lines.jsonl": TALK,
    "one.traj": [{"history": TALK, "trajectory": [], "info": {"exit_status": "submitted"}}],
    "atif.json": [{
        "schema_version": "ATIF-v1.7", "session_id": "s", "agent": {"name": "a", "version": "1"},
        "steps": [{"step_id": 1, "source": "user", "message": "Go"},
                  {"step_id": 2, "source": "agent", "message": "Done"}],
    }],
    "completion.json": [{"messages": TALK[:-1], "response": RESPONSE, "kwargs": {"tools": []}}],
    "recorded.jsonl": [
        {"format": "devtune-record-1", "journal": "j", "at": "2026-01-01T00:00:00Z"},
        {"event": "request", "id": "1", "body": json.dumps({"model": "m", "messages": TALK[:-1]})},
        {"event": "response", "id": "1", "is_complete": True, "body": json.dumps(RESPONSE)},
    ],
    "output.jsonl": [{"instance_id": "t", "history": EVENTS, "metadata": {}, "error": None}] * 2,
    "blocks.json": [BLOCKS],
}  # fmt: skip
"""Logs of which no program wrote one, by the name of the file; one value a line."""


def groups():
    """Logs that belong together: the files below each folder that is no tool's."""
    folders = [each for tool in LOGS.iterdir() for each in (*tool.iterdir(), tool)]
    found = [each for each in folders if each.is_dir() and each.parent != LOGS]
    return sorted([*found, LOGS / "mini"])


def nodes(value):
    """Every place of a JSON value as (holder, key)."""
    found, todo = [], [value] if isinstance(value, dict | list) else []
    while todo:
        each = todo.pop()
        inside = each.items() if isinstance(each, dict) else enumerate(each)
        for key, inner in inside:
            found.append((each, key))
            if isinstance(inner, dict | list):
                todo.append(inner)
    return found


def change_value(value, dice):
    """Change a JSON value in one place."""
    places = nodes(value)
    if not places:
        return dice.choice(VALUES)
    holder, key = dice.choice(places)
    match dice.randrange(7):
        case 0 | 1:
            holder[key] = dice.choice(VALUES)
        case 2:
            del holder[key]
        case 3:
            other, name = dice.choice(places)
            holder[key], other[name] = json.loads(json.dumps([other[name], holder[key]]))
        case 4:
            holder[key] = [holder[key]]
        case 5 if isinstance(holder, dict):
            holder[dice.choice([each for _, each in places if isinstance(each, str)])] = holder.pop(
                key
            )
        case 5:
            holder.insert(key, json.loads(json.dumps(holder[key])))
        case _:
            holder[key] = str(holder[key])
    return value


def write(value):
    text = json.dumps(value)
    for name, literal in LITERALS.items():
        text = text.replace(f'"{name}"', literal)
    return text


def change_json(content, dice):
    """Change values of a document, or of some lines."""
    text = content.decode()
    try:
        return write(change_value(json.loads(text), dice)).encode()
    except ValueError:
        lines = text.splitlines()
    for _ in range(dice.choice((1, 1, 3))):
        number = dice.randrange(len(lines))
        try:
            lines[number] = write(change_value(json.loads(lines[number]), dice))
        except (ValueError, RecursionError):
            continue
    return "\n".join(lines).encode()


def change_lines(content, dice):
    lines = content.splitlines(keepends=True) or [b""]
    first, second = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            lines.insert(first, lines[second])
        case 1:
            lines[first], lines[second] = lines[second], lines[first]
        case 2:
            del lines[first]
        case 3:
            dice.shuffle(lines)
        case _:
            lines[first] = lines[first].rstrip(b"\n")
    return b"".join(lines)


def change_bytes(content, dice):
    position = dice.randrange(len(content) + 1)
    end = min(len(content), position + dice.choice((0, 1, 10, 1000)))
    match dice.randrange(5):
        case 0:
            return content[:position]
        case 1:
            return content[:position] + dice.choice(BYTES) + content[end:]
        case 2:
            return content[position:]
        case 3:
            return content[:position] + bytes([dice.randrange(256)]) + content[position + 1 :]
        case _:
            return dice.choice((b"", b"\0", b"null", b"[]", b"{}", b"[1]", b"NaN", content * 2))


CHANGES = (change_json, change_json, change_json, change_lines, change_bytes)


def check(folder):
    """Collect what is in the folder; return how many sessions and reasons there were."""
    source = SessionsSource(type="sessions", path=folder)
    reader = SessionReader("s", source, CollectSection(sources=(source,)))
    marker = SimpleNamespace(mark=lambda text: text)
    num_sessions, reasons = 0, []
    for place in places_of(walk(folder)):
        files = [(str(each.file), each.path, each.reason) for each in place.files]
        unit = [(place.path, place.reader, files)]
        rows = list(reader.rows(unit, {"cut_date": "", "outcomes": {}}, marker))
        assert rows
        rejected = [each for each in rows if isinstance(each, Rejected)]
        assert not rejected or len(rows) == 1
        for each in rows:
            if isinstance(each, Session):
                assert any(step.source == "agent" for step in each.steps)
                each.model_dump_json().encode()
        num_sessions += len(rows) - len(rejected)
        reasons += [each.reason for each in rejected]
    assert all(re.fullmatch(r"[a-z0-9_]+", each) for each in reasons)
    return num_sessions, reasons


def mutate(folder: Path, originals: dict[Path, bytes], dice):
    """Damage a copy of some logs; return the files that are no longer as they were."""
    names = sorted(originals)
    touched = set()
    for _ in range(dice.choice((1, 1, 2, 4))):
        name = dice.choice(names)
        file = folder / name
        touched.add(name)
        kind = dice.randrange(40)
        if not file.exists():
            continue
        if kind == 0 and len(names) > 4:
            file.unlink()
        elif kind == 1:
            file.write_bytes(originals[dice.choice(names)])
        else:
            content = file.read_bytes()
            try:
                content = dice.choice(CHANGES)(content, dice)
            except (ValueError, IndexError, RecursionError):
                content = change_bytes(content, dice)
            file.write_bytes(content)
    return touched


def fuzz(folder, seed, num):
    dice = random.Random(seed)
    kinds = [
        {each.relative_to(group): each.read_bytes() for each in group.rglob("*") if each.is_file()}
        for group in groups()
    ]
    kinds += [
        {Path(name): "\n".join(map(json.dumps, rows)).encode()} for name, rows in BY_SCHEMA.items()
    ]
    copies = []
    for number, originals in enumerate(kinds):
        copy = folder / str(number)
        for name, content in originals.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(content)
        copies.append(copy)
    num_sessions, counts, crashes = 0, {}, {}
    for number in range(num):
        kind = dice.randrange(len(kinds))
        touched = mutate(copies[kind], kinds[kind], dice)
        try:
            found, reasons = check(copies[kind])
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            crashes.setdefault((repr(error)[:300], last.name, last.lineno), number)
            found, reasons = 0, []
        num_sessions += found
        for each in reasons:
            counts[each] = counts.get(each, 0) + 1
        for name in touched:
            (copies[kind] / name).write_bytes(kinds[kind][name])
    assert not crashes, crashes
    return num_sessions, counts


def test_damaged_logs_have_sessions_or_one_reason(tmp_path):
    num_sessions, counts = fuzz(tmp_path, SEED, NORMAL)
    assert num_sessions > NORMAL / 2, "most of a log is still there"
    assert {"empty", "not_utf8", "broken_json", "not_a_session", "no_answer"} <= set(counts)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_more_damaged_logs(tmp_path):
    num_sessions, counts = fuzz(tmp_path, SEED + 1, MANY)
    print(num_sessions, counts)
    assert num_sessions > MANY / 2
