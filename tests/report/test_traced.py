from devtune.report.traced import model_lines, sample_lines

PLACE = {
    "source": "app", "commit": "c0ffee", "path": "a\x1b[31m\u202e.py", "author": "\x00Eve",
    "first_line": 7, "last_line": 12,
    "authors": [{"author": "\x00Eve", "share": 0.6667}, {"author": "", "share": 0.3333}],
}  # fmt: skip
SAMPLE = {
    "sample_id": "ab" * 8,
    "family": "commit_edit",
    "rows": [
        {"split": "train", "file": "samples/train.jsonl", "line": 3, "places": [PLACE], "step": 2,
         "template": "a.jinja@0123\x07", "transformations": ["excerpt", "dedented"]},
    ],
    "rejected": [],
    "contamination": [],
    "rendered": [],
    "steps": [{"number": 2, "options": {"formats": {"x": 1.0}, "skip": []}}],
    "sources": [{"name": "app\x07", "owner": "", "kind": "git"}],
    "stages": [
        {"stage": "build", "directory": "samples", "fingerprint": "f1", "finished": "today",
         "git_commit": None, "versions": {"devtune": "1", "pyarrow": "2"}},
    ],
    "missing": ["dataset/ is not beside it"],
}  # fmt: skip
HEAD = (
    "  commit or version                         date                       samples"
    "  trained tokens  author"
)


def test_a_sample_is_told_in_aligned_lines_with_nothing_invisible():
    assert (
        "\n".join(sample_lines(SAMPLE))
        == """\
sample            abababababababab
family            commit_edit
split             train
template          a.jinja@0123BEL
transformations   excerpt, dedented
rendered          not known

place 1 of 1, samples/train.jsonl line 3
  source            app
  commit            c0ffee
  path              aESC[31mU+202E.py
  author            NULEve
  lines             7-12
  written by        NULEve 66.7%, not known 33.3%

source appBEL
  kind              git

step 2 of build.steps
  formats.x         1.0

stage build, samples/
  fingerprint       f1
  finished          today
  devtune commit    not known
  versions          devtune 1, pyarrow 2

not known
  because           dataset/ is not beside it"""
    )


def test_a_model_is_told_in_aligned_lines_with_nothing_invisible():
    commits = [
        {"commit": "", "date": "", "authors": [], "num_samples": 1, "num_trained_tokens": 1234},
        {"commit": "c" * 40, "date": "2024-01-01T00:00:00+00:00", "authors": ["A", "\x1bB"],
         "num_samples": 20, "num_trained_tokens": 5},
    ]  # fmt: skip
    found = {
        "model": "serving",
        "training": {"max_steps": -1, "num_train_epochs": 1.0, "steps": 4},
        "lineage": [
            {"directory": "serving", "missing": "", "fingerprint": "f" * 64, "finished": "today",
             "git_commit": "d" * 40},
            {"directory": "base", "missing": "base/ is not beside it"},
        ],
        "sources": [{"name": "app\x1b", "commits": commits}],
        "totals": {"num_samples": 20, "num_trained_tokens": 1239, "num_commits": 1,
                   "num_sources": 1, "num_shared": 1},
    }  # fmt: skip
    assert (
        "\n".join(model_lines(found))
        == f"""\
model             serving

made of
  serving/          ffffffffffffffff  today  devtune commit dddddddddddd
  base/             base/ is not beside it; it holds published weights

appESC (not known)
{HEAD}
  (no history)                                                               1           1,234
  {"c" * 40}  2024-01-01T00:00:00+00:00       20               5  A, ESCB

in all            20 samples, 1,239 trained tokens, 1 commits of 1 sources
of these          1 samples stand with each of several commits"""
    )  # noqa: E501
