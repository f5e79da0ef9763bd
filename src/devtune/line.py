"""The straight line from repository to report: which stage reads what, and who does the work.

Functions are named, not imported, so that a CPU host runs the data stages without torch and
`--help` is instant.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from devtune.config import Resolved
from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import Recipe
from devtune.section import Section
from devtune.stage import identity_of, run_stage


@dataclass(frozen=True)
class Stage:
    """One station. Its function takes sections, input directories, `out` and `progress`."""

    name: str
    output: str
    """Directory it writes under `run_dir`."""
    inputs: tuple[str, ...]
    """Directories it reads, in the order its function takes them."""
    function: str
    """`module:function`."""
    identify: str = ""
    """`module:function` of section → what paths stand for (commits, hashes)."""
    also: tuple[str, ...] = ()
    """Sections it needs besides its own."""
    resumable: bool = False
    help: str = ""


LINE = (
    Stage(
        "import", "base", (), "devtune.weights.importing:import_weights",
        identify="devtune.weights.identity:identify",
        help="published weights → base/ in BF16",
    ),
    Stage(
        "collect", "corpus", (), "devtune.data.collect:collect",
        identify="devtune.data.collect:identify",
        help="repositories → corpus/ with provenance, secrets replaced",
    ),
    Stage(
        "build", "samples", ("corpus",), "devtune.data.instruct:build",
        help="corpus/ → samples/: requests and answers",
    ),
    Stage(
        "render", "dataset", ("samples", "base"), "devtune.data.render:render",
        help="samples/ → dataset/: token ids and loss mask",
    ),
    Stage(
        "train", "adapter", ("dataset", "base"), "devtune.train.training:train",
        also=("cluster",), resumable=True,
        help="dataset/ → adapter/, resumed where it was killed",
    ),
    Stage(
        "merge", "model", ("adapter", "base"), "devtune.weights.merge:merge",
        help="adapter/ into base/ → model/",
    ),
    Stage(
        "export", "serving", ("model", "adapter", "base"), "devtune.weights.export:export",
        help="model/ → serving/, proved equal to what was trained",
    ),
    Stage(
        "evaluate", "report", ("dataset", "base", "serving", "adapter"),
        "devtune.evaluate.measure:evaluate", also=("cluster",),
        help="base against tuned on what was held out → report/",
    ),
)  # fmt: skip

NAMES = tuple(stage.name for stage in LINE)


def run_line(
    resolved: Resolved, progress: Progress, only: tuple[str, ...] = NAMES
) -> dict[str, dict[str, Any]]:
    """Run the named stages in order and return their manifests by stage name.

    A stage whose result is there already costs nothing; bad input fails before any work.
    """
    manifests: dict[str, dict[str, Any]] = {}
    for stage in LINE:
        if stage.name in only:
            manifests[stage.name] = run_one(stage, resolved.recipe, progress)
    return manifests


def run_one(stage: Stage, recipe: Recipe, progress: Progress) -> dict[str, Any]:
    """Run one stage through the contract and say what came of it."""
    section = section_of(recipe, stage.name)
    inputs = {name: directory(recipe, name) for name in stage.inputs}
    known = named(stage.identify)(section) if stage.identify else {}
    out = directory(recipe, stage.output)

    def work(scratch: Path) -> Any:
        others = [section_of(recipe, name) for name in stage.also]
        return named(stage.function)(
            section, *others, *inputs.values(), out=scratch, progress=progress
        )

    identity = identity_of(section, known)
    manifest, done = run_stage(stage.name, identity, inputs, out, work, resumable=stage.resumable)
    note = "" if done else "already done: "
    progress.say(stage.name, note + manifest["summary"], done=done, out=str(out))
    return manifest


def directory(recipe: Recipe, output: str) -> Path:
    """Where a stage's directory is: under run_dir, but for weights shared by several recipes."""
    shared = recipe.import_.out if output == "base" else None
    return shared or recipe.run_dir / output


def section_of(recipe: Recipe, name: str) -> Section:
    """Return the section a stage owns."""
    return getattr(recipe, "import_" if name == "import" else name)


def named(reference: str) -> Callable[..., Any]:
    """Import the function `module:function` stands for; a missing extra is one line."""
    module, _, function = reference.partition(":")
    try:
        return getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == "devtune":
            raise
        raise DevtuneError(
            f"{module}: needs the package {error.name}; install devtune with its `train` extra"
        ) from None


def outputs(recipe: Recipe) -> Mapping[str, Path]:
    """Return every directory of the line by its name."""
    return {stage.output: directory(recipe, stage.output) for stage in LINE}
