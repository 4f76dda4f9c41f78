"""The engine's one entry point: a session owns the model and its project, and ``run(job)`` streams what happens."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from tlora_gui.engine import jobs, starter
from tlora_gui.engine.backbones import Backbone, fingerprint, load_backbone, state_hash
from tlora_gui.engine.blocks import TokenBlocks, held_out_blocks, make_blocks, summarise
from tlora_gui.engine.cancel import CancelToken, watched
from tlora_gui.engine.config import (
    AVERAGE_MODE,
    BACKBONE_COLOUR,
    MIXER_MODE,
    STRATEGIES,
    SUM_MODE,
    MixerSettings,
    TrainSettings,
    epoch_colour,
)
from tlora_gui.engine.corpus import TextCorpus
from tlora_gui.engine.dreams import dream_ids, dream_memory
from tlora_gui.engine.errors import Cancelled, TloraError, disk_is_full
from tlora_gui.engine.evaluation import calibration, score_domain, switch_lags
from tlora_gui.engine.events import (
    BackboneInfo,
    CorpusSummarised,
    DemoCorpora,
    EpochFinished,
    EpochInfo,
    EpochsChanged,
    Evaluated,
    FileWritten,
    GenerationFinished,
    GenerationRecord,
    GenerationStarted,
    HeldOut,
    Progress,
    ProjectInfo,
    ProjectOpened,
    SlotInfo,
    StreamEvent,
    TokenEvent,
    TrainStarted,
    TrainStep,
    WeightsHashed,
)
from tlora_gui.engine.export import to_html
from tlora_gui.engine.generation import generate
from tlora_gui.engine.project import MixerFile, Project, write_text
from tlora_gui.engine.training import KEPT_HELD_OUT, EpochRun, require_context, train_epoch
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import BACKBONE_SLOT, Blend, TemporalLoRA

Stream = Generator[StreamEvent, None, None]
Outcome = TypeVar("Outcome")


class Session:
    """Owns one model and one project at a time. Not thread-safe: whoever runs jobs does so on one thread.

    Args:
        threads: CPU threads for torch; None leaves torch's choice.
    """

    def __init__(self, threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self.project: Project | None = None
        self.model: TemporalLoRA | None = None
        self._backbone: Backbone | None = None
        self._epochs: list[EpochInfo] = []
        self._deleted: tuple[EpochInfo, dict[str, str], list[MixerFile]] | None = None

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
                yield from self._open(Path(job.path), cancel)
            case jobs.SummariseCorpus():
                tokenizer, default = self._require_backbone().tokenizer, TrainSettings()
                summary = summarise(
                    job.paths,
                    tokenizer,
                    block_size=default.block_size,
                    held_out_share=default.held_out_share,
                    cancel=cancel,
                )
                yield CorpusSummarised(summary)
            case jobs.TrainEpoch():
                yield from self._train(job, cancel)
            case jobs.ResumeEpoch():
                yield from self._resume(job.slug, cancel)
            case jobs.EditEpoch():
                yield self._edit(job)
            case jobs.DeleteEpoch():
                yield self._delete(job.slug)
            case jobs.RestoreEpoch():
                yield self._restore()
            case jobs.ExportEpoch():
                epoch = self._epoch(job.slug)
                yield FileWritten(str(self._require_project().export_epoch(epoch.slug, Path(job.path))))
            case jobs.Generate():
                yield from self._generate(job, cancel)
            case jobs.ExportGeneration():
                yield self._export_generation(job)
            case jobs.Evaluate():
                yield from self._evaluate(job, cancel)
            case jobs.HashWeights():
                model = self._require_model()
                adapters = ((slug, state_hash(model.adapter_parameters(slug))) for slug in model.slot_adapters)
                yield WeightsHashed(state_hash(model.backbone_parameters()), tuple(adapters))
            case jobs.FetchDemoCorpora():
                found = yield from starter.ensure_corpora(cancel)
                yield DemoCorpora(tuple((name, era, str(folder)) for name, era, folder in found))

    # -- projects -----------------------------------------------------------------------------------------------

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
        except ValueError as error:
            raise TloraError(f"{backbone.name} cannot be used: {error}.", "Choose another backbone.") from error
        project = Project.create(path, backbone.reference, backbone.name, fingerprint(backbone.model), model)
        self._adopt(project, model, backbone, [])
        yield ProjectOpened(self.info())

    def _open(self, path: Path, cancel: CancelToken) -> Stream:
        project = Project.open(path.expanduser())
        backbone = yield from load_backbone(project.backbone_reference, cancel)
        if fingerprint(backbone.model) != project.fingerprint:
            raise TloraError(
                f"{project.backbone_reference} is not the backbone this project was made with; its weights differ.",
                "Put the original model back, or make a new project with this one.",
            )
        yield Progress("Loading epochs")
        model = TemporalLoRA(backbone.model, project.lora, project.mixer, backbone.name)
        epochs = project.load_into(model)
        self._adopt(project, model, backbone, [*epochs, *project.interrupted()])
        yield ProjectOpened(self.info())

    def _adopt(self, project: Project, model: TemporalLoRA, backbone: Backbone, epochs: list[EpochInfo]) -> None:
        self.project, self.model, self._backbone, self._epochs = project, model, backbone, epochs
        self._deleted = None

    def info(self) -> ProjectInfo:
        """The open project, whole."""
        project = self._require_project()
        known = [epoch for epoch in self._epochs if epoch.state != "broken"]
        return ProjectInfo(
            path=str(project.path),
            name=project.path.name,
            backbone=self._backbone_info(),
            strategy=project.mixer.strategy,
            epochs=tuple(self._epochs),
            history=tuple((epoch.slug, project.read_history(epoch.slug)) for epoch in known),
            generation=project.last_generation(),
        )

    def _backbone_info(self) -> BackboneInfo:
        model, backbone = self._require_model(), self._require_backbone()
        config = model.backbone.config.get_text_config()
        device = model.device
        return BackboneInfo(
            name=backbone.name.rsplit("/", 1)[-1],
            reference=backbone.reference,
            parameters=sum(parameter.numel() for parameter in model.backbone_parameters().values()),
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper(),
            dtype=str(model.backbone.dtype).removeprefix("torch."),
            context_length=config.max_position_embeddings,
            blocks=config.num_hidden_layers,
            mixer_layer=model.mixer_layer,
        )

    def _require_project(self) -> Project:
        if self.project is None:
            raise TloraError("No project is open.", "Open a project or make a new one first.")
        return self.project

    def _require_model(self) -> TemporalLoRA:
        self._require_project()
        assert self.model is not None
        return self.model

    def _require_backbone(self) -> Backbone:
        self._require_project()
        assert self._backbone is not None
        return self._backbone

    # -- training -----------------------------------------------------------------------------------------------

    def _train(self, job: jobs.TrainEpoch, cancel: CancelToken) -> Stream:
        model, project, settings = self._require_model(), self._require_project(), job.settings
        name = job.name.strip()
        if not name or name in {epoch.name for epoch in self._epochs} | {BACKBONE_SLOT}:
            raise TloraError(f"The epoch's name {name!r} is empty or taken.", "Choose another name.")
        require_context(model, settings.block_size)
        yield Progress("Reading the corpus")
        blocks = make_blocks(
            TextCorpus.from_paths(job.paths, cancel),
            self._require_backbone().tokenizer,
            block_size=settings.block_size,
            max_tokens=settings.max_tokens,
            held_out_share=settings.held_out_share,
            held_out_tokens=max(settings.held_out_tokens, KEPT_HELD_OUT),
            seed=settings.seed,
            cancel=cancel,
        )
        yield from self._remember_dreams(cancel)
        colour = job.colour or self._free_colour()
        paths = tuple(str(Path(path).resolve()) for path in job.paths)
        slug = project.new_slug(name, model.reserved_names)
        project.drop_checkpoint(slug)  # what a crash may have left of another one
        info = EpochInfo(slug, name, job.era.strip(), colour, "training", corpus=paths)
        yield from self._run(info, self._begin(info, blocks, settings), [], cancel)

    def _resume(self, slug: str, cancel: CancelToken) -> Stream:
        project = self._require_project()
        info, settings, blocks, state = project.read_checkpoint(self._epoch(slug).slug)
        yield from self._remember_dreams(cancel)
        run = self._begin(info, blocks, settings)
        try:
            run.load_state_dict(state)
        except (ValueError, KeyError, RuntimeError) as error:
            run.undo()
            raise TloraError(
                f"{info.name} cannot go on: {error}.",
                "Undo what was changed since, or delete this interrupted epoch and train it again.",
            ) from error
        history = [event for event in project.read_history(slug) if event.step <= run.step]
        yield from self._run(replace(info, state="training"), run, history, cancel)

    def _begin(self, info: EpochInfo, blocks: TokenBlocks, settings: TrainSettings) -> EpochRun:
        """An untrained adapter and its run; if that fails, the model is as it was."""
        model = self._require_model()
        model.add_adapter(info.slug, info.era, settings.seed)
        try:
            return EpochRun(model, info.slug, blocks, settings)
        except BaseException:
            model.remove_adapter(info.slug)
            raise

    def _run(self, info: EpochInfo, run: EpochRun, history: list[TrainStep | HeldOut], cancel: CancelToken) -> Stream:
        """Train to the end and store the epoch; on any other end, put the list of epochs right."""
        project, settings = self._require_project(), run.settings
        self._deleted = None
        self._set_epoch(info)

        def checkpoint(run: EpochRun) -> None:
            project.save_checkpoint(self._epoch(info.slug), settings, run.blocks, run.state_dict(), history)

        training = train_epoch(run.model, info.slug, run.blocks, settings, cancel, run, checkpoint)
        try:
            yield EpochsChanged(tuple(self._epochs))
            yield TrainStarted(info, run.total_steps, run.step)
            result = yield from _recorded(training, history)
            note = "" if run.step == run.total_steps else f"stopped after {run.step} of {run.total_steps} steps"
            info = replace(
                self._epoch(info.slug),  # it may have been renamed meanwhile
                state="frozen",
                tokens=result.tokens,
                held_out_loss=result.held_out_loss,
                backbone_loss=result.backbone_loss,
                note=note,
            )
            project.add_epoch(info, settings, run.model, history)
        except BaseException as end:
            if info.slug in run.model.adapters:  # not begun, or trained but not stored
                run.undo()
            if isinstance(end, Cancelled) and cancel.mode == "discard":
                project.drop_checkpoint(info.slug)
            self._epochs = [epoch for epoch in self._epochs if epoch.slug != info.slug]
            self._epochs += [epoch for epoch in project.interrupted() if epoch.slug == info.slug]
            if not isinstance(end, GeneratorExit):
                yield EpochsChanged(tuple(self._epochs))
            raise
        self._set_epoch(info)
        yield EpochFinished(info)
        yield EpochsChanged(tuple(self._epochs))

    def _remember_dreams(self, cancel: CancelToken) -> Stream:
        """Make sure that slot 0 has its memory."""
        model = self._require_model()
        if "" not in model.memories:
            cache = cache_dir() / "dreams" / f"{self._require_project().fingerprint[:16]}.safetensors"
            ids_NT = yield from dream_ids(model, cache, cancel)
            model.memories[""] = dream_memory(model, ids_NT)

    def _set_epoch(self, info: EpochInfo) -> None:
        others = [epoch for epoch in self._epochs if epoch.slug != info.slug]
        place = next((i for i, epoch in enumerate(self._epochs) if epoch.slug == info.slug), len(others))
        self._epochs = [*others[:place], info, *others[place:]]

    def _free_colour(self) -> str:
        used = {epoch.colour for epoch in self._epochs}
        every = (epoch_colour(index) for index in range(8))
        return next((colour for colour in every if colour not in used), epoch_colour(len(self._epochs)))

    # -- editing ------------------------------------------------------------------------------------------------

    def _edit(self, job: jobs.EditEpoch) -> EpochsChanged:
        project = self._require_project()
        name = job.name.strip()
        taken = {epoch.name for epoch in self._epochs if epoch.slug != job.slug} | {BACKBONE_SLOT}
        if not name or name in taken:
            raise TloraError(f"The name {name!r} is empty or taken.", "Choose another name.")
        info = replace(self._epoch(job.slug), name=name, era=job.era.strip(), colour=job.colour)
        if info.state in ("frozen", "interrupted"):
            project.edit_epoch(info)
        self._set_epoch(info)
        return EpochsChanged(tuple(self._epochs))

    def _delete(self, slug: str) -> EpochsChanged:
        model, project = self._require_model(), self._require_project()
        info = self._epoch(slug)
        if info.state == "training":
            raise TloraError(f"{info.name} is in training.", "Stop the training first.")
        if slug in project.folders:
            self._deleted = (info, dict(project.folders), list(project.mixers))
            if slug in model.adapters:
                model.remove_adapter(slug)
            try:
                project.remove_epoch(slug, model)
            except BaseException:
                self._reload()
                raise
        else:
            self._deleted = None
            project.drop_checkpoint(slug)
        self._epochs = [epoch for epoch in self._epochs if epoch.slug != slug]
        return EpochsChanged(tuple(self._epochs))

    def _restore(self) -> ProjectOpened:
        project = self._require_project()
        if self._deleted is None:
            raise TloraError("There is no deletion to undo.", "Deleted epochs stay in the project's folder 'deleted'.")
        info, folders, mixers = self._deleted
        project.restore_epoch(info.slug, folders[info.slug], folders, mixers)
        self._reload()
        return ProjectOpened(self.info())

    def _reload(self) -> None:
        """Make the model what the project on disk is."""
        model, project = self._require_model(), self._require_project()
        for slug in list(model.adapters):
            model.remove_adapter(slug)
        self._epochs = [*project.load_into(model), *project.interrupted()]
        self._deleted = None

    def _epoch(self, slug: str) -> EpochInfo:
        found = next((epoch for epoch in self._epochs if epoch.slug == slug), None)
        if found is None:
            raise TloraError("That epoch is no longer in the project.", "Choose another one.")
        return found

    # -- generating and measuring -------------------------------------------------------------------------------

    def slots(self) -> tuple[SlotInfo, ...]:
        """The mixer's slots as people see them, the backbone first."""
        named = [self._epoch(slug) for slug in self._require_model().slot_adapters]
        epochs = (SlotInfo(epoch.slug, epoch.name, epoch.colour) for epoch in named)
        return (SlotInfo("", BACKBONE_SLOT, BACKBONE_COLOUR), *epochs)

    def _generate(self, job: jobs.Generate, cancel: CancelToken) -> Stream:
        model = self._require_model()
        slots, blend = self.slots(), self._blend(job.mode)
        yield GenerationStarted(job.prompt, job.mode, job.sampling, slots)
        tokenizer = self._require_backbone().tokenizer
        stream = generate(model, tokenizer, job.prompt, blend, job.sampling, cancel)
        tokens: list[TokenEvent] = []
        outcome = yield from _recorded(stream, tokens)
        record = GenerationRecord(
            job.prompt, job.mode, job.sampling, slots, tuple(tokens), outcome.ended, outcome.tokens_per_second
        )
        self._require_project().keep_generation(record)
        yield GenerationFinished(record)

    def _blend(self, mode: str) -> Blend:
        model = self._require_model()
        if mode == MIXER_MODE:
            return "mixer"
        if mode == "":
            return 0
        if mode in (SUM_MODE, AVERAGE_MODE):
            if not (epochs := len(model.slot_adapters)):
                raise TloraError("There is no epoch to mix.", "Train an epoch first, or choose another mode.")
            share = 1.0 if mode == SUM_MODE else 1 / epochs
            return torch.tensor([0.0] + [share] * epochs)
        if mode not in model.slot_adapters:
            raise TloraError("That epoch is not in the mixture.", "Choose another mode.")
        return 1 + model.slot_adapters.index(mode)

    def _export_generation(self, job: jobs.ExportGeneration) -> FileWritten:
        try:
            write_text(Path(job.path), to_html(job.record))
        except OSError as error:
            raise TloraError(f"{job.path} cannot be written: {error.strerror}.", "Choose another place.") from error
        return FileWritten(job.path)

    def _evaluate(self, job: jobs.Evaluate, cancel: CancelToken) -> Stream:
        model = self._require_model()
        unprotected = self._unprotected()
        texts = {slug: self._held_out_text(slug, job.held_out_tokens, cancel) for slug in model.slot_adapters}
        scores = []
        for slug, held_out_NT in texts.items():
            scores.append((yield from watched(score_domain(model, slug, held_out_NT, unprotected.get(slug)), cancel)))
        lags = yield from watched(switch_lags(model, list(texts.values())), cancel)
        yield Evaluated(tuple(scores), median(lags) if lags else None, calibration(model, list(texts.values())))

    def _held_out_text(self, slug: str, tokens: int, cancel: CancelToken) -> Tensor:
        """What the epoch has left of its held-out text, else that of its files as they are now (N, T)."""
        memory = self._require_model().memories[slug]
        if memory.held_out_NT is not None:
            return memory.held_out_NT[: max(1, tokens // memory.held_out_NT.shape[1])].long()
        info, settings = self._require_project().read_epoch(slug)
        corpus = TextCorpus.from_paths(info.corpus, cancel)
        return held_out_blocks(corpus, self._require_backbone().tokenizer, settings, tokens)

    def _unprotected(self) -> dict[str, float]:
        """Last routing accuracies of the mixer that was trained without Active Sleep beside the latest epoch."""
        project, model = self._require_project(), self._require_model()
        if not model.slot_adapters:
            return {}
        measured = [event for event in project.read_history(model.slot_adapters[-1]) if isinstance(event, HeldOut)]
        return dict(measured[-1].unprotected) if measured else {}


def _recorded(stream: Generator[Any, None, Outcome], into: list[Any]) -> Generator[Any, None, Outcome]:
    """Pass a stream on, keep a copy of what is worth keeping, return what it returns."""
    with closing(stream):
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                return cast(Outcome, end.value)
            if not isinstance(event, Progress):
                into.append(event)
            yield event
