"""The grammar of the data half: which code is read, and the steps that make samples of it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from devtune.section import Count, FilePath, Fraction, PlainPath, Section
from devtune.steps.families import FamilyStep
from devtune.steps.preferences import Preferences
from devtune.steps.rules import CommitRule, FileRule
from devtune.steps.selection import SelectionStep
from devtune.steps.sessions import SessionStep

# --- collect: repository -> corpus/ -------------------------------------------------------------


class AnySource(Section):
    """What all sources share."""

    license: str = ""
    """SPDX id of what carries no licence of its own, e.g. `LicenseRef-Ours`; empty is unknown."""
    owner: str = ""
    """Who answers for this code: a team or a person."""
    weight: float = Field(default=1.0, gt=0)
    """How much it counts in the mix, beside the other sources."""


def _inside(path: str) -> str:
    parts = path.removesuffix("/").split("/")
    if path.startswith(":") or any(each in ("", ".", "..") for each in parts):
        raise ValueError(
            f"{path!r} is no directory of a repository; write it from its top: services/billing"
        )
    return path.removesuffix("/")


class GitSource(AnySource):
    """A git repository, bare or not; read through its objects, never checked out."""

    type: Literal["git"]
    """Which kind of source."""
    path: PlainPath
    """The repository; `*` and `?` match several, each becoming a source of its own."""
    ref: str | None = None
    """Branch, tag or commit; by default the checked-out branch; `HEAD` takes a detached one too."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""
    subpaths: tuple[Annotated[str, AfterValidator(_inside)], ...] = ()
    """Only these directories of a monorepo, from its top; empty is all of it."""


class DirectorySource(AnySource):
    """A plain directory without history, of code or of documentation; split by file."""

    type: Literal["directory"]
    """Which kind of source."""
    path: PlainPath
    """The directory; `*` and `?` match several, each becoming a source of its own."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""


class PackageSource(AnySource):
    """The source tree of a Python package installed beside devtune; split by file."""

    type: Literal["package"]
    """Which kind of source."""
    name: str
    """Import name, e.g. `mistral_common`; it is located, not imported."""


class ForgeSource(AnySource):
    """Issues, pull or merge requests and reviews as the API of a forge gave them, in files."""

    type: Literal["forge"]
    """Which kind of source."""
    path: PlainPath
    """A JSON file of GitHub, GitLab or Gitea, or a directory of them; read, never fetched."""
    repository: str
    """Name of the git source they belong to."""
    name: str | None = None
    """Name in reports; by default the file's or directory's name."""


class SessionsSource(AnySource):
    """Sessions of coding agents as their programs log them, mixed as they come."""

    type: Literal["sessions"]
    """Which kind of source."""
    path: PlainPath
    """A log, or a directory of them; each is told by its content."""
    name: str | None = None
    """Name in provenance; by default the file's or directory's name."""
    repository: str | None = None
    """Name of the git source they worked in: what began after its cut is held out. Without it, and
    for logs without a date, the task decides by hash."""
    outcomes: FilePath | None = None
    """JSON object of session or task ids and whether they were resolved, or the report of an
    evaluation with `resolved_ids`."""
    consent: str = ""
    """Where it is on record that these sessions may be trained on: an agreement, a ticket."""
    vendor_terms: Literal["permitted", "forbidden", "unknown"] = "unknown"
    """Whether the terms of the model's vendor let its output be trained on."""


Source = Annotated[
    GitSource | DirectorySource | PackageSource | ForgeSource | SessionsSource,
    Field(discriminator="type"),
]


class ReplaySection(Section):
    """Which commits are acted out on the tree of their parent, for the family commit_replay."""

    max_commits: Count = 200
    """The latest suitable commits before the cut, and as many after it, of each repository."""
    max_files: Count = 3
    """Commits touching more files are not replayed."""
    max_changed_lines: Count = 60
    """Commits changing more lines are not replayed."""
    test_command: str | None = None
    """Run after the edits in a sandbox without network; `{files}` stands for the changed tests."""
    test_timeout_seconds: Count = 120
    """A commit whose tests run longer, or fail, is not replayed."""
    test_directories: tuple[PlainPath, ...] = ()
    """What tests may read besides /usr, e.g. a virtual environment; each `bin` is on the PATH."""


class CollectSection(Section):
    """Which code is read, and what of it is left out."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """The repositories, directories and exports."""
    held_out: Fraction = 0.15
    """Share kept for measuring: the latest commits of a history, files of a directory by hash."""
    held_out_commits: Annotated[int, Field(ge=0)] = 0
    """At least so many usable commits of each history are held out, whatever the share says."""
    exclude_repositories: FilePath | None = None
    """Policy file of repositories nothing is read from: those of public benchmarks."""
    file_rules: tuple[FileRule, ...] = ()
    """What leaves a file out; the first rule that does names the reason."""
    commit_rules: tuple[CommitRule, ...] = ()
    """What leaves a commit out; the first rule that does names the reason."""
    blame: bool = False
    """Whether files tell the author of each line, and samples whose lines they are made of."""
    replay: ReplaySection | None = None
    """Commits to act out; none without it."""
    personal_data: FilePath | None = None
    """Policy file of personal data: what of people is replaced; nothing without it."""
    salt: FilePath | None = None
    """File of a secret of this site, which names placeholders alike in all its datasets; without
    it they are numbered. `openssl rand -hex 32` makes one; nobody else may read it."""
    tombstones: PlainPath | None = None
    """File of what this site erased, as keyed hashes: nothing of it is read again. `devtune erase`
    writes it, one for all recipes of a site; it need not be there yet. Asks for `salt`."""


# --- build: corpus/ -> samples/ -----------------------------------------------------------------


Step = Annotated[
    FamilyStep | SessionStep | SelectionStep | Preferences, Field(discriminator="type")
]


class BuildSection(Section):
    """How the corpus becomes conversations."""

    steps: tuple[Step, ...] = Field(min_length=1)
    """Families make samples, then selection runs from top to bottom; near_duplicate_files first."""

    @model_validator(mode="after")
    def _has_sessions(self) -> Self:
        kinds = {each.type for each in self.steps}
        if "preferences" in kinds and "trajectory" not in kinds:
            raise ValueError("preferences are pairs of sessions; add a trajectory step")
        return self


class RenderSection(Section):
    """How conversations become tokens."""

    max_length: Count
    """Tokens of a row; no turn is ever cut."""
    over_length: Literal["drop", "segment"] = "drop"
    """What becomes of longer conversations. `segment` makes several rows of one, each of whole
    turns after what the conversation began with; every answer is trained once."""
    creator: str = ""
    """Who answers for the dataset, as its card says: a team or a person."""


# --- where the three of them run ----------------------------------------------------------------


class LocalExecutor(Section):
    """Processes of this machine."""

    type: Literal["local"]
    """Which executor of datatrove."""
    workers: Count | None = None
    """Processes at once; by default one for each CPU."""


SET_BY_DEVTUNE = frozenset(
    ("array", "cpus-per-task", "error", "export", "job-name", "mem-per-cpu", "nodes", "output")
    + ("parsable", "partition", "time", "wait", "wrap")
)


def _free(options: dict[str, str]) -> dict[str, str]:
    for name in options:
        if name in SET_BY_DEVTUNE or not name.replace("-", "").isalnum() or name.startswith("-"):
            raise ValueError(
                f"{name!r} is set by devtune, or no long option of sbatch; leave it out, or see"
                " the other fields of executor"
            )
    return options


class SlurmExecutor(Section):
    """An array job of a SLURM cluster; the run directory is on a file system all nodes share."""

    type: Literal["slurm"]
    """Which executor of datatrove."""
    workers: Count
    """Tasks at once."""
    partition: str
    """Partition the array is submitted to."""
    time: str
    """Limit of one task, HH:MM:SS."""
    cpus_per_task: Count = 1
    """CPUs of a task."""
    mem_per_cpu_gb: Count = 2
    """Memory of a CPU."""
    sbatch_args: Annotated[dict[str, str], AfterValidator(_free)] = {}
    """Any other option of sbatch, e.g. `account`; one without a value has an empty text."""


class RayExecutor(Section):
    """Tasks of the Ray cluster this process reaches: of this machine, or of `RAY_ADDRESS`."""

    type: Literal["ray"]
    """Which executor of datatrove."""
    workers: Count
    """Tasks at once."""
    cpus_per_task: Count = 1
    """CPUs of a task."""
    mem_per_cpu_gb: Count = 2
    """Memory of a CPU."""


Executor = Annotated[LocalExecutor | SlurmExecutor | RayExecutor, Field(discriminator="type")]
