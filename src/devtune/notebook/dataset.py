"""A rendered dataset as a notebook holds it: counted, looked at, and handed to other libraries.

Reads `dataset/`, and beside it `samples/` when it is what that was made of; writes nothing.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

from devtune.errors import DevtuneError
from devtune.records import SPLITS, Split
from devtune.report.cells import dataset_cell, foot_of, samples_cell
from devtune.report.lineage import open_dataset
from devtune.report.looks import Look, draw_looks
from devtune.report.sizes import Sizes, read_sizes
from devtune.run import named

if TYPE_CHECKING:
    import pyarrow as pa


class Dataset:
    """A finished `dataset/`; raises `DevtuneError` for the directory of another stage."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.manifest = open_dataset(self.directory)

    @property
    def summary(self) -> str:
        """The line its stage printed."""
        return self.manifest["summary"]

    @cached_property
    def sizes(self) -> Sizes:
        """Samples and tokens by split and family, and the lengths of samples in tokens."""
        return read_sizes(self.directory)

    def samples(
        self, count: int = 1, family: str | None = None, split: Split = "train", seed: int = 0
    ) -> "Samples":
        """Draw `count` samples of each family, or of one; another `seed` draws others."""
        if split not in SPLITS:
            raise DevtuneError(f"split is {split!r}; write one of {list(SPLITS)}")
        return Samples(draw_looks(self.directory, split, family, count, seed))

    def to_arrow(self, split: Split = "train") -> "pa.Table":
        """Return all rows of a split, in memory; columns are those of `records.TokenRow`."""
        import pyarrow.parquet as pq

        return pq.read_table(self.directory / f"{split}.parquet")

    def to_datasets(self) -> Any:
        """Return a `datasets.DatasetDict` of both splits, in memory: no copy in any cache."""
        make, together = named("datasets:Dataset"), named("datasets:DatasetDict")
        return together({split: make(self.to_arrow(split)) for split in SPLITS})

    def __repr__(self) -> str:
        return f"Dataset({str(self.directory)!r}): {self.summary}"

    def _repr_html_(self) -> str:
        looks = self.samples() if self.sizes.totals["train"].num_samples else ()
        return dataset_cell(self.sizes, looks, foot_of(self.directory, self.manifest))


class Samples(Sequence[Look]):
    """Some samples of a dataset; a notebook shows them with the trained tokens coloured."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self._looks = tuple(looks)

    def __len__(self) -> int:
        return len(self._looks)

    def __iter__(self) -> Iterator[Look]:
        return iter(self._looks)

    @overload
    def __getitem__(self, place: int) -> Look: ...
    @overload
    def __getitem__(self, place: slice) -> "Samples": ...
    def __getitem__(self, place: int | slice) -> "Look | Samples":
        found = self._looks[place]
        if isinstance(place, int):
            return cast(Look, found)
        return Samples(cast(tuple[Look, ...], found))

    def __repr__(self) -> str:
        return f"Samples({', '.join(f'{each.family} {each.sample_id}' for each in self)})"

    def _repr_html_(self) -> str:
        return samples_cell(self._looks)
