"""The grammar of selection: the steps of a pipeline that take files or samples away."""

from typing import Annotated, Literal

from pydantic import Field

from devtune.section import Count, PlainPath, Section

Similarity = Annotated[float, Field(gt=0, le=1)]


class NearDuplicateFiles(Section):
    """Files alike across repositories: MinHash finds candidates, Jaccard decides, newest stays."""

    type: Literal["near_duplicate_files"]
    """Name of the step."""
    ngram: Count = 5
    """Words of a shingle."""
    num_perm: Count = 256
    """Permutations of the MinHash."""
    bands: Count = 25
    """Bands of the index."""
    rows: Count = 10
    """Rows of a band."""
    min_jaccard: Similarity = 0.7
    """Exact similarity from which files are duplicates."""


class HeldOutOverlap(Section):
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
    """A run of words in more samples than this is boilerplate and matches nothing."""


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
    """Share of all samples one author may have."""
    per_repository: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of all samples one repository may have."""


class Mix(Section):
    """The share of each family, by weights times the weights of the sources; training only."""

    type: Literal["mix"]
    """Name of the step."""
    weights: dict[str, Annotated[float, Field(ge=0)]]
    """Family to weight; a family that is not named has weight 1."""
    max_samples: Count | None = None
    """Samples in all; by default as many as the weights allow without repeating one."""


class MaxPerFamily(Section):
    """At most so many samples of a family, chosen by hash."""

    type: Literal["max_per_family"]
    """Name of the step."""
    train: Count
    """Ceiling for training."""
    held_out: Count
    """Ceiling for measuring."""


SelectionStep = (
    NearDuplicateFiles | HeldOutOverlap | Decontaminate | ExactDedup | Cap | Mix | MaxPerFamily
)
