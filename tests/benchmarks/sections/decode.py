"""Decoding: tokens a second against the bare backbone, one plain LoRA, and PEFT's own mixtures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from measure import Figure, interleaved, ratio
from peft import ArrowConfig, LoraConfig, PeftModel, XLoraConfig, create_arrow_model, get_peft_model

from sections.common import backbone, grow
from tlora_gui.engine.generation.token_stream import generate
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.model import TemporalLoRA

PROMPT = "The king said to his servant that the night was dark, and the gates of the city were shut"
TOKENS = 40
TARGETS = {2: 0.95, 16: 0.90, 64: 0.80}


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    ours = backbone()
    ids_1T = ours.tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    model = TemporalLoRA(ours.model)
    bare = Peer(backbone().model, ids_1T)
    plain = Peer(_plain_lora(), ids_1T)
    with tempfile.TemporaryDirectory() as folder:
        rivals = {"PEFT X-LoRA": Peer(_x_lora(Path(folder)), ids_1T), "PEFT Arrow": Peer(_arrow(Path(folder)), ids_1T)}
    for epochs in (1, 2, 4, 8, 16, 64):
        grow(model, epochs)
        speaking = _speaking(model, ids_1T)
        every = torch.full((1 + epochs,), 1 / (1 + epochs))
        contenders: dict[str, Callable[[], float]] = {
            "ours": lambda: _ours(model, ours.tokenizer, "mixer"),
            "backbone": bare,
        }
        if epochs in TARGETS:
            contenders["ours, all slots at once"] = lambda slots=every: _ours(model, ours.tokenizer, slots)
        if epochs == 2:
            contenders |= {"plain LoRA": plain, **rivals}
        runs = interleaved(contenders)
        detail = {"tokens_per_second": {name: median(found) for name, found in runs.items()}, "runs": runs, **speaking}
        against = ratio(runs, "ours", "backbone")
        yield Figure("decode", f"K = {epochs}, against the backbone", against, "×", TARGETS.get(epochs), detail=detail)
        if epochs in TARGETS:
            together = ratio(runs, "ours, all slots at once", "backbone")
            yield Figure("decode", f"K = {epochs}, every slot speaking, against the backbone", together, "×")
        for rival, least in (("plain LoRA", 1.0), ("PEFT X-LoRA", 8.0), ("PEFT Arrow", None)):
            if rival in runs:
                yield Figure("decode", f"K = {epochs}, against {rival}", ratio(runs, "ours", rival), "×", least)


def _ours(model: TemporalLoRA, tokenizer: Any, blend: Blend) -> float:
    """Tokens a second of the application's own stream: text, weights and alternatives of every token included."""
    started, count = time.perf_counter(), 0
    for token in generate(model, tokenizer, PROMPT, blend, SamplingSettings(TOKENS, temperature=0), CancelToken()):
        count += not token.is_prompt
    return count / (time.perf_counter() - started)


class Peer:
    """transformers' ``generate``, greedy, on the same prompt."""

    def __init__(self, model: Any, ids_1T: torch.Tensor) -> None:
        self.model = model.eval()
        self.ids_1T = ids_1T

    @torch.inference_mode()
    def __call__(self) -> float:
        started = time.perf_counter()
        self.model.generate(
            input_ids=self.ids_1T,
            attention_mask=torch.ones_like(self.ids_1T),
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            do_sample=False,
            pad_token_id=0,
        )
        return TOKENS / (time.perf_counter() - started)


@torch.no_grad()
def _speaking(model: TemporalLoRA, ids_1T: torch.Tensor) -> dict[str, float]:
    weights_BTS = model(ids_1T).weights_BTS
    return {
        "mean_largest_weight": float(weights_BTS.amax(-1).mean()),
        "mean_slots_speaking": float((weights_BTS > 0).sum(-1).float().mean()),
    }


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
