"""Every family of causal language models holds what the mixture rests on, or is refused with the reason.

Tiny random configurations. A family is left out where the installed transformers does not know it yet, or is too old to
decode it right, which must be found out.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import transformers
from mixtures import assert_near, assert_same_bits, mixture, plain_logits, snapshot, token_ids
from packaging.version import Version
from peft import PeftModel
from plain_peft import plain_peft
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from tlora_gui.engine.backbones.invariants import refuse_unfit
from tlora_gui.engine.projects.adapter_folder import write_adapter
from tlora_gui.temporal.config import LoraSettings
from tlora_gui.temporal.model import TemporalLoRA

COMMON: dict[str, Any] = {
    "vocab_size": 257,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": 256,
    "eos_token_id": 256,
    "pad_token_id": 256,
    "initializer_range": 0.2,
}
EXPERTS: dict[str, Any] = {
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 32,
}
LATENT: dict[str, Any] = EXPERTS | {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "head_dim": 8,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "n_shared_experts": 1,
}
"""Attention over compressed keys and values, which are read again from the cache."""
STATES: dict[str, Any] = {
    "mamba_d_ssm": 64,
    "mamba_n_heads": 4,
    "mamba_d_head": 16,
    "mamba_d_state": 8,
    "mamba_chunk_size": 4,
    "mamba_n_groups": 1,
    "mamba_expand": 2,
    "mamba_d_conv": 4,
}
DELTA: dict[str, Any] = {
    "head_dim": 12,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "layer_types": ["linear_attention", "full_attention"] * 2,
}
SLIDING: dict[str, Any] = {"head_dim": 12, "sliding_window": 8}

FAMILIES: dict[str, dict[str, Any]] = {
    "biogpt": {},
    "bitnet": {},
    "bloom": {},
    "codegen": {"rotary_dim": 8, "n_head": 4, "n_embd": 64},
    "cohere": {},
    "cohere2": SLIDING,
    "ctrl": {"dff": 64},
    "deepseek_v2": LATENT | {"q_lora_rank": None, "topk_method": "greedy"},
    "deepseek_v3": LATENT,
    "doge": {},
    "falcon": {},
    "falcon_h1": STATES,
    "falcon_mamba": {"state_size": 8},
    "gemma": {"head_dim": 12},
    "gemma2": SLIDING,
    "gemma3_text": SLIDING,
    "glm4": {"head_dim": 12},
    "glm4_moe": EXPERTS,
    "gpt2": {},
    "gpt_bigcode": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]], "window_size": 8, "num_layers": 4},
    "gpt_neox": {},
    "gpt_oss": EXPERTS | SLIDING,
    "granitemoe": EXPERTS,
    "granitemoehybrid": EXPERTS
    | STATES
    | {"mamba_d_head": 24, "layer_types": ["mamba", "attention"] * 2, "shared_intermediate_size": 64},
    "jamba": EXPERTS
    | {
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "mamba_d_state": 8,
        "mamba_dt_rank": 4,
        "use_mamba_kernels": False,
    },
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "llama": {},
    "llama4_text": EXPERTS | {"head_dim": 12, "intermediate_size_mlp": 64, "attention_chunk_size": 8},
    "mamba": {"state_size": 8},
    "mamba2": {"state_size": 8, "num_heads": 4, "head_dim": 24, "n_groups": 1, "chunk_size": 4},
    "minimax": EXPERTS | {"head_dim": 12, "block_size": 4},
    "mistral": SLIDING,
    "mixtral": EXPERTS,
    "mpt": {},
    "olmo2": {},
    "olmoe": EXPERTS,
    "opt": {"ffn_dim": 64},
    "phi": {},
    "phi3": {},
    "phimoe": EXPERTS,
    "qwen2": {},
    "qwen2_moe": EXPERTS | {"shared_expert_intermediate_size": 32},
    "qwen3": {"head_dim": 12},
    "qwen3_moe": EXPERTS | {"head_dim": 12},
    "qwen3_next": EXPERTS | DELTA | {"shared_expert_intermediate_size": 32},
    "smollm3": {},
    "starcoder2": {},
    "zamba2": STATES
    | {
        "mamba_headdim": 24,
        "n_mamba_heads": 4,
        "mamba_ngroups": 1,
        "chunk_size": 4,
        "attention_head_dim": 24,
        "layers_block_type": ["mamba", "hybrid"] * 2,
        "hybrid_layer_ids": [1, 3],
        "num_mem_blocks": 1,
        "adapter_rank": 4,
        "use_mamba_kernels": False,
    },
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "bert": ({}, "it is not a causal language model"),
    "roformer": ({}, "it is not a causal language model"),
    "openai-gpt": ({}, "it cannot go on with a text: OpenAIGPTLMHeadModel keeps no cache"),
    "recurrent_gemma": (
        {"lru_width": 48, "block_types": ["recurrent", "attention"], "attention_window_size": 16},
        "it cannot go on with a text: RecurrentGemmaForCausalLM keeps no cache",
    ),
    "rwkv": ({"attention_hidden_size": 48}, "it cannot go on with a text: RwkvForCausalLM keeps no cache"),
    "bamba": (
        STATES | {"mamba_d_head": 24, "attn_layer_indices": [1, 3]},
        "it goes on with a text otherwise than it reads it at once|it cannot go on with a text: .* keeps no cache",
    ),
    "gemma3n_text": (
        SLIDING
        | {
            "vocab_size_per_layer_input": 257,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 2,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "laurel_rank": 4,
            "altup_num_inputs": 2,
            "activation_sparsity_pattern": [0.0] * 4,
        },
        "it cannot read a text with an epoch: what decoder blocks hand on is",
    ),
}
"""Families with the reason why they cannot carry a mixture."""


def make(family: str, settings: dict[str, Any]) -> Any:
    """A random model of a family."""
    try:
        config = AutoConfig.for_model(family, **(COMMON | settings))
    except ValueError as error:
        if "Unrecognized model identifier" not in str(error):
            raise
        pytest.skip(f"transformers {transformers.__version__} does not know {family} yet")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(config).eval()


NEWEST = Version("5.24")
"""From this version of transformers on every family here must hold."""


WITH_BARE_ROUTER = (
    "bloom",
    "deepseek_v3",
    "falcon_h1",
    "gemma2",
    "gpt2",
    "jamba",
    "llama",
    "mamba",
    "minimax",
    "mistral",
    "qwen3_next",
    "zamba2",
)
"""Families that are tried with an epoch in all blocks too: of every kind of cache, and hybrids whose first layer of
either kind lies above the Time Mixer's."""


WITH_STATES = (
    "falcon_h1",
    "falcon_mamba",
    "granitemoehybrid",
    "jamba",
    "lfm2",
    "mamba",
    "mamba2",
    "minimax",
    "qwen3_next",
    "zamba2",
)
"""Families whose caches hold more than keys and values."""


class Family(NamedTuple):
    """A mixture of two epochs over a backbone, and the backbone as it was before; "verse" may lie in every block."""

    name: str
    lora: LoraSettings
    model: TemporalLoRA
    bare: Any


@pytest.fixture(scope="module", params=[*FAMILIES, *(f"{family}, bare router" for family in WITH_BARE_ROUTER)])
def family(request: pytest.FixtureRequest) -> Family:
    torch.set_num_threads(1)
    name, _, router = request.param.partition(", ")
    lora = LoraSettings(r=4, lora_alpha=6.0, bare_router=bool(router))
    backbone = make(name, FAMILIES[name]).requires_grad_(False)
    bare = copy.deepcopy(backbone)
    if Version(transformers.__version__) < NEWEST:
        try:
            refuse_unfit(TemporalLoRA(copy.deepcopy(bare), lora))
        except ValueError as error:
            pytest.skip(f"with transformers {transformers.__version__} {request.param} is refused: {error}")
    model = mixture(backbone, ("verse", "code"), lora=lora, deep=("verse",) if router else ())
    return Family(request.param, lora, model, bare)


IDS_BT = token_ids(2, 9)
T = IDS_BT.shape[1]


def assert_close(actual: Tensor, expected: Tensor) -> None:
    """Equal up to rounding; some families scale their logits to tens."""
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def logits(model: TemporalLoRA, blend: Any = "mixer") -> Tensor:
    return model(IDS_BT, blend).logits_BTV


def test_it_is_found_fit_and_is_left_as_it_was(family: Family) -> None:
    backbone = copy.deepcopy(family.bare)
    model = TemporalLoRA(backbone, family.lora)
    before, generator = snapshot(dict(model.named_parameters())), torch.get_rng_state()
    refuse_unfit(model)
    assert_same_bits(dict(model.named_parameters()), before)
    assert torch.equal(torch.get_rng_state(), generator)
    assert model.slot_names == ["Eternity"] and not model.adapters and model.mixer.slots == 1
    assert torch.equal(plain_logits(backbone, IDS_BT), plain_logits(family.bare, IDS_BT))
    assert_close(logits(model), plain_logits(family.bare, IDS_BT))


def test_slot_0_is_the_bare_backbone_and_so_is_the_backbone_by_itself(family: Family) -> None:
    expected_BTV = plain_logits(family.bare, IDS_BT)
    assert_close(logits(family.model, 0), expected_BTV)
    logits(family.model, "mixer")
    assert torch.equal(plain_logits(family.model.backbone, IDS_BT), expected_BTV)


@pytest.mark.parametrize("slot", [1, 2])
def test_one_hot_weights_equal_pefts_set_adapter(family: Family, slot: int) -> None:
    with plain_peft(family.model, family.model.slot_adapters[slot - 1]) as peft_model, torch.no_grad():
        expected_BTV = peft_model(input_ids=IDS_BT).logits
    assert (expected_BTV - plain_logits(family.bare, IDS_BT)).abs().max() > 0.01, "the epoch says something"
    assert_close(logits(family.model, slot), expected_BTV)
    assert_close(logits(family.model, torch.eye(3)[slot]), expected_BTV)


def test_what_the_mixer_reads_is_the_bare_backbones_own(family: Family) -> None:
    with torch.no_grad():
        read_BTH = family.model(IDS_BT).hidden_BTH
    untouched = TemporalLoRA(copy.deepcopy(family.bare), family.lora)
    assert torch.equal(read_BTH, untouched.features(IDS_BT))
    assert torch.equal(read_BTH, family.model.features(IDS_BT))


def test_plain_peft_opens_an_epoch_and_says_the_same(family: Family, tmp_path: Path) -> None:
    write_adapter(family.model, "verse", tmp_path, "")
    plain = PeftModel.from_pretrained(copy.deepcopy(family.bare), tmp_path).eval()
    with torch.no_grad():
        expected_BTV = plain(input_ids=IDS_BT).logits
    assert_close(logits(family.model, 1), expected_BTV)


@torch.no_grad()
def test_a_batch_equals_its_rows_and_weights_sum_to_1(family: Family) -> None:
    together = family.model(IDS_BT)
    assert_near(together.weights_BTS.sum(-1), torch.ones(2, T))
    assert together.weights_BTS.std(dim=(0, 1)).max() > 0.01, "a constant mix would hide errors elsewhere"
    for row in range(2):
        alone = family.model(IDS_BT[row : row + 1])
        assert_near(alone.weights_BTS[0], together.weights_BTS[row])
        assert_close(alone.logits_BTV[0], together.logits_BTV[row])


@torch.no_grad()
def test_cached_decoding_equals_uncached_by_tokens_and_pieces(family: Family) -> None:
    whole = family.model(IDS_BT)
    cache = state = None
    for piece_BT, logits_BTV, weights_BTS in zip(
        *(each.split([3, 1, 3, 1, 1], dim=1) for each in (IDS_BT, whole.logits_BTV, whole.weights_BTS)), strict=True
    ):
        output = family.model(piece_BT, cache=cache, mixer_state=state, use_cache=True)
        cache, state = output.cache, output.mixer_state
        assert_near(output.weights_BTS, weights_BTS)
        assert_close(output.logits_BTV, logits_BTV)


@torch.inference_mode()
def test_a_cache_that_is_taken_back_or_copied_goes_on_with_the_same_bits(family: Family) -> None:
    first_BT, next_BT, other_BT = IDS_BT[:, :4], IDS_BT[:, 4:7], IDS_BT[:, 5:9]
    begun = family.model(first_BT, use_cache=True)
    croppable, cache = family.model.can_crop(begun.cache), begun.cache
    if not croppable:
        cache = family.model.copy_cache(cache)
    expected = family.model(next_BT, cache=begun.cache, mixer_state=begun.mixer_state, use_cache=True)
    if croppable:
        family.model.crop(cache, first_BT.shape[1])
    for ids_BT in (next_BT, other_BT, next_BT):
        went_on = cache if croppable else family.model.copy_cache(cache)
        found = family.model(ids_BT, cache=went_on, mixer_state=begun.mixer_state, use_cache=True)
        if croppable:
            family.model.crop(cache, first_BT.shape[1])
        same = torch.equal(found.logits_BTV[:, :3], expected.logits_BTV)
        assert same is (ids_BT is next_BT)
    assert torch.equal(found.weights_BTS, expected.weights_BTS)


@torch.inference_mode()
def test_a_row_goes_on_without_the_others_where_a_cache_is_made_of_rows(family: Family) -> None:
    alone = family.model(IDS_BT[1:], (1,))
    assert (family.model.token_bytes is None) is (family.name.partition(",")[0] in WITH_STATES)
    if family.model.token_bytes is None:
        return
    begun = family.model(IDS_BT[:, :5], ("mixer", 1), use_cache=True)
    family.model.select_rows(begun.cache, [1])
    assert isinstance(begun.mixer_state, tuple)
    found = family.model(IDS_BT[1:, 5:], (1,), cache=begun.cache, mixer_state=begun.mixer_state[1:], use_cache=True)
    assert_close(found.logits_BTV, alone.logits_BTV[:, 5:])


def test_a_new_epoch_learns_and_changes_nothing_else(family: Family) -> None:
    model, mixer = family.model, copy.deepcopy(family.model.mixer)
    before = snapshot(dict(model.backbone.named_parameters())), snapshot(model.adapter_parameters("verse"))
    model.add_adapter("tale")
    model.begin_epoch("tale")
    learning = list(model.adapter_parameters("tale").values())
    try:
        losses, gradients = [], []
        for recompute, hidden_BTH in ((False, None), (True, model.features(IDS_BT))):
            model.recompute_activations = recompute
            model.zero_grad()
            losses.append(model.next_token_loss(IDS_BT, 3, hidden_BTH).loss)
            losses[-1].backward()
            gradients.append([parameter.grad for parameter in learning])
        assert_near(losses[0], losses[1])
        for kept, again in zip(*gradients, strict=True):
            assert_close(again, kept)
        torch.optim.SGD(learning, lr=0.01).step()
        assert model.next_token_loss(IDS_BT, 3).loss < losses[0]
    finally:
        model.recompute_activations = False
        model.remove_adapter("tale")
        model.set_slots(["verse", "code"], mixer)
    assert_same_bits(dict(model.backbone.named_parameters()), before[0])
    assert_same_bits(model.adapter_parameters("verse"), before[1])


@pytest.mark.parametrize("family", REFUSED)
def test_what_cannot_carry_a_mixture_is_refused_with_the_reason(family: str) -> None:
    settings, reason = REFUSED[family]
    with pytest.raises(ValueError) as caught:
        refuse_unfit(TemporalLoRA(make(family, settings)))
    assert re.match(reason, str(caught.value))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["model.embed_tokens.weight", "model.layers.2.mlp.up_proj.weight", "lm_head.weight"])
def test_weights_that_are_no_numbers_are_told_as_such(where: str, value: float) -> None:
    backbone = make("llama", {})
    with torch.no_grad():
        backbone.get_parameter(where)[50, 5] = value
    model = TemporalLoRA(backbone)
    with pytest.raises(ValueError, match=f"the weights hold NaN or infinite numbers, in {where}"):
        refuse_unfit(model)
    assert not model.adapters and model.mixer.slots == 1
