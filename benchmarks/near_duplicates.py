"""MinHash engines side by side on the files of a tree: speed, and share of alike pairs found.

Reads the files of a directory; prints a table. Usage: python benchmarks/near_duplicates.py DIR
"""

import argparse
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ["RAYON_NUM_THREADS"] = "1"  # one core for everybody; set before rensa starts its own

import numpy as np
import rensa
from datasketch import MinHash
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig, create_hash_func

from devtune.data.selection.shingles import NO_HASHES, jaccard, shingles, words
from devtune.data.selection.signatures import SEED, sign

NGRAM, NUM_PERM, BANDS, ROWS = 5, 256, 25, 10
TARGETS = (0.7, 0.8, 0.9)
PAIRS = 400
"""Pairs at each target; their s.d. is below 2.5 points."""


class Engine(NamedTuple):
    """A way from shingles to a signature, and the one from text its project shows."""

    name: str
    sign: Callable[[Any], Any]
    from_text: Callable[[str], Any]


def main() -> None:
    """Measure every engine and print one row each, and the ratio to devtune's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--suffix", default=".py")
    options = parser.parse_args()
    texts = read_texts(options.directory, options.suffix, options.megabytes * 1e6)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) / 1e6
    print(f"{len(texts)} files, {size:.1f} MB, {BANDS} bands x {ROWS} rows of {NUM_PERM}")
    pairs = {target: make_pairs(texts, target) for target in TARGETS}
    sets = [members for text in texts if len(members := shingles(text, NGRAM))]
    head = "  ".join(f"found at {target}" for target in TARGETS)
    print(f"{'engine':<12} {'signing MB/s':>12} {'all MB/s':>9} {'x slower':>9}  {head}")
    promised = "  ".join(f"{mean(promise(each[2]) for each in pairs[t]):>12.3f}" for t in TARGETS)
    print(f"{'arithmetic':<12} {'':>12} {'':>9} {'':>9}  {promised}")
    fastest = 0.0
    for engine in engines():
        signing = size / seconds(engine.sign, sets)
        whole = size / seconds(engine.from_text, texts)
        fastest = fastest or whole
        found = "  ".join(f"{recall(engine, pairs[target]):>12.3f}" for target in TARGETS)
        row = f"{engine.name:<12} {signing:>12.1f} {whole:>9.1f} {fastest / whole:>9.1f}  {found}"
        print(row, flush=True)


def engines() -> list[Engine]:
    """The one devtune uses first."""
    config = MinhashConfig(NGRAM, BANDS, ROWS, hash_config=HashConfig(precision=64))
    trove = MinhashDedupSignature.__new__(MinhashDedupSignature)
    trove.config, trove.num_hashes, trove._parameters = config, BANDS * ROWS, None
    hash_text = create_hash_func(config.hash_config)

    def sign_as_datatrove(members: Any) -> Any:
        return np.array(trove.get_signature(members.reshape(-1, 1))).ravel()

    def datatrove_text(text: str) -> Any:
        hashes = [hash_text(gram.encode("utf-8", "surrogatepass")) for gram in grams_of(text)]
        return sign_as_datatrove(np.array(hashes or [0], np.uint64))

    def sign_as_datasketch(members: Any) -> Any:
        sketch = MinHash(NUM_PERM, hashfunc=int)
        sketch.update_batch(members & np.uint64(0xFFFFFFFF))
        return sketch.hashvalues

    def datasketch_text(text: str) -> Any:
        sketch = MinHash(NUM_PERM)
        sketch.update_batch([gram.encode("utf-8", "surrogatepass") for gram in grams_of(text)])
        return sketch.hashvalues

    def c_minhash(members: Any) -> Any:
        rows = rensa.CMinHash.digests64_from_token_hash_sets([members.tolist()], NUM_PERM, SEED)
        return np.array(rows[0], np.uint64)

    def rensa_text(text: str) -> Any:
        sketch = rensa.RMinHash(NUM_PERM, SEED)
        sketch.update(grams_of(text))
        return np.array(sketch.digest())

    def ours(text: str) -> Any:
        return sign(shingles(text, NGRAM), NUM_PERM)

    return [
        Engine("devtune", lambda members: sign(members, NUM_PERM), ours),
        Engine("rensa R", lambda members: sign(members, NUM_PERM), rensa_text),
        Engine("rensa C", c_minhash, lambda text: c_minhash(shingles(text, NGRAM))),
        Engine("datatrove", sign_as_datatrove, datatrove_text),
        Engine("datasketch", sign_as_datasketch, datasketch_text),
    ]


def grams_of(text: str) -> list[str]:
    """Word n-grams as strings, the way the projects make them."""
    tokens = text.split()
    return [" ".join(tokens[at : at + NGRAM]) for at in range(max(1, len(tokens) - NGRAM + 1))]


def read_texts(directory: Path, suffix: str, max_bytes: float) -> list[str]:
    """Files in an order by chance but always the same, until there is enough."""
    files = sorted(directory.rglob(f"*{suffix}"))
    random.Random(0).shuffle(files)
    texts: list[str] = []
    total = 0
    for file in files:
        content = file.read_bytes()
        if total >= max_bytes:
            break
        texts.append(content.decode("utf-8", "replace"))
        total += len(content)
    return texts


def make_pairs(texts: list[str], target: float) -> list[tuple[Any, Any, float]]:
    """Take real files, put lines of others in until no more than `target` is shared."""
    chance = random.Random(target)
    donors = [line for text in texts[:200] for line in text.splitlines() if line.strip()]
    pairs: list[tuple[Any, Any, float]] = []
    for text in texts:
        lines = text.splitlines()
        original = shingles(text, NGRAM)
        if not 60 <= len(lines) <= 600 or len(words(text)) < 400:
            continue
        changed, similarity = NO_HASHES, 1.0
        while similarity > target:
            lines[chance.randrange(len(lines))] = chance.choice(donors)
            changed = shingles("\n".join(lines), NGRAM)
            similarity = jaccard(original, changed)
        if similarity > target - 0.02:
            pairs.append((original, changed, similarity))
        if len(pairs) == PAIRS:
            break
    return pairs


def recall(engine: Engine, pairs: list[tuple[Any, Any, float]]) -> float:
    """Share of the pairs that agree in at least one band."""
    return mean(
        bool((cut(engine.sign(one)) == cut(engine.sign(other))).all(axis=1).any())
        for one, other, _ in pairs
    )


def cut(row: Any) -> Any:
    """Bands as rows of a matrix."""
    return row[: BANDS * ROWS].reshape(BANDS, ROWS)


def promise(similarity: float) -> float:
    """Chance that one of the bands agrees."""
    return 1 - (1 - similarity**ROWS) ** BANDS


def mean(values: Any) -> float:
    """Of numbers or truths."""
    listed = [float(value) for value in values]
    return sum(listed) / max(1, len(listed))


def seconds(work: Callable[[Any], Any], inputs: list[Any]) -> float:
    """CPU seconds of this process, so that neighbours do not count."""
    start = time.process_time()
    for each in inputs:
        work(each)
    return time.process_time() - start


if __name__ == "__main__":
    main()
