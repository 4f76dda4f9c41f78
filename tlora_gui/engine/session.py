"""The engine's one entry point: a session holds an open project, and ``run(job)`` streams what happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from tlora_gui.engine import epoch_jobs, jobs, starter
from tlora_gui.engine.backbones import fingerprint, load_backbone, state_hash
from tlora_gui.engine.blocks import summarise
from tlora_gui.engine.cancel import CancelToken, watched
from tlora_gui.engine.config import STRATEGIES, MixerSettings, MixingDesk, TrainSettings
from tlora_gui.engine.errors import TloraError, disk_is_full
from tlora_gui.engine.evaluation import evaluate
from tlora_gui.engine.events import (
    CorpusSummarised,
    DemoCorpora,
    FileWritten,
    Progress,
    ProjectInfo,
    ProjectOpened,
    StreamEvent,
    WeightsHashed,
)
from tlora_gui.engine.exploring.counterfactuals import ask_others
from tlora_gui.engine.exploring.generation_jobs import generate_text
from tlora_gui.engine.exploring.reading import read
from tlora_gui.engine.exploring.stored_mixers import scrub
from tlora_gui.engine.project import Project
from tlora_gui.engine.sharing import text_jobs
from tlora_gui.engine.streams import Stream
from tlora_gui.engine.texts import SlotInfo
from tlora_gui.engine.token_text import start_token_id
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.invariants import refuse_unfit
from tlora_gui.temporal.model import TemporalLoRA


class Session:
    """Holds one open project at a time. Not thread-safe: whoever runs jobs does so on one thread.

    Args:
        threads: CPU threads for torch; None leaves torch's choice.
    """

    def __init__(self, threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._open: Workspace | None = None

    @property
    def project(self) -> Project | None:
        """The open project's folder."""
        return self._open.project if self._open else None

    @property
    def model(self) -> TemporalLoRA | None:
        """The open project's model."""
        return self._open.model if self._open else None

    def info(self) -> ProjectInfo:
        """The open project, whole."""
        return self._workspace().info()

    def slots(self) -> tuple[SlotInfo, ...]:
        """The mixer's slots as people see them, the backbone first."""
        return self._workspace().slots()

    def steer(self, desk: MixingDesk) -> None:
        """Turn the mixing desk: it counts from the next token of the generation that is running, if one is."""
        if self._open is not None and self._open.speaking is not None:
            self._open.speaking.turn(desk)

    def _workspace(self) -> Workspace:
        if self._open is None:
            raise TloraError("No project is open.", "Open a project or make a new one first.")
        return self._open

    def run(self, job: jobs.Job, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Do what ``job`` asks, as a stream of events.

        Raises:
            TloraError: what a person should be told.
            Cancelled: the token was set and the job kept nothing (or a checkpoint).
        """
        try:
            yield from self._do(job, cancel or CancelToken())
        except Exception as error:
            if disk_is_full(error):
                raise TloraError("The disk is full.", "Free some room and try again; nothing kept is lost.") from error
            raise

    def _do(self, job: jobs.Job, cancel: CancelToken) -> Stream:
        match job:
            case jobs.CreateProject():
                yield from self._create(job, cancel)
            case jobs.OpenProject():
                yield from self._open_project(Path(job.path), cancel)
            case jobs.FetchDemoCorpora():
                found = yield from starter.ensure_corpora(cancel)
                yield DemoCorpora(tuple((name, era, str(folder)) for name, era, folder in found))
            case _:
                yield from _do_in(self._workspace(), job, cancel)

    def _create(self, job: jobs.CreateProject, cancel: CancelToken) -> Stream:
        path = Path(job.path).expanduser()
        if path.is_dir() and any(path.iterdir()):
            raise TloraError(f"{path} is not empty.", "Choose a new or empty folder for the project.")
        if job.mixer_strategy not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise TloraError(f"There is no mixer strategy {job.mixer_strategy!r}.", f"Choose one of {known}.")
        mixer = MixerSettings(strategy=job.mixer_strategy)
        backbone = yield from load_backbone(job.backbone, cancel)
        try:
            model = TemporalLoRA(backbone.model, mixer=mixer, backbone_name=backbone.name)
            refuse_unfit(model)
        except ValueError as error:
            raise TloraError(f"{backbone.name} cannot be used: {error}.", "Choose another backbone.") from error
        project = Project.create(path, backbone.reference, backbone.name, fingerprint(backbone.model), model)
        self._open = Workspace(project, model, backbone)
        yield ProjectOpened(self.info())

    def _open_project(self, path: Path, cancel: CancelToken) -> Stream:
        project = Project.open(path.expanduser())
        index = project.index
        backbone = yield from load_backbone(index.backbone_reference, cancel)
        if fingerprint(backbone.model) != index.fingerprint:
            raise TloraError(
                f"{index.backbone_reference} is not the backbone this project was made with; its weights differ.",
                "Put the original model back, or make a new project with this one.",
            )
        yield Progress("Loading epochs")
        model = TemporalLoRA(backbone.model, index.lora, index.mixer, backbone.name)
        opened = Workspace(project, model, backbone)
        opened.load()
        self._open = opened
        yield ProjectOpened(self.info())


def _do_in(space: Workspace, job: jobs.Job, cancel: CancelToken) -> Stream:
    """Jobs that need an open project."""
    match job:
        case jobs.SummariseCorpus():
            yield _summarise(space, job, cancel)
        case jobs.TrainEpoch():
            yield from epoch_jobs.train(space, job, cancel)
        case jobs.ResumeEpoch():
            yield from epoch_jobs.resume(space, job.slug, cancel)
        case jobs.EditEpoch():
            yield epoch_jobs.edit(space, job)
        case jobs.DeleteEpoch():
            yield epoch_jobs.delete(space, job.slug)
        case jobs.RestoreEpoch():
            epoch_jobs.restore(space)
            yield ProjectOpened(space.info())
        case jobs.ExportEpoch():
            epoch = space.epochs[job.slug]
            yield FileWritten(str(space.project.export_epoch(epoch.slug, Path(job.path))))
        case jobs.Generate():
            yield from generate_text(space, job, cancel)
        case jobs.AskOthers():
            yield from ask_others(space, job, cancel)
        case jobs.ReadText() | jobs.ReadTextFile():
            yield from read(space, job, cancel)
        case jobs.ScrubMixers():
            start_id = start_token_id(space.backbone.tokenizer)
            yield (yield from scrub(space.model, start_id, job.record, space.phases(), cancel))
        case (
            jobs.ListGenerations()
            | jobs.LoadGeneration()
            | jobs.EditGeneration()
            | jobs.DeleteGeneration()
            | jobs.ExportGeneration()
            | jobs.ImportGeneration()
        ):
            yield text_jobs.do(space, job)
        case jobs.Evaluate():
            texts = yield from watched(space.held_out_texts(job.held_out_tokens, cancel), cancel)
            yield (yield from watched(evaluate(space.model, texts, space.unprotected_routing()), cancel))
        case jobs.HashWeights():
            model = space.model
            adapters = ((slug, state_hash(model.adapter_parameters(slug))) for slug in model.slot_adapters)
            yield WeightsHashed(state_hash(model.backbone_parameters()), tuple(adapters))


def _summarise(space: Workspace, job: jobs.SummariseCorpus, cancel: CancelToken) -> CorpusSummarised:
    tokenizer, default = space.backbone.tokenizer, TrainSettings()
    summary = summarise(
        job.paths, tokenizer, block_size=default.block_size, held_out_share=default.held_out_share, cancel=cancel
    )
    return CorpusSummarised(summary)
