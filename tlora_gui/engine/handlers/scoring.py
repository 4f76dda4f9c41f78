"""Handlers of the score jobs: the mix at every token of a given text, how well every slot alone predicts it, and where
its segments begin by that evidence.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.tokenizing import EncodedText, vocabulary_of
from tlora_gui.engine.corpus.documents import read_text
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.segments import segments
from tlora_gui.engine.generation.token_stream import TokenStream, input_tokens
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import Cancelled, TloraError, cause
from tlora_gui.engine.protocol.events import GenerationStarted, Progress, PromptTooLong
from tlora_gui.engine.protocol.metrics import switch_lag
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream
from tlora_gui.engine.protocol.texts import DeskChange, Generation, ReadReport, SlotInfo, TokenEvent
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.model import TemporalLoRA

FILE_LIMIT = 32 * 2**20
"""Characters of a file that are looked at, far more than any context holds."""
_PIECE = 256


def score(workspace: Workspace, job: jobs.ScoreText | jobs.ScoreTextFile, cancel: CancelToken) -> Stream:
    """Emit the tokens of a text with their mix, then measure it; both are kept.

    Stopped in between, what was emitted is kept without a report, unless it is to be discarded.

    Raises:
        TloraError: if there is nothing to read, more than the context holds and it may not be cut, or an
            epoch holds NaN.
        Cancelled: before the first token, or if the token is set to discard.
    """
    given = job.text if isinstance(job, jobs.ScoreText) else text_of_file(job.path)
    slots, blend = workspace.slots(), workspace.blend(job.mode)
    require_finite(workspace.model, [slot.name for slot in slots])
    encoded, misfit = _fitted(workspace, given)
    if misfit and not job.cut:
        yield misfit
        raise TloraError(
            say(
                "The text has {tokens:,} tokens, but the backbone reads at most {limit:,}.",
                tokens=misfit.tokens,
                limit=misfit.limit,
            ),
            say("Have its beginning read, or choose a shorter text."),
        )
    text = encoded.text
    sampling, scheduled = SamplingSettings(), ScheduledBlend(blend, [s.slug for s in slots], [DeskChange(0, job.desk)])
    yield GenerationStarted(text, job.mode, sampling, slots)
    tokens: list[TokenEvent] = []
    yield from _score_tokens(workspace, encoded, scheduled, tokens, cancel)
    record = Generation(text, job.mode, sampling, slots, tuple(tokens), "stopped", 0.0, desk=scheduled.changes)
    if report := (yield from _report(workspace.model, slots, tokens, len(given) - len(text), cancel)):
        record = replace(record, ended="read", report=report)
    if cancel.mode == "discard":
        raise Cancelled
    yield from workspace.project.generations.finish(record)


def text_of_file(path: str, notes: list[str] | None = None) -> str:
    """The text of a file, read as a corpus would be; ``notes`` gets what is unusual about it.

    Raises:
        TloraError: if it is not there, cannot be read, or is not text.
    """
    try:
        if Path(path).is_dir():
            raise TloraError(say("{path} is a folder.", path=path), say("Choose a text file in it."))
        corpus = TextCorpus.from_paths([path])
    except OSError as error:
        raise TloraError(
            say("{path} cannot be read: {reason}.", path=path, reason=cause(error)), say("Choose another file.")
        ) from error
    remarks = [*corpus.skipped]
    text = "".join(read_text(source, remarks, FILE_LIMIT) for source in corpus.sources)
    if not text and remarks:
        raise TloraError(say("{path}: {reason}.", path=path, reason=remarks[-1][1]), say("Choose a plain text file."))
    if notes is not None:
        notes += [remark for _, remark in remarks]
    return text


def _fitted(workspace: Workspace, text: str) -> tuple[EncodedText, PromptTooLong | None]:
    if not text.strip():
        raise TloraError(say("There is no text to read."), say("Paste a text or open a file that has one."))
    backbone = workspace.model.backbone
    encoded, misfit = fit_context(workspace.backbone.tokenizer, text, context_length(backbone), vocabulary_of(backbone))
    if len(encoded.ids) < 2:
        raise TloraError(say("One token is too little to read."), say("Paste or open a longer text."))
    return encoded, misfit


def _score_tokens(
    workspace: Workspace, encoded: EncodedText, scheduled: ScheduledBlend, into: list[TokenEvent], cancel: CancelToken
) -> Stream:
    """Emit the tokens of a text until its end or a stop, and keep them."""
    given = input_tokens(encoded, is_prompt=True)
    yield Progress(say("Reading the text"), 0, len(given), say("tokens"))
    cancel.raise_if_cancelled()
    stream = TokenStream(workspace.model, workspace.backbone.tokenizer, scheduled, SamplingSettings())
    for token in stream.feed([], given):
        into.append(token)
        yield token
        if cancel.mode:
            return
        if len(into) % _PIECE == 0:
            yield Progress(say("Reading the text"), len(into), len(given), say("tokens"))


def _report(
    model: TemporalLoRA, slots: Sequence[SlotInfo], tokens: Sequence[TokenEvent], unread: int, cancel: CancelToken
) -> Generator[Progress, None, ReadReport | None]:
    """What every slot alone makes of a text that was emitted; None if it was stopped."""
    ids = [token.token_id for token in tokens]
    found: list[list[float]] = []
    for slot, info in enumerate(slots):
        found.append([])
        for piece in log_likelihoods(model, ids, slot, cancel):
            found[-1] += piece
            yield Progress(say("Reading as {name} alone", name=info.name), len(found[-1]), len(ids), say("tokens"))
    if cancel.mode:
        return None
    smoothed_1TS = model.smoothed(torch.tensor([ids], device=model.device))
    if smoothed_1TS is None:
        parts = segments(list(zip(*found, strict=True)))
    else:
        parts = segments(smoothed_1TS[0].clamp(min=sys.float_info.min).log().tolist(), price=0.0)
    ends = [*(part.first for part in parts[1:]), len(tokens)]
    lags = (
        switch_lag([token.weights[part.slot] for token in tokens[part.first : end]])
        for part, end in zip(parts, ends, strict=True)
    )
    losses = ((info.slug, -fmean(alone[1:])) for info, alone in zip(slots, found, strict=True))
    mix_loss = -fmean(log(max(token.probability, sys.float_info.min)) for token in tokens[1:])
    return ReadReport(tuple(losses), mix_loss, tuple(parts), tuple(lags), unread)


def log_likelihoods(model: TemporalLoRA, ids: list[int], slot: int, cancel: CancelToken) -> Iterator[list[float]]:
    """Log-likelihood of every token under one slot alone, given those before it, in nats; 0 for the first.

    It comes in pieces, so that the (tokens × vocabulary) logits never stand in memory whole; no more once cancelled.
    """
    cache: Any = None
    for start in range(0, len(ids), _PIECE):
        if cancel.mode:
            return
        found, cache = _piece(model, ids[start : start + _PIECE + 1], slot, cache)
        yield found if start else [0.0, *found]


@torch.inference_mode()
def _piece(model: TemporalLoRA, ids: list[int], slot: int, cache: Any) -> tuple[list[float], Any]:
    """Log-likelihoods of a piece's tokens after the first, all but the last of which is read if it is a full one."""
    ids_T = torch.tensor(ids, device=model.device)
    output = model(ids_T[None, :_PIECE], slot, cache=cache, use_cache=True)
    log_likelihoods_T = -cross_entropy(output.logits_BTV[0, : len(ids) - 1].float(), ids_T[1:], reduction="none")
    return log_likelihoods_T.tolist(), output.cache
