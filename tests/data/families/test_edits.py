import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import (
    MistralRequestValidatorV13,
    ValidationMode,
)

from devtune.data.corpus import Made
from devtune.data.families.edits import commit_edit
from devtune.records import Rejected, SourceFile
from devtune.steps.families import CommitEdit
from tests.changes import (
    LONG,
    PROMPTS,
    TOOLS,
    change_of,
    context_of,
    edit_of,
    git_apply,
    read_blocks,
)

NEW = LONG.replace("line_50 = 50", "line_50 = -1")


@pytest.fixture
def run(tmp_path):
    def make(row, form="", **values):
        if form:
            names = ("search_replace", "unified_diff", "tool_calls")
            values["formats"] = {name: float(name == form) for name in names}
        prompt = PROMPTS / "commit_edit.jinja"
        step = CommitEdit.model_validate(
            {"type": "commit_edit", "prompt": prompt, "tools": TOOLS, **values}
        )
        return list(commit_edit(step, row, context_of(tmp_path, "commit_edit")))

    return make


def test_a_commit_is_one_sample_of_all_its_files(run):
    change = change_of(
        "feat(api): change the thing (#12)", ("x.py", LONG, NEW), ("y.py", None, "a = 1\n"),
        body="Because it was wrong.\n\nSigned-off-by: Ada <ada@corp.test>", split="held_out",
    )  # fmt: skip
    (made,) = run(change, "search_replace")
    request, answer = (each.content for each in made.sample.messages)
    assert "hange the thing" in request
    assert "Because it was wrong." in request
    assert "api" in request
    assert "#12" not in request
    assert "Signed-off-by" not in request
    assert read_blocks({"x.py": LONG, "y.py": ""}, answer) == {"x.py": NEW, "y.py": "a = 1\n"}
    assert (made.split, made.sample.family) == ("held_out", "commit_edit")
    assert made.evidence == ("line_50 = -1\n", "a = 1\n")


def test_a_patch_is_an_answer_of_its_own(run, tmp_path):
    change = change_of("Change the thing", ("x.py", LONG, NEW), ("gone.py", "a\n", None))
    (made,) = run(change, "unified_diff")
    request, answer = (each.content for each in made.sample.messages)
    texts = {"x.py": LONG, "gone.py": "a\n"}
    assert git_apply(tmp_path / "repository", texts, answer) == {"x.py": NEW}
    assert "diff" in request or "git apply" in request


def test_calls_are_a_conversation_the_server_accepts(run):
    change = change_of("Change the thing", ("x.py", LONG, NEW), ("y.py", None, "a = 1\n"))
    (made,) = run(change, "tool_calls")
    messages = []
    for each in made.sample.messages:
        message = {"role": each.role, "content": each.content}
        if each.tool_calls:
            message["tool_calls"] = [
                {"id": x.id, "function": {"name": x.name, "arguments": x.arguments}}
                for x in each.tool_calls
            ]
        if each.tool_call_id:
            message["tool_call_id"] = each.tool_call_id
        messages.append(message)
    request = ChatCompletionRequest.from_openai(messages=messages)
    MistralRequestValidatorV13(mode=ValidationMode.finetuning).validate_messages(request.messages)
    assert made.sample.messages[-1].content == "Changed the thing."
    assert '"write_file"' in made.sample.tools


def test_all_forms_are_used(run):
    made = [
        run(change_of("Change the thing", ("x.py", LONG, NEW), commit=f"c{number}"))[0]
        for number in range(40)
    ]
    answers = [each.sample.messages[-1].content for each in made]
    starts = {each.split("\n")[0] for each in answers}
    assert starts == {"x.py", "diff --git a/x.py b/x.py", "Changed the thing."}
    assert len({each.sample.messages[0].content for each in made}) > 8


def test_equal_rows_give_equal_samples(run):
    change = change_of("Change the thing", ("x.py", LONG, NEW))
    assert run(change) == run(change)


def test_other_rows_of_the_corpus_are_none_of_its_business(run):
    assert run(SourceFile(edit_of("x.py", None, "a\n").provenance, "train", "a\n")) == []


def test_commits_that_teach_nothing_have_a_reason(run):
    one = ("x.py", "a\n", "b\n")
    for change, reason in (
        (change_of("Fix #12", one), "message_says_too_little"),
        (change_of("This is 7.0-dev", one), "message_says_too_little"),
        (change_of("Change it well", ("x.py", "a\n", "a\n")), "nothing_changed"),
        (change_of("Change it well", one, ("y.py", "a\n", "b\n")), "commit_touches_many_files"),
        (change_of("Change it well", ("CHANGES", "", "Fix (#12)\n")), "cites_tickets"),
    ):
        (rejected,) = run(change, max_files=1)
        assert isinstance(rejected, Rejected)
        assert (rejected.reason, rejected.commit) == (reason, "c0ffee")


def test_a_changelog_that_cites_tickets_is_left_out_of_the_answer(run):
    change = change_of("Fix it well", ("x.py", "a\n", "b\n"), ("CHANGES", "", "Fix (#12)\n"))
    rejected, made = run(change, "search_replace")
    assert rejected.reason == "cites_tickets"
    assert "CHANGES" not in "".join(each.content for each in made.sample.messages)


PIECES = st.sampled_from(
    ["a\n", "b\n", "\n", "\r\n", "=======\n", "\0", "\u2028", "#1 ", "é", "- "]
)
TEXTS = st.none() | st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(st.tuples(st.text(max_size=8) | st.just("x.py"), TEXTS, TEXTS), max_size=3),
    subject=st.text(max_size=60) | st.just("Change the thing well"),
    body=st.text(max_size=200),
)
def test_whatever_a_commit_holds_it_is_a_sample_or_a_reason(run, edits, subject, body):
    found = run(change_of(subject, *edits, body=body))
    assert found
    assert all(isinstance(each, Made | Rejected) for each in found)
