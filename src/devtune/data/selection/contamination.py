"""Runs of words that samples share with texts nothing may be trained on.

Reads documents and the texts of samples; writes and reads a directory of references
(`hashes.npy`, `places.npy`, `documents.json`) and one file of matches for each chunk.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from devtune.data.selection.benchmark_texts import Document
from devtune.data.selection.shingles import NO_HASHES, Hashes, ngrams, spell, words
from devtune.jsonl import read_jsonl, write_jsonl

MIN_WORDS = 3
"""A document of fewer words is found everywhere and is not looked for."""


@dataclass(frozen=True, slots=True)
class Match:
    """The reference n-grams one sample has (a row of a chunk's matches)."""

    position: int
    sample_id: str
    place: str
    """Source and path: several samples of one file count once as boilerplate."""
    ngrams: list[int]
    """Places in the hashes of the references, ascending."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One sample that shares words with one document."""

    position: int
    sample_id: str
    benchmark: str
    document: str
    ngram: str
    """The first run of words they share, lower-cased."""
    num_ngrams: int
    """How many runs they share."""


class Contamination(NamedTuple):
    """What was found, and the runs of words that did not count."""

    hits: list[Hit]
    boilerplate: list[str]


class References:
    """The n-grams of all documents, sorted, each with the first document that has it."""

    def __init__(self, hashes: Hashes, places: Any, documents: list[tuple[str, str, str]]) -> None:
        self.hashes = hashes
        self._places = places
        """int64 of hashes x 3: document, first word, number of words."""
        self._documents = documents
        """Benchmark, name and words of each."""
        self.sizes: list[int] = np.unique(places[:, 2]).tolist()

    @classmethod
    def of(cls, documents: Iterable[Document], ngram: int) -> "References":
        """Hash every run of `ngram` words of each part.

        Where no part has so many, the longest is looked for as a whole, from `MIN_WORDS` on.
        """
        found: list[Hashes] = [NO_HASHES]
        places: list[Any] = [np.empty((0, 3), np.int64)]
        listed: list[tuple[str, str, str]] = []
        for number, document in enumerate(documents):
            parts = [words(part.lower(), operators=False) for part in document.parts]
            size = min(ngram, max(map(len, parts), default=0))
            first = 0
            for part in parts if size >= MIN_WORDS else ():
                runs = ngrams(part, size)
                found.append(runs)
                places.append(_places_of(number, first, size, len(runs)))
                first += len(part)
            said = [word for part in document.parts for word in spell(part.lower())]
            listed.append((document.benchmark, document.name, " ".join(said)))
        hashes, firsts = np.unique(np.concatenate(found), return_index=True)
        return cls(hashes, np.concatenate(places)[firsts], listed)

    def save(self, directory: Path) -> None:
        """Write the three files."""
        np.save(directory / "hashes.npy", self.hashes)
        np.save(directory / "places.npy", self._places)
        listed = json.dumps(self._documents)
        (directory / "documents.json").write_text(listed, encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> "References":
        """Read what `save` wrote."""
        listed = json.loads((directory / "documents.json").read_text(encoding="utf-8"))
        hashes, places = (np.load(directory / name) for name in ("hashes.npy", "places.npy"))
        return cls(hashes, places, [(each[0], each[1], each[2]) for each in listed])

    def match(self, text: str) -> list[int]:
        """Return which n-grams stand in `text`: places in `hashes`, ascending."""
        if not len(self.hashes):
            return []
        said = words(text.lower(), operators=False)
        runs = np.concatenate([NO_HASHES, *(ngrams(said, size) for size in self.sizes)])
        places = np.searchsorted(self.hashes, runs)
        places[places == len(self.hashes)] = 0
        return np.unique(places[self.hashes[places] == runs]).tolist()

    def document_of(self, place: int) -> tuple[str, str]:
        """Return benchmark and name of the first document with this n-gram."""
        benchmark, name, _ = self._documents[self._places[place, 0]]
        return benchmark, name

    def text_of(self, place: int) -> str:
        """Return the words of an n-gram."""
        document, start, size = self._places[place].tolist()
        return " ".join(self._documents[document][2].split(" ")[start : start + size])

    def order_of(self, place: int) -> tuple[int, int]:
        """Return where an n-gram stands: document and first word."""
        document, start, _ = self._places[place].tolist()
        return document, start


def _places_of(document: int, first: int, size: int, count: int) -> Any:
    starts = np.arange(first, first + count)
    return np.stack((np.full(count, document), starts, np.full(count, size)), axis=1)


def write_matches(
    samples: Iterable[tuple[int, str, str, str]], references: References, file: Path
) -> int:
    """Look up position, id, place and text of each sample of a chunk; return how many match."""
    rows = (
        Match(position, sample_id, place, found)
        for position, sample_id, place, text in samples
        if (found := references.match(text))
    )
    return write_jsonl(file, rows)


def find_hits(
    files: Sequence[Path],
    references: References,
    max_document_frequency: int,
    beside: Sequence[Path] = (),
) -> Contamination:
    """Return the samples to drop, a row for each document they match, in their order.

    An n-gram in more files than `max_document_frequency` is boilerplate and counts nowhere. Matches
    of `beside` only help to tell that.
    """
    seen: defaultdict[int, set[str]] = defaultdict(set)
    for match in (row for file in (*files, *beside) for row in read_jsonl(file, Match)):
        for place in match.ngrams:
            if len(seen[place]) <= max_document_frequency:
                seen[place].add(match.place)
    boilerplate = {
        place for place, files_of in seen.items() if len(files_of) > max_document_frequency
    }
    hits: list[Hit] = []
    for match in (row for file in files for row in read_jsonl(file, Match)):
        by_document: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place in sorted(set(match.ngrams) - boilerplate, key=references.order_of):
            by_document[references.document_of(place)].append(place)
        hits.extend(
            Hit(match.position, match.sample_id, *document, references.text_of(at[0]), len(at))
            for document, at in by_document.items()
        )
    return Contamination(hits, sorted({references.text_of(each) for each in boilerplate}))
