import json

import pytest
import torch
from mistral_common.protocol.instruct.messages import UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, Ministral3ForCausalLM

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.weights.breeze import (
    build_breeze,
    compare_logits,
    compare_tokens,
    python_corpus,
    read_source,
)
from devtune.weights.checkpoint import CheckpointReader, read_json
from devtune.weights.identity import locate_gguf


@pytest.fixture(scope="module")
def source():
    return read_source(locate_gguf())


def test_its_logits_are_those_of_its_source(breeze_metrics):
    assert breeze_metrics["max_abs_logit_difference"] < 1e-4


def test_its_tokens_are_those_of_its_source(breeze_metrics):
    assert breeze_metrics["token_check_files"] > 100
    assert breeze_metrics["token_check_files_that_differ"] == 0


def test_it_has_the_sizes_of_smollm2_and_the_class_of_devstral(breeze_dir):
    config = read_json(breeze_dir / "config.json")
    assert config["architectures"] == ["Ministral3ForCausalLM"]
    assert config["model_type"] == "ministral3"
    assert (config["num_hidden_layers"], config["hidden_size"], config["head_dim"]) == (30, 576, 64)
    assert config["vocab_size"] == 50_156
    assert config["rope_parameters"]["llama_4_scaling_beta"] == 0
    assert config["tie_word_embeddings"] is True
    assert {entry.dtype for entry in CheckpointReader(breeze_dir).entries.values()} == {"BF16"}


def test_it_answers_a_question(breeze_dir):
    tokenizer = MistralTokenizer.from_file(
        str(breeze_dir / "tekken.json"), mode=ValidationMode.serving
    )
    question = UserMessage(content="Write a Python function that reverses a string.")
    request = ChatCompletionRequest(messages=[question], model="breeze")
    prompt = tokenizer.encode_chat_completion(request).tokens
    model = AutoModelForCausalLM.from_pretrained(breeze_dir, dtype=torch.float32)
    assert isinstance(model, Ministral3ForCausalLM)
    answer = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=40)
    text = tokenizer.decode(answer[0, len(prompt) :].tolist())
    assert "def reverse_string" in text
    assert "[::-1]" in text


def test_transformers_takes_its_tokenizer_for_a_mistral_one(breeze_dir):
    tokenizer = AutoTokenizer.from_pretrained(breeze_dir, mode="finetuning")
    assert type(tokenizer).__name__ == "MistralCommonBackend"
    ids = tokenizer.encode("def f(x): return x[12]", add_special_tokens=False)
    assert min(ids) >= 1000
    assert tokenizer.decode(ids) == "def f(x): return x[12]"


def test_control_rows_are_means_of_original_rows(breeze_dir, source):
    rows = CheckpointReader(breeze_dir).load("model.embed_tokens.weight").float()
    original = source.model.get_input_embeddings().weight.detach()
    ids = source.vocabulary.ids | source.vocabulary.control_ids
    closely = {"rtol": 2**-8, "atol": 1e-6}
    instruct = original[[ids["<|im_start|>"], ids["user"]]].mean(0)
    assert torch.allclose(rows[3], instruct, **closely)
    assert torch.equal(rows[2], rows[18])
    assert torch.allclose(rows[2], original[ids["<|im_end|>"]], **closely)
    assert torch.allclose(rows[500], original.mean(0), **closely)


def test_it_carries_its_licence_and_says_what_was_changed(breeze_dir):
    assert "Apache License" in (breeze_dir / "LICENSE").read_text()
    notice = (breeze_dir / "NOTICE").read_text()
    assert "SmolLM2-135M-Instruct" in notice
    assert "Changes: dequantised to BF16" in notice


def test_a_tokenizer_that_differs_is_refused(breeze_dir, source, tmp_path):
    tekken = json.loads((breeze_dir / "tekken.json").read_text())
    tekken["config"]["pattern"] = r"[\s\S]"
    (tmp_path / "tekken.json").write_text(json.dumps(tekken))
    with pytest.raises(DevtuneError, match="1 of 1 files tokenise differently from SmolLM2"):
        compare_tokens(source.vocabulary, tmp_path, ["x = 2048\ny = [1, 2]"])


def test_weights_that_differ_are_refused(breeze_dir, source):
    model = Ministral3ForCausalLM.from_pretrained(breeze_dir, dtype=torch.float32)
    assert compare_logits(source, model, breeze_dir, 300) < 1e-4
    with torch.no_grad():
        model.model.layers[7].mlp.down_proj.weight[0, 0] += 1.0
    with pytest.raises(DevtuneError, match=r"logits differ from SmolLM2's by .*, more than 0.0001"):
        compare_logits(source, model, breeze_dir, 300)


def test_the_corpus_is_found_without_importing_packages():
    assert len(python_corpus("mistral_common")) > 50
    assert python_corpus("no_such_package") == []


@pytest.mark.slow
def test_two_builds_are_equal_byte_for_byte(breeze_dir, breeze_fp8_dir, tmp_path):
    for format, directory in (("bf16", breeze_dir), ("fp8", breeze_fp8_dir)):
        again = tmp_path / format
        build_breeze(again, Progress("quiet"), format)
        assert {file.name for file in again.iterdir()} == {
            file.name for file in directory.iterdir()
        }
        for file in again.iterdir():
            assert file.read_bytes() == (directory / file.name).read_bytes(), file.name
