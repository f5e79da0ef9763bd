import json

import pytest
from gguf import GGUFReader
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.base import TokenizerVersion
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.weights.identity import locate_gguf
from devtune.weights.tekken import SPECIAL_TOKENS, read_vocabulary, write_tekken


@pytest.fixture(scope="module")
def vocabulary():
    return read_vocabulary(GGUFReader(locate_gguf()))


@pytest.fixture(scope="module")
def tekken_file(vocabulary, tmp_path_factory):
    file = tmp_path_factory.mktemp("tekken") / "tekken.json"
    write_tekken(file, vocabulary)
    return file


@pytest.fixture(scope="module")
def tekken(tekken_file):
    loaded = MistralTokenizer.from_file(str(tekken_file), mode=ValidationMode.finetuning)
    return loaded.instruct_tokenizer.tokenizer


def test_ranks_are_single_bytes_then_merges(vocabulary):
    tokens = vocabulary.token_bytes
    assert [token for token, _ in tokens[:256]] == [bytes([byte]) for byte in range(256)]
    assert len(tokens) == 256 + 48_900
    assert sum(id_ is None for _, id_ in tokens) == 21
    merged_ids = [id_ for _, id_ in tokens[256:]]
    assert merged_ids == sorted(merged_ids)


def test_mistral_common_reads_it_as_v13_without_vision(tekken):
    assert tekken.version == TokenizerVersion.v13
    assert tekken.n_words == 50_156
    assert tekken.image is None


def test_control_tokens_have_the_ids_of_devstral(tekken):
    for id_, name in SPECIAL_TOKENS.items():
        assert tekken.get_special_token(name) == id_
    assert (tekken.bos_id, tekken.eos_id, tekken.pad_id) == (1, 2, 11)


def test_the_file_names_all_1000_slots(tekken_file):
    special = json.loads(tekken_file.read_text())["special_tokens"]
    assert [each["rank"] for each in special] == list(range(1000))
    assert special[20] == {"rank": 20, "token_str": "<SPECIAL_20>", "is_control": True}


@pytest.mark.parametrize(
    "text",
    [
        "x = 2048 + 3.14  # café",
        "for i in range(10):\n\n\t    print(f'{i:>4}')\n",
        "日本語 ünï ½ ² \u00a0 \u200b 👩‍💻",
        "it's  12   34\n 5 '90s don't",
        "\r\n\r\n  \n [INST] </s> <|im_end|>",
        "",
    ],
)
def test_awkward_text_is_split_as_the_original_splits_it(vocabulary, tekken, text):
    row_of = {id_: 1000 + rank for rank, (_, id_) in enumerate(vocabulary.token_bytes)}
    original = vocabulary.original_tokenizer().encode(text, add_special_tokens=False).ids
    ids = tekken.encode(text, bos=False, eos=False)
    assert ids == [row_of[each] for each in original]
    assert tekken.decode(ids) == text
