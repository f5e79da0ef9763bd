import json
import tracemalloc
from dataclasses import asdict, replace

import datasets
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from transformers.utils.chat_template_utils import render_jinja_template

from devtune.data import exporting
from devtune.data.exported_rows import openai_example, preference_example
from devtune.data.exporting import export_samples, exported_ids
from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.pairs import pair_row
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import RenderSection
from devtune.progress import Progress
from devtune.records import AuthorShare, Message, Preference, Rejected, Sample, ToolCall
from tests.conftest import make_place

TOOLS = json.dumps(
    [
        {
            "type": "function",
            "function": {
                "name": "edit",
                "description": "Schreibt „um“.",
                "parameters": {
                    "type": "object",
                    "properties": {"b": {"type": "string"}, "a": {"type": "integer"}},
                },
            },
        }
    ],
    ensure_ascii=False,
)
# As the templates of Mistral's models do it, in short.
TEMPLATE = """\
{%- if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}
{%- for message in messages %}
{%- if message.role == "assistant" %}{{ message.content }}
{%- if message.tool_calls is defined and message.tool_calls is not none %}
{%- for call in message.tool_calls %}[TOOL_CALLS]{{ call.function.name }}[ARGS]
{%- if call.function.arguments is string %}{{ call.function.arguments }}
{%- else %}{{ call.function.arguments | tojson }}{% endif %}{% endfor %}{% endif %}</s>
{%- elif message.role == "tool" %}[TOOL_RESULTS]{{ message.content }}[/TOOL_RESULTS]
{%- elif message.role == "system" %}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
{%- else %}[INST]{{ message.content }}[/INST]{% endif %}{% endfor %}"""


def trajectory(sample_id="a0" * 8):
    messages = (
        Message("system", "You have tools."),
        Message("user", "Gö\u2028\r\n\x00 </s>[INST]"),
        Message("assistant", "I try.", (ToolCall("call00000", "edit", '{"b": "1\\n2",  "a": 3}'),),
                is_trained=False, mask_reason="failed_edit"),
        Message("tool", "not found", (), "call00000"),
        Message("assistant", "", (ToolCall("call00001", "edit", '{"a": 1e3}'),
                                  ToolCall("call00002", "edit", "{}"))),
        Message("tool", "one", (), "call00001"),
        Message("tool", "", (), "call00002"),
        Message("assistant", "First.", is_trained=False, mask_reason="undone"),
        Message("assistant", "Done."),
    )  # fmt: skip
    place = replace(make_place(), first_line=2, last_line=9, authors=(AuthorShare("Ada", 0.5),))
    return Sample(
        sample_id, "trajectory", messages, (place, make_place("b.py")), TOOLS, task="t",
        outcome="resolved",
    )  # fmt: skip


def plain(sample_id="b0" * 8):
    messages = (Message("user", "Hi"), Message("assistant", "Yes"))
    return Sample(sample_id, "commit_edit", messages, (make_place(),))


LONG = RenderSection(max_length=9999)


@pytest.fixture
def export(tmp_path):
    def run(format, train, held_out=(), pairs=None):
        samples, out = tmp_path / "samples", tmp_path / format
        for each in (samples, out):
            each.mkdir(exist_ok=True)
        write_jsonl(samples / "train.jsonl", train)
        write_jsonl(samples / "held_out.jsonl", held_out)
        if pairs is not None:
            write_jsonl(samples / "preferences.jsonl", pairs)
        return out, export_samples(format, samples, out, Progress("quiet"))

    return run


def lines(file):
    return [json.loads(each) for each in file.read_bytes().splitlines()]


def read_back(example, origin):
    messages = []
    for each in example["messages"]:
        calls = tuple(
            ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in each.get("tool_calls") or ()
        )
        call_id = each.get("tool_call_id") or ""
        is_trained = each.get("weight") != 0
        messages.append(Message(each["role"], each["content"], calls, call_id, is_trained))
    tools = example.get("tools") or ""
    tools = tools if isinstance(tools, str) else json.dumps(tools, ensure_ascii=False)
    places = (make_place(),)
    return Sample(origin["sample_id"], origin["family"], tuple(messages), places, tools)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_what_is_read_back_renders_to_the_same_tokens_and_labels(export, tekken_file, format):
    renderer = MistralRenderer(tekken_file)
    made = [trajectory(), plain()]
    out, _ = export(format, made, [plain("c0" * 8)])
    if format == "jsonl":
        rows = list(
            zip(lines(out / "train.jsonl"), lines(out / "train.origins.jsonl"), strict=True)
        )
    else:
        rows = [(row, row) for row in load_dataset(str(out), split="train")]
    for sample, (example, origin) in zip(made, rows, strict=True):
        wanted, found = (
            renderer.rows(x, RenderSection(max_length=9999))[0][0]
            for x in (sample, read_back(example, origin))
        )
        assert (found.sample_id, found.input_ids, found.labels, found.num_trained_bytes) == (
            wanted.sample_id, wanted.input_ids, wanted.labels, wanted.num_trained_bytes,
        )  # fmt: skip


def test_a_line_is_what_the_server_takes_as_it_is(export, tekken_file):
    renderer = MistralRenderer(tekken_file)
    out, _ = export("jsonl", [trajectory()])
    [line] = lines(out / "train.jsonl")
    assert set(line) == {"messages", "tools"}
    request = ChatCompletionRequest.from_openai(**line)
    tokens = renderer._tokenizer.encode_chat_completion(request).tokens
    assert list(tokens) == renderer.encode(trajectory())


def test_messages_have_the_keys_of_the_api_and_weights_where_the_assistant_speaks():
    found = openai_example(trajectory())["messages"]
    assert [each.get("weight") for each in found] == [None, None, 0, None, 1, None, None, 0, 0]
    assert set(found[1]) == {"role", "content"}
    assert set(found[2]) == {"role", "content", "tool_calls", "weight"}
    assert set(found[3]) == {"role", "content", "tool_call_id"}
    assert found[2]["tool_calls"] == [
        {"id": "call00000", "type": "function",
         "function": {"name": "edit", "arguments": '{"b": "1\\n2",  "a": 3}'}}
    ]  # fmt: skip
    assert "tools" not in openai_example(plain())


def test_origins_stand_in_the_same_lines(export):
    out, outcome = export("jsonl", [trajectory(), plain()], [plain("c0" * 8)])
    one, other = lines(out / "train.origins.jsonl")
    assert (one["task"], one["outcome"], other["task"]) == ("t", "resolved", "")
    assert one["mask_reasons"] == ["", "", "failed_edit", "", "", "", "", "undone", ""]
    assert one["provenance"] == json.loads(json.dumps([asdict(x) for x in trajectory().provenance]))
    assert outcome.counts == {"train": 2, "held_out": 1}
    assert list(exported_ids(out)) == ["c0" * 8, "a0" * 8, "b0" * 8]


def test_a_table_loads_as_it_was_written_whoever_loads_it(export, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    out, _ = export("parquet", [trajectory(), plain()], [plain("c0" * 8)])
    by_folder = load_dataset(str(out))
    files = {split: str(out / f"{split}.parquet") for split in ("train", "held_out")}
    by_file = load_dataset("parquet", data_files=files)
    for split in files:
        written = pq.read_table(files[split]).to_pylist()
        assert by_folder[split].to_list() == by_file[split].to_list() == written
    first, second = by_folder["train"]
    assert first["tools"] == TOOLS
    assert second["tools"] is None
    assert [each["weight"] for each in first["messages"]][2:5] == [0, None, 1]
    assert first["provenance"][0]["authors"] == [{"author": "Ada", "share": 0.5}]
    assert (first["sample_id"], first["family"], first["task"], first["outcome"]) == (
        "a0" * 8, "trajectory", "t", "resolved",
    )  # fmt: skip
    assert sorted(exported_ids(out)) == ["a0" * 8, "b0" * 8, "c0" * 8]


def test_lines_load_as_a_dataset_too(export):
    out, _ = export("jsonl", [trajectory(), plain()])
    rows = load_dataset(str(out), split="train").to_list()
    assert [each["content"] for each in rows[0]["messages"]][2] == "I try."
    assert rows[0]["tools"][0]["function"]["name"] == "edit"


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_chat_template_gives_the_same_text_from_either(export, format):
    out, _ = export(format, [trajectory(), plain()])
    if format == "jsonl":
        rows = lines(out / "train.jsonl")
    else:
        rows = load_dataset(str(out), split="train").to_list()
    shown = []
    for row in rows:
        tools = row.get("tools")
        tools = json.loads(tools) if isinstance(tools, str) else tools
        [text], _ = render_jinja_template([row["messages"]], tools=tools, chat_template=TEMPLATE)
        shown.append(text)
    assert '[TOOL_CALLS]edit[ARGS]{"b": "1\\n2",  "a": 3}</s>' in shown[0]
    assert shown[1] == "[INST]Hi[/INST]Yes</s>"


def test_row_groups_end_where_rows_or_characters_are_many(export, monkeypatch):
    monkeypatch.setattr(exporting, "CHARACTERS_PER_GROUP", 30)
    monkeypatch.setattr(exporting, "ROWS_PER_GROUP", 3)
    many = [plain(f"{number:016x}") for number in range(7)]
    out, _ = export("parquet", [*many, trajectory(), plain()])
    found = pq.ParquetFile(out / "train.parquet").metadata
    sizes = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert sizes == [3, 3, 2, 1]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_memory_does_not_grow_with_the_samples(export, monkeypatch, format):
    monkeypatch.setattr(exporting, "CHARACTERS_PER_GROUP", 500_000)
    long = (Message("user", "word " * 20_000), Message("assistant", "Yes"))
    peaks = []
    for count in (20, 80):
        rows = [replace(plain(f"{number:016x}"), messages=long) for number in range(count)]
        tracemalloc.start()
        export(format, rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_a_sample_with_a_secret_is_left_out_and_counted(export, format):
    token = "gh" + "p_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"
    call = ToolCall("call00000", "edit", json.dumps({"b": f"x\n{token}\n"}))
    messages = (Message("user", "Hi"), Message("assistant", "", (call,)))
    bad = replace(plain("d0" * 8), messages=messages)
    out, outcome = export(format, [bad, plain()])
    assert outcome.counts == {"train": 1, "held_out": 0}
    assert outcome.rejects == {"secret_in_sample": 1}
    assert outcome.summary.endswith(f"as {format}, 1 with a secret left out")
    [row] = read_jsonl(out / "rejected.jsonl", Rejected)
    assert row.detail.startswith("d0" * 8)
    written = b"".join(each.read_bytes() for each in out.iterdir() if each.is_file())
    assert token.encode() not in written
    assert {each.name for each in out.iterdir()} >= {"README.md", "rejected.jsonl"}
    assert not [each for each in out.iterdir() if each.is_dir()]


@pytest.mark.parametrize("tools", ['{"a": 1}', "[", "nonsense"])
def test_tools_that_are_no_array_are_one_line(export, tools):
    with pytest.raises(
        DevtuneError,
        match=rf"train.jsonl:2: the tools of sample {'b0' * 8} are no JSON array; remove the",
    ):
        export("jsonl", [trajectory(), replace(plain(), tools=tools)])


def test_a_damaged_row_is_one_line(tmp_path, export):
    export("jsonl", [plain()])
    (tmp_path / "samples" / "train.jsonl").write_text('{"sample_id": 1}\n')
    with pytest.raises(DevtuneError, match=r"train.jsonl:1: not a Sample row .*; remove the dir"):
        export_samples("jsonl", tmp_path / "samples", tmp_path / "jsonl", Progress("quiet"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("train.origins.jsonl", b"{"), ("train.origins.jsonl", b"[]\n"), ("train.parquet", b"PAR1")],
)
def test_ids_of_a_damaged_export_are_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DevtuneError, match=r"damaged \(.*\); export the samples again"):
        list(exported_ids(tmp_path))


def pair(sample_id="f0" * 8, **values):
    system, request, *chosen = trajectory().messages
    bad = (
        Message("assistant", "", (ToolCall("call00000", "edit", "{}"),), "", False, "failed_edit"),
        Message("tool", "no", (), "call00000"), Message("assistant", "Done?"),
    )  # fmt: skip
    found = Preference(
        sample_id, "trajectory", "t", (system, request), tuple(chosen), bad, "loop", "a0" * 8,
        (make_place("good.jsonl"), make_place("bad.jsonl")), TOOLS,
    )  # fmt: skip
    return replace(found, **values)


def test_a_pair_has_the_keys_of_the_preference_format_and_the_weights_of_its_row():
    found = preference_example(pair())
    assert list(found) == ["prompt", "chosen", "rejected", "tools"]
    assert [each["role"] for each in found["prompt"]] == ["system", "user"]
    assert [each.get("weight") for each in found["chosen"]] == [0, None, 1, None, None, 0, 0]
    assert [each.get("weight") for each in found["rejected"]] == [1, None, 1]
    assert "tools" not in preference_example(pair(tools=""))


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_pairs_are_exported_beside_samples(export, tmp_path, monkeypatch, format, tekken_file):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    out, outcome = export(format, [trajectory()], [], [pair(), pair("f1" * 8, kind="divergence")])
    assert outcome.counts == {"train": 1, "held_out": 0, "preferences": 2}
    assert outcome.summary == f"1 samples to train on and 0 held out, 2 pairs, as {format}"
    if format == "jsonl":
        rows = lines(out / "preferences.jsonl")
        assert rows == [preference_example(pair())] * 2
        origins = lines(out / "preferences.origins.jsonl")
        tools = rows[0]["tools"]
    else:
        rows = origins = load_dataset(str(out), "preferences", split="train").to_list()
        tools = json.loads(rows[0]["tools"])
        assert rows[0]["tools"] == TOOLS
    assert [each["sample_id"] for each in origins] == ["f0" * 8, "f1" * 8]
    assert (origins[0]["reason"], origins[1]["family"]) == ("loop", "divergence")
    assert [each["path"] for each in origins[0]["provenance"]] == ["good.jsonl", "bad.jsonl"]
    assert sorted(exported_ids(out)) == ["a0" * 8, "f0" * 8, "f1" * 8]
    renderer = MistralRenderer(tekken_file)
    row = pair_row(renderer, pair(), 9999)
    for side, ids in (("chosen", row.chosen_ids), ("rejected", row.rejected_ids)):
        talk = [
            {key: value for key, value in each.items() if key != "weight" and value is not None}
            for each in (*rows[0]["prompt"], *rows[0][side])
        ]
        request = ChatCompletionRequest.from_openai(talk, tools=tools)
        tokens = renderer._tokenizer.encode_chat_completion(request).tokens
        assert list(tokens) == row.prompt_ids + ids


@pytest.mark.parametrize("pairs", [None, []])
def test_without_pairs_nothing_is_said_of_them(export, pairs):
    out, outcome = export("jsonl", [plain()], [], pairs)
    assert outcome.counts == {"train": 1, "held_out": 0}
    assert not list(out.glob("preferences*"))
    assert "preferences" not in (out / "README.md").read_text(encoding="utf-8")


def test_trl_takes_a_pair_as_it_is(export):
    trl = pytest.importorskip("trl.data_utils", reason="the train extra is not installed")
    out, _ = export("jsonl", [plain()], [], [pair()])
    [row] = lines(out / "preferences.jsonl")
    assert trl.is_conversational(row)


def test_a_pair_with_a_secret_is_left_out_whichever_side_has_it(export, canaries):
    spoken = (Message("assistant", canaries["github"]),)
    pairs = [pair(), pair("f1" * 8, rejected=spoken), pair("f2" * 8, chosen=spoken)]
    out, outcome = export("jsonl", [plain()], [], pairs)
    assert outcome.counts["preferences"] == 1
    assert outcome.rejects == {"preference_secret_in_sample": 2}
    ids = [each.detail.split()[0] for each in read_jsonl(out / "rejected.jsonl", Rejected)]
    assert ids == ["f1" * 8, "f2" * 8]
    assert not any(canaries["github"] in x.read_text(encoding="utf-8") for x in out.iterdir())


def test_a_pair_whose_tools_are_no_array_is_named(export):
    with pytest.raises(DevtuneError) as caught:
        export("jsonl", [plain()], [], [pair(tools="{}")])
    assert str(caught.value).endswith(
        f"preferences.jsonl:1: the tools of pair {'f0' * 8} are no JSON array; remove the"
        " directory and run its stage again"
    )
