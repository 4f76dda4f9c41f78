"""Fast generation: products with weights of 16 bits, tried on the loaded backbone, remembered, and named in records."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import MakeMixture, collect, only
from tiny_models import make_llama
from torch import nn
from torch.nn.functional import linear
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel

from tlora_gui.engine.backbones import fast_trial
from tlora_gui.engine.backbones.fast_linear import FEW, FORMATS, FastLinear, lay_weights
from tlora_gui.engine.backbones.fast_trial import Trial, find_fastest
from tlora_gui.engine.backbones.loading import state_hash
from tlora_gui.engine.generation.read_text import InputToken, Piece
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.token_stream import TokenStream
from tlora_gui.engine.handlers import generating
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import DEFAULT_SAMPLING, MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.events import GenerationFinished, GenerationStarted, Progress
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.session import Session
from tlora_gui.paths import cache_dir

PASSES = Trial("packed float16", 2.0, 1e-5, 1.0, 1e-5)
ROOM = 2**40


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TLORA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tiny_llama() -> PreTrainedModel:
    return make_llama()


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """``trials(faster=…)``: how much faster each format is from now on; gives the list of those that are tried."""

    def begin(**faster: float) -> list[str]:
        tried: list[str] = []

        def speedup(fast: FastLinear, *_: Any) -> float:
            tried.append(fast.format)
            return faster.get(fast.format.replace(" ", "_"), 1.0)

        monkeypatch.setattr(fast_trial, "_speedup", speedup)
        monkeypatch.setattr(fast_trial, "_LEAST_SAME", 0.9)  # an untrained model is hardly ever sure
        return tried

    return begin


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bias", [True, False])
def test_few_rows_go_through_the_fast_product_and_many_through_their_own(name: str, bias: bool) -> None:
    layer = nn.Linear(48, 32, bias=bias).requires_grad_(False)
    x = torch.randn(1, FEW, 48)
    exact, many = layer(x), layer(x.repeat(3, 1, 1))
    fast = FastLinear(nn.Sequential(layer))
    fast.load(name)
    with torch.inference_mode():
        assert torch.equal(layer(x), exact), "outside of running()"
        with fast.running():
            found = layer(x)
            assert torch.equal(layer(x.repeat(3, 1, 1)), many)
        assert found.dtype == torch.float32 and found.shape == exact.shape
        assert not torch.equal(found, exact)
        assert torch.allclose(found, exact, atol=5e-3)
        assert torch.equal(layer(x), exact)
    fast.load("")
    with fast.running():
        assert torch.equal(layer(x), exact)


@pytest.mark.parametrize("name", FORMATS)
def test_a_fast_product_is_the_same_from_a_weight_that_lies_by_columns(name: str) -> None:
    layer, x = nn.Linear(48, 32, bias=False).requires_grad_(False), torch.randn(1, FEW, 48)
    backbone, found = nn.Sequential(layer), []
    fast = FastLinear(backbone)
    for by in ("rows", "columns"):
        lay_weights(backbone, by)
        fast.load(name)
        with torch.inference_mode(), fast.running():
            found.append(layer(x))
    assert torch.equal(*found)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="another library multiplies here")
def test_an_exact_text_has_its_weights_by_columns_and_they_are_what_they_were(
    two_epochs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_epochs.model is not None
    backbone = two_epochs.model.backbone
    values, ids_1T = state_hash(dict(backbone.named_parameters())), torch.arange(12)[None]
    before, layer = backbone(ids_1T).logits, backbone.lm_head
    needed = sum(4 * each.weight.numel() for each in backbone.modules() if type(each) is nn.Linear)
    with monkeypatch.context() as patch:
        patch.setattr(generating, "free_memory", lambda _: 2 * needed - 1)
        texts(two_epochs, replace(DEFAULT_SAMPLING, max_new_tokens=2, precision="exact"))
    assert layer.weight.is_contiguous(), "there is no room for weights that are not pages of their file"
    texts(two_epochs, replace(DEFAULT_SAMPLING, max_new_tokens=2, precision="exact"))
    assert layer.weight.T.is_contiguous() and not layer.weight.is_contiguous()
    assert state_hash(dict(backbone.named_parameters())) == values
    torch.testing.assert_close(backbone(ids_1T).logits, before)
    kept = layer.weight.data_ptr()
    texts(two_epochs, replace(DEFAULT_SAMPLING, max_new_tokens=2, precision="exact"))
    assert layer.weight.data_ptr() == kept, "laid once"


def test_how_the_backbone_goes_on_from_a_cache_is_tried_with_its_own_products(
    make_mixture: MakeMixture, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_mixture("gating")
    fast = FastLinear(model.backbone)
    monkeypatch.setitem(FORMATS, "rough", lambda layer: lambda x: 1.1 * linear(x, layer.weight, layer.bias))
    fast.load("rough")
    stream = TokenStream(model, tiny_tokenizer, ScheduledBlend("mixer"), DEFAULT_SAMPLING, fast=fast)
    told = list(stream.feed((), [InputToken(each, is_prompt=True) for each in b"To be"]))
    more = [InputToken(each, forced=True) for each in b"or not"]
    read = stream._read(Piece(stream.reading, tuple(each.token_id for each in more), MixingDesk(), tuple(more)))
    assert len(told) == 5 and len(read) == 6 and model._cache_format.takes_pieces


def test_what_a_product_raises_ends_the_fast_products(tiny_llama: PreTrainedModel) -> None:
    fast = FastLinear(tiny_llama)
    fast.load("float16")
    with pytest.raises(RuntimeError, match="boom"), fast.running():
        raise RuntimeError("boom")
    assert fast.rows == 0


@pytest.mark.parametrize(
    ("trial", "passes"),
    [
        (PASSES, True),
        (replace(PASSES, speedup=1.05), False),
        (replace(PASSES, kl=0.004), False),
        (replace(PASSES, kl=float("nan")), False),
        (replace(PASSES, same_top=0.98), False),
        (replace(PASSES, loss_change=-0.002), False),
        (Trial(), False),
    ],
)
def test_a_format_passes_that_is_faster_and_says_the_same(trial: Trial, passes: bool) -> None:
    assert trial.passes is passes


def test_the_fastest_that_passes_is_taken_and_remembered(
    tiny_llama: PreTrainedModel, tiny_tokenizer: Any, trials: Callable[..., list[str]]
) -> None:
    tried = trials(packed_float16=1.5, float16=3.0)
    fast = FastLinear(tiny_llama)
    events = list(find_fastest(fast, tiny_llama, tiny_tokenizer, "here", ROOM))
    assert fast.format == "float16" and tried == list(FORMATS) and len(only(events, Progress)) == len(FORMATS)
    again = FastLinear(tiny_llama)
    assert drain(find_fastest(again, tiny_llama, tiny_tokenizer, "here", ROOM)) and again.format == "float16"
    assert tried == list(FORMATS), "not again"
    tried = trials()
    assert not drain(find_fastest(FastLinear(tiny_llama), tiny_llama, tiny_tokenizer, "elsewhere", ROOM))
    assert not drain(find_fastest(FastLinear(tiny_llama), tiny_llama, tiny_tokenizer, "elsewhere", ROOM))
    assert tried == list(FORMATS), "that there is none is remembered too"


def test_a_format_that_distorts_or_that_a_machine_lacks_is_not_taken(
    tiny_llama: PreTrainedModel,
    tiny_tokenizer: Any,
    trials: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lacks(layer: nn.Linear) -> Any:
        raise RuntimeError("not currently supported")

    trials(packed_float16=9.0, float16=2.0, rough=8.0)
    monkeypatch.setitem(FORMATS, "packed float16", lacks)
    monkeypatch.setitem(FORMATS, "rough", lambda layer: lambda x: (3 * x) @ layer.weight.T)
    fast = FastLinear(tiny_llama)
    assert drain(find_fastest(fast, tiny_llama, tiny_tokenizer, "here", ROOM)) and fast.format == "float16"


def test_a_trial_that_is_left_or_fails_leaves_exact_products(
    tiny_llama: PreTrainedModel, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = FastLinear(tiny_llama)
    trial = find_fastest(fast, tiny_llama, tiny_tokenizer, "here", ROOM)
    for _ in range(2):
        next(trial)
    trial.close()
    assert fast.format == ""
    monkeypatch.setattr(fast_trial, "_speedup", lambda *_: [][0])
    assert not drain(find_fastest(fast, tiny_llama, tiny_tokenizer, "here", ROOM)) and fast.format == ""


def test_a_backbone_that_reads_few_tokens_is_tried_on_so_many(
    tiny_tokenizer: Any, trials: Callable[..., list[str]]
) -> None:
    config = GPT2Config(vocab_size=257, n_embd=48, n_layer=2, n_head=4, n_positions=64)
    short, tried = GPT2LMHeadModel(config).eval(), trials(float16=2.0)
    assert drain(find_fastest(FastLinear(short), short, tiny_tokenizer, "short", ROOM)) and tried == list(FORMATS)


@pytest.mark.parametrize(
    "damage", ["", "{", '[["here", {"format": "another"}]]', '[["here", {"speedup": "much"}]]', '{"here": 1}']
)
def test_a_damaged_memory_is_measured_anew(
    tiny_llama: PreTrainedModel, tiny_tokenizer: Any, trials: Callable[..., list[str]], damage: str
) -> None:
    tried = trials(float16=2.0)
    cache_dir().mkdir(parents=True)
    (cache_dir() / "fast-generation.json").write_text(damage)
    assert drain(find_fastest(FastLinear(tiny_llama), tiny_llama, tiny_tokenizer, "here", ROOM))
    assert tried == list(FORMATS)
    assert json.loads((cache_dir() / "fast-generation.json").read_text())[0][0] == "here"


def test_where_the_copy_has_no_room_or_the_weights_are_short_anyway_products_stay_exact(
    tiny_llama: PreTrainedModel, tiny_tokenizer: Any, trials: Callable[..., list[str]]
) -> None:
    tried = trials(float16=9.0)
    fast = FastLinear(tiny_llama)
    assert not drain(find_fastest(fast, tiny_llama, tiny_tokenizer, "here", 2 * fast.weights - 1))
    assert not drain(find_fastest(fast, tiny_llama.bfloat16(), tiny_tokenizer, "here", ROOM))
    assert tried == []


def texts(session: Session, sampling: SamplingSettings) -> tuple[SamplingSettings, GenerationFinished]:
    events = collect(session.run(jobs.Generate("O gentle", sampling=sampling)))
    (started,), (finished,) = only(events, GenerationStarted), only(events, GenerationFinished)
    assert started.sampling == finished.record.sampling
    return started.sampling, finished


def test_the_record_names_the_precision_that_was_in_force(
    two_epochs: Session, trials: Callable[..., list[str]]
) -> None:
    asked = replace(DEFAULT_SAMPLING, max_new_tokens=6, seed=3)
    trials()
    assert texts(two_epochs, asked)[0] == replace(asked, precision="exact")
    (cache_dir() / "fast-generation.json").unlink()
    trials(float16=2.0)
    sampling, finished = texts(two_epochs, asked)
    assert sampling == asked
    assert texts(two_epochs, asked)[1].record.tokens == finished.record.tokens, "the same seed gives the same text"
    _, exact = texts(two_epochs, replace(asked, precision="exact"))
    fast, slow = (each.record.tokens[-1].probability for each in (finished, exact))
    assert fast != slow and fast == pytest.approx(slow, rel=0.05)


def test_texts_of_before_are_exact() -> None:
    assert SamplingSettings().precision == "exact"
