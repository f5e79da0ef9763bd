"""The straight line from repository to report: which stage reads what, and who does the work.

Functions are named, not imported, so that a CPU host runs the data stages without torch and
`--help` is instant.
"""

from dataclasses import dataclass


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
    precious: tuple[str, ...] = ()
    """Pattern of what took so long that it is never thrown away for another recipe's sake."""
    is_private: bool = False
    """Whether its result holds texts of the sources as they are."""
    help: str = ""


LINE = (
    Stage(
        "import", "base", (), "devtune.weights.importing:import_weights",
        identify="devtune.weights.identity:identify", resumable=True,
        help="published weights → base/ in BF16",
    ),
    Stage(
        "collect", "corpus", (), "devtune.data.collect:collect",
        identify="devtune.data.collect:identify", also=("executor",), resumable=True,
        is_private=True, help="repositories → corpus/ with provenance, secrets replaced",
    ),
    Stage(
        "build", "samples", ("corpus",), "devtune.data.instruct:build",
        identify="devtune.data.instruct:identify", also=("executor",), resumable=True,
        is_private=True, help="corpus/ → samples/: requests and answers",
    ),
    Stage(
        "render", "dataset", ("samples", "base", "corpus"), "devtune.data.render:render",
        also=("executor",), resumable=True, is_private=True,
        help="samples/ → dataset/: token ids, loss mask and card",
    ),
    Stage(
        "train", "adapter", ("dataset", "base"), "devtune.train.training:train",
        also=("cluster",), resumable=True, precious=("checkpoints/checkpoint-*", "metrics.json"),
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
        "devtune.evaluate.measure:evaluate", also=("cluster",), is_private=True,
        help="base against tuned on what was held out → report/",
    ),
)  # fmt: skip

NAMES = tuple(stage.name for stage in LINE)
