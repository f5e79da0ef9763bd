"""A forge export beside the repository it talks about, as rows of the corpus.

Reads the export's files and asks the repository for blob ids; writes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.tombstones import Tombstones
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.personal_authors import rename
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.forge import ForgeReader
from devtune.data.sources.git_source import GitReader
from devtune.data.sources.identity import ids_of
from devtune.data.sources.silence import Silence
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
        """Return what is known of the source, how its repository is read, and its one unit."""
        source = self.forge.source
        described = Source(self.name, "forge", source.weight, source.license, source.owner)
        repository = known[self.repository.name]
        is_cut = repository.num_held_out_commits > 0
        taint = self.repository.taint()
        terms = {
            "cut_date": repository.cut_date if is_cut else "",
            "commits": sorted(taint.commits),
            "paths": sorted(path.decode("utf-8", "replace") for path in taint.since),
            "names": taint.names,
        }
        return described, terms, [{}]

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[Discussion | Rejected]:
        """Yield every discussion, secrets marked; `terms` say when the repository is cut."""
        _ = unit
        silence = Silence(
            Tombstones.load(self.repository.section.tombstones, self.repository.section.salt),
            frozenset(terms["commits"]),
            frozenset(terms["paths"]),
            tuple(terms["names"]),
        )
        with Blobs(self.repository.repository) as blobs:
            for row in self.forge.discussions(terms["cut_date"], blobs.find, silence):
                yield _marked(row, marker)

    def writing(self) -> Handwriting:
        """Return nothing: what is quoted of a remark is looked for where it was made."""
        return Handwriting()

    def ids(self) -> tuple[str, ...]:
        """Return what the source is known by among erased ones."""
        return ids_of(self.name)

    def concerned_by(self, tombstones: Tombstones) -> list[str]:
        """Return the keys of the tombstones that leave something out of it."""
        if not tombstones:
            return []
        return tombstones.concerning(self.ids(), self.forge.authors(), ())


def _marked(row: Discussion | Rejected, marker: Marker) -> Discussion | Rejected:
    """Return a row with its secrets marked, and its speakers called alike wherever they stand."""
    if not isinstance(row, Discussion) or marker.personal is None:
        return map_texts(row, marker.mark)
    if marker.personal.authors == "keep":
        return map_texts(row, marker.mark, marker.pseudonym)
    said = (each.author for each in (*row.comments, *row.reviews))
    renamed = rename((row.author, *said), marker.pseudonym)
    return map_texts(row, lambda text: marker.mark(renamed(text)), marker.pseudonym)
