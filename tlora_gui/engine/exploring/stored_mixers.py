"""Mixers of the past that can speak again: which there are, over which slots, and how they weigh a text."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from tlora_gui.engine.backbones import context_length
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import MIXER_MODE, UNPROTECTED_MODE
from tlora_gui.engine.epoch_list import EpochList
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.events import MixersScrubbed, Progress, StoredMixer
from tlora_gui.engine.project import Project
from tlora_gui.engine.project_index import MixerFile, ProjectIndex
from tlora_gui.engine.texts import GenerationRecord, TokenEvent
from tlora_gui.engine.tokenizing import require_known
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

SILENT = -1e9
"""Logit of a slot that a mixer does not know: exactly 0 after any softmax, and other than an infinity it can be
averaged."""


def stored_mixers(project: Project, epochs: EpochList, slots: Sequence[str]) -> dict[StoredMixer, MixerFile]:
    """Mixers of earlier phases, oldest first, and the one that learned the latest epoch without Active Sleep.

    Args:
        project: what is on disk; a mixer whose file is gone, or whose newest epoch is, does not speak again.
        epochs: their names.
        slots: the model's now, an epoch in training included.
    """
    index = project.index
    finished = [slug for slug in slots if slug in index.folders]
    earlier = _phases(index)[: None if len(finished) < len(slots) else -1]
    told = {
        _after(epochs, entry, f"@{entry.number}", entry.slots): entry
        for entry in earlier
        if entry.slots[-1] in finished
    }
    told |= {
        StoredMixer(UNPROTECTED_MODE, "without Active Sleep", entry.slots): entry
        for entry in index.unprotected
        if entry.slots[-1] in finished[-1:]
    }
    return {mixer: entry for mixer, entry in told.items() if project.mixer_path(entry).is_file()}


def current_mixer(project: Project, epochs: EpochList, slots: Sequence[str]) -> StoredMixer:
    """The Time Mixer as it is now, named by its phase if it is at the end of one."""
    latest = _phases(project.index)[-1:]
    ended = latest and latest[0].slots[-1] in slots and all(slug in project.index.folders for slug in slots)
    return _after(epochs, latest[0], MIXER_MODE, slots) if ended else StoredMixer(MIXER_MODE, "now", tuple(slots))


def _phases(index: ProjectIndex) -> list[MixerFile]:
    """The mixers that trainings have left, not those that deletions have.

    The last of them is the current one, but for the slots of epochs that were deleted since.
    """
    before = [(), *(entry.slots for entry in index.mixers)]
    return [entry for entry, slots in zip(index.mixers, before, strict=False) if {*entry.slots} - {*slots}]


def _after(epochs: EpochList, entry: MixerFile, mode: str, slots: Sequence[str]) -> StoredMixer:
    name = epochs[entry.slots[-1]].name
    return StoredMixer(mode, f"after {name}", tuple(slots), name)


@torch.no_grad()
def over_slots(mixer: TimeMixer, known: Sequence[str], slots: Sequence[str]) -> TimeMixer:
    """Give a mixer over the backbone and ``known`` one slot for the backbone and each of ``slots`` instead.

    Epochs that it does not know get exactly 0; those that are no longer wanted leave their weight to the others.
    """
    old = mixer.head
    mixer.head = nn.Linear(old.in_features, 1 + len(slots))
    mixer.head.weight.zero_()
    mixer.head.bias.fill_(SILENT)
    rows = [0, *(1 + known.index(slug) for slug in slots if slug in known)]
    places = [0, *(place for place, slug in enumerate(slots, 1) if slug in known)]
    mixer.head.weight[places], mixer.head.bias[places] = old.weight[rows], old.bias[rows]
    return mixer.requires_grad_(False)


def scrub(
    model: TemporalLoRA,
    start_id: int,
    record: GenerationRecord,
    mixers: Sequence[tuple[StoredMixer, TimeMixer]],
    cancel: CancelToken,
) -> Generator[Progress, None, MixersScrubbed]:
    """One text under several mixers, each over its own epochs; its tokens go through the blocks below them once.

    Args:
        model: its backbone.
        start_id: what was read before a text without a prompt.
        record: the text.
        mixers: as they are told, and as they are.
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
            f"This text has {len(ids):,} tokens, but the backbone reads at most {limit:,}.",
            "Another backbone may have written it; open it in a project around that one.",
        )
    rows = [first + token.index - (not token.is_prompt) for token in tokens]
    yield Progress("Reading the text")
    hidden_1TH = _hidden(model, ids)
    told: list[tuple[TokenEvent, ...]] = []
    for stored, mixer in mixers:
        cancel.raise_if_cancelled()
        yield Progress("Asking every mixer", len(told), len(mixers), "mixers")
        weights_TS = weights_over(_weights(mixer, hidden_1TH), ["", *stored.epochs], slugs)[rows]
        if not weights_TS.isfinite().all():
            raise TloraError(
                f"The Time Mixer of the phase “{stored.name}” gives weights that are no numbers (NaN).",
                "Delete the epoch that it was trained with.",
            )
        pairs = zip(tokens, weights_TS.tolist(), strict=True)
        told.append(tuple(replace(token, weights=tuple(weights)) for token, weights in pairs))
    return MixersScrubbed(tuple(stored for stored, _ in mixers), tuple(told))


@torch.inference_mode()
def _hidden(model: TemporalLoRA, ids: list[int]) -> Tensor:
    return model.features(torch.tensor([ids], device=model.device))


@torch.inference_mode()
def _weights(mixer: TimeMixer, hidden_1TH: Tensor) -> Tensor:
    logits_1TS, _ = mixer(hidden_1TH)
    return mixer.weights(logits_1TS)[0].cpu()


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
