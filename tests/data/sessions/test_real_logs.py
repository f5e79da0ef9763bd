"""Sessions of the programs themselves: each asked a scripted server, all for much the same.

The script reads two files at once, edits what is not there, calls a tool that is not there, and
calls one with what is no JSON where the server's format can hold that; then it edits, lets the
tests fail, edits and lets them pass.
"""

import json
import shutil

import pytest

from devtune.data.sessions.log import Unreadable
from devtune.data.sessions.reading import places_of, read_place
from devtune.data.sources.exports import walk
from devtune.records.sessions import Session
from tests.session_logs import LOGS, calls, flags, raw, read, results, said

ASKED = "The hour of the day should wrap at midnight. Correct it and run the tests."
UNKNOWN = ("replace_lines", {"path": "clock.py", "from": 2})
DONE = "Done: the hour wraps at midnight and the test passes."
SUMMED_UP = {"is_injected": True, "is_compaction": True}


def read_all(folder):
    """Sessions below a folder, beside files that are none."""
    found, reasons = [], set()
    for place in places_of(walk(folder)):
        try:
            found += [(name, draft) for name, draft in read_place(place)]
        except Unreadable as error:
            reasons.add(error.reason)
    assert reasons <= {"not_a_session", "empty"}
    return found


def only(folder):
    [(name, draft)] = read_all(LOGS / folder)
    return name, draft


def answers(draft):
    return [text for source, text in said(draft) if source == "agent"]


def asked(draft):
    """What a person said."""
    users = [each for each in draft.steps if each["source"] == "user"]
    return [each["message"] for each in users if "extra" not in each]


def summaries(draft):
    return [each["message"] for each in draft.steps if each.get("extra") == SUMMED_UP]


@pytest.mark.parametrize("tool", sorted(each.name for each in LOGS.iterdir()))
def test_every_session_is_a_valid_document(tool):
    found = read_all(LOGS / tool)
    assert found
    for _, draft in found:
        document = draft.document()
        json.dumps(document).encode()
        assert Session.model_validate(document).steps


def test_a_real_vibe_3_session_is_read_from_its_export():
    [(path, name, draft)] = read(LOGS / "vibe3" / "plain")
    assert (path, name, draft.agent, draft.version) == ("", "vibe3", "mistral-vibe", "3.0.2")
    assert draft.ends_well()
    assert draft.exit_status == "finished"
    assert draft.model == "devstral-ft"
    assert draft.directory == "/srv/agent/clock"
    assert said(draft)[0] == ("user", ASKED)
    assert said(draft)[-1][1].startswith("Done:")
    assert [name for name, _ in calls(draft)] == [
        "read_file", "read_file", "edit", "edit", "bash", "edit", "bash",
    ]  # fmt: skip
    failed = [each["extra"]["is_error"] for each in results(draft)]
    assert failed == [False, False, True, False, False, False, False]
    keys = [list(given) for name, given in calls(draft) if name == "edit"]
    assert keys[0] == ["file_path", "old_string", "new_string"], "as the model ordered them"
    assert "日本 🙂" in calls(draft)[3][1]["new_string"]


def test_a_real_mini_swe_agent_trajectory_is_read():
    [(_, name, draft)] = read(LOGS / "mini")
    assert (name, draft.exit_status, draft.ends_well()) == ("mini_swe_agent", "Submitted", True)
    assert [each for each, _ in said(draft)][:2] == ["system", "user"]
    assert len(calls(draft)) == 8
    codes = [each.get("extra", {}).get("exit_code") for each in results(draft)]
    assert codes[2] == 1, "nothing to replace"
    assert codes[3:7] == [0] * 4


def test_vibe_3_keeps_prompt_and_tools_in_the_journal():
    name, draft = only("vibe3/wrong_calls")
    assert (name, draft.model, draft.ends_well()) == ("vibe3", "scripted", True)
    assert draft.steps[0]["source"] == "system"
    assert draft.steps[0]["message"].startswith("You help users get complex tasks done.")
    names = [each["function"]["name"] for each in draft.tools]
    assert names == [
        "search_tool_functions", "run_typescript", "wait", "read_file", "write_file", "edit",
        "bash", "skill", "todo", "unified_harness_scratchpad",
    ]  # fmt: skip
    assert draft.tools[3]["function"]["parameters"]["required"] == ["path"]
    assert draft.steps[2]["reasoning_content"] == "Two files, one of them a test."
    assert len(draft.steps[2]["observation"]["results"]) == 2
    assert raw(draft) == {3: '{"file_path": "clock.py", "old_string": "return hour'}
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [False, False, True, True, True] + [False] * 4
    assert flags(draft, "exit_code") == [None] * 6 + [1, None, 0]
    assert calls(draft)[5][1]["new_string"].endswith("# é 日本 🙂")


def test_vibe_3_has_what_was_summed_up_in_the_journal():
    _, draft = only("vibe3/summed_up")
    assert (draft.exit_status, draft.ends_well()) == ("finished", True)
    assert [each for each, _ in said(draft)] == [
        "system", "user", "agent", "agent", "user", "agent", "agent",
    ]  # fmt: skip
    [summary] = summaries(draft)
    assert summary.startswith("You are continuing a trajectory after a context compaction.")
    assert ASKED in summary
    assert "日本.\n</compaction_summary>" in summary
    assert [name for name, _ in calls(draft)] == ["read_file", "edit", "bash"]
    assert draft.first_request() == ASKED


def test_vibe_3_begins_with_the_summary_where_the_journal_is_gone(tmp_path):
    ignored = shutil.ignore_patterns("journal")
    shutil.copytree(LOGS / "vibe3" / "summed_up", tmp_path, ignore=ignored, dirs_exist_ok=True)
    [(_, _, draft)] = read(tmp_path)
    assert draft.tools is None
    assert [each for each, _ in said(draft)] == ["user", "agent", "agent"]
    assert len(summaries(draft)) == 1
    assert draft.first_request() == ASKED


def test_vibe_3_goes_on_in_the_same_store():
    _, draft = only("vibe3/continued")
    assert asked(draft) == ["What does clock.py do?", "Where is it?"]
    assert answers(draft) == ["It adds the hours.", "It is in clock.py — 日本."]


def test_vibe_2_has_prompt_tools_and_failures():
    name, draft = only("vibe2/plain")
    assert (name, draft.model, draft.directory) == ("vibe2", "scripted", "/srv/agent/clock")
    assert draft.ends_well()
    assert len(draft.commit) == 40
    assert draft.steps[0]["message"].startswith("You are Mistral Vibe, a CLI coding agent")
    names = [each["function"]["name"] for each in draft.tools]
    assert names == [
        "grep", "task", "bash", "web_fetch", "todo", "edit", "skill", "read", "write_file",
    ]  # fmt: skip
    assert answers(draft)[0] == "I look at both files."
    assert draft.steps[2]["reasoning_content"] == "Two files, one of them a test."
    assert len(draft.steps[2]["observation"]["results"]) == 2
    assert raw(draft) == {3: '{"file_path": "clock.py", "old_string": "return hour'}
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [False, False, True, True, True] + [False] * 4
    assert flags(draft, "exit_code") == [None] * 6 + [1, None, 0], "tests that fail are no error"
    assert calls(draft)[5][1]["new_string"].endswith("# é 日本 🙂")
    assert answers(draft)[-1] == DONE


def test_vibe_2_keeps_a_sub_agent_inside_the_session():
    [(_, main), (_, inner)] = read_all(LOGS / "vibe2" / "sub_agent")
    assert (main.parent, inner.parent) == ("", main.session_id)
    assert [name for name, _ in calls(main)] == ["task"]
    assert [each["function"]["name"] for each in inner.tools] == ["grep", "read"]
    assert answers(inner) == ["", "One function that adds."]


def test_vibe_2_goes_on_in_another_folder_where_it_summed_up():
    [(_, first), (_, second)] = read_all(LOGS / "vibe2" / "summed_up")
    assert (first.parent, second.parent) == ("", first.session_id)
    assert (first.ends_well(), second.ends_well()) == (False, True)
    assert len(summaries(second)) == 1
    assert first.first_request() == second.first_request() == ASKED


def test_vibe_2_repeats_a_session_it_goes_on_with():
    [(_, first), (_, second)] = read_all(LOGS / "vibe2" / "continued")
    assert said(second)[: len(first.steps)] == said(first)
    assert answers(second)[-1] == "It is in clock.py — 日本."


def test_codex_with_failures():
    name, draft = only("codex/wrong_calls")
    assert (name, draft.version, draft.model) == ("codex", "0.169.0", "gpt-5.1-codex")
    assert (draft.directory, len(draft.commit)) == ("/srv/agent/clock", 40)
    assert draft.ends_well()
    assert draft.steps[0]["message"].startswith("You are a coding agent running in the Codex CLI")
    assert draft.tools is None, "they are not in the log"
    assert asked(draft) == [ASKED]
    assert draft.steps[4]["reasoning_content"] == "Two files, one of them a test."
    assert len(draft.steps[4]["observation"]["results"]) == 2
    assert raw(draft) == {4: '{"cmd": "ls'}
    assert calls(draft)[2][0] == "apply_patch"
    assert calls(draft)[5] == UNKNOWN
    assert flags(draft, "is_error") == [None, None, True, True, True, True] + [None] * 4
    assert flags(draft, "exit_code") == [0, 0] + [None] * 4 + [0, 1, 0, 0]
    assert "# é 日本 🙂" in calls(draft)[6][1]["cmd"]


def test_codex_sums_up_unasked_and_goes_on():
    _, draft = only("codex/summed_up")
    assert answers(draft) == ["I look.", "", "Done: nothing was changed, the test fails."]
    [summary] = summaries(draft)
    assert summary.startswith(f"{ASKED}\n\nAnother language model started to solve this problem")
    assert summary.endswith("`clock.py` — 日本.")
    assert "<environment_context>" not in summary


def test_codex_goes_on_and_starts_others():
    _, draft = only("codex/continued")
    assert asked(draft) == ["What does clock.py do?", "Where is it?"]
    [(_, main), (_, inner)] = read_all(LOGS / "codex" / "sub_agent")
    assert [name for name, _ in calls(main)] == ["spawn_agent", "wait_agent"]
    assert asked(main) == ["Ask a subagent what is in clock.py."], "what it reports is injected"
    assert inner.parent == main.session_id
    assert inner.session_id != main.session_id
    assert answers(inner) == ["I read.", "One function that adds — 日本."]


def test_claude_code_with_failures():
    name, draft = only("claude_code/wrong_calls")
    assert (name, draft.version, draft.directory) == ("claude_code", "2.1.197", "/srv/agent/clock")
    assert draft.ends_well()
    assert [each for each, _ in said(draft)] == ["user"] + ["agent"] * 9
    assert draft.steps[1]["reasoning_content"] == "Two files, one of them a test."
    assert [each["content"][:6] for each in draft.steps[1]["observation"]["results"]] == [
        "1\tdef ", "1\timpo",
    ]  # fmt: skip
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [None, None, True, True, True, None, False, None, False]
    assert flags(draft, "exit_code") == [None] * 6 + [1, None, None]
    assert calls(draft)[5][1]["new_string"].endswith("# é 日本 🙂")


def test_claude_code_answers_in_the_models_place():
    _, draft = only("claude_code/summed_up")
    assert draft.model == "claude-opus-4-8"
    made_up = [each["message"] for each in draft.steps if each.get("llm_call_count") == 0]
    assert made_up == ["No response requested."]
    [summary] = summaries(draft)
    assert "Summary:\nThe hour is to be taken modulo 24 — 日本." in summary
    assert asked(draft) == [ASKED, "Now run the tests."], "commands of the program are injected"
    assert answers(draft)[-1] == "Done: the test fails."


def test_claude_code_goes_on_and_starts_others():
    _, draft = only("claude_code/continued")
    assert asked(draft) == ["What does clock.py do?", "Where is it?"]
    [(_, main), (_, inner)] = read_all(LOGS / "claude_code" / "sub_agent")
    assert (inner.parent, main.parent) == (main.session_id, "")
    assert inner.session_id.startswith(f"{main.session_id}/")
    assert answers(inner) == ["I read.", "One function that adds — 日本."]


def test_openhands_beside_its_markers():
    name, draft = only("openhands/wrong_calls")
    assert (name, draft.model, draft.exit_status) == ("openhands", "openai/scripted", "finished")
    assert draft.ends_well()
    assert draft.tools is None, "the log has their names, not their parameters"
    assert draft.steps[0]["message"].startswith("<SOUL>\nYou are OpenHands agent")
    assert len(draft.steps[2]["observation"]["results"]) == 2
    assert list(raw(draft)) == [3], "what was no JSON is not in the log, but that there was"
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [False, False, True, True, True] + [False] * 5
    assert flags(draft, "exit_code") == [None] * 6 + [1, None, 0, None]
    assert results(draft)[2]["content"].startswith("[An error occurred during execution.]\nNo repl")
    assert results(draft)[8]["content"].endswith(
        "OK\n[The command completed with exit code 0.]\n"
        "[Current working directory: /srv/agent/clock]\n"
        "[Python interpreter: /usr/bin/python3]\n[Command finished with exit code 0]"
    ), "what the model read"


def test_openhands_forgets():
    _, draft = only("openhands/condensed")
    [summary] = summaries(draft)
    assert summary == (
        "What does clock.py do?\n\nThe user asked where it is; both files were seen — 日本."
    )
    assert asked(draft) == ["What does clock.py do?", "Where is it?"]
    assert answers(draft)[-1] == "It is in clock.py — 日本."


def test_openhands_keeps_some_of_what_was_before_a_summary(tmp_path):
    shutil.copytree(LOGS / "openhands" / "condensed", tmp_path, dirs_exist_ok=True)
    [file] = tmp_path.rglob("event-00010-*.json")
    event = json.loads(file.read_text())
    names = {json.loads(each.read_text())["id"] for each in tmp_path.rglob("event-0000[89]-*.json")}
    event["forgotten_event_ids"] = sorted(set(event["forgotten_event_ids"]) - names)
    file.write_text(json.dumps(event))
    [(_, draft)] = read_all(tmp_path)
    copied = [each for each in draft.steps if each.get("is_copied_context")]
    assert [each["tool_calls"][0]["function_name"] for each in copied] == ["terminal"]
    assert copied[0]["observation"]["results"][0]["content"].startswith("1\n[The command")
    assert Session.model_validate(draft.document())


def test_cline_on_the_command_line():
    name, draft = only("cline/wrong_calls")
    assert (name, draft.version, draft.model) == ("cline", "3.0.65", "scripted")
    assert draft.ends_well()
    assert draft.steps[0]["message"].startswith("You are Cline, an AI coding agent.")
    assert asked(draft) == [ASKED]
    assert draft.steps[2]["reasoning_content"] == "Two files, one of them a test."
    assert json.loads(draft.steps[2]["observation"]["results"][0]["content"]) == [
        {
            "query": "/srv/agent/clock/clock.py",
            "result": "1 | def later(hour, by):\n2 |     return hour + by",
            "success": True,
        }
    ]
    assert list(raw(draft)) == [7], "what was no JSON is not in the log, but that there was"
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [
        False, False, True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert flags(draft, "exit_code") == [None] * 5 + [1, None, None, None]
    assert calls(draft)[3][1]["new_text"].endswith("# é 日本 🙂")


def test_cline_starts_others():
    [(_, main), (_, inner)] = read_all(LOGS / "cline" / "sub_agent")
    assert inner.parent == main.session_id
    assert answers(inner) == ["I read.", "One function that adds — 日本."]


def test_kilo_exports_as_opencode_does():
    name, draft = only("opencode/kilo")
    assert (name, draft.version, draft.model) == ("opencode", "7.7.9", "scripted")
    assert (draft.directory, draft.date[:10]) == ("/srv/agent/clock", "2026-11-25")
    assert draft.ends_well()
    assert asked(draft) == [f'"{ASKED}"'], "the program quotes what it is given as one argument"
    assert draft.steps[1]["reasoning_content"] == "Two files, one of them a test."
    assert len(draft.steps[1]["observation"]["results"]) == 2
    assert raw(draft) == {3: '{"filePath": "clock'}
    assert calls(draft)[4] == UNKNOWN
    assert flags(draft, "is_error") == [False, False, True, True, True] + [False] * 4
    assert flags(draft, "exit_code") == [None] * 6 + [1, None, 0]
    assert calls(draft)[5][1]["newString"].endswith("# é 日本 🙂")
