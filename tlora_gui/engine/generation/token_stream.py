"""Streaming generation: one event per token, weights and probabilities out of the same pass.

A generated token carries the mix that was in force when it was predicted, that is the weights at the position
before it; a prompt token carries its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tlora_gui.engine.backbones.fast_linear import FastLinear
from tlora_gui.engine.backbones.finite import unspeakable
from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.token_text import TextStream
from tlora_gui.engine.backbones.tokenizing import EncodedText, start_token_id, vocabulary_of
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.generation.read_text import InputToken, Mix, Piece, ReadText, Step
from tlora_gui.engine.generation.sampling import Sampler, end_token_ids
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import MixingDesk, SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import PromptTooLong
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Alternative, Ending, MixReasons, TokenEvent
from tlora_gui.temporal.blend import BlendState, RowBlend
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
    blend: RowBlend,
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


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """So many of torch's threads for a while; 0 leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def input_tokens(encoded: EncodedText, *, is_prompt: bool) -> list[InputToken]:
    """Tokens of a prompt, or of a text that a person puts in."""
    pieces = zip(encoded.ids, encoded.pieces, strict=True)
    return [InputToken(token_id, is_prompt, not is_prompt, text) for token_id, text in pieces]


class TokenStream:
    """The state of one text as it grows: ids read, cache, the mixer's state, last position's logits and mix.

    A token that was drawn is read when the next is wanted, so that whatever the blend becomes in between counts.
    ``kept`` is how many tokens at the beginning belong to another text; ``names`` are those that people know the slots
    by; ``fast`` has the products that fast generation is to use; ``threads`` are torch's while more than one token is
    read (0: as many as ever), since writing waits for memory and more threads only hold up a window; ``earlier`` is a
    text that this one may begin like; where ``remembers``, :meth:`read_text` is such a text for others.
    """

    def __init__(
        self,
        model: TemporalLoRA,
        tokenizer: Any,
        blend: ScheduledBlend,
        sampling: SamplingSettings,
        names: Sequence[str] = (),
        fast: FastLinear | None = None,
        threads: int = 0,
    ) -> None:
        if fast is not None:
            model.try_cache()
        self.model = model
        self.threads = threads
        self.products: Callable[[], AbstractContextManager[None]] = fast.running if fast else nullcontext
        self.names = names
        self.tokenizer = tokenizer
        self.blend = blend
        self.kept = 0
        self.seen: list[int] = []
        self.unread: list[int] = []
        self.hidden = 0
        self.text = TextStream(tokenizer)
        self.cache: Any = None
        self.state: BlendState | None = None
        self.logits_V: Tensor | None = None
        self.mix = Mix(())
        self.sampler = Sampler(sampling, model.device)
        self.ends = end_token_ids(model, tokenizer)
        self.earlier: ReadText | None = None
        self.remembers = False
        self._steps: list[Step] = []
        self._fed: Any = None

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
        self.begin(kept or given)
        for step in self._take_over(kept, given):
            yield from self.emit(step.piece, step.told, kept)
        while (piece := self.piece(self.reading, kept, given)) is not None:
            yield from self.emit(piece, self._read(piece), kept)
        if self.remembers and not self.model.can_crop(self.cache):
            self._fed = self.model.copy_cache(self.cache)

    def begin(self, beginning: Sequence[InputToken | TokenEvent]) -> None:
        """A text begins with these tokens, behind the tokenizer's first if they are no prompt."""
        self.hidden = 0 if beginning and beginning[0].is_prompt else 1

    def read_text(self, conditions: Hashable) -> ReadText | None:
        """The beginning as it was read, if others can go on from it; this text is over."""
        cache = self.cache if self._steps and self.model.can_crop(self.cache) else self._fed
        return None if cache is None else ReadText(conditions, tuple(self._steps), cache)

    def piece(self, index: int, kept: Sequence[TokenEvent], given: Sequence[InputToken], rows: int = 1) -> Piece | None:
        """What is read in one go, by one blend, from the token ``index`` on, in a batch of so many rows; None where no
        more is given."""
        desk, stop = self.blend.desk(index + 1), index + self.blend.stays(index + 1, max(1, _PREFILL // rows))
        if index < 0:
            return Piece(index, (start_token_id(self.model.backbone, self.tokenizer),), desk, last=not kept)
        if index < len(kept):
            ids = tuple(token.token_id for token in kept[index:stop])
            return Piece(index, ids, desk, last=index + len(ids) == len(kept))
        told = tuple(given[index - len(kept) : stop - len(kept)])
        return Piece(index, tuple(token.token_id for token in told), desk, told) if told else None

    def _take_over(self, kept: Sequence[TokenEvent], given: Sequence[InputToken]) -> Sequence[Step]:
        """Go on from the earlier text, as far as this one begins alike."""
        earlier, self.earlier = self.earlier, None
        if earlier is None:
            return ()
        pieces, index = list[Piece](), self.reading
        while (piece := self.piece(index, kept, given)) is not None:
            pieces.append(piece)
            index = piece.end
        if steps := earlier.shared(self.model, pieces):
            self.cache, self._steps = earlier.cache, list(steps)
            self.seen = [token_id for step in steps for token_id in step.piece.ids]
            _, _, self.state, self.logits_V, self.mix = steps[-1]
        return steps

    def _read(self, piece: Piece) -> tuple[TokenEvent, ...]:
        before_V, before = self.logits_V, self.mix
        logits_TV, mixes = self._forward(piece.ids, keep=0 if piece.given else 1)
        told = self.tell(piece, before_V, before, logits_TV, mixes)
        if self.remembers and self.logits_V is not None:
            self._steps.append(Step(piece, told, self.state, self.logits_V.clone(), self.mix))
        return told

    @torch.inference_mode()
    def tell(
        self, piece: Piece, before_V: Tensor | None, before: Mix, logits_TV: Tensor, mixes: Sequence[Mix]
    ) -> tuple[TokenEvent, ...]:
        """What the model says of tokens that are given, whose texts are found out when they are emitted."""
        rows = [before, *mixes]
        predicting = (before_V, *logits_TV[:-1])
        return tuple(
            self._event(piece.start + offset, token, "", rows[offset + token.is_prompt], logits_V)
            for offset, (token, logits_V) in enumerate(zip(piece.given, predicting, strict=False))
        )

    def emit(self, piece: Piece, told: Sequence[TokenEvent], kept: Sequence[TokenEvent] = ()) -> Iterator[TokenEvent]:
        """The tokens of a piece that was read: what is kept of another text, or what was told of them."""
        for token in kept[max(0, piece.start) : piece.end]:
            self.text.take(token.token_id, token.text)
            yield token
        if piece.start >= len(kept):
            for given, event in zip(piece.given, told, strict=True):
                yield replace(event, text=self._shown(given))

    def next_token(self) -> TokenEvent | None:
        """Read what was drawn, draw a token and emit it; None at the end of the text."""
        if self.unread:
            self._forward(self.unread, keep=1)
        return self.draw()

    @torch.inference_mode()
    def draw(self) -> TokenEvent | None:
        """Draw a token and emit it; None at the end of the text."""
        assert self.logits_V is not None
        token_id = self.sampler.draw(self.logits_V, self.seen)
        if token_id in self.ends:
            return None
        self.unread = [token_id]
        drawn = InputToken(token_id)
        return self._event(self.reading, drawn, self._shown(drawn), self.mix, self.logits_V)

    @torch.inference_mode()
    def _forward(self, ids: Sequence[int], keep: int) -> tuple[Tensor, list[Mix]]:
        """Logits (T, V) and mixes of tokens that come next."""
        ids_1T, blend = torch.tensor([ids], device=self.model.device), self.blend.predicting(self.reading + 1)
        with self.products(), torch_threads(self.threads if len(ids) > 1 else 0):
            output: MixtureOutput = self.model(
                ids_1T, blend, cache=self.cache, mixer_state=self.state, use_cache=True, logits_to_keep=keep
            )
        self.cache, self.state = output.cache, output.mixer_state
        (mixes,) = mixes_of(self.model, output.weights_BTS, [blend], [self.state])
        self.took(ids, output.logits_BTV[0], mixes)
        return output.logits_BTV[0], mixes

    def took(self, ids: Sequence[int], logits_TV: Tensor, mixes: Sequence[Mix]) -> None:
        """These tokens were read; some last positions have logits."""
        self.seen += ids
        if not logits_TV.amax(-1).isfinite().all():
            raise unspeakable(self.model, self.names)
        self.logits_V, self.mix = logits_TV[-1].float(), mixes[-1]

    def _event(self, index: int, token: InputToken, text: str, mix: Mix, logits_V: Tensor | None) -> TokenEvent:
        stats = TokenStats(1.0, 1, ()) if logits_V is None else token_stats(self.tokenizer, logits_V, token.token_id)
        return TokenEvent(index, token.token_id, text, mix.weights, token.is_prompt, *stats, token.forced, mix.reasons)

    def _shown(self, token: InputToken) -> str:
        """What a token adds to the text."""
        if token.text is None:
            return self.text.push(token.token_id)
        self.text.take(token.token_id, token.text)
        return token.text


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


def mixes_of(
    model: TemporalLoRA, weights_BTS: Tensor, blends: Sequence[RowBlend], states: Sequence[BlendState | None]
) -> list[list[Mix]]:
    """The mix of every token of every row, its weights scaled to sum to 1 where a blend's own do not.

    ``blends`` and ``states``, the mixers' after the tokens, are each row's.
    """
    found: list[list[Mix]] = []
    shares_BTS = weights_BTS / weights_BTS.sum(-1, keepdim=True).clamp(min=1e-9)
    for blend, state, shares_TS in zip(blends, states, shares_BTS, strict=True):
        reasons = model.reasons(blend, state)
        told: Iterable[MixReasons | None] = repeat(None, len(shares_TS))
        if reasons is not None:
            told = map(MixReasons, reasons.rival_BT[0].tolist(), *reasons.nats_BT3[0].T.tolist())
        found.append([Mix(tuple(weights), why) for weights, why in zip(shares_TS.tolist(), told, strict=True)])
    return found
