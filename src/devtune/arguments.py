"""What can be typed after `devtune`: commands, their arguments and their help.

Works on the command line alone; reads and writes no files.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devtune.line import LINE, NAMES


def make_parser() -> argparse.ArgumentParser:
    """Return the parser. `command` of its results is what was typed, `stage` for any stage."""
    parser = argparse.ArgumentParser(
        prog="devtune",
        description="From a private repository to a served model, on your own hardware.",
        epilog="`devtune STAGE --help` explains the stage's section of the recipe.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "run", "every stage of a recipe, skipping what is done")
    _add_stages(commands)
    check = _add(commands, "check", "find what is wrong before anything starts")
    check.add_argument(
        "--anywhere", action="store_true", help="do not ask that inputs exist on this machine"
    )
    _add(commands, "show", "the resolved recipe, with the place each value came from")
    _add(commands, "plan", "memory by component and whether it fits the cluster part")
    schema = commands.add_parser("schema", help="the JSON Schema of recipes, for editors")
    schema.add_argument("--out", type=Path, help="write it to a file")
    schema.set_defaults(command="schema")
    _add_reports(commands)
    _add_trace(commands)
    _add_export(commands)
    _add_erase(commands)
    _add_record(commands)
    return parser


def _add_stages(commands: Any) -> None:
    for each in LINE:
        stage = _add(commands, each.name, each.help)
        stage.set_defaults(command="stage", stage=each.name)
        stage.add_argument("--help", "-h", action=_SectionHelp, stage=each.name)
        if each.name == "evaluate":
            stage.add_argument(
                "--canaries", type=Path, action=_Canaries, dest="overrides", metavar="FILE",
                help="planted values to look for; the same as --set evaluate.canaries=FILE",
            )  # fmt: skip


def _add_reports(commands: Any) -> None:
    samples = commands.add_parser(
        "samples", help="look at rendered samples, trained tokens coloured"
    )
    samples.add_argument("dataset", type=Path, help="a finished dataset/ directory")
    samples.add_argument("-n", type=int, default=3, help="samples of each family (default 3)")
    samples.add_argument("--family", help="only this family; `preferences`: pairs")
    samples.add_argument("--split", choices=("train", "held_out"), default="train")
    samples.add_argument("--full", action="store_true", help="show long texts whole")
    samples.set_defaults(command="samples")
    report = commands.add_parser(
        "report", help="HTML on a dataset: numbers, samples, trajectories, what was left out"
    )
    report.add_argument("dataset", type=Path, help="a finished dataset/ directory")
    report.add_argument("--out", type=Path, help="the page (default: dataset.html beside it)")
    report.add_argument("--json", action="store_true", help="print the numbers, write no page")
    report.set_defaults(command="report")
    privacy = commands.add_parser(
        "privacy", help="one HTML page on what was replaced: secrets and personal data, and where"
    )
    privacy.add_argument("directory", type=Path, help="the directory of a run, or its corpus/")
    privacy.add_argument("--out", type=Path, help="the page (default: privacy.html beside corpus/)")
    privacy.add_argument("--json", action="store_true", help="print all places, write no page")
    privacy.set_defaults(command="privacy")


def _add_trace(commands: Any) -> None:
    summary = "where a sample is from, or every commit that taught a model"
    trace = commands.add_parser("trace", help=summary, description=summary)
    trace.add_argument("sample", metavar="SAMPLE_ID", nargs="?", help="an id, or how it begins")
    trace.add_argument(
        "--model", type=Path, metavar="DIRECTORY", help="serving/, model/ or adapter/, instead"
    )
    trace.add_argument(
        "--run", type=Path, dest="run_dir", metavar="RUN_DIR",
        help="directory of the run, or its dataset/ or samples/ (default: this one; for a model"
        " the one it stands in)",
    )  # fmt: skip
    trace.add_argument("--json", action="store_true", help="print one JSON object")
    trace.set_defaults(command="trace")


def _add_export(commands: Any) -> None:
    export = _add(commands, "export-samples", "samples/ for another trainer, with loss weights")
    export.add_argument(
        "--format", choices=("jsonl", "parquet"), default="jsonl",
        help="jsonl: OpenAI's messages and tools (default); parquet: for Hugging Face datasets",
    )  # fmt: skip
    export.add_argument(
        "--out", type=Path, metavar="DIRECTORY",
        help="a new directory (default: samples-FORMAT in run_dir)",
    )  # fmt: skip


def _add_erase(commands: Any) -> None:
    erase = _add(commands, "erase", "a dataset without an author, a path, a source or a commit")
    for name, metavar, what in (
        ("author", "MAIL", "address of an author, or login on a forge"),
        ("path", "SOURCE/PATH", "a file or directory of a source, from its first commit on"),
        ("repo", "SOURCE", "a whole source"),
        ("commit", "ID", "one commit"),
    ):
        erase.add_argument(
            f"--{name}", action="append", default=[], metavar=metavar, dest=f"{name}s", help=what
        )
    erase.add_argument(
        "--runs", type=Path, metavar="DIRECTORY",
        help="look here for what was trained on it (default: the directory run_dir stands in)",
    )  # fmt: skip
    erase.add_argument("--dry-run", action="store_true", help="say all of it, change nothing")
    erase.add_argument(
        "--weights", action="store_true", help="delete the weights that were trained on it, too"
    )


def _add_record(commands: Any) -> None:
    summary = "a proxy that writes down what an agent's model sees and says"
    record = commands.add_parser(
        "record", help=summary,
        description=f"{summary}. It stands between any OpenAI-compatible agent and server,"
        " and passes every byte on as it arrives. Conversations are written to a journal, which"
        " `collect` reads as a source of type sessions. Headers, and so keys, are never written.",
        epilog="devtune record --to http://127.0.0.1:8000/v1 --journal journals/",
    )  # fmt: skip
    record.add_argument(
        "--to",
        required=True,
        metavar="URL",
        help="base URL of the server, as an agent would have it",
    )
    record.add_argument(
        "--journal", required=True, type=Path, metavar="PLACE",
        help="a directory, for a new file at each start; or a new file, NAME.jsonl",
    )  # fmt: skip
    record.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen (default 127.0.0.1: this machine alone)",
    )
    record.add_argument("--port", type=int, default=8100, help="default 8100; 0 takes a free one")
    record.add_argument(
        "--strict", action="store_true",
        help="stop when the journal cannot be written, e.g. on a full disk; else traffic goes on",
    )  # fmt: skip
    record.add_argument("--quiet", action="store_true", help="print nothing but errors")
    record.add_argument("--json", action="store_true", help="print one JSON event a line")
    record.set_defaults(command="record")


def _add(commands: Any, name: str, summary: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=summary, description=summary, add_help=name not in NAMES
    )
    command.add_argument("recipe", type=Path, help="path of a recipe.yaml")
    command.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="overrides",
        help="override one value of the recipe; may be repeated",
    )  # fmt: skip
    command.add_argument("--quiet", action="store_true", help="print nothing but errors")
    command.add_argument("--json", action="store_true", help="print one JSON event a line")
    command.set_defaults(command=name)
    return command


class _SectionHelp(argparse.Action):
    """`devtune train --help`: the usage, then every field of the section with its sentence."""

    def __init__(self, option_strings: Sequence[str], dest: str, stage: str) -> None:
        super().__init__(
            option_strings, dest=argparse.SUPPRESS, nargs=0, help="explain the stage's section"
        )
        self.stage = stage

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from devtune.report.fields import describe_section

        print(parser.format_help())
        print(describe_section(self.stage))
        parser.exit()


class _Canaries(argparse.Action):
    """`--canaries FILE`: an override of the recipe, its path from where the command is typed."""

    def __call__(self, _: Any, options: argparse.Namespace, file: Any, *__: Any) -> None:
        value = json.dumps(str(file.absolute()))  # a quoted text in YAML too
        options.overrides = [*options.overrides, f"evaluate.canaries={value}"]
