"""The command line: parses, delegates, prints; modules load only when a command needs them."""

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from devtune.errors import DevtuneError, RecipeError, one_line
from devtune.line import LINE, NAMES

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command; faults are one line on stderr, and the exit code says which kind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Latin-1 terminal has no arrow
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except DevtuneError as error:
        print(f"devtune: error: {_single_line(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("devtune: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except SystemExit as stop:
        if stop.code == EXIT_TERMINATED:
            print("devtune: terminated; run the same command again to go on", file=sys.stderr)
        raise
    except BrokenPipeError:
        # The reader of our output has left; point stdout elsewhere so that exit stays silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devtune",
        description="From a private repository to a served model, on your own hardware.",
        epilog="`devtune STAGE --help` explains the stage's section of the recipe.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "run", _run, "every stage of a recipe, skipping what is done")
    for each in LINE:
        stage = _add(commands, each.name, _stage, each.help)
        stage.set_defaults(stage=each.name)
        stage.add_argument("--help", "-h", action=_SectionHelp, stage=each.name)
        if each.name == "evaluate":
            stage.add_argument(
                "--canaries", type=Path, action=_Canaries, dest="overrides", metavar="FILE",
                help="planted values to look for; the same as --set evaluate.canaries=FILE",
            )  # fmt: skip
    check = _add(commands, "check", _check, "find what is wrong before anything starts")
    check.add_argument(
        "--anywhere", action="store_true", help="do not ask that inputs exist on this machine"
    )
    _add(commands, "show", _show, "the resolved recipe, with the place each value came from")
    _add(commands, "plan", _plan, "memory by component and whether it fits the cluster part")
    schema = commands.add_parser("schema", help="the JSON Schema of recipes, for editors")
    schema.add_argument("--out", type=Path, help="write it to a file")
    schema.set_defaults(run=_schema)
    samples = commands.add_parser(
        "samples", help="look at rendered samples, trained tokens coloured"
    )
    samples.add_argument("dataset", type=Path, help="a finished dataset/ directory")
    samples.add_argument("-n", type=int, default=3, help="samples of each family (default 3)")
    samples.add_argument("--family", help="only this family")
    samples.add_argument("--split", choices=("train", "held_out"), default="train")
    samples.set_defaults(run=_samples)
    report = commands.add_parser(
        "report", help="one HTML page on a dataset: numbers, samples, what was left out"
    )
    report.add_argument("dataset", type=Path, help="a finished dataset/ directory")
    report.add_argument("--out", type=Path, help="the page (default: dataset.html beside it)")
    report.add_argument("--json", action="store_true", help="print the numbers, write no page")
    report.set_defaults(run=_report)
    privacy = commands.add_parser(
        "privacy", help="one HTML page on what was replaced: secrets and personal data, and where"
    )
    privacy.add_argument("directory", type=Path, help="the directory of a run, or its corpus/")
    privacy.add_argument("--out", type=Path, help="the page (default: privacy.html beside corpus/)")
    privacy.add_argument("--json", action="store_true", help="print all places, write no page")
    privacy.set_defaults(run=_privacy)
    _add_trace(commands)
    _add_erase(commands)
    return parser


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
    trace.set_defaults(run=_trace)


def _add_erase(commands: Any) -> None:
    erase = _add(
        commands, "erase", _erase, "a dataset without an author, a path, a source or a commit"
    )
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


def _add(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], summary: str
) -> argparse.ArgumentParser:
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
    command.set_defaults(run=run)
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


def _single_line(text: str) -> str:
    return " ".join(text.split())


def _load(options: argparse.Namespace) -> Any:
    from devtune.config import load

    return load(options.recipe, options.overrides)


def _progress(options: argparse.Namespace) -> Any:
    from devtune.progress import Progress

    return Progress("quiet" if options.quiet else "json" if options.json else "auto")


def _run(options: argparse.Namespace) -> None:
    from devtune.report.closing import closing_words
    from devtune.run import run_line

    resolved, progress = _load(options), _progress(options)
    manifests = run_line(resolved, progress)
    if progress.style == "auto":
        print(closing_words(resolved.recipe, manifests))


def _stage(options: argparse.Namespace) -> None:
    from devtune.run import run_line

    run_line(_load(options), _progress(options), (options.stage,))


def _check(options: argparse.Namespace) -> None:
    from devtune.check import check

    resolved = _load(options)
    notes = check(resolved, anywhere=options.anywhere)
    progress = _progress(options)
    for note in notes:
        progress.say("check", note)
    progress.say("check", f"{options.recipe}: nothing wrong")


def _show(options: argparse.Namespace) -> None:
    from devtune.report.fields import show

    print(show(_load(options)))


def _plan(options: argparse.Namespace) -> None:
    from devtune.plan import plan, print_plan

    print_plan(plan(_load(options).recipe), as_json=options.json)


def _schema(options: argparse.Namespace) -> None:
    from devtune.report.fields import json_schema

    if options.out is None:
        print(json_schema(), end="")
        return
    try:
        options.out.write_text(json_schema(), encoding="utf-8")
    except OSError as error:
        raise RecipeError(one_line(error, options.out)) from None


def _samples(options: argparse.Namespace) -> None:
    from devtune.report.samples import print_samples

    print_samples(options.dataset, options.split, options.family, options.n)


def _report(options: argparse.Namespace) -> None:
    if options.json:
        from devtune.report.dataset import read_numbers

        print(json.dumps(read_numbers(options.dataset.resolve()).as_dict(), sort_keys=True))
        return
    from devtune.report.page import write_page

    print(write_page(options.dataset, options.out))


def _privacy(options: argparse.Namespace) -> None:
    if options.json:
        from devtune.report.privacy import json_pieces

        for piece in json_pieces(options.directory.resolve()):
            sys.stdout.write(piece)
        print()
        return
    from devtune.report.privacy_page import write_privacy_page

    print(write_privacy_page(options.directory, options.out))


def _trace(options: argparse.Namespace) -> None:
    if (options.sample is None) == (options.model is None):
        raise RecipeError("trace: give a SAMPLE_ID, or --model DIRECTORY, not both")
    from devtune.report.traced import model_lines, sample_lines
    from devtune.trace import trace_model, trace_sample

    run = options.run_dir and options.run_dir.resolve()
    if options.model:
        found, lines = trace_model(options.model.resolve(), run), model_lines
    else:
        found, lines = trace_sample(options.sample, run or Path.cwd()), sample_lines
    if options.json:
        print(json.dumps(found, sort_keys=True))
        return
    for line in lines(found):
        print(line)


def _erase(options: argparse.Namespace) -> None:
    from devtune.data.sources.targets import Asked
    from devtune.erase import Order, erase
    from devtune.report.erased import erasure_lines

    asked = Asked(*map(tuple, (options.authors, options.paths, options.repos, options.commits)))
    if asked == Asked():
        raise RecipeError("erase: say what: --author, --path, --repo or --commit")
    order = Order(
        asked, options.runs and options.runs.resolve(), options.dry_run, options.weights,
        tuple(options.overrides),
    )  # fmt: skip
    progress = _progress(options)
    found = erase(_load(options), order, progress)
    if progress.style == "auto":
        print(*erasure_lines(found, is_trial=options.dry_run), sep="\n")
    progress.event(stage="erase", **found)
