"""An adapter as the .gguf file that llama.cpp, Ollama and LM Studio load beside the backbone's own .gguf file.

    general.type, general.architecture    "adapter", and the backbone's architecture
    adapter.type, adapter.lora.alpha      "lora"; what is added is alpha / r · B A x
    blk.N.attn_q.weight.lora_a, .lora_b   A (R, in) and B (out, R) of each layer, float32

llama.cpp keeps the weights of some architectures in another order than transformers. What it does with those is known
here for a list of families; of another one, an adapter could be written, and would be wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import write_file
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA

_FAMILIES = {
    "apertus": "apertus",
    "arcee": "arcee",
    "cohere": "command-r",
    "cohere2": "cohere2",
    "ernie4_5": "ernie4_5",
    "exaone4": "exaone4",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3_text": "gemma3",
    "glm": "chatglm",
    "glm4": "glm4",
    "gpt2": "gpt2",
    "gpt_bigcode": "starcoder",
    "gpt_oss": "gpt-oss",
    "granite": "granite",
    "granitemoe": "granitemoe",
    "lfm2": "lfm2",
    "llama": "llama",
    "mistral": "llama",
    "mixtral": "llama",
    "nemotron": "nemotron",
    "olmo": "olmo",
    "olmo2": "olmo2",
    "olmo3": "olmo2",
    "phi": "phi2",
    "phi3": "phi3",
    "qwen2": "qwen2",
    "qwen2_moe": "qwen2moe",
    "qwen3": "qwen3",
    "qwen3_moe": "qwen3moe",
    "seed_oss": "seed_oss",
    "smollm3": "smollm3",
    "stablelm": "stablelm",
    "starcoder2": "starcoder2",
}
"""What llama.cpp calls the families of transformers. Its own converter wrote the same tensors, bit for bit, of each but
arcee, granitemoe and olmo, whose order was mended since and not compared again, and gpt2, of whose transposed layers it
exchanges A and B, and refuses them then by their shape."""

_INTERLEAVED = {"arcee", "granite", "granitemoe", "llama", "olmo", "smollm3"}
"""Architectures whose rotary positions turn neighbours in llama.cpp, where transformers turns halves of a head."""


def require_gguf(family: str) -> int:
    """The number of the architecture that a family of transformers is in llama.cpp.

    Raises:
        TloraError: if an adapter of it cannot be written.
    """
    import gguf

    known = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    names = [each for each, architecture in _FAMILIES.items() if architecture in known]
    if family not in names:
        raise TloraError(
            say("Adapters of a {family} backbone cannot be written as GGUF.", family=family),
            say("Export a PEFT adapter. GGUF is known of: {names}.", names=", ".join(names)),
        )
    return int(known[_FAMILIES[family]])


def write_gguf(path: Path, model: TemporalLoRA, weights: LoraWeights, name: str) -> None:
    """Write weights over a model's layers as a GGUF adapter that is called ``name``.

    Raises:
        TloraError: if llama.cpp has no name for the backbone's family, or for one of its layers.
        OSError: if it cannot be written.
    """
    import gguf

    config = model.backbone.config
    number, architecture = require_gguf(config.model_type), _FAMILIES[config.model_type]
    names = gguf.get_tensor_name_map(number, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": getattr(config, "num_key_value_heads", None)}
    tensors = {}
    for layer, down_RI, up_OR in zip(model.layers_of(weights), weights.down, weights.up, strict=True):
        if (known := names.get_name(layer)) is None:
            raise TloraError(say("llama.cpp has no name for {layer}.", layer=layer), say("Export a PEFT adapter."))
        up = up_OR.detach().cpu().float().numpy()
        turned = heads.get(layer.rpartition(".")[2]) if architecture in _INTERLEAVED else None
        tensors[f"{known}.weight.lora_a"] = down_RI.detach().cpu().float().numpy()
        tensors[f"{known}.weight.lora_b"] = _interleaved(up, turned) if turned else up

    def write(partial: Path) -> None:
        writer = gguf.GGUFWriter(partial, architecture)
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_name(name)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, weights.scaling * weights.r)
        for each, tensor in tensors.items():
            writer.add_tensor(each, np.ascontiguousarray(tensor, np.float32))
        try:
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        finally:
            writer.close()

    write_file(path, write)


def _interleaved(up_OR: Any, heads: int) -> Any:
    """Rows of every head in the order first, middle, second, middle + 1 … instead of one half after the other."""
    halves = up_OR.reshape(heads, 2, -1, up_OR.shape[1])
    return halves.swapaxes(1, 2).reshape(up_OR.shape)
