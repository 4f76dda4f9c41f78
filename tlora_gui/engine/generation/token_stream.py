"""Streaming generation: one event per token, weights and probabilities out of the same pass.

A generated token carries the mix that was in force when it was predicted, that is the weights at the position
before it; a prompt token carries its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from tlora_gui.engine.backbones.fast_linear import FastLinear
from tlora_gui.engine.backbones.finite import unspeakable
from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.token_text import TextStream
from tlora_gui.engine.backbones.tokenizing import EncodedText, start_token_id, vocabulary_of
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.generation.sampling import Sampler, end_token_ids
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import PromptTooLong
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Alternative, Ending, TokenEvent
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.model import MixtureOutput, TemporalLoRA

TOP_ALTERNATIVES = 6
_PREFILL = 256


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
    fast: FastLinear | None = None,
) -> Generator[TokenEvent, None, Outcome]:
    """Continue ``prompt``; the prompt's tokens come first, marked.

    Sampling has a generator of its own, so generating between training steps cannot change the training.

    Raises:
        TloraError: if the prompt leaves no room in the backbone's context.
    """
    encoded, misfit = fit_context(tokenizer, prompt, context_length(model.backbone) - 1, vocabulary_of(model.backbone))
    if misfit:
        raise no_room(misfit)
    stream = TokenStream(model, tokenizer, ScheduledBlend(blend), sampling, fast=fast)
    given = stream.feed((), input_tokens(encoded, is_prompt=True))
    return (yield from go_on(stream, given, sampling.max_new_tokens, cancel))


def no_room(misfit: PromptTooLong) -> TloraError:
    """What to raise once it was emitted that a prompt is too long."""
    return TloraError(
        say(
            "The prompt has {tokens:,} tokens, but the backbone reads at most {limit:,} in all.",
            tokens=misfit.tokens,
            limit=misfit.limit + 1,
        ),
        say("Shorten the prompt."),
    )


def go_on(
    stream: TokenStream, given: Iterator[TokenEvent], max_new_tokens: int, cancel: CancelToken
) -> Generator[TokenEvent, None, Outcome]:
    """Emit what is given of a text, then draw more, as far as the context goes."""
    for token in given:
        yield token
        if cancel.mode:
            return Outcome("stopped", 0.0)
    ending: Ending = "length"
    started, count = time.perf_counter(), 0
    for _ in range(min(max_new_tokens, context_length(stream.model.backbone) - len(stream.seen))):
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


class InputToken(NamedTuple):
    """A token that is not drawn; None leaves it to the tokenizer what it shows."""

    token_id: int
    is_prompt: bool = False
    forced: bool = False
    text: str | None = None


def input_tokens(encoded: EncodedText, *, is_prompt: bool) -> list[InputToken]:
    """Tokens of a prompt, or of a text that a person puts in."""
    pieces = zip(encoded.ids, encoded.pieces, strict=True)
    return [InputToken(token_id, is_prompt, not is_prompt, text) for token_id, text in pieces]


Token = TypeVar("Token", InputToken, TokenEvent)


class TokenStream:
    """The state of one text as it grows: ids read, cache, the mixer's state, last position's logits and mix.

    A token that was drawn is read when the next is wanted, so that whatever the blend becomes in between counts.
    ``kept`` is how many tokens at the beginning belong to another text; ``names`` are those that people know the slots
    by; ``fast`` has the products that fast generation is to use.
    """

    def __init__(
        self,
        model: TemporalLoRA,
        tokenizer: Any,
        blend: ScheduledBlend,
        sampling: SamplingSettings,
        names: Sequence[str] = (),
        fast: FastLinear | None = None,
    ) -> None:
        self.model = model
        self._products: Callable[[], AbstractContextManager[None]] = fast.running if fast else nullcontext
        self.names = names
        self.tokenizer = tokenizer
        self.blend = blend
        self.emitted = self.kept = 0
        self.seen: list[int] = []
        self.unread: list[int] = []
        self.hidden = 0
        self.text = TextStream(tokenizer)
        self.cache: Any = None
        self.state: Any = None
        self.logits_V: Tensor | None = None
        self.weights: tuple[float, ...] = ()
        self.sampler = Sampler(sampling, model.device)
        self.ends = end_token_ids(model, tokenizer)

    @property
    def reading(self) -> int:
        """Index of the token that is read next; -1 is what a text starts from that has no prompt."""
        return len(self.seen) - self.hidden

    def set_desk(self, desk: MixingDesk) -> None:
        """Take over the mixing desk as it stands now for the next token, but not for what is kept of another text."""
        self.blend.set_desk(max(self.reading + 1 if self.seen else 0, self.kept), desk)

    def feed(self, kept: Sequence[TokenEvent], given: Sequence[InputToken]) -> Iterator[TokenEvent]:
        """Read the beginning of the text: what is kept of another, emitted as it was, then what is given.

        Where that is no prompt, it starts from the tokenizer's first token, which is not shown.
        """
        beginning: Sequence[InputToken | TokenEvent] = kept or given
        if not beginning or not beginning[0].is_prompt:
            self.hidden = 1
            self._forward([start_token_id(self.model.backbone, self.tokenizer)], keep=1)
        for piece in self._pieces(kept):
            self._forward([token.token_id for token in piece], keep=1)
            for token in piece:
                self.text.take(token.token_id, token.text)
                self.emitted += 1
                yield token
        for each in self._pieces(given):
            yield from self._read(each)

    def _read(self, piece: Sequence[InputToken]) -> Iterator[TokenEvent]:
        before_V, before = self.logits_V, self.weights
        output = self._forward([token.token_id for token in piece], keep=0)
        rows = [before, *map(tuple, _shares(output).tolist())]
        for offset, token in enumerate(piece):
            logits_V = output.logits_BTV[0, offset - 1] if offset else before_V
            yield self._event(token, rows[offset + token.is_prompt], logits_V)

    def _pieces(self, tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
        """What is read in one go, by one blend."""
        start = 0
        while start < len(tokens):
            length = self.blend.stays(self.reading + 1, _PREFILL)
            yield tokens[start : start + length]
            start += length

    @torch.inference_mode()
    def next_token(self) -> TokenEvent | None:
        """Draw a token and emit it; None at the end of the text."""
        if self.unread:
            self._forward(self.unread, keep=1)
        assert self.logits_V is not None
        token_id = self.sampler.draw(self.logits_V, self.seen)
        if token_id in self.ends:
            return None
        self.unread = [token_id]
        return self._event(InputToken(token_id), self.weights, self.logits_V)

    @torch.inference_mode()
    def _forward(self, ids: list[int], keep: int) -> MixtureOutput:
        with self._products():
            output: MixtureOutput = self.model(
                torch.tensor([ids], device=self.model.device),
                self.blend.predicting(self.reading + 1),
                cache=self.cache,
                mixer_state=self.state,
                use_cache=True,
                logits_to_keep=keep,
            )
        self.seen += ids
        if not output.logits_BTV.amax(-1).isfinite().all():
            raise unspeakable(self.model, self.names)
        self.cache, self.state = output.cache, output.mixer_state
        self.logits_V = output.logits_BTV[0, -1].float()
        self.weights = tuple(_shares(output)[-1].tolist())
        return output

    @torch.inference_mode()
    def _event(self, token: InputToken, weights: tuple[float, ...], logits_V: Tensor | None) -> TokenEvent:
        index, self.emitted = self.emitted, self.emitted + 1
        stats = TokenStats(1.0, 1, ()) if logits_V is None else token_stats(self.tokenizer, logits_V, token.token_id)
        if token.text is None:
            text = self.text.push(token.token_id)
        else:
            self.text.take(token.token_id, text := token.text)
        return TokenEvent(index, token.token_id, text, weights, token.is_prompt, *stats, token.forced)


class TokenStats(NamedTuple):
    """What a model says of a token that came; see :class:`~tlora_gui.engine.protocol.texts.TokenEvent`."""

    probability: float
    rank: int
    alternatives: tuple[Alternative, ...]


def token_stats(tokenizer: Any, logits_V: Tensor, token_id: int) -> TokenStats:
    """What these logits say of a token that came."""
    probabilities_V = logits_V.float().softmax(-1)
    top = probabilities_V.topk(min(TOP_ALTERNATIVES, len(probabilities_V)))
    ids, values = top.indices.tolist(), top.values.tolist()
    probability = float(probabilities_V[token_id])
    larger = sum(value > probability for value in values)
    rank = 1 + (larger if larger < len(ids) else int((probabilities_V > probability).sum()))
    alternatives = (Alternative(tokenizer.decode([i]), value, i) for i, value in zip(ids, values, strict=True))
    return TokenStats(probability, rank, tuple(alternatives))


def _shares(output: MixtureOutput) -> Tensor:
    """Weights of the first row (T, S), scaled to sum to 1 where a blend's own do not."""
    weights_TS = output.weights_BTS[0]
    return weights_TS / weights_TS.sum(-1, keepdim=True).clamp(min=1e-9)
