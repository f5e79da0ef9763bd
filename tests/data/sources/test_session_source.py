import json

import pytest
from atif import Trajectory

from devtune.data.collect import REDACTIONS, collect, identify
from devtune.errors import DevtuneError, RecipeError
from devtune.pipeline import CollectSection, LocalExecutor
from devtune.progress import Progress
from devtune.records.sessions import Session


def log(folder, name="a.json", request="Go", arguments=None, **more):
    folder.mkdir(parents=True, exist_ok=True)
    call = {"name": "bash", "arguments": json.dumps(arguments or {"command": "ls"})}
    messages = [
        {"role": "user", "content": request},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "c", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "c", "content": more.pop("output", "a.py")},
        {"role": "assistant", "content": "Done"},
    ]  # fmt: skip
    (folder / name).write_text(json.dumps({"messages": messages, **more}), encoding="utf-8")
    return folder


def run(tmp_path, logs, **more):
    source = {"type": "sessions", "path": logs, "name": "logs", **more}
    section = CollectSection(sources=(source,), held_out=0.0)
    out = tmp_path / "corpus"
    out.mkdir()
    outcome = collect(section, LocalExecutor(type="local", workers=1), out, Progress("quiet"))
    rows = [json.loads(line) for line in (out / "sessions.jsonl").read_text().splitlines()]
    return outcome, rows, out


def test_a_row_is_an_atif_document_that_says_where_it_came_from(tmp_path):
    logs = log(tmp_path / "logs", session_id="s1")
    outcome, [row], _ = run(tmp_path, logs, consent="ticket 7", vendor_terms="permitted")
    Trajectory.model_validate(row)
    facts = Session.model_validate(row).facts
    assert (facts.provenance.source, facts.provenance.path) == ("logs", "a.json")
    assert (facts.format, facts.consent, facts.is_complete) == ("openai", "ticket 7", True)
    assert outcome.counts["sessions_train"] == 1


def test_secrets_are_replaced_in_arguments_and_outputs_whatever_a_key_is_called(tmp_path, canaries):
    token = canaries["github"]
    logs = log(tmp_path / "logs", arguments={"source": token, "b": 1, "a": 2}, output=f"x {token}")
    log(logs, "b.json", request=f"Use {token} please")
    _, rows, out = run(tmp_path, logs)
    assert token not in (out / "sessions.jsonl").read_text()
    call = rows[0]["steps"][1]["tool_calls"][0]
    assert call["arguments"]["source"].startswith("REDACTED_GITHUB_PAT_")
    assert list(call["arguments"]) == ["source", "b", "a"], "in the order of the model"
    placeholder = call["arguments"]["source"]
    assert placeholder in rows[0]["steps"][1]["observation"]["results"][0]["content"]
    places = [json.loads(line) for line in (out / REDACTIONS).read_text().splitlines()]
    assert [each["path"] for each in places] == ["a.json", "b.json"]


def test_what_is_no_log_is_rejected_with_its_reason(tmp_path):
    logs = log(tmp_path / "logs")
    (logs / "README.md").write_text("# Logs")
    (logs / "broken.json").write_text('{"messages": [')
    outcome, rows, _ = run(tmp_path, logs)
    assert len(rows) == 1
    assert outcome.rejects == {"broken_json": 1, "not_a_session": 1}


def test_a_directory_without_any_session_is_an_error(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "README.md").write_text("# Logs")
    with pytest.raises(DevtuneError, match="logs: nothing to train on: all 1 logs were rejected"):
        run(tmp_path, tmp_path / "logs")


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"s1": True}, "resolved"), ({"task-1": False}, "unresolved"), ({"x": True}, "unknown"),
        ({"resolved_ids": ["task-1"], "unresolved_ids": []}, "resolved"),
        ({"resolved_ids": [], "unresolved_ids": ["s1"]}, "unresolved"),
    ],
)  # fmt: skip
def test_outcomes_come_from_a_file_beside_the_logs(tmp_path, given, outcome):
    logs = log(tmp_path / "logs", session_id="s1", instance_id="task-1")
    outcomes = tmp_path / "outcomes.json"
    outcomes.write_text(json.dumps(given))
    _, [row], _ = run(tmp_path, logs, outcomes=outcomes)
    assert Session.model_validate(row).facts.outcome == outcome


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '"x"'])
def test_outcomes_that_are_none_are_told(tmp_path, text):
    outcomes = tmp_path / "outcomes.json"
    outcomes.write_text(text)
    with pytest.raises(DevtuneError, match="true or false"):
        run(tmp_path, log(tmp_path / "logs"), outcomes=outcomes)


def test_a_repository_that_is_no_source_is_told(tmp_path):
    with pytest.raises(RecipeError, match="no git source is called 'app'"):
        run(tmp_path, log(tmp_path / "logs"), repository="app")


def test_a_changed_log_is_another_input(tmp_path):
    logs = log(tmp_path / "logs")
    section = CollectSection(sources=({"type": "sessions", "path": logs},))
    before = identify(section)
    assert identify(section) == before
    log(logs, request="Else")
    assert identify(section) != before
