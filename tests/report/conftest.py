import json
from dataclasses import replace

import pytest

from devtune.data.render import render
from devtune.jsonl import write_jsonl
from devtune.pipeline import LocalExecutor, RenderSection
from devtune.progress import Progress
from devtune.records import (
    Contamination,
    DuplicateCluster,
    Message,
    Preference,
    Rejected,
    Sample,
    Source,
    ToolCall,
)
from devtune.stage import Outcome, run_stage
from tests.conftest import make_place
from tests.report.searched import SUMMARY, fill_searched, fill_searched_again

HOSTILE = (
    "</script></style></pre><script>document.title = 'owned'</script><!-- \x00\x1b[31m\r\n"
    "\u202egnp.exe\u202c \u200b\u200b \U000e0041 \u00a0 {{ 7 * 7 }} [/INST]</s>"
    "<img src=x onerror=\"document.title = 'owned'\"> &lt;b&gt; " + "W" * 1000
)
TOOLS = (
    '[{"type": "function", "function": {"name": "read_file", "description": "Reads.",'
    ' "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}}]'
)
MAX_LENGTH = 6000

ONE = LocalExecutor(type="local", workers=1)


def make(sample_id, family="commit_edit", answer="```python\nreturn a + b\n```", **place):
    place = {"path": "app/x.py", "source": "billing", "license": "MIT", **place}
    origin = replace(make_place(), **place)
    messages = (Message("user", f"Please do {sample_id}."), Message("assistant", answer))
    return Sample(sample_id, family, messages, (origin,))


def make_replay(sample_id):
    messages = (
        Message("system", "You have tools."),
        Message("user", "Go."),
        Message("assistant", "\n\nA moment.", is_trained=False),
        Message("user", "Look."),
        Message("assistant", "", (ToolCall("abcdef123", "read_file", '{"path": "a"}'),)),
        Message("tool", "found\n", (), "abcdef123"),
        Message("assistant", "All is well."),
    )
    places = [replace(make_place(path), source="ledger") for path in ("README.md", "a.go", "b.go")]
    places[1] = replace(places[1], license="MIT OR Apache-2.0")
    return Sample(sample_id, "commit_replay", messages, tuple(places), TOOLS)


TRAIN = [
    *(make(f"{number:016x}", first_line=7, last_line=12) for number in range(30)),
    make("f0" * 8, "hostile_family", HOSTILE, path=f"a/\u202e\n{HOSTILE}", author=HOSTILE),
    make_replay("e0" * 8),
    make("d0" * 8, answer="x = 1\n" * 8000),
]
HELD_OUT = [make("b0" * 8, "commit_edit", source="ledger", license=""), make("b1" * 8, "only_held")]


def fill_corpus(out):
    sources = [
        Source("billing", "git", 1.0, "MIT", "Ada", "aa" * 20, "cc" * 20, "2025-06-30T00:00:00", 7),
        Source("ledger", "directory", 0.25, "", HOSTILE),
    ]
    write_jsonl(out / "sources.jsonl", sources)
    rejected = [Rejected("vendored", "billing", f"vendor/{number}.js") for number in range(5)]
    rejected.append(Rejected("hostile_path", "ledger", f"..\n{HOSTILE}", "", HOSTILE))
    rejected.append(Rejected("excluded_repository", "astropy", "", "", "astropy/astropy"))
    write_jsonl(out / "rejected.jsonl", rejected)
    (out / "privacy.json").write_text(json.dumps(SUMMARY), encoding="utf-8")
    return Outcome("")


def fill_samples(out):
    write_jsonl(out / "train.jsonl", TRAIN)
    write_jsonl(out / "held_out.jsonl", HELD_OUT)
    write_jsonl(out / "rejected.jsonl", [Rejected("exact_duplicate", "billing", "app/y.py")])
    places = [make_place(f"copy/{number}.py") for number in range(20)]
    clusters = [DuplicateCluster(places[0], tuple(places[1:size])) for size in (2, 20, 3)]
    write_jsonl(out / "duplicates.jsonl", clusters)
    hit = Contamination("ab" * 8, "commit_edit", "billing", "x.py", "humaneval", "HE/1", "a <b> c")
    write_jsonl(out / "contamination.jsonl", [hit])
    return Outcome("")


def make_trajectory(number):
    def said(words, count, **arguments):
        text_of_call = json.dumps(arguments, ensure_ascii=False)
        return Message(
            "assistant", words, (ToolCall(f"call{count:05}", "read_file", text_of_call),)
        )

    failed = replace(said("", 1, path="b"), is_trained=False, mask_reason="failed_edit")
    looped = replace(said("Once more.", 2, path="b"), is_trained=False, mask_reason="loop")
    messages = (
        Message("system", "You have tools."),
        Message("user", f"Repair {number}."),
        said("I look.", 0, path="a.py", text="x = 1\ny = 2\n"),
        Message("tool", "\n".join(f"line {each}" for each in range(300)), (), "call00000"),
        failed,
        Message("tool", HOSTILE, (), "call00001"),
        looped,
        Message("tool", '{"output": "no\\n</script>no"}', (), "call00002"),
        Message("assistant", f"Done {number}: </pre></details>"),
    )
    place = replace(make_place(f"{number}.jsonl"), source="logs", commit="", author="")
    return Sample(
        f"{number:016x}", "trajectory", messages, (place,), TOOLS, task=f"t{number}",
        outcome="resolved", transformations=("tool_output_cut",),
    )  # fmt: skip


def make_run(out, tekken_file, train, held_out=(), pairs=()):
    base, samples, section = out / "base", out / "samples", RenderSection(max_length=MAX_LENGTH)
    base.mkdir(parents=True)
    (base / "tekken.json").write_bytes(tekken_file.read_bytes())

    def fill_only_sources(scratch):
        write_jsonl(scratch / "sources.jsonl", [Source("logs", "sessions", 1.0, "", "Ada")])
        write_jsonl(scratch / "rejected.jsonl", [])
        return Outcome("")

    def fill_rows(scratch):
        write_jsonl(scratch / "train.jsonl", train)
        write_jsonl(scratch / "held_out.jsonl", held_out)
        for name in ("rejected", "duplicates", "contamination"):
            write_jsonl(scratch / f"{name}.jsonl", [])
        if pairs:
            write_jsonl(scratch / "preferences.jsonl", pairs)
        return Outcome("")

    def fill_dataset(scratch):
        return render(section, ONE, samples, base, out / "corpus", scratch, Progress("quiet"))

    run_stage("collect", {}, {}, out / "corpus", fill_only_sources)
    run_stage("build", {}, {"corpus": out / "corpus"}, samples, fill_rows)
    run_stage(
        "render", {"max_length": MAX_LENGTH}, {"samples": samples}, out / "dataset", fill_dataset
    )
    return out


def make_pair(number, kind="trajectory"):
    system, user, look, found, *rest = make_trajectory(number).messages
    spoken = Message("assistant", f"I give up {number}. {HOSTILE}")
    prompt, chosen, worse = (system, user), (look, found, *rest), (*rest[:4], spoken)
    if kind == "divergence":
        prompt, chosen, worse = (system, user, look, found), rest[-1:], (spoken,)
    places = [replace(make_place(f"{name}.jsonl"), source="logs") for name in ("good", "bad")]
    return Preference(
        f"{(0xFA if kind == 'trajectory' else 0xFB) * 256 + number:016x}", kind, f"t{number}",
        prompt, tuple(chosen), worse, "loop", f"{number:016x}", tuple(places), TOOLS,
    )  # fmt: skip


@pytest.fixture(scope="session")
def paired(tmp_path_factory, tekken_file):
    out = tmp_path_factory.mktemp("runs") / "paired"
    pairs = [make_pair(number) for number in range(8)] + [make_pair(0, "divergence")]
    return make_run(out, tekken_file, [make_trajectory(0)], pairs=pairs)


@pytest.fixture(scope="session")
def trajectories(tmp_path_factory, tekken_file):
    out = tmp_path_factory.mktemp("runs") / "agents"
    return make_run(out, tekken_file, [make_trajectory(0)], [make_trajectory(1)])


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory, tekken_file):
    out = tmp_path_factory.mktemp("runs") / "demo"
    base = out / "base"
    base.mkdir(parents=True)
    (base / "tekken.json").write_bytes(tekken_file.read_bytes())
    samples, section = out / "samples", RenderSection(max_length=MAX_LENGTH)

    def fill_dataset(scratch):
        return render(section, ONE, samples, base, out / "corpus", scratch, Progress("quiet"))

    run_stage("collect", {}, {}, out / "corpus", fill_corpus)
    run_stage("build", {}, {"corpus": out / "corpus"}, samples, fill_samples)
    identity = {"max_length": MAX_LENGTH}
    run_stage("render", identity, {"samples": samples}, out / "dataset", fill_dataset)
    return out


@pytest.fixture(scope="session")
def searched(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "searched"
    run_stage("collect", {}, {}, out / "corpus", fill_searched)
    run_stage("build", {}, {"corpus": out / "corpus"}, out / "samples", lambda _: Outcome(""))
    run_stage("render", {}, {"samples": out / "samples"}, out / "dataset", fill_searched_again)
    return out
