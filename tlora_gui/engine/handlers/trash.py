"""Handler that brings a deleted epoch back."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from tlora_gui.engine.handlers.epochs import edit, require_ready
from tlora_gui.engine.projects.adapter_folder import read_adapter
from tlora_gui.engine.projects.epoch_folder import read_facts, read_memory, with_slot_learned_again
from tlora_gui.engine.projects.trash import Thrown
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SLOT_SETTINGS
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import ProjectOpened, StreamEvent
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.storage.disk import DAMAGE, unreadable
from tlora_gui.engine.training.new_slot import grown_slot, learn_slot_again
from tlora_gui.engine.training.preparation import remember_dreams
from tlora_gui.engine.workspace import Workspace
from tlora_gui.paths import free_name


def restore_epoch(workspace: Workspace, slug: str, cancel: CancelToken) -> Stream:
    """Bring a deleted epoch back, as it was if nothing was learned since; else its slot is learned anew.

    Its slug and its name are others if they have been given away meanwhile.

    Raises:
        TloraError: if it is not in the trash or damaged, or an epoch is in training.
        Cancelled: if it was cancelled while the mixer learned.
    """
    require_ready(workspace)
    project = workspace.project
    thrown = project.thrown_epoch(slug)
    given_away = slug in {epoch.slug for epoch in workspace.epochs}
    if not given_away and project.restore_epoch(thrown, workspace.model):
        workspace.load()
    else:
        slug = yield from _learn_again(workspace, thrown, given_away, cancel)
    info, names = workspace.epochs[slug], {epoch.name for epoch in workspace.epochs if epoch.slug != slug}
    if info.name in names:
        edit(workspace, jobs.EditEpoch(slug, free_name(info.name, names.__contains__), info.era, info.colour))
    yield ProjectOpened(workspace.info())


def _learn_again(
    workspace: Workspace, thrown: Thrown, given_away: bool, cancel: CancelToken
) -> Generator[StreamEvent, None, str]:
    """Teach the mixer a slot for a deleted epoch and store both; returns the epoch's slug."""
    model, project, epochs = workspace.model, workspace.project, workspace.epochs
    try:
        info, settings = read_facts(thrown.folder)
        memory, weights = read_memory(thrown.folder, model), read_adapter(model, thrown.folder)
    except DAMAGE as error:
        raise unreadable(thrown.folder, error, say("It stays in the trash.")) from error
    if memory is None:
        raise TloraError(
            say("{name} has no memory to learn its slot from.", name=info.name), say("It stays in the trash.")
        )
    slug = project.new_slug(info.name) if given_away else thrown.id
    yield from remember_dreams(model, project.index.fingerprint, cancel)
    epochs.put(replace(info, slug=slug, state="training"))
    try:
        with grown_slot(model, slug, info.era, weights) as before:
            yield from cancellable(learn_slot_again(model, before, memory, SLOT_SETTINGS), cancel)
            model.memories[slug] = memory
            info = replace(epochs[slug], state="frozen", note=with_slot_learned_again(info.note))
            project.add_again(thrown, info, settings, model)
    except BaseException:
        epochs.remove(slug)
        raise
    epochs.put(info)
    workspace.list_interrupted()
    return slug
