"""The grammar of selection: the steps of a pipeline that take files or samples away."""

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from devtune.section import Count, PlainPath, Section
from devtune.steps.families import FamilyStep

Similarity = Annotated[float, Field(gt=0, le=1)]
FAMILIES = tuple(
    get_args(family.model_fields["type"].annotation)[0] for family in get_args(FamilyStep)
)


def _named_families(weights: dict[str, float]) -> dict[str, float]:
    for name in weights:
        if name not in FAMILIES:
            raise ValueError(f"no family is called {name!r}; they are {', '.join(FAMILIES)}")
    return weights


class Sketch(Section):
    """What steps share that look for alike texts by MinHash."""

    ngram: Count = 5
    """Words of a shingle."""
    num_perm: Count = 256
    """Permutations of the MinHash."""
    bands: Count
    """Bands of the index."""
    rows: Count
    """Rows of a band."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bands * self.rows > self.num_perm:
            raise ValueError(
                f"{self.bands} bands of {self.rows} rows need more than {self.num_perm}"
                " permutations; set num_perm higher"
            )
        return self


class NearDuplicateFiles(Sketch):
    """Files alike across repositories: MinHash finds candidates, Jaccard decides, newest stays."""

    type: Literal["near_duplicate_files"]
    """Name of the step."""
    bands: Count = 25
    """Bands of the index."""
    rows: Count = 10
    """Rows of a band."""
    min_jaccard: Similarity = 0.7
    """Exact similarity from which files are duplicates."""


class NearDuplicateSamples(Sketch):
    """Samples of one family whose answers are nearly the same: one stays; training only."""

    type: Literal["near_duplicate_samples"]
    """Name of the step."""
    bands: Count = 25
    """Bands of the index."""
    rows: Count = 10
    """Rows of a band."""
    min_jaccard: Similarity = 0.8
    """Exact similarity from which samples are duplicates. A resolved one stays before others, then
    the newest."""


class HeldOutOverlap(Sketch):
    """Held-out samples whose answer, or nearly all of it, is trained on."""

    type: Literal["held_out_overlap"]
    """Name of the step."""
    bands: Count = 32
    """Bands of the index."""
    rows: Count = 8
    """Rows of a band."""
    min_jaccard: Similarity = 0.5
    """Exact similarity from which a held-out sample counts as trained on."""


class Decontaminate(Section):
    """Samples that share words in a row with texts nothing may be trained on."""

    type: Literal["decontaminate"]
    """Name of the step."""
    ngram: Count = 10
    """Words in a row."""
    texts: tuple[PlainPath, ...] = ()
    """Files or directories of own texts: .txt .md .json .jsonl .parquet."""
    benchmarks: PlainPath | None = None
    """Directory with SWE-bench Verified, HumanEval or LiveCodeBench as downloaded, if there is."""
    max_document_frequency: Count = 10
    """A run of words in samples of more files than this is boilerplate and matches nothing."""


class ExactDedup(Section):
    """Samples with equal messages become one, with all their provenance."""

    type: Literal["exact_dedup"]
    """Name of the step."""


class Cap(Section):
    """Ceilings so that no file, author or repository dominates; chosen by hash, training only."""

    type: Literal["cap"]
    """Name of the step."""
    per_file: Count | None = None
    """Samples of one file and family."""
    per_author: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share one author may have of what is left; not applied where it would cost over half."""
    per_repository: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share one repository may have of what is left; not applied where it would cost over half."""


class Mix(Section):
    """The share of each family, by weights times the weights of the sources; training only."""

    type: Literal["mix"]
    """Name of the step."""
    weights: Annotated[dict[str, Annotated[float, Field(ge=0)]], AfterValidator(_named_families)]
    """Family to weight; a family that is not named has weight 1."""
    max_samples: Count | None = None
    """Samples in all; by default so many that families of over half the weight give all."""


class MaxPerTask(Section):
    """At most so many sessions of one task, chosen by hash, the resolved ones first."""

    type: Literal["max_per_task"]
    """Name of the step."""
    sessions: Count = 3
    """Sessions of a task; the parts of one that was compacted count once."""


class MaxPerFamily(Section):
    """At most so many samples of a family, chosen by hash."""

    type: Literal["max_per_family"]
    """Name of the step."""
    train: Count
    """Ceiling for training."""
    held_out: Count
    """Ceiling for measuring."""


SelectionStep = (
    NearDuplicateFiles
    | NearDuplicateSamples
    | HeldOutOverlap
    | Decontaminate
    | ExactDedup
    | Cap
    | Mix
    | MaxPerFamily
    | MaxPerTask
)
