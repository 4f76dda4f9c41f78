"""Handler of adapters that come from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tlora_gui.engine.backbones.invariants import refuse_unfit_slots
from tlora_gui.engine.backbones.model_folder import in_short
from tlora_gui.engine.backbones.tokenizing import chat_template, vocabulary_of
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.handlers.epochs import require_ready
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError, disk_is_full
from tlora_gui.engine.protocol.events import (
    AdapterSeen,
    CorpusRead,
    EpochFinished,
    EpochInfo,
    HeldOut,
    Progress,
    Warned,
)
from tlora_gui.engine.protocol.sentences import message_of, say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.sharing.adapter_source import adapter_folder, adapter_name, local_source
from tlora_gui.engine.sharing.foreign_adapter import LARGEST_RANK, look_at, require_bare_router
from tlora_gui.engine.storage.disk import first_line
from tlora_gui.engine.training.epoch_run import require_context
from tlora_gui.engine.training.new_slot import grown_slot, learn_slot
from tlora_gui.engine.training.preparation import epoch_blocks, remember_dreams
from tlora_gui.engine.workspace import Workspace
from tlora_gui.paths import free_name
from tlora_gui.temporal.layers import layer_size
from tlora_gui.temporal.model import TemporalLoRA

_LARGEST_LOSS = 700
"""Nats per token: perplexities beyond are no numbers."""


def import_adapter(workspace: Workspace, job: jobs.ImportAdapter, cancel: CancelToken) -> Stream:
    """Make an epoch of an adapter that was trained elsewhere, and store it.

    Raises:
        TloraError: if the adapter is none that an epoch can be, its name is taken, or there is too little text.
        Cancelled: if it was cancelled; nothing of it stays then.
    """
    model, project, epochs = workspace.model, workspace.project, workspace.epochs
    settings = job.settings
    if not job.paths:
        settings = replace(settings, sleep=replace(settings.sleep, source="dreams"))
    require_ready(workspace)
    shown = in_short(adapter_name(job.source))
    taken = {epoch.name for epoch in epochs}
    name = epochs.free_name(job.name.strip() or free_name(shown, taken.__contains__))
    colour = epochs.free_colour(job.colour)
    yield Progress(say("Looking at the adapter"))
    with TemporaryDirectory(prefix="tlora-") as unpacked:
        folder = yield from adapter_folder(job.source, Path(unpacked), _largest(model), cancel)
        adapter = look_at(model, folder, shown)
        if not job.bare_router:
            require_bare_router(model, adapter, shown)
        weights = adapter.read(model, shown)
    other, base = workspace.backbone.name, in_short(adapter.base)
    if not adapter.is_of(other, workspace.backbone.reference):
        yield Warned(
            say("{name} says that it was trained on {base}, not on {other}.", name=shown, base=base, other=other),
            say("If these are two models, delete the epoch again: its text will make no sense."),
        )
    corpus = blocks = None
    if job.paths:
        require_context(model, settings.block_size)
        tokenizer = workspace.backbone.tokenizer
        corpus = TextCorpus.from_paths(job.paths, cancel, job.reading, chat_template(tokenizer))
        blocks = yield from epoch_blocks(corpus, tokenizer, settings, cancel, vocabulary_of(model.backbone))
        yield CorpusRead(corpus.skipped, blocks.notes)
    yield from remember_dreams(model, project.index.fingerprint, cancel)
    slug = project.new_slug(name)
    info = EpochInfo(
        slug,
        name,
        job.era.strip(),
        colour,
        "training",
        corpus=corpus.paths if corpus else (),
        corpus_fingerprint=blocks.fingerprint if blocks else "",
        reading=job.reading,
    )
    lora, history = model.lora, list[HeldOut]()
    epochs.put(info)
    try:
        with grown_slot(model, slug, info.era, weights) as before:
            if adapter.first_block < model.mixer_layer:
                model.lora = replace(lora, bare_router=True)
                _try_bare_router(model, shown)
            found = yield from cancellable(learn_slot(model, slug, before, blocks, settings, history), cancel)
            if found.held_out_loss is not None and not found.held_out_loss <= _LARGEST_LOSS:
                raise TloraError(
                    say(
                        "{name} makes nothing of its text: a loss of {loss:.3g}.", name=shown, loss=found.held_out_loss
                    ),
                    say("Its numbers are damaged, or far too large; choose a whole copy of it."),
                )
            info = replace(
                epochs[slug],  # it may have been renamed meanwhile
                state="frozen",
                held_out_loss=found.held_out_loss,
                backbone_loss=found.backbone_loss,
                note=say("imported; its slot was learned from text")
                if blocks
                else say("imported; its slot was learned from its own dreams"),
            )
            try:
                project.add_epoch(info, settings, model, history)
            except OSError as error:
                if disk_is_full(error):
                    raise
                raise TloraError(
                    say("{name} could not be stored: {error}.", name=info.name, error=first_line(error)),
                    say("Mend that, then import it again."),
                ) from error
    except BaseException:
        model.lora = lora
        epochs.remove(slug)
        raise
    epochs.put(info)
    workspace.list_interrupted()
    yield workspace.changed()
    yield from history
    yield EpochFinished(info)


def look_at_adapter(workspace: Workspace, job: jobs.LookAtAdapter, cancel: CancelToken) -> Stream:
    """Which blocks an adapter changes that lies on this machine.

    Raises:
        TloraError: if it is none that an epoch can be.
        Cancelled: if it was cancelled.
    """
    model = workspace.model
    if local_source(job.source) is None:
        yield AdapterSeen(job.source, None)
        return
    with TemporaryDirectory(prefix="tlora-") as unpacked:
        folder = yield from adapter_folder(job.source, Path(unpacked), _largest(model), cancel)
        adapter = look_at(model, folder, in_short(adapter_name(job.source)))
    yield AdapterSeen(job.source, adapter.first_block)


def _largest(model: TemporalLoRA) -> int:
    """Bytes of weights that no adapter of this backbone exceeds."""
    return 4 * LARGEST_RANK * sum(sum(layer_size(module)) for module in model.all_layers.values()) + 2**24


def _try_bare_router(model: TemporalLoRA, name: str) -> None:
    try:
        refuse_unfit_slots(model)
    except ValueError as error:
        raise TloraError(
            say("{name} cannot become an epoch: {reason}.", name=name, reason=message_of(error)),
            say("Choose an adapter that changes blocks from {layer} up alone.", layer=model.mixer_layer),
        ) from error
