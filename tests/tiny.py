"""A 2-layer Ministral3 that is quick to train: random, but with a head that echoes text."""

import torch
from transformers import Ministral3Config, Ministral3ForCausalLM

VOCABULARY = 1300


def write_tiny_model(directory, tekken_file):
    """Write weights, config and tokenizer; its loss is well below that of random weights."""
    torch.manual_seed(0)
    config = Ministral3Config(
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
    model = Ministral3ForCausalLM(config)
    with torch.no_grad():
        embedding, head = model.model.embed_tokens.weight, model.lm_head.weight
        embedding.normal_()
        head.copy_(0.1 * embedding)
        embedding[:, 0], head[:1000, 0], head[1000:, 0] = 8, -1, 1  # text, not control tokens
        head[2, 0] = 0.8  # and an end now and then
        for layer in model.model.layers:  # what is attended to must matter
            for projection in (layer.self_attn.v_proj, layer.self_attn.o_proj):
                projection.weight.mul_(8)
    model.to(torch.bfloat16).save_pretrained(directory)
    (directory / "tekken.json").write_bytes(tekken_file.read_bytes())
