"""Mixers of earlier phases that can be used again: which there are, and over which slots."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_index import MixerFile, ProjectIndex
from tlora_gui.engine.protocol.config import BASELINE_MODE, MIXER_MODE
from tlora_gui.engine.protocol.events import StoredMixer
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.temporal.time_mixer import TimeMixer

SILENT = -1e9
"""Logit of a slot that a mixer does not know: exactly 0 after any softmax, and other than an infinity it can be
averaged."""


def stored_mixers(project: Project, epochs: EpochList, slots: Sequence[str]) -> dict[StoredMixer, MixerFile]:
    """Mixers of earlier phases, oldest first, and the one that learned the latest epoch without Active Sleep.

    Args:
        project: what is on disk; a mixer whose file is gone, or whose newest epoch is, is left out.
        epochs: their names.
        slots: the model's now, an epoch in training included.
    """
    index = project.index
    finished = [slug for slug in slots if slug in index.folders]
    earlier = _phases(index)[: None if len(finished) < len(slots) else -1]
    found = {
        _after(epochs, entry, f"@{entry.number}", entry.slots): entry
        for entry in earlier
        if entry.slots[-1] in finished
    }
    found |= {
        StoredMixer(BASELINE_MODE, say("without Active Sleep"), entry.slots): entry
        for entry in index.baselines
        if entry.slots[-1] in finished[-1:]
    }
    return {mixer: entry for mixer, entry in found.items() if project.mixer_path(entry).is_file()}


def current_mixer(project: Project, epochs: EpochList, slots: Sequence[str]) -> StoredMixer:
    """The Time Mixer as it is now, named by its phase if it is at the end of one."""
    latest = [] if project.mixer_damage else _phases(project.index)[-1:]
    ended = latest and latest[0].slots[-1] in slots and all(slug in project.index.folders for slug in slots)
    return _after(epochs, latest[0], MIXER_MODE, slots) if ended else StoredMixer(MIXER_MODE, say("now"), tuple(slots))


def _phases(index: ProjectIndex) -> list[MixerFile]:
    """The mixers that trainings have left, not those that deletions have.

    The last of them is the current one, but for the slots of epochs that were deleted since.
    """
    before = [(), *(entry.slots for entry in index.mixers)]
    return [entry for entry, slots in zip(index.mixers, before, strict=False) if {*entry.slots} - {*slots}]


def _after(epochs: EpochList, entry: MixerFile, mode: str, slots: Sequence[str]) -> StoredMixer:
    name = epochs[entry.slots[-1]].name
    return StoredMixer(mode, say("after {name}", name=name), tuple(slots), name)


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
    kept = [0, *(slot for slot, slug in enumerate(slots, 1) if slug in known)]
    mixer.head.weight[kept], mixer.head.bias[kept] = old.weight[rows], old.bias[rows]
    if mixer.settings.filters:
        prior_S = torch.full((1 + len(slots),), SILENT)
        prior_S[kept] = mixer.filter_prior[rows]
        mixer.filter_prior = prior_S
    return mixer.requires_grad_(False)
