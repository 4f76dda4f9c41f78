"""Decoding: tokens a second against the bare backbone, one plain LoRA, and PEFT's own mixtures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from measure import PAIRS, Figure, interleaved, paired, ratio, speedup
from peft import ArrowConfig, LoraConfig, PeftModel, XLoraConfig, create_arrow_model, get_peft_model

from sections.common import backbone, grow
from tlora_gui.engine.backbones.fast_linear import FastLinear, lay_weights
from tlora_gui.engine.backbones.fast_trial import fastest
from tlora_gui.engine.backbones.tokenizing import encode_prompt
from tlora_gui.engine.generation.batch import write_together
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.token_stream import TokenStream, generate, go_on, input_tokens
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.cache import CacheFormat
from tlora_gui.temporal.model import TemporalLoRA

PROMPT = "The king said to his servant that the night was dark, and the gates of the city were shut"
TOKENS = 40
"""New ones of a text; each is a step."""
TARGETS = {2: 0.97, 16: 0.95, 64: 0.90}
FAST_TARGETS = {1: 2.0, 2: 2.5}
"""By torch's threads."""
RIVALS = {"plain LoRA": (1.0, None), "PEFT X-LoRA": (8.0, 15.0), "PEFT Arrow": (None, None)}
"""With the least for exact and fast texts."""
RIVAL_PAIRS = 200
SWEEP = 5
"""Rows of a sweep."""

Stream = Callable[[], Iterator[object]]


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    ours = backbone()
    lay_weights(ours.model, "columns")
    ids_1T = ours.tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    model = TemporalLoRA(ours.model)
    bare: dict[str, Stream] = {"backbone": Peer(backbone().model, ids_1T)}
    for epochs in (2, 16, 64):
        grow(model, epochs)
        every = torch.full((1 + epochs,), 1 / (1 + epochs))
        mixed: dict[str, Stream] = {"ours": partial(mixture_stream, model, ours.tokenizer, "mixer")}
        together: dict[str, Stream] = {"ours, all slots at once": partial(mixture_stream, model, ours.tokenizer, every)}
        yield _against(mixed | bare, f"K = {epochs}, against the backbone", TARGETS[epochs], _speaking(model, ids_1T))
        yield _against(together | bare, f"K = {epochs}, every slot speaking, against the backbone")
        if epochs == 2:
            yield _rows(model, ours.tokenizer)
            if chosen := drain(fastest(ours.fast, ours.model, ours.tokenizer)).format:
                ours.fast.load(chosen)
                fast: dict[str, Stream] = {
                    "ours, fast": partial(mixture_stream, model, ours.tokenizer, "mixer", ours.fast)
                }
                yield _against(fast | bare, f"K = {epochs}, fast, against the backbone", FAST_TARGETS.get(threads))
            with tempfile.TemporaryDirectory() as folder:
                for rival, (least, least_fast) in RIVALS.items():
                    peer: dict[str, Stream] = {rival: Peer(_rival(rival, Path(folder)), ids_1T)}
                    yield _against(mixed | peer, f"K = {epochs}, against {rival}", least, pairs=RIVAL_PAIRS)
                    if chosen:
                        what = f"K = {epochs}, fast, against {rival}"
                        yield _against(fast | peer, what, least_fast, pairs=RIVAL_PAIRS)
            ours.fast.load("")


def _against(
    two: dict[str, Stream],
    what: str,
    least: float | None = None,
    more: dict[str, float] | None = None,
    pairs: int = PAIRS,
) -> Figure:
    """How many times faster the first of two is."""
    seconds = paired(two, pairs)
    value, interval = speedup(seconds, *two)
    detail = {"tokens_per_second": {name: 1 / median(found) for name, found in seconds.items()}, "seconds": seconds}
    return Figure("decode", what, value, "×", least, interval=interval, detail=detail | (more or {}))


def mixture_stream(
    model: TemporalLoRA, tokenizer: Any, blend: Blend, fast: FastLinear | None = None
) -> Iterator[object]:
    """The application's own stream: text, weights and alternatives of every token included."""
    sampling = SamplingSettings(1 + TOKENS, temperature=0)
    tokens = generate(model, tokenizer, PROMPT, blend, sampling, CancelToken(), fast)
    return (token for token in tokens if not token.is_prompt)


def _rows(model: TemporalLoRA, tokenizer: Any) -> Figure:
    """A sweep from one epoch to another, prompt included: its rows in one batch against in turns."""
    given = input_tokens(encode_prompt(tokenizer, PROMPT), is_prompt=True)

    def texts() -> list[TokenStream]:
        shares = (row / (SWEEP - 1) for row in range(SWEEP))
        blends = (ScheduledBlend(torch.tensor([0.0, 1 - share, share])) for share in shares)
        return [TokenStream(model, tokenizer, blend, SamplingSettings(TOKENS, temperature=0)) for blend in blends]

    def together() -> float:
        started = time.perf_counter()
        list(write_together(dict(enumerate(texts())), given, TOKENS, CancelToken()))
        return time.perf_counter() - started

    def in_turns() -> float:
        started = time.perf_counter()
        for text in texts():
            list(go_on(text, text.feed((), given), TOKENS, CancelToken()))
        return time.perf_counter() - started

    seconds = interleaved({"together": together, "in turns": in_turns})
    what = f"{SWEEP} rows of {TOKENS} tokens, in one batch against in turns"
    return Figure("decode", what, ratio(seconds, "in turns", "together"), "×", detail={"seconds": seconds})


class Peer:
    """A plain greedy loop over the model's own forward and cache, on the same prompt: less than ``generate`` does."""

    def __init__(self, model: Any, ids_1T: torch.Tensor) -> None:
        self.model = model.eval()
        self.ids_1T = ids_1T
        base = getattr(model, "get_base_model", lambda: model)()
        self.format = CacheFormat(base) if base.config.use_cache else None

    def __call__(self) -> Iterator[object]:
        text_1T = self.ids_1T
        given: dict[str, Any] = {"input_ids": text_1T}
        for _ in range(1 + TOKENS):
            with torch.inference_mode():
                output = self.model(**given, use_cache=self.format is not None)
                next_11 = output.logits[:, -1:].argmax(-1)
            yield next_11
            text_1T = torch.cat([text_1T, next_11], dim=1)
            if self.format is None:
                given = {"input_ids": text_1T}
            else:
                given = {"input_ids": next_11, **self.format.handed(self.format.given(output))}


@torch.no_grad()
def _speaking(model: TemporalLoRA, ids_1T: torch.Tensor) -> dict[str, float]:
    weights_BTS = model(ids_1T).weights_BTS
    return {
        "mean_largest_weight": float(weights_BTS.amax(-1).mean()),
        "mean_slots_speaking": float((weights_BTS > 0).sum(-1).float().mean()),
    }


def _rival(name: str, folder: Path) -> PeftModel:
    return {"plain LoRA": lambda _: _plain_lora(), "PEFT X-LoRA": _x_lora, "PEFT Arrow": _arrow}[name](folder)


def _lora() -> LoraConfig:
    return LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")


def _plain_lora() -> PeftModel:
    return get_peft_model(backbone().model, _lora())


def _saved(folder: Path) -> list[Path]:
    """Two random adapters over all linear layers."""
    places = [folder / f"task-{number}" for number in range(2)]
    for place in places:
        if not place.exists():
            _plain_lora().save_pretrained(str(place))
    return places


def _x_lora(folder: Path) -> PeftModel:
    """Mixes adapters per token and layer by what a first run gives a classifier (Buehler 2024, arXiv:2402.07148)."""
    model = backbone().model
    model.config.use_cache = False  # it refuses to work with a cache
    adapters = {str(number): str(place) for number, place in enumerate(_saved(folder))}
    config = XLoraConfig(task_type="CAUSAL_LM", hidden_size=model.config.hidden_size, adapters=adapters)
    return get_peft_model(model, config)


def _arrow(folder: Path) -> PeftModel:
    """Routes each token by the adapters' own directions (Ostapenko et al. 2024, arXiv:2405.11157)."""
    places, config = [str(place) for place in _saved(folder)], ArrowConfig(top_k=2)
    return create_arrow_model(base_model=backbone().model, task_specific_adapter_paths=places, arrow_config=config)
