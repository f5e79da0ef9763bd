"""The byte-level vocabulary of a GGUF file, written again as a v13 `tekken.json`.

Reads GGUF metadata; writes `tekken.json`, which mistral-common and vLLM load.
"""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from transformers.convert_slow_tokenizer import bytes_to_unicode

from devtune.weights.checkpoint import write_json

NUM_SPECIAL = 1000
CONTROL_TYPE = 3
"""How `tokenizer.ggml.token_type` marks control tokens."""
SPECIAL_TOKENS = {
    0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]",
    6: "[/AVAILABLE_TOOLS]", 7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]",
    10: "[IMG]", 11: "<pad>", 12: "[IMG_BREAK]", 13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]",
    16: "[SUFFIX]", 17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]", 19: "[TOOL_CONTENT]",
    24: "[AUDIO]", 25: "[BEGIN_AUDIO]", 32: "[ARGS]", 33: "[CALL_ID]", 34: "[THINK]",
    35: "[/THINK]",
}  # fmt: skip
"""Ids and names of Devstral 2's tokenizer; the other ids below 1000 are fillers."""
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|\p{N}|\s+(?=\p{N})| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""GPT-2's pattern with SmolLM2's rule that each digit stands alone folded in."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level BPE vocabulary in its original ids."""

    ids: dict[str, int]
    """Every text token, in the printable spelling of byte-level BPE."""
    control_ids: dict[str, int]
    merges: list[tuple[str, str]]

    @property
    def token_bytes(self) -> list[tuple[bytes, int | None]]:
        """Bytes and original id of each tekken rank: single bytes, then merges in their order.

        The id is None for the bytes that never occur in UTF-8 and have no token originally.
        """
        to_byte = {letter: byte for byte, letter in bytes_to_unicode().items()}
        decoded = {bytes(to_byte[each] for each in text): id_ for text, id_ in self.ids.items()}
        singles = [bytes([byte]) for byte in range(256)]
        merged = [each for each in decoded if len(each) > 1]
        return [(each, decoded.get(each)) for each in singles + merged]

    def original_tokenizer(self) -> Tokenizer:
        """Return the tokenizer SmolLM2 was trained with: digits alone, then byte-level BPE."""
        tokenizer = Tokenizer(BPE(self.ids, self.merges))
        digits, letters = Digits(individual_digits=True), ByteLevel(add_prefix_space=False)
        tokenizer.pre_tokenizer = PreTokenizers([digits, letters])
        return tokenizer


def read_vocabulary(reader: GGUFReader) -> Vocabulary:
    """Return the vocabulary a GGUF file carries."""
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    numbered = list(zip(tokens, types, range(len(tokens)), strict=True))
    merges = [tuple(each.split(" ", 1)) for each in field(reader, "tokenizer.ggml.merges")]
    return Vocabulary(
        ids={text: id_ for text, kind, id_ in numbered if kind != CONTROL_TYPE},
        control_ids={text: id_ for text, kind, id_ in numbered if kind == CONTROL_TYPE},
        merges=merges,
    )


def field(reader: GGUFReader, name: str) -> Any:
    """Return one metadata value of a GGUF file; `KeyError` if it has none of this name."""
    return reader.fields[name].contents()


def write_tekken(file: Path, vocabulary: Vocabulary) -> None:
    """Write `vocabulary` as `tekken.json`: 1000 special slots, then the text tokens by rank."""
    tokens = [token for token, _ in vocabulary.token_bytes]
    special = [
        {"rank": rank, "token_str": SPECIAL_TOKENS.get(rank, f"<SPECIAL_{rank}>")}
        for rank in range(NUM_SPECIAL)
    ]
    content = {
        "config": {
            "pattern": PATTERN,
            "num_vocab_tokens": len(tokens),
            "default_vocab_size": NUM_SPECIAL + len(tokens),
            "default_num_special_tokens": NUM_SPECIAL,
            "version": "v13",
        },
        "vocab": [_token(rank, token) for rank, token in enumerate(tokens)],
        "special_tokens": [{**each, "is_control": True} for each in special],
        "version": 1,
        "type": "Tekken",
    }
    write_json(file, content)


def _token(rank: int, token: bytes) -> dict[str, Any]:
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {
        "rank": rank,
        "token_bytes": base64.b64encode(token).decode("ascii"),
        "token_str": text,
    }
