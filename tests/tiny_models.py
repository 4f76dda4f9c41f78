"""Random models of a few blocks, as they come from transformers."""

from __future__ import annotations

from typing import Any


def make_llama(layers: int = 4, seed: int = 0) -> Any:
    """A random Llama of about 100 k parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=257,
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            bos_token_id=256,
            eos_token_id=256,
            initializer_range=0.2,
        )
        return LlamaForCausalLM(config).eval()


def make_gpt2(layers: int = 4, seed: int = 0) -> Any:
    """A random GPT-2 (Conv1D layers, learned positions, dropout in its configuration)."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = GPT2Config(
            vocab_size=257, n_embd=48, n_layer=layers, n_head=4, n_positions=256, bos_token_id=256, eos_token_id=256,
            initializer_range=0.2,
        )  # fmt: skip
        return GPT2LMHeadModel(config).eval()
