"""Streaming generation: one event per token, weights and probabilities out of the same pass.

A generated token carries the mix that was in force when it was predicted, that is the weights at the position
before it; a prompt token carries its own.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from tlora_gui.engine.backbones import context_length
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import SamplingSettings
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.texts import TokenEvent
from tlora_gui.temporal.model import Blend, MixtureOutput, TemporalLoRA

TOP_ALTERNATIVES = 6
_PREFILL = 256

Ending = Literal["length", "end of text", "stopped"]


@dataclass(slots=True)
class Outcome:
    """How a generation ended."""

    ended: Ending
    tokens_per_second: float


def generate(
    model: TemporalLoRA,
    tokenizer: Any,
    prompt: str,
    blend: Blend,
    sampling: SamplingSettings,
    cancel: CancelToken,
) -> Generator[TokenEvent, None, Outcome]:
    """Continue ``prompt``; the prompt's tokens come first, marked.

    Sampling has a generator of its own, so generating between training steps cannot change the training.

    Raises:
        TloraError: if the prompt leaves no room in the backbone's context.
    """
    ids = tokenizer(prompt, verbose=False)["input_ids"]
    limit = context_length(model.backbone)
    if len(ids) >= limit:
        raise TloraError(
            f"The prompt has {len(ids):,} tokens, but the backbone reads at most {limit:,} in all.",
            "Shorten the prompt.",
        )
    stream = _Stream(model, tokenizer, blend, sampling)
    for token in stream.read_prompt(ids):
        yield token
        if cancel.mode:
            return Outcome("stopped", 0.0)
    ending: Ending = "length"
    started, count = time.perf_counter(), 0
    for _ in range(min(sampling.max_new_tokens, limit - len(stream.seen))):
        if cancel.mode:
            ending = "stopped"
            break
        generated = stream.next_token()
        if generated is None:
            ending = "end of text"
            break
        count += 1
        yield generated
    return Outcome(ending, count / max(1e-9, time.perf_counter() - started))


class _Stream:
    """The state of one generation: ids told and seen, cache, the mixer's state, the last position's logits and mix."""

    def __init__(self, model: TemporalLoRA, tokenizer: Any, blend: Blend, sampling: SamplingSettings) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.blend = blend
        self.sampling = sampling
        self.told = 0
        self.seen: list[int] = []
        self.text = TextStream(tokenizer)
        self.cache: Any = None
        self.state: Any = None
        self.logits_V: Tensor | None = None
        self.weights: tuple[float, ...] = ()
        self.generator = torch.Generator(model.device).manual_seed(sampling.seed)
        self.filters = logits_filters(sampling)
        self.ends = end_token_ids(model, tokenizer)

    def read_prompt(self, ids: list[int]) -> Generator[TokenEvent, None, None]:
        """Read the prompt in pieces; an empty one starts from the tokenizer's first token, which is not shown."""
        if not ids:
            start = self.tokenizer.bos_token_id
            self._forward([start if start is not None else self.tokenizer.eos_token_id or 0], keep=1)
            return
        for start in range(0, len(ids), _PREFILL):
            piece = ids[start : start + _PREFILL]
            before_V = self.logits_V
            output = self._forward(piece, keep=0)
            rows = _shares(output).tolist()
            for offset, token_id in enumerate(piece):
                logits_V = before_V if offset == 0 else output.logits_BTV[0, offset - 1]
                yield self._event(token_id, tuple(rows[offset]), True, logits_V)

    @torch.inference_mode()
    def next_token(self) -> TokenEvent | None:
        """Draw a token, read it back into the cache, and tell it; None at the end of the text."""
        assert self.logits_V is not None
        logits_V, weights = self.logits_V, self.weights
        scores_V = logits_V
        if self.filters:
            scores_V = self.filters(torch.tensor([self.seen], device=logits_V.device), logits_V[None].clone())[0]
        if self.sampling.temperature == 0:
            token_id = int(scores_V.argmax())
        else:
            token_id = int(torch.multinomial(scores_V.softmax(-1), 1, generator=self.generator))
        if token_id in self.ends:
            return None
        self._forward([token_id], keep=1)
        return self._event(token_id, weights, False, logits_V)

    @torch.inference_mode()
    def _forward(self, ids: list[int], keep: int) -> MixtureOutput:
        output: MixtureOutput = self.model(
            torch.tensor([ids], device=self.model.device),
            self.blend,
            past_key_values=self.cache,
            mixer_state=self.state,
            use_cache=True,
            logits_to_keep=keep,
        )
        self.seen += ids
        self.cache, self.state = output.past_key_values, output.mixer_state
        self.logits_V = output.logits_BTV[0, -1].float()
        self.weights = tuple(_shares(output)[-1].tolist())
        return output

    @torch.inference_mode()
    def _event(self, token_id: int, weights: tuple[float, ...], is_prompt: bool, logits_V: Tensor | None) -> TokenEvent:
        index, self.told = self.told, self.told + 1
        probability, rank = 1.0, 1
        alternatives: tuple[tuple[str, float], ...] = ()
        if logits_V is not None:
            probabilities_V = logits_V.float().softmax(-1)
            top = probabilities_V.topk(min(TOP_ALTERNATIVES, len(probabilities_V)))
            ids, values = top.indices.tolist(), top.values.tolist()
            probability = float(probabilities_V[token_id])
            larger = sum(value > probability for value in values)
            rank = 1 + (larger if larger < len(ids) else int((probabilities_V > probability).sum()))
            alternatives = tuple((self.tokenizer.decode([i]), value) for i, value in zip(ids, values, strict=True))
        text = self.text.push(token_id)
        return TokenEvent(index, token_id, text, weights, is_prompt, probability, rank, alternatives)


def _shares(output: MixtureOutput) -> Tensor:
    """Weights of the first row (T, S), scaled to sum to 1 where a blend's own do not."""
    weights_TS = output.weights_BTS[0]
    return weights_TS / weights_TS.sum(-1, keepdim=True).clamp(min=1e-9)


def logits_filters(sampling: SamplingSettings) -> LogitsProcessorList:
    """transformers' own processors, in the order that ``generate`` uses."""
    filters = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        filters.append(RepetitionPenaltyLogitsProcessor(float(sampling.repetition_penalty)))
    if sampling.temperature > 0:
        if sampling.temperature != 1:
            filters.append(TemperatureLogitsWarper(float(sampling.temperature)))
        if sampling.top_k:
            filters.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            filters.append(TopPLogitsWarper(sampling.top_p))
    return filters


def end_token_ids(model: TemporalLoRA, tokenizer: Any) -> set[int]:
    """Tokens that end a text: the model's and the tokenizer's."""
    ends = model.backbone.generation_config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    return {end for end in (*listed, tokenizer.eos_token_id) if end is not None}


@dataclass(slots=True)
class TextStream:
    """Turns token ids into text as they come; a character spread over several tokens comes with its last one.

    A tokenizer's own mark at the very beginning is not shown.
    """

    tokenizer: Any
    _ids: list[int] = field(default_factory=list)
    _shown: int = 0
    _context: int = 0

    def push(self, token_id: int) -> str:
        """Text that this token completes; empty while a character is incomplete."""
        if not self._ids and token_id == self.tokenizer.bos_token_id:
            return ""
        self._ids.append(token_id)
        before: str = self.tokenizer.decode(self._ids[self._context : self._shown])
        now: str = self.tokenizer.decode(self._ids[self._context :])
        if len(now) <= len(before) or now.endswith("\ufffd"):
            return ""
        self._context, self._shown = self._shown, len(self._ids)
        return now[len(before) :]
