import pytest

from devtune.arguments import make_parser
from devtune.cli import COMMANDS
from devtune.line import NAMES


@pytest.mark.parametrize(
    "typed",
    [
        *([each, "recipe.yaml"] for each in ("run", *NAMES, "check", "show", "plan", "erase")),
        ["export-samples", "recipe.yaml"],
        ["schema"],
        ["samples", "dataset"],
        ["report", "dataset"],
        ["privacy", "run"],
        ["trace", "0123"],
        ["record", "--to", "http://127.0.0.1:8000/v1", "--journal", "journals"],
    ],
)
def test_every_command_has_a_function(typed):
    options = make_parser().parse_args(typed)
    expected = "stage" if typed[0] in NAMES else typed[0]
    assert options.command == expected
    assert callable(COMMANDS[options.command])


def test_what_is_erased_can_be_said_several_times():
    typed = ["--author", "a@corp.test", "--author", "b", "--path", "app/x", "--commit", "0123456"]
    options = make_parser().parse_args(["erase", "recipe.yaml", *typed, "--dry-run"])
    assert (options.authors, options.paths) == (["a@corp.test", "b"], ["app/x"])
    assert (options.repos, options.commits) == ([], ["0123456"])
    assert (options.dry_run, options.weights, options.runs) == (True, False, None)


def test_a_recording_is_of_this_machine_alone_unless_asked():
    typed = ["record", "--to", "http://127.0.0.1:8000/v1", "--journal", "journals"]
    options = make_parser().parse_args(typed)
    assert (options.host, options.port, options.strict) == ("127.0.0.1", 8100, False)
