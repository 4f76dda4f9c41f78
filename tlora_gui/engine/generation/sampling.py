"""How the next token is drawn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.temporal.model import TemporalLoRA

_COLDEST = 1e-30
"""Any colder, and float32 has no number for what the logits are divided by."""
_COLD = 0.01
_STRICTEST = 1e30
"""A larger penalty would make infinities of the logits."""


class Sampler:
    """Draws tokens with a generator of its own, so that drawing between training steps cannot change the training."""

    def __init__(self, settings: SamplingSettings, device: torch.device) -> None:
        self._greedy = settings.temperature < _COLDEST
        self._filters = logits_filters(settings)
        self._generator = torch.Generator(device).manual_seed(settings.seed)

    def draw(self, logits_V: Tensor, seen: list[int]) -> int:
        """The next token's id, ``seen`` being those before it."""
        if self._filters:
            logits_V = self._filters(torch.tensor([seen], device=logits_V.device), logits_V[None].clone())[0]
        if self._greedy:
            return int(logits_V.argmax())
        return int(torch.multinomial(logits_V.softmax(-1), 1, generator=self._generator))


def logits_filters(sampling: SamplingSettings) -> LogitsProcessorList:
    """transformers' own processors, in the order that ``generate`` uses."""
    filters = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        filters.append(RepetitionPenaltyLogitsProcessor(min(float(sampling.repetition_penalty), _STRICTEST)))
    if sampling.temperature >= _COLDEST:
        if sampling.temperature < _COLD:
            filters.append(_below_the_top)
        if sampling.temperature != 1:
            filters.append(TemperatureLogitsWarper(float(sampling.temperature)))
        if sampling.top_k:
            filters.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            filters.append(TopPLogitsWarper(sampling.top_p))
    return filters


def _below_the_top(input_ids: Tensor, scores: Tensor) -> Tensor:
    """Moves the largest logit to 0, so that none overflows when they are divided by very little."""
    return scores - scores.amax(-1, keepdim=True)


def end_token_ids(model: TemporalLoRA, tokenizer: Any) -> set[int]:
    """Tokens that end a text: the model's and the tokenizer's."""
    ends = getattr(model.backbone.generation_config, "eos_token_id", None)
    listed = ends if isinstance(ends, list) else [ends]
    return {end for end in (*listed, tokenizer.eos_token_id) if isinstance(end, int)}  # a folder says what it likes
