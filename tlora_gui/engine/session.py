"""The engine's one entry point: a session holds an open project, and ``run(job)`` streams what happens."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from filelock import BaseFileLock

from tlora_gui.engine.backbones import starter
from tlora_gui.engine.backbones.invariants import refuse_unfit
from tlora_gui.engine.backbones.loading import Backbone, fingerprint, load_backbone, local_path, state_hash
from tlora_gui.engine.backbones.tokenizing import chat_template, start_token_id, vocabulary_of
from tlora_gui.engine.corpus.blocks import summarise
from tlora_gui.engine.corpus.preview import preview
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.handlers import copies, epochs, runs, texts
from tlora_gui.engine.handlers.adapters import import_adapter, look_at_adapter
from tlora_gui.engine.handlers.counterfactuals import predict_counterfactual
from tlora_gui.engine.handlers.evaluating import evaluate_project
from tlora_gui.engine.handlers.exporting import export
from tlora_gui.engine.handlers.following import follow
from tlora_gui.engine.handlers.generating import generate_rows, generate_text
from tlora_gui.engine.handlers.mixer_timeline import mixer_timeline
from tlora_gui.engine.handlers.repairing import repair_memory, repair_mixer
from tlora_gui.engine.handlers.scoring import score
from tlora_gui.engine.handlers.trash import restore_epoch
from tlora_gui.engine.projects.migration import FORMAT_VERSION, migrate
from tlora_gui.engine.projects.new_folder import new_folder, remove_unused
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_index import ProjectIndex
from tlora_gui.engine.projects.project_lock import lock_project
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import (
    STARTER,
    STRATEGIES,
    SWITCHINGS,
    LoraSettings,
    MixerSettings,
    MixingDesk,
    TrainSettings,
)
from tlora_gui.engine.protocol.errors import BackboneMissing, TloraError, disk_is_full, out_of_memory
from tlora_gui.engine.protocol.events import (
    BlocksPreviewed,
    CorpusSummarised,
    DemoCorpora,
    EpochInfo,
    Progress,
    ProjectInfo,
    ProjectOpened,
    StreamEvent,
    TrashListed,
    Warned,
    WeightsHashed,
)
from tlora_gui.engine.protocol.sentences import message_of, say
from tlora_gui.engine.protocol.streams import Stream
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.storage.disk import absolute, first_line, is_path
from tlora_gui.engine.training.ranks import Ranks
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.model import TemporalLoRA


class Session:
    """Holds one open project at a time. Not thread-safe: whoever runs jobs does so on one thread.

    Args:
        threads: CPU threads for torch; None leaves torch's choice.
        reading: the same while a text or a prompt is read; None takes torch's choice, if it is more.

    Attributes:
        ranks: the processes that train together, each by a session with a project of its own.
    """

    def __init__(self, threads: int | None = None, reading: int | None = None) -> None:
        self._reading_threads = reading or max(torch.get_num_threads(), threads or 1)
        if threads:
            torch.set_num_threads(threads)
        self.ranks = Ranks()
        self._open: Workspace | None = None
        self._lock: BaseFileLock | None = None
        self._made: list[Path] | None = None

    @property
    def project(self) -> Project | None:
        """The open project's folder."""
        return self._open.project if self._open else None

    @property
    def model(self) -> TemporalLoRA | None:
        """The open project's model."""
        return self._open.model if self._open else None

    def close(self) -> None:
        """Let go of the open project, if there is one. The end of the process does the same."""
        self._open = self._made = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def info(self) -> ProjectInfo:
        """The open project, whole."""
        return self._workspace().info()

    def slots(self) -> tuple[SlotInfo, ...]:
        """The mixer's slots as people see them, the backbone first."""
        return self._workspace().slots()

    def ended_by_training(self) -> tuple[EpochInfo, ...]:
        """The interrupted epochs that can go on now, and never again once another epoch is trained or deleted."""
        workspace = self._workspace()
        return tuple(epoch for epoch in workspace.epochs if workspace.goes_on(epoch))

    def set_desk(self, desk: MixingDesk) -> None:
        """Turn the mixing desk: it counts from the next token of the generation that is running, if one is."""
        if self._open is not None and self._open.generating is not None:
            self._open.generating.set_desk(desk)

    def _workspace(self) -> Workspace:
        if self._open is None:
            raise TloraError(say("No project is open."), say("Open a project or make a new one first."))
        return self._open

    def run(self, job: jobs.Job, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Do what ``job`` asks, as a stream of events.

        Raises:
            TloraError: what a person should read.
            Cancelled: the token was set and the job kept nothing (or a checkpoint).
        """
        try:
            yield from self._do(job, cancel or CancelToken())
        except Exception as error:
            if disk_is_full(error):
                raise TloraError(
                    say("The disk is full."), say("Free some room and try again; nothing kept is lost.")
                ) from error
            if out_of_memory(error):
                if self._open is not None:
                    self._open.keep_read(None)
                hint = say("Close what else needs memory, or choose a smaller backbone.")
                raise TloraError(say("There was not enough memory."), hint) from error
            raise

    def _do(self, job: jobs.Job, cancel: CancelToken) -> Stream:
        match job:
            case jobs.CreateProject():
                yield from self._create(job, cancel)
            case jobs.OpenProject():
                yield from self._open_project(job, cancel)
            case jobs.ListProject():
                yield Project.open(absolute(job.path)).listed()
            case jobs.FollowProject():
                self.close()
                yield from follow(absolute(job.path), cancel)
            case jobs.CloseProject():
                self._close(job.drop_if_empty)
            case jobs.CopyProject() | jobs.PackProject() | jobs.WeighProject():
                yield from self._with_files(job, cancel)
            case jobs.UnpackProject():
                yield from copies.unpack_project(job, cancel)
            case jobs.FetchDemoCorpora():
                found = yield from starter.ensure_corpora(cancel)
                yield DemoCorpora(tuple((name, era, str(folder)) for name, era, folder in found))
            case _:
                workspace = self._workspace()
                beside = isinstance(job, jobs.INTERACTIVE) and not isinstance(job, jobs.EstimateTraining)
                with nullcontext() if beside else workspace.changing():
                    yield from _do_in(workspace, job, cancel)

    def _close(self, drop_if_empty: bool) -> None:
        project, made = self.project, self._made
        unused = project is not None and project.is_unused()
        self.close()
        if project is not None and made is not None and drop_if_empty and unused:
            remove_unused(project.path, made)

    def _create(self, job: jobs.CreateProject, cancel: CancelToken) -> Stream:
        if job.mixer_strategy not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise TloraError(
                say("There is no mixer strategy {name!r:.40}.", name=job.mixer_strategy),
                say("Choose one of {names}.", names=known),
            )
        if job.switching not in SWITCHINGS:
            raise TloraError(
                say("The Time Mixer does not switch by {name!r:.40}.", name=job.switching),
                say("Choose one of {names}.", names=", ".join(SWITCHINGS)),
            )
        path = absolute(job.path)
        with new_folder(path) as (lock, made):
            backbone = yield from load_backbone(job.backbone, cancel, self.ranks.device)
            depth = backbone.model.config.get_text_config().num_hidden_layers
            if job.mixer_layer is not None and not 0 <= job.mixer_layer < depth:
                raise TloraError(
                    say(
                        "{name} has {depth} blocks, and no block {layer}.",
                        name=backbone.name,
                        depth=depth,
                        layer=job.mixer_layer,
                    ),
                    say("Choose a mixer layer from 0 to {last}.", last=depth - 1),
                )
            try:
                lora = LoraSettings(mixer_layer=job.mixer_layer, bare_router=job.bare_router)
                mixer = MixerSettings(strategy=job.mixer_strategy, switching=job.switching)
                model = TemporalLoRA(backbone.model, lora, mixer)
                refuse_unfit(model)
            except ValueError as error:
                raise TloraError(
                    say("{name} cannot be used: {reason}.", name=backbone.name, reason=message_of(error)),
                    say("Choose another backbone."),
                ) from error
            project = Project.create(path, backbone.reference, backbone.name, fingerprint(backbone.model), model)
        self._go_to(Workspace(project, model, backbone, ranks=self.ranks, reading_threads=self._reading_threads), lock)
        self._made = made
        yield ProjectOpened(self.info())

    def _open_project(self, job: jobs.OpenProject, cancel: CancelToken) -> Stream:
        path = absolute(job.path)
        Project.open(path)  # what is no project is not locked
        if self.project is not None and not self.project.is_there():
            self.close()  # its folder may be the one to open, under another name, and the lock moved with it
        here = self._is_here(path)
        lock = self._lock if here else lock_project(path)
        try:
            backup = None if lock is None else migrate(path)
            if backup is not None:
                yield Warned(
                    say("{name} is of project format {version} now.", name=path.name, version=FORMAT_VERSION),
                    say("What was changed for it is kept as it was in {folder}.", folder=backup),
                )
            project = Project.open(path, read_only=lock is None)
            backbone = yield from _find_backbone(project, job.backbone, cancel, self.ranks.device)
            yield Progress(say("Loading epochs"))
            try:
                model = TemporalLoRA(backbone.model, project.index.lora, project.index.mixer)
            except (ValueError, RuntimeError) as error:
                raise TloraError(
                    say("{name} cannot be used: {reason}.", name=path.name, reason=first_line(error)),
                    say("Ask for a whole copy."),
                ) from error
            if not project.read_only:
                project.tidy()
            opened = Workspace(project, model, backbone, ranks=self.ranks, reading_threads=self._reading_threads)
            opened.load()
            event = ProjectOpened(opened.info())
        except BaseException:
            if lock is not None and not here:
                lock.release()
            raise
        self._go_to(opened, lock)
        yield event

    def _is_here(self, path: Path) -> bool:
        """Whether the project in this folder is the one that is open."""
        return self.project is not None and os.path.realpath(path) == os.path.realpath(self.project.path)

    def _with_files(self, job: copies.FilesJob, cancel: CancelToken) -> Stream:
        """Do a job that reads a project's files while nobody else writes there."""
        path = absolute(job.path)
        project, here = Project.open(path), self._is_here(path)
        lock = None if here else lock_project(path)
        training = [epoch for epoch in self._workspace().epochs if epoch.state == "training"] if here else []
        try:
            yield from copies.do(project, job, training, cancel)
        finally:
            if lock is not None:
                lock.release()

    def _go_to(self, opened: Workspace, lock: BaseFileLock | None) -> None:
        """Leave the former project for one that is open and locked now."""
        if lock is not self._lock:
            self.close()
        self._open, self._lock, self._made = opened, lock, None


def _find_backbone(
    project: Project, elsewhere: str, cancel: CancelToken, device: torch.device | None
) -> Generator[Progress, None, Backbone]:
    """Load a project's backbone, from ``elsewhere`` if it has moved; the project remembers."""
    index = project.index
    reference = elsewhere or index.backbone_reference
    if is_path(reference) and not os.path.exists(absolute(reference)):
        raise BackboneMissing(
            reference,
            say("{name} does not exist.", name=reference)
            if reference
            else say("The place of the backbone does not exist."),
        )
    try:
        if reference != index.backbone_reference:
            _refuse_fetching_another(reference, index)
        backbone = yield from load_backbone(reference, cancel, device)
    except TloraError as error:
        if reference == STARTER or error.code:
            raise
        raise BackboneMissing(reference, error.message, error.hint) from error
    if fingerprint(backbone.model) != index.fingerprint:
        raise BackboneMissing(
            reference,
            say("{name} is not the backbone this project was made with; its weights differ.", name=reference),
        )
    if elsewhere and not project.read_only:
        project.move_backbone(backbone.reference, backbone.name)
    return backbone


def _refuse_fetching_another(reference: str, index: ProjectIndex) -> None:
    """Refuse a name that is another model's than the backbone's, whoever keeps it.

    Where the project's own backbone is not to be had, what it is called says nothing; its weights will tell.
    """
    lost = is_path(index.backbone_reference) and not os.path.exists(absolute(index.backbone_reference))
    if lost or (reference != STARTER and local_path(reference) is not None):
        return
    names = (starter.BACKBONE_NAME if reference == STARTER else reference, index.backbone_name)
    if len({name.rpartition("/")[2].casefold() for name in names}) > 1:
        raise BackboneMissing(
            reference,
            say(
                "{name} is not the backbone this project was made with, which is {own}.",
                name=reference, own=index.backbone_name,
            ),
        )  # fmt: skip


_WRITING = (
    jobs.TrainEpoch,
    jobs.ResumeEpoch,
    jobs.KeepEpoch,
    jobs.ImportAdapter,
    jobs.RepairMemory,
    jobs.RepairMixer,
    jobs.KeepQueue,
    jobs.EditEpoch,
    jobs.DeleteEpoch,
    jobs.RestoreEpoch,
    jobs.EditGeneration,
    jobs.DeleteGeneration,
    jobs.ImportGeneration,
    jobs.DeleteRun,
    jobs.EmptyTrash,
)
"""What changes the project is refused before it begins, if the project is gone."""


def _do_in(workspace: Workspace, job: jobs.Job, cancel: CancelToken) -> Stream:
    """Jobs that need an open project."""
    if isinstance(job, _WRITING):
        workspace.project.require_writable()
    match job:
        case jobs.SummariseCorpus():
            yield _summarise(workspace, job, cancel)
        case jobs.PreviewBlocks():
            yield _preview(workspace, job, cancel)
        case jobs.TrainEpoch():
            yield from epochs.train(workspace, job, cancel)
        case jobs.ResumeEpoch():
            yield from epochs.resume(workspace, job.slug, cancel)
        case jobs.KeepEpoch():
            yield from epochs.resume(workspace, job.slug, cancel, learn=False)
        case jobs.LookAtAdapter():
            yield from look_at_adapter(workspace, job, cancel)
        case jobs.ImportAdapter():
            yield from import_adapter(workspace, job, cancel)
        case jobs.RepairMemory():
            yield from repair_memory(workspace, job.slug, cancel)
        case jobs.RepairMixer():
            yield from repair_mixer(workspace, cancel)
        case jobs.EstimateTraining():
            yield from epochs.estimate(workspace, job, cancel)
        case jobs.LoadSettings():
            yield epochs.settings_of(workspace, job.slug)
        case jobs.KeepQueue():
            workspace.project.keep_waiting(job.waiting)
        case jobs.EditEpoch():
            yield epochs.edit(workspace, job)
        case jobs.DeleteEpoch():
            yield epochs.delete(workspace, job.slug)
        case jobs.RestoreEpoch():
            yield from restore_epoch(workspace, job.slug, cancel)
        case jobs.ExportEpoch() | jobs.ExportMerge():
            yield from export(workspace, job, cancel)
        case jobs.Generate():
            yield from generate_text(workspace, job, cancel)
        case jobs.GenerateRows():
            yield from generate_rows(workspace, job, cancel)
        case jobs.PredictCounterfactual():
            yield from predict_counterfactual(workspace, job, cancel)
        case jobs.ScoreText() | jobs.ScoreTextFile():
            yield from score(workspace, job, cancel)
        case jobs.ComputeMixerTimeline():
            start_id = start_token_id(workspace.model.backbone, workspace.backbone.tokenizer)
            yield (yield from mixer_timeline(workspace.model, start_id, job.record, workspace.phases(), cancel))
        case (
            jobs.ListGenerations()
            | jobs.LoadGeneration()
            | jobs.EditGeneration()
            | jobs.DeleteGeneration()
            | jobs.ExportGeneration()
            | jobs.ImportGeneration()
        ):
            yield texts.do(workspace, job)
        case jobs.ListRuns() | jobs.LoadRun() | jobs.DeleteRun():
            yield runs.do(workspace.project.runs, job)
        case jobs.ListTrash():
            yield TrashListed(workspace.project.trash())
        case jobs.EmptyTrash():
            workspace.project.empty_trash()
            yield TrashListed(workspace.project.trash())
        case jobs.Evaluate():
            yield from evaluate_project(workspace, job, cancel)
        case jobs.HashWeights():
            model = workspace.model
            adapters = ((slug, state_hash(model.adapter_parameters(slug))) for slug in model.slot_adapters)
            yield WeightsHashed(state_hash(dict(model.backbone.named_parameters())), tuple(adapters))


def _summarise(workspace: Workspace, job: jobs.SummariseCorpus, cancel: CancelToken) -> CorpusSummarised:
    default = TrainSettings()
    summary = summarise(
        job.paths,
        workspace.backbone.tokenizer,
        block_size=default.block_size,
        held_out_share=default.held_out_share,
        vocabulary=vocabulary_of(workspace.model.backbone),
        cancel=cancel,
        reading=job.reading,
    )
    return CorpusSummarised(summary)


def _preview(workspace: Workspace, job: jobs.PreviewBlocks, cancel: CancelToken) -> BlocksPreviewed:
    tokenizer = workspace.backbone.tokenizer
    corpus = TextCorpus.from_paths(job.paths, cancel, job.reading, chat_template(tokenizer))
    return preview(
        corpus,
        tokenizer,
        block_size=job.block_size,
        held_out_share=TrainSettings().held_out_share,
        vocabulary=vocabulary_of(workspace.model.backbone),
        cancel=cancel,
    )
