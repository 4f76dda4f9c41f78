"""A backbone that is chosen is refused with the reason, or used as far as it goes, and the person is told."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import collect
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM

from tlora_gui.engine.api import TemporalLoRAModel
from tlora_gui.engine.handlers.scoring import log_likelihoods
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished
from tlora_gui.engine.session import Session

SETTINGS: dict[str, dict[str, Any]] = {
    "openai-gpt": {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 512},
    "mamba": {"hidden_size": 48, "num_hidden_layers": 4, "state_size": 8, "initializer_range": 0.2},
    "jamba": {
        "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_experts": 2, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 8,
        "mamba_dt_rank": 4, "use_mamba_kernels": False, "initializer_range": 0.2,
    },
    "mixtral": {
        "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_local_experts": 4,
    },
    "llama": {
        "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
}  # fmt: skip


def make(family: str) -> Any:
    config = AutoConfig.for_model(family, vocab_size=257, bos_token_id=256, eos_token_id=256, **SETTINGS[family])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture
def folder_of(tmp_path: Path, tiny_tokenizer: Any) -> Any:
    def save(family: str) -> Path:
        folder = tmp_path / family
        make(family).save_pretrained(folder)
        tiny_tokenizer.save_pretrained(folder)
        return folder

    return save


def create(project: Path, backbone: Path) -> Session:
    session = Session()
    collect(session.run(jobs.CreateProject(str(project), str(backbone))))
    return session


def test_a_backbone_without_a_cache_is_refused_before_anything_is_written(folder_of: Any, tmp_path: Path) -> None:
    with pytest.raises(TloraError, match=r"openai-gpt cannot be used: it cannot go on with a text: .* keeps no cache"):
        create(tmp_path / "project", folder_of("openai-gpt"))
    assert not (tmp_path / "project" / "project.json").exists()


def test_the_api_refuses_it_too(tiny_tokenizer: Any) -> None:
    with pytest.raises(TloraError, match="cannot be used: it cannot go on with a text"):
        TemporalLoRAModel(make("openai-gpt"), tokenizer=tiny_tokenizer)


def test_the_api_refuses_one_that_reads_hardly_anything(tiny_tokenizer: Any) -> None:
    model = make("llama")
    model.config.max_position_embeddings = -256
    with pytest.raises(TloraError, match="reads -256 tokens at most"):
        TemporalLoRAModel(model, tokenizer=tiny_tokenizer)


@pytest.mark.parametrize("family", ["mamba", "jamba"])
def test_a_text_beyond_a_piece_is_read_as_in_one_pass(folder_of: Any, tmp_path: Path, family: str) -> None:
    session = create(tmp_path / "project", folder_of(family))
    assert session.model is not None
    ids_1T = torch.randint(257, (1, 280), generator=torch.Generator().manual_seed(0))
    pieces = log_likelihoods(session.model, ids_1T[0].tolist(), 0, CancelToken())
    found = torch.tensor([value for piece in pieces for value in piece])
    with torch.no_grad():
        logits_TV = make(family)(input_ids=ids_1T).logits[0]
    expected = -cross_entropy(logits_TV[:-1], ids_1T[0, 1:], reduction="none")
    torch.testing.assert_close(found[1:], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("file", "said", "told"),
    [
        ("generation_config.json", {"eos_token_id": {"a": 1}}, ""),
        ("generation_config.json", {"eos_token_id": [[1], "2"]}, ""),
        ("tokenizer_config.json", {"model_max_length": [5]}, "its tokenizer .* cannot be read"),
        ("config.json", {"max_position_embeddings": -256}, "reads -256 tokens at most"),
        ("config.json", {"max_position_embeddings": 15}, "reads 15 tokens at most"),
        ("config.json", {"max_position_embeddings": 16}, ""),
    ],
)
def test_what_would_only_fail_in_use_is_passed_over_or_refused(
    folder_of: Any, tmp_path: Path, file: str, said: dict[str, Any], told: str
) -> None:
    path = folder_of("llama") / file
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    with pytest.raises(TloraError, match=told) if told else nullcontext():
        session = create(tmp_path / "project", path.parent)
        job = jobs.Generate("def", sampling=SamplingSettings(max_new_tokens=2))
        assert isinstance(collect(session.run(job))[-1], GenerationFinished)


@pytest.mark.parametrize(("family", "told"), [("mixtral", "mlp.experts.gate_up_proj"), ("llama", "")])
def test_a_person_is_told_what_epochs_leave_alone(folder_of: Any, tmp_path: Path, family: str, told: str) -> None:
    note = create(tmp_path / "project", folder_of(family)).info().backbone.note
    assert told in note and bool(note) is bool(told)
