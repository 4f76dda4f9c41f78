"""Handler of the mixer timeline: the weights that every mixer of earlier phases gives the tokens of one text."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.tokenizing import require_known
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import MixerTimeline, Progress, StoredMixer
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import Generation, TokenEvent
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


def mixer_timeline(
    model: TemporalLoRA,
    start_id: int,
    record: Generation,
    mixers: Sequence[tuple[StoredMixer, TimeMixer]],
    cancel: CancelToken,
) -> Generator[Progress, None, MixerTimeline]:
    """One text under several mixers, each over its own epochs; its tokens go through the blocks below them once.

    Args:
        model: its backbone.
        start_id: what was read before a text without a prompt.
        record: the text.
        mixers: as people know them, and themselves.
        cancel: looked at between two mixers.

    Raises:
        TloraError: if the text is not one that this backbone can read, or a mixer holds NaN.
        Cancelled: by any mode.
    """
    tokens, slugs = record.tokens, [slot.slug for slot in record.slots]
    first = 0 if tokens and tokens[0].is_prompt else 1
    ids = [start_id] * first + [token.token_id for token in tokens]
    require_known(model.backbone, ids)
    if len(ids) > (limit := context_length(model.backbone)):
        raise TloraError(
            say(
                "This text has {count:,} tokens, but the backbone reads at most {limit:,}.", count=len(ids), limit=limit
            ),
            say("Another backbone may have written it; open it in a project around that one."),
        )
    rows = [first + token.index - (not token.is_prompt) for token in tokens]
    yield Progress(say("Reading the text"))
    ids_1T = torch.tensor([ids], device=model.device)
    with torch.inference_mode():
        hidden_1TH = model.features(ids_1T)
    versions: list[tuple[TokenEvent, ...]] = []
    for stored, mixer in mixers:
        cancel.raise_if_cancelled()
        yield Progress(say("Asking every mixer"), len(versions), len(mixers), say("mixers"))
        with torch.inference_mode():
            read_1TS = model.count_evidence(ids_1T, stored.epochs)
            logits_1TS, _ = mixer(hidden_1TH, count_evidence_BTS=read_1TS)
            weights_TS = mixer.weights(logits_1TS)[0].cpu()
        weights_TS = weights_over(weights_TS, ["", *stored.epochs], slugs)[rows]
        if not weights_TS.isfinite().all():
            raise TloraError(
                say(
                    "The Time Mixer of the phase “{name}” gives weights that are no numbers (NaN).",
                    name=stored.name,
                ),
                say("Delete the epoch that it was trained with."),
            )
        pairs = zip(tokens, weights_TS.tolist(), strict=True)
        versions.append(tuple(replace(token, weights=tuple(weights), reasons=None) for token, weights in pairs))
    return MixerTimeline(tuple(stored for stored, _ in mixers), tuple(versions))


def weights_over(weights_TS: Tensor, known: Sequence[str], slugs: Sequence[str]) -> Tensor:
    """Weights over the slots ``known`` as weights over the slots ``slugs``; the backbone ("") is the first of both.

    Weight of slots that are not among them goes to no one, and the rest is scaled to sum to 1; if nothing is left, the
    backbone has it all.
    """
    shared_TS = torch.zeros(len(weights_TS), len(slugs))
    for slot, slug in enumerate(slugs):
        if slug in known:
            shared_TS[:, slot] = weights_TS[:, known.index(slug)]
    shared_TS[shared_TS.sum(-1) == 0, 0] = 1.0
    return shared_TS / shared_TS.sum(-1, keepdim=True)
