"""A forge export beside the repository it talks about, as rows of the corpus.

Reads the export's files and asks the repository for blob ids; writes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devtune.data.privacy.marking import Marker
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.forge import ForgeReader
from devtune.data.sources.git_source import GitReader
from devtune.data.sources.texts import map_texts
from devtune.records import Discussion, Rejected, Source


@dataclass(frozen=True, slots=True)
class DiscussionReader:
    """Issues and reviews of one repository, cut where its history is cut."""

    forge: ForgeReader
    repository: GitReader

    @property
    def name(self) -> str:
        """Name in reports."""
        return self.forge.name

    def identify(self) -> str:
        """Return a hash of the export."""
        return self.forge.identify()

    def plan(self, known: Mapping[str, Source]) -> tuple[Source, Any, list[Any]]:
        """Return what is known of the source, when its repository is cut, and its one unit."""
        source = self.forge.source
        described = Source(self.name, "forge", source.weight, source.license, source.owner)
        repository = known[self.repository.name]
        is_cut = repository.num_held_out_commits > 0
        return described, repository.cut_date if is_cut else "", [{}]

    def rows(self, unit: Any, terms: str, marker: Marker) -> Iterator[Discussion | Rejected]:
        """Yield every discussion, secrets marked; `terms` is the date of the cut or `""`."""
        _ = unit
        with Blobs(self.repository.repository) as blobs:
            for row in self.forge.discussions(terms, blobs.find):
                yield map_texts(row, marker.mark)
