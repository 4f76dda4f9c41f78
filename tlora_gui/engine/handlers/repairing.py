"""Handlers of what makes a project whole again: memories of epochs, and the Time Mixer. A broken epoch is trained again
by :func:`~tlora_gui.engine.handlers.epochs.train`."""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import replace

from tlora_gui.engine.backbones.tokenizing import chat_template, vocabulary_of
from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.handlers.epochs import require_at_rest
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SLOT_SETTINGS, TrainSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import EpochInfo, EpochsChanged, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.training.dreams import dreamt_memory
from tlora_gui.engine.training.epoch_run import eval_features, leave_memory
from tlora_gui.engine.training.new_slot import learn_slot_again
from tlora_gui.engine.training.preparation import epoch_blocks, remember_backbone, remember_dreams
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.active_sleep import freeze_teacher


def repair_memory(workspace: Workspace, slug: str, cancel: CancelToken) -> Stream:
    """Make an epoch's memory again, and store it.

    Raises:
        TloraError: if the epoch does not speak, or has its memory, or another one is in training.
        Cancelled: if it was cancelled; nothing is changed then.
    """
    require_at_rest(workspace)
    epoch = workspace.epochs[slug]
    if slug not in workspace.model.slot_adapters:
        raise TloraError(say("{name} is broken.", name=epoch.name), say("Train it again from its text."))
    if slug not in workspace.project.without_memory:
        raise TloraError(say("{name} has its memory.", name=epoch.name))
    yield from _remember(workspace, slug, cancel)
    yield workspace.changed()


def _remember(workspace: Workspace, slug: str, cancel: CancelToken) -> Generator[Progress, None, None]:
    model, project = workspace.model, workspace.project
    slot = 1 + model.slot_adapters.index(slug)
    info, settings = project.read_epoch(slug)
    yield from remember_backbone(model, project.index.fingerprint, cancel)
    blocks = yield from _same_text(workspace, info, settings, cancel)
    if blocks is None:
        made = dreamt_memory(model, slot, settings.seed, settings.sleep.memory_tokens)
    else:
        made = leave_memory(model, slot, blocks, settings, eval_features(model, blocks, settings.block_size))
    memory = yield from cancellable(made, cancel)
    project.write_memory(slug, memory)
    model.memories[slug] = memory
    workspace.epochs.put(replace(workspace.epochs[slug], note=info.note))


def _same_text(
    workspace: Workspace, info: EpochInfo, settings: TrainSettings, cancel: CancelToken
) -> Generator[Progress, None, TokenBlocks | None]:
    """An epoch's text, if it is what it was trained on: in other text, what is held out may have been trained on."""
    if not info.corpus_fingerprint:
        return None
    tokenizer = workspace.backbone.tokenizer
    try:
        corpus = TextCorpus.from_paths(info.corpus, cancel, info.reading, chat_template(tokenizer))
        blocks = yield from epoch_blocks(corpus, tokenizer, settings, cancel, vocabulary_of(workspace.model.backbone))
    except TloraError:  # it is gone
        return None
    return blocks if blocks.fingerprint == info.corpus_fingerprint else None


def repair_mixer(workspace: Workspace, cancel: CancelToken) -> Generator[Progress | EpochsChanged, None, None]:
    """Teach the mixer that is used in place of a damaged one the epochs that it does not know, and make it current.

    Raises:
        TloraError: if the Time Mixer is whole, or an epoch is in training.
        Cancelled: if it was cancelled; nothing is changed then.
    """
    require_at_rest(workspace)
    model, project = workspace.model, workspace.project
    if not project.mixer_damage:
        raise TloraError(say("The Time Mixer is whole."))
    yield from remember_dreams(model, project.index.fingerprint, cancel)
    for slug in project.unlearned:
        if slug in project.without_memory:
            yield from _remember(workspace, slug, cancel)
    slots, grown = list(model.slot_adapters), model.mixer
    mixer = copy.deepcopy(grown)
    for _ in project.unlearned:
        mixer.remove_slot(mixer.slots - 1)
    try:
        model.set_slots(slots[: mixer.slots - 1], mixer)
        for slug in project.unlearned:
            before = freeze_teacher(model.mixer)
            model.mixer.add_slot()
            model.set_slots([*model.slot_adapters, slug], model.mixer)
            yield from cancellable(learn_slot_again(model, before, model.memories[slug], SLOT_SETTINGS), cancel)
        project.restore_mixer(model)
    except BaseException:
        model.set_slots(slots, grown)
        raise
    workspace.list_interrupted()
    yield workspace.changed()
