"""A 2-layer Ministral3 that is quick to train: random, but with a head that echoes text."""

import torch
from transformers import (
    Ministral3Config,
    Ministral3ForCausalLM,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
)

VOCABULARY = 1300


def write_tiny_model(directory, tekken_file):
    """Write weights, config and tokenizer; its loss is well below that of random weights."""
    torch.manual_seed(0)
    model = Ministral3ForCausalLM(_text_config())
    _teach_to_echo(model.model, model.lm_head)
    _save(model, directory, tekken_file)


def write_tiny_wrapper(directory, tekken_file):
    """Write the same in the shape of Devstral Small 2: wrapped, beside a vision tower."""
    torch.manual_seed(0)
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2}
    sizes = {"num_hidden_layers": 2, "head_dim": 16, "image_size": 56, "patch_size": 14}
    config = Mistral3Config(
        text_config=_text_config().to_dict(),
        vision_config={"model_type": "pixtral", **vision, **sizes},
        tie_word_embeddings=False,
    )
    model = Mistral3ForConditionalGeneration(config)
    _teach_to_echo(model.model.language_model, model.lm_head)
    _save(model, directory, tekken_file)


def _text_config():
    return Ministral3Config(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        intermediate_size=128,
        vocab_size=VOCABULARY,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 10000.0,
            "llama_4_scaling_beta": 0.0,
            "original_max_position_embeddings": 2048,
        },
    )


def _teach_to_echo(text_model, lm_head):
    with torch.no_grad():
        embedding, head = text_model.embed_tokens.weight, lm_head.weight
        embedding.normal_()
        head.copy_(0.1 * embedding)
        embedding[:, 0], head[:1000, 0], head[1000:, 0] = 8, -1, 1  # text, not control tokens
        head[2, 0] = 0.8  # and an end now and then
        for layer in text_model.layers:  # what is attended to must matter
            for projection in (layer.self_attn.v_proj, layer.self_attn.o_proj):
                projection.weight.mul_(8)


def _save(model, directory, tekken_file):
    model.to(torch.bfloat16).save_pretrained(directory)
    (directory / "tekken.json").write_bytes(tekken_file.read_bytes())
