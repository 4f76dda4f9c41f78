"""Handlers of the epoch jobs: train, resume, keep, estimate, edit, delete."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.backbones.tokenizing import chat_template, vocabulary_of
from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.generation.token_stream import generate
from tlora_gui.engine.projects.checkpoints import FAILED
from tlora_gui.engine.projects.epoch_folder import read_facts, training_note
from tlora_gui.engine.projects.run_history import new_run
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.errors import Cancelled, EpochInterrupted, TloraError, disk_is_full
from tlora_gui.engine.protocol.events import (
    CorpusRead,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    HeldOut,
    Progress,
    SettingsLoaded,
    TrainingEvent,
    TrainingSample,
    TrainStarted,
    TrainStep,
    Warned,
)
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable, tee
from tlora_gui.engine.storage.disk import DAMAGE, first_line, require_room, unreadable
from tlora_gui.engine.training.epoch_run import EpochRun, keep, require_context, train_epoch
from tlora_gui.engine.training.preparation import epoch_blocks, remember_dreams
from tlora_gui.engine.training.probe import estimate_training
from tlora_gui.engine.workspace import Workspace


def train(workspace: Workspace, job: jobs.TrainEpoch, cancel: CancelToken) -> Stream:
    """Train a new epoch and store it.

    Raises:
        EpochInterrupted: if its name is an interrupted epoch's.
        TloraError: if its name is taken, or there is too little text.
        Cancelled: if it was discarded or suspended.
    """
    model, project, settings = workspace.model, workspace.project, job.settings
    require_ready(workspace)
    for epoch in workspace.epochs:
        if epoch.state == "interrupted" and epoch.name == job.name.strip():
            step, steps = project.checkpoints.steps(epoch.slug)
            raise EpochInterrupted(
                epoch.slug,
                say("{name} was interrupted at step {step:,} of {steps:,}.", name=epoch.name, step=step, steps=steps),
            )
    if job.replaces and workspace.epochs[job.replaces].state != "broken":
        raise TloraError(
            say("{name} is not broken.", name=workspace.epochs[job.replaces].name),
            say("Train an epoch of another name."),
        )
    name = workspace.epochs.free_name(job.name, job.replaces)
    colour = workspace.epochs.free_colour(job.colour)
    require_context(model, settings.block_size)
    yield Progress(say("Reading the corpus"))
    tokenizer, vocabulary = workspace.backbone.tokenizer, vocabulary_of(model.backbone)
    corpus = TextCorpus.from_paths(job.paths, cancel, job.reading, chat_template(tokenizer))
    with workspace.ranks.first_alone():
        blocks = yield from epoch_blocks(corpus, tokenizer, settings, cancel, vocabulary)
        yield CorpusRead(corpus.skipped, blocks.notes)
        yield from remember_dreams(model, project.index.fingerprint, cancel)
    slug = project.new_slug(name)
    project.checkpoints.drop(slug)  # what a crash may have left of another one
    info = EpochInfo(
        slug,
        name,
        job.era.strip(),
        colour,
        "training",
        corpus=corpus.paths,
        corpus_fingerprint=blocks.fingerprint,
        reading=job.reading,
        replaces=job.replaces,
    )
    yield from _recorded(workspace, info, _begin(workspace, info, blocks, settings), [], cancel)


def resume(workspace: Workspace, slug: str, cancel: CancelToken, *, learn: bool = True) -> Stream:
    """Go on with an interrupted epoch and store it; without ``learn`` as it is.

    Raises:
        TloraError: if its checkpoint is damaged, or the epochs before it have changed since.
        Cancelled: if it was discarded or suspended.
    """
    require_ready(workspace)
    vocabulary = vocabulary_of(workspace.model.backbone)
    info, settings, blocks, state = workspace.project.checkpoints.read(workspace.epochs[slug].slug, vocabulary)
    with workspace.ranks.first_alone():
        yield from remember_dreams(workspace.model, workspace.project.index.fingerprint, cancel)
    run = _begin(workspace, info, blocks, settings)
    try:
        run.load_state_dict(state)
    except (ValueError, KeyError, RuntimeError) as error:
        run.undo()
        raise TloraError(
            say("{name} cannot go on: {error}.", name=info.name, error=first_line(error)),
            say("Undo what was changed since, or delete this interrupted epoch and train it again."),
        ) from error
    done = {TrainStep: run.step, HeldOut: run.measured_at, TrainingSample: run.sampled_at}
    # A crash can leave more history than the checkpoint has come to.
    history = [event for event in workspace.project.read_history(slug) if event.step <= done[type(event)]]
    yield from _recorded(workspace, replace(info, state="training", note=""), run, history, cancel, learn=learn)


def estimate(workspace: Workspace, job: jobs.EstimateTraining, cancel: CancelToken) -> Stream:
    """Tell what a training would take.

    Raises:
        TloraError: if another epoch is in training, or there is no text, or one block of it does not fit into memory.
    """
    require_ready(workspace)
    require_context(workspace.model, job.settings.block_size)
    vocabulary = vocabulary_of(workspace.model.backbone)
    found = estimate_training(workspace.model, job.settings, job.tokens, vocabulary, workspace.probed)
    yield (yield from cancellable(found, cancel))


def settings_of(workspace: Workspace, slug: str) -> SettingsLoaded:
    """How an epoch was trained, finished or interrupted.

    Raises:
        TloraError: if there is no such epoch, or its settings cannot be read.
    """
    project = workspace.project
    folder = project.folder(workspace.epochs[slug].slug)
    try:
        return SettingsLoaded(slug, read_facts(folder, project.index.format)[1])
    except DAMAGE as error:
        raise unreadable(folder / "epoch.json", error, say("Choose another epoch.")) from error


def require_ready(workspace: Workspace) -> None:
    """Refuse to build on the mixture as :func:`require_at_rest` does, or while its mixer stands in for a damaged one.

    Raises:
        TloraError: says which.
    """
    workspace.project.require_whole_mixer()
    require_at_rest(workspace)


def require_at_rest(workspace: Workspace) -> None:
    """Refuse to change the mixture while an epoch is in training, or while it holds what is no number.

    Raises:
        TloraError: says which.
    """
    for epoch in workspace.epochs:
        if epoch.state == "training":
            raise TloraError(say("{name} is in training.", name=epoch.name), say("Wait for its end, or stop it first."))
    require_finite(workspace.model, [slot.name for slot in workspace.slots()])


def _begin(workspace: Workspace, info: EpochInfo, blocks: TokenBlocks, settings: TrainSettings) -> EpochRun:
    """An untrained adapter and its run; if that fails, the model is as it was.

    Raises:
        TloraError: if there is no room for what it will store.
    """
    workspace.ranks.shard(workspace.model)
    workspace.model.add_adapter(info.slug, info.era, settings.seed)
    try:
        adapter = sum(tensor.nbytes for tensor in workspace.model.adapter_parameters(info.slug).values())
        memory = 2 * settings.sleep.memory_tokens * workspace.model.mixer.hidden_size
        require_room(workspace.project.path / "epochs", _CHECKPOINTS * adapter + memory)
        return EpochRun(workspace.model, info.slug, blocks, settings, workspace.ranks)
    except BaseException:
        workspace.model.remove_adapter(info.slug)
        raise


_CHECKPOINTS = 9
"""Times an adapter's size that its training takes on disk: in a checkpoint the weights, two figures of AdamW for each
and the best step, twice while one takes the place of another; and the finished epoch."""


def _recorded(
    workspace: Workspace,
    info: EpochInfo,
    run: EpochRun,
    history: list[TrainingEvent],
    cancel: CancelToken,
    *,
    learn: bool = True,
) -> Stream:
    """:func:`_run`, kept in the project's history of runs, however it ends."""
    project, record = workspace.project, new_run(info, run.settings, workspace.backbone_info())
    history = project.checkpoints.begin(info, run.settings, history, project.is_there)
    training = _run(workspace, info, run, history, cancel, learn=learn)
    yield from project.runs.record(record, training, history, cancel, goes_on=run.step > 0)


def _run(
    workspace: Workspace,
    info: EpochInfo,
    run: EpochRun,
    history: list[TrainingEvent],
    cancel: CancelToken,
    *,
    learn: bool = True,
) -> Stream:
    """Train to the end and store the epoch; on any other end but a discarded one keep what is learned as a checkpoint,
    and put the list of epochs right.
    """
    project, epochs, settings = workspace.project, workspace.epochs, run.settings
    epochs.put(info)

    def checkpoint(run: EpochRun) -> None:
        project.require_writable()
        note = ""
        if isinstance(run.end, Exception) and not isinstance(run.end, Cancelled):
            note = FAILED + (run.end.message if isinstance(run.end, TloraError) else first_line(run.end)).rstrip(".")
        project.checkpoints.save(replace(epochs[info.slug], note=note), settings, run.blocks, run.state_dict(), history)

    def sample(run: EpochRun) -> Generator[Progress, None, TrainingSample]:
        tokens = []
        sampling = SamplingSettings(max_new_tokens=settings.sample_tokens)
        text = generate(
            run.model, workspace.backbone.tokenizer, settings.sample_prompt, "mixer", sampling, CancelToken()
        )
        for token in text:
            tokens.append(replace(token, alternatives=()))
            yield Progress(say("Taking a sample"), len(tokens))
        return TrainingSample(info.slug, run.step, workspace.slots(), tuple(tokens))

    writer = checkpoint if workspace.ranks.is_first else None
    training = train_epoch(run.model, info.slug, run.blocks, settings, cancel, run, writer, sample, learn)
    try:
        yield workspace.changed()
        yield TrainStarted(info, run.total_steps, run.step)
        result = yield from tee(training, history)
        info = replace(
            epochs[info.slug],  # it may have been renamed meanwhile
            state="frozen",
            tokens=result.tokens,
            held_out_loss=result.held_out_loss,
            backbone_loss=result.backbone_loss,
            note=_note(run),
            kept_step=run.kept_step,
        )
        baseline = run.baseline.mixer if run.baseline else None
        try:
            project.add_epoch(info, settings, run.model, history, baseline)
        except BaseException as error:
            run.end = error
            yield from keep(run, checkpoint)
            if isinstance(error, OSError) and not disk_is_full(error):
                raise TloraError(
                    say(
                        "{name} is trained, but could not be stored: {error}.", name=info.name, error=first_line(error)
                    ),
                    say("Mend that, then let the training go on: the epoch is stored at once."),
                ) from error
            raise
    except BaseException as end:
        if info.slug in run.model.adapters:  # not begun, or trained but not stored
            run.undo()
        if isinstance(end, Cancelled) and cancel.mode == "discard":
            project.checkpoints.drop(info.slug)
        if project.is_there():
            project.checkpoints.end(epochs[info.slug], settings)
        epochs.remove(info.slug)
        workspace.list_interrupted()
        if not isinstance(end, GeneratorExit):
            yield workspace.changed()
            if isinstance(end, Exception) and not isinstance(end, Cancelled):
                yield from (
                    Warned(
                        say(
                            "{name}: {note}.",
                            name=epoch.name,
                            note=say("stopped after step {step:,} of {steps:,}", step=run.step, steps=run.total_steps),
                        ),
                        say("What it learned is kept; it can go on from there."),
                    )
                    for epoch in epochs
                    if epoch.slug == info.slug
                )
        raise
    epochs.remove(info.replaces)
    info = replace(info, replaces="")
    epochs.put(info)
    workspace.list_interrupted()
    yield EpochFinished(info)
    yield workspace.changed()


def _note(run: EpochRun) -> str:
    """What is unusual about a finished training."""
    settings, stopped = run.settings, (run.step, run.total_steps) if run.step < run.total_steps else None
    alone = settings.compare_unprotected and settings.objective == "joint" and run.learner.teacher is not None
    return training_note(stopped, compared=not alone, kept_step=run.kept_step)


def edit(workspace: Workspace, job: jobs.EditEpoch) -> EpochsChanged:
    """Rename or recolour an epoch.

    Raises:
        TloraError: if the name is empty or taken, or there is no such epoch.
    """
    name = workspace.epochs.free_name(job.name, job.slug)
    info = replace(
        workspace.epochs[job.slug], name=name, era=job.era.strip(), colour=workspace.epochs.free_colour(job.colour)
    )
    if info.state in ("frozen", "interrupted"):
        workspace.project.edit_epoch(info)
    workspace.epochs.put(info)
    return workspace.changed()


def delete(workspace: Workspace, slug: str) -> EpochsChanged:
    """Take an epoch out of the mixture, or drop the checkpoint of an interrupted one.

    Raises:
        TloraError: if it is in training, or there is no such epoch.
    """
    model, project, info = workspace.model, workspace.project, workspace.epochs[slug]
    if info.state == "training":
        raise TloraError(say("{name} is in training.", name=info.name), say("Stop the training first."))
    if slug in project.index.folders:
        if slug in model.adapters:
            model.remove_adapter(slug)
        try:
            project.remove_epoch(slug, model)
        except BaseException:
            workspace.load()
            raise
    else:
        project.checkpoints.drop(slug)
        project.runs.discard(slug)
    workspace.epochs.remove(slug)
    workspace.list_interrupted()
    return workspace.changed()
