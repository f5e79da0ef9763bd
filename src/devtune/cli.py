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

from devtune.arguments import make_parser
from devtune.errors import DevtuneError, RecipeError, one_line

EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command; faults are one line on stderr, and the exit code says which kind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Latin-1 terminal has no arrow
    options = make_parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
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
    from devtune.plan import plan
    from devtune.report.planned import print_plan

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

    print_samples(options.dataset, options.split, options.family, options.n, is_full=options.full)


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


def _export_samples(options: argparse.Namespace) -> None:
    from devtune.handover import hand_over

    hand_over(_load(options), options.format, options.out, _progress(options))


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


def _record(options: argparse.Namespace) -> None:
    from devtune.record.service import Order, record

    order = Order(options.to, options.journal, options.host, options.port, options.strict)
    record(order, _progress(options))


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "run": _run,
    "stage": _stage,
    "check": _check,
    "show": _show,
    "plan": _plan,
    "schema": _schema,
    "samples": _samples,
    "report": _report,
    "privacy": _privacy,
    "trace": _trace,
    "export-samples": _export_samples,
    "erase": _erase,
    "record": _record,
}
