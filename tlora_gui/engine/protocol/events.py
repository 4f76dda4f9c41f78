"""What the engine answers with: a closed set of frozen, tensor-free records.

A job is a stream of these. Whoever runs it (the worker's thread, the command line, a script) adds exactly one of
:class:`JobDone`, :class:`JobCancelled`, :class:`JobFailed` at its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from tlora_gui.engine.protocol.config import ProjectPart, ReadOptions, SamplingSettings, TrainSettings
from tlora_gui.engine.protocol.enough_text import least_train_blocks, too_little_text
from tlora_gui.engine.protocol.jobs import (
    DeleteEpoch,
    DeleteGeneration,
    DeleteRun,
    NewEpoch,
    RepairMemory,
    RepairMixer,
    RestoreEpoch,
    TrainEpoch,
)
from tlora_gui.engine.protocol.texts import (
    Generation,
    GenerationSummary,
    SlotInfo,
    SlotPrediction,
    TokenEvent,
)

EpochState = Literal["queued", "training", "interrupted", "frozen", "broken"]
PerEpoch = tuple[tuple[str, float], ...]
"""Pairs of an epoch's slug and a figure: a share in [0, 1], or a loss in nats per token."""


# -- what the events carry ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """The frozen causal LM of a project.

    ``reference`` is what a person named: "starter", a Hub id, a path; ``note`` what they should know of it;
    ``bare_router`` whether the Time Mixer reads it without any adapter. Without a device it is not loaded, since the
    project is only followed, and no number is known.
    """

    name: str
    reference: str
    parameters: int
    device: str
    dtype: str
    context_length: int
    blocks: int
    mixer_layer: int
    note: str = ""
    bare_router: bool = False


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """One row of the epochs panel.

    Attributes:
        slug: stable identifier, PEFT's adapter name and part of the folder's name.
        name, era, colour: what the person sees and may change; colour is ``#RRGGBB``.
        state: see :data:`EpochState`.
        tokens: training tokens read.
        held_out_loss: nats per token of the epoch alone on its held-out text; None until measured.
        backbone_loss: the same text under the backbone alone.
        note: why it is broken, or what was kept.
        corpus: the files and folders it was trained on.
        kept_step: the step whose adapter and mixer were kept, if not the last one's; else 0.
        corpus_fingerprint: the same for the same texts, wherever they lie; empty in epochs of earlier versions.
        reading: what of them was read.
        replaces: the broken epoch whose place it takes when it is finished.
        goes_on: False for an interrupted one whose mixture has changed since it began.
    """

    slug: str
    name: str
    era: str
    colour: str
    state: EpochState
    tokens: int = 0
    held_out_loss: float | None = None
    backbone_loss: float | None = None
    note: str = ""
    corpus: tuple[str, ...] = ()
    kept_step: int = 0
    corpus_fingerprint: str = ""
    reading: ReadOptions = field(default_factory=ReadOptions)
    replaces: str = ""
    goes_on: bool = True


@dataclass(frozen=True, slots=True)
class Repair:
    """Something of a project is broken and can be made whole: ``reason`` says what it is, ``job`` does it."""

    reason: str
    job: TrainEpoch | RepairMemory | RepairMixer

    @property
    def slug(self) -> str:
        """The epoch that it is about; empty for the Time Mixer."""
        match self.job:
            case TrainEpoch(replaces=slug) | RepairMemory(slug):
                return slug
        return ""


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """What was found in the chosen files and folders.

    Attributes:
        paths: what was chosen.
        name_guess: a name for the epoch.
        files: readable files.
        held_out_files: files (or parts of the only file) kept aside for measuring.
        tokens: training tokens, held-out left out.
        held_out_tokens: tokens kept aside.
        estimated: the counts are extrapolated from a sample.
        skipped: (path, reason) of what was not read.
        notes: (path, remark) of what was read in an unusual way: its encoding, text that the backbone does not know,
            markup that is learnt too; and of what is damaged within.
        excerpt: the beginning of one document.
        problem: why this cannot be trained on; empty if it can.
        kinds: (what it is, files, bytes) of each kind of file, the largest first.
        splits: (files held out, training tokens, tokens held out) where 1, 2 … 50 % are held out; empty without text.
    """

    paths: tuple[str, ...]
    name_guess: str
    files: int
    held_out_files: int
    tokens: int
    held_out_tokens: int
    estimated: bool
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]
    excerpt: str
    problem: str = ""
    kinds: tuple[tuple[str, int, int], ...] = ()
    splits: tuple[tuple[int, int, int], ...] = ()

    def under(self, block_size: int, held_out_share: float, max_tokens: int | None = None) -> CorpusSummary:
        """The same text under these settings: what is held out of it, and whether it is enough."""
        if not self.splits:
            return self
        files, tokens, held_out = self.splits[min(max(round(100 * held_out_share), 1), len(self.splits)) - 1]
        enough = tokens >= least_train_blocks(block_size, max_tokens) * block_size and held_out >= block_size
        problem = "" if enough else too_little_text(tokens + held_out, block_size, held_out_share, max_tokens)
        return replace(self, held_out_files=files, tokens=tokens, held_out_tokens=held_out, problem=problem)


@dataclass(frozen=True, slots=True)
class TokenPiece:
    """A token of a corpus with the text that it completes, empty amid a character; or the end mark of a document."""

    id: int
    text: str
    ends: bool = False


RunEnd = Literal["running", "finished", "stopped", "interrupted", "failed", "discarded", "broken"]
"""How a training ended. "stopped" is finished before its last step, "interrupted" can go on, a "broken" record cannot
be read."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What trained: the processor's name and cores, torch's threads, and "CPU" or the GPU's name."""

    processor: str
    cores: int
    threads: int
    device: str


@dataclass(frozen=True, slots=True)
class Run:
    """One training of one epoch, from its first step to its end, interruptions included.

    Attributes:
        id: names it in the project; empty before it is kept.
        epoch: as it was at the end; its held-out loss is the last that was measured.
        settings: how it was trained.
        started: seconds since 1970.
        seconds: of work; pauses are left out.
        step, total_steps: steps that were done, and all there were to do.
        ended: see :data:`RunEnd`.
        reason: why it failed, or cannot be read.
        backbone: its name.
        machine: where it ended; None if nobody knows.
        versions: (package, version) of the software.
    """

    id: str
    epoch: EpochInfo
    settings: TrainSettings
    started: float
    seconds: float = 0.0
    step: int = 0
    total_steps: int = 0
    ended: RunEnd = "running"
    reason: str = ""
    backbone: str = ""
    machine: Machine | None = None
    versions: tuple[tuple[str, str], ...] = ()


# -- streams ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """Long work goes on: ``done`` of ``total`` ``unit`` (total None: unknown), ``eta_s`` seconds to go."""

    label: str
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something failed that a person should know of, and the job goes on, or ends with its own error."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CorpusRead:
    """The text of an epoch is read, and its training about to begin.

    Attributes:
        skipped: (path, reason) of what was not read.
        notes: (path, remark) of what was read in an unusual way, or could not be read after all.
    """

    skipped: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TrainStarted:
    """An epoch's training begins, or goes on after ``first_step`` steps."""

    epoch: EpochInfo
    total_steps: int
    first_step: int


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One optimiser step; losses in nats per token, ``step`` from 1.

    ``gradient_norm`` is the adapter's, before it is clipped to 1; 0 in histories of earlier versions.
    """

    slug: str
    step: int
    total_steps: int
    adapter_loss: float
    mixer_distill_loss: float
    route_loss: float
    learning_rate: float
    tokens: int
    tokens_per_second: float
    eta_s: float
    gradient_norm: float = 0.0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A measurement on text that was not trained on, after ``step`` steps (0: before the first).

    Attributes:
        loss: the epoch alone, nats per token; at the end of the phase, of the step that is kept.
        routing: for every epoch so far, share of its held-out tokens whose dominant slot is its own.
        unprotected: the same for the mixer trained without Active Sleep beside; empty without one.
        losses: at the end of the phase, the mix on the held-out text of every epoch so far; empty before.
        unprotected_loss: at the end of the phase, the mix of the mixer without Active Sleep on this epoch's.
        best: no measurement of this training before was lower. The last of a history that is best is of the step that
            is kept.
        no_better: measurements in a row, this one included, that were no better.
        patience: how many of them end the training; 0: none do.
    """

    slug: str
    step: int
    loss: float
    routing: PerEpoch
    unprotected: PerEpoch = ()
    losses: PerEpoch = ()
    unprotected_loss: float | None = None
    best: bool = False
    no_better: int = 0
    patience: int = 0


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """A short text by the mixture as it was after ``step`` steps of a training (0: before the first).

    All samples of a training continue the same prompt with the same seed, so that what differs is what was learned.

    Attributes:
        slug: the epoch in training.
        slots: of the mixture, the backbone's first, the epoch in training last; names and colours of that time.
        tokens: the prompt's (``is_prompt``) and those added to it, without their alternatives; each token's ``weights``
            has one figure per slot. Together their ``text`` is the sample.
    """

    slug: str
    step: int
    slots: tuple[SlotInfo, ...]
    tokens: tuple[TokenEvent, ...]


TrainingEvent = TrainStep | HeldOut | TrainingSample
"""What the history of an epoch is made of."""


@dataclass(frozen=True, slots=True)
class EpochFinished:
    """An epoch is frozen and on disk."""

    epoch: EpochInfo


@dataclass(frozen=True, slots=True)
class EpochsChanged:
    """The list of epochs, whole, after any change of it, and the mixture's slots, stored mixers and what can be
    repaired, which go with it.

    ``bare_router`` is whether the Time Mixer reads the bare backbone now.
    """

    epochs: tuple[EpochInfo, ...]
    slots: tuple[SlotInfo, ...]
    mixers: tuple[StoredMixer, ...] = ()
    bare_router: bool = False
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMixer:
    """A mixer of an earlier phase, to be used again: ``mode`` is what a generation takes, ``name`` what people read.

    ``epochs`` are the slugs of its slots 1 …; epochs that came later are silent under it. ``after`` is the name of the
    epoch at whose end it stood, empty where it stood at no end: the current one amid a phase, and the unprotected one.
    """

    mode: str
    name: str
    epochs: tuple[str, ...]
    after: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class GenerationStarted:
    """Tokens follow; ``parent`` and ``branch_at`` as in :class:`~tlora_gui.engine.protocol.texts.Generation`."""

    prompt: str
    mode: str
    sampling: SamplingSettings
    slots: tuple[SlotInfo, ...]
    parent: str = ""
    branch_at: int = 0


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """The last token has come; the record is kept in the project."""

    record: Generation


@dataclass(frozen=True, slots=True)
class RowFailed:
    """No more tokens come, and nothing is kept."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class InRow:
    """What happens to one of several texts; ``row`` counts from 0."""

    row: int
    event: GenerationStarted | TokenEvent | GenerationFinished | RowFailed


@dataclass(frozen=True, slots=True)
class PromptTooLong:
    """A text does not fit into the backbone's context; the job fails next, and says so.

    Attributes:
        tokens: of the text.
        limit: tokens that would be read at most.
        keep_from: where in the text (a number of characters) its end begins that leaves half of the context free.
        keep_to: how much of its beginning (a number of characters) would be read.
    """

    tokens: int
    limit: int
    keep_from: int
    keep_to: int


@dataclass(frozen=True, slots=True)
class GenerationsListed:
    """All kept generations and texts, in the order in which they were kept."""

    generations: tuple[GenerationSummary, ...]


@dataclass(frozen=True, slots=True)
class GenerationLoaded:
    """A kept or imported generation, whole."""

    record: Generation


@dataclass(frozen=True, slots=True)
class RunsListed:
    """All kept runs, the oldest first; once there are ``limit`` of them, the oldest goes for every new one."""

    runs: tuple[Run, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class RunLoaded:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.LoadRun`: a run with its steps, measurements and samples."""

    run: Run
    history: tuple[TrainingEvent, ...]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.PredictCounterfactual`.

    Attributes:
        index: of the token.
        mix: what the mix predicted.
        predictions: every slot alone, in their order.
        divergence: KL(mix ‖ backbone) of the next-token distributions here, in nats: what the epochs changed.
    """

    index: int
    mix: SlotPrediction
    predictions: tuple[SlotPrediction, ...]
    divergence: float


@dataclass(frozen=True, slots=True)
class MixerTimeline:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.ComputeMixerTimeline`: one text under every stored mixer.

    ``tokens`` has one tuple per mixer: the text's tokens with that mixer's weights over the text's slots, without
    reasons.
    """

    mixers: tuple[StoredMixer, ...]
    tokens: tuple[tuple[TokenEvent, ...], ...]


@dataclass(frozen=True, slots=True)
class CorpusSummarised:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.SummariseCorpus`."""

    summary: CorpusSummary


@dataclass(frozen=True, slots=True)
class BlocksPreviewed:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.PreviewBlocks`: the beginning of a corpus, block by block.

    ``unknown`` is the share of it that the backbone's tokenizer does not know, in [0, 1].
    """

    blocks: tuple[tuple[TokenPiece, ...], ...]
    unknown: float


@dataclass(frozen=True, slots=True)
class AdapterSeen:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.LookAtAdapter`: the lowest block that it changes; None of one
    that only the Hub can have, which is not fetched for it."""

    source: str
    first_block: int | None


@dataclass(frozen=True, slots=True)
class SettingsLoaded:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.LoadSettings`: how an epoch was trained."""

    slug: str
    settings: TrainSettings


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.EstimateTraining`: from steps that were really made.

    Attributes:
        steps: to the last one.
        seconds: all of them take at most, measurements, samples, checkpoints and the end included.
        memory_bytes: what this process has at the peak of the training (on a GPU, what it has there).
        free_bytes: what it can have: what it has now and what is free.
    """

    steps: int
    seconds: float
    memory_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class DomainScore:
    """One epoch's held-out text, nats per token; ``baseline_routing_accuracy`` is None if never compared."""

    slug: str
    loss_backbone: float
    loss_epoch: float
    loss_mix: float
    routing_accuracy: float
    baseline_routing_accuracy: float | None


@dataclass(frozen=True, slots=True)
class MisroutedText:
    """A stretch of an epoch's held-out text in which another slot weighs most.

    Attributes:
        slug: whose text it is.
        slot: the other one that weighs most over the stretch.
        first, end: the stretch, among the tokens; ``end`` is behind its last.
        tokens: what the mixture read from the beginning of its block, and a few after the stretch.
        slots: of the mixture.
    """

    slug: str
    slot: int
    first: int
    end: int
    tokens: tuple[TokenEvent, ...]
    slots: tuple[SlotInfo, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.Evaluate`.

    Attributes:
        scores: one per epoch.
        switch_lag: tokens after a border of two domains until the right weight stays above 0.9, median over borders;
            None with a single epoch.
        calibration_error: of the dominant slot's weight, in [0, 1]; see :mod:`tlora_gui.engine.protocol.metrics`.
        misrouted: as many as were asked for, the worst first.
        unknown_text: the backbone's weight on an epoch's text without that epoch's slot, mean over epochs: what becomes
            of text that no epoch knows. None with a single epoch.
    """

    scores: tuple[DomainScore, ...]
    switch_lag: float | None
    calibration_error: float
    misrouted: tuple[MisroutedText, ...] = ()
    unknown_text: float | None = None


@dataclass(frozen=True, slots=True)
class WeightsHashed:
    """SHA-256 of the backbone's parameters and of each adapter's, (slug, hash)."""

    backbone: str
    adapters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DemoCorpora:
    """Where the sample corpora are: (name, era, folder)."""

    corpora: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class FileWritten:
    """An export ended up here.

    Attributes:
        relative_error: ‖lost‖ / ‖whole‖ of the update (Frobenius), if it was compressed to a lower rank.
    """

    path: str
    relative_error: float | None = None


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """An open project, whole.

    Attributes:
        strategy: the Time Mixer's.
        slots: of the mixture, the backbone's first; an epoch in training has one.
        history: per epoch (slug), every step, measurement and sample since its training began.
        generation: the last kept generation.
        mixers: of earlier phases, oldest first, and the unprotected one of the latest, where they were stored.
        waiting: epochs that were still to be made when the project was left, next one first.
        repairs: what is broken and can be made whole.
    """

    path: str
    name: str
    backbone: BackboneInfo
    strategy: str
    epochs: tuple[EpochInfo, ...]
    slots: tuple[SlotInfo, ...]
    history: tuple[tuple[str, tuple[TrainingEvent, ...]], ...]
    generation: Generation | None
    mixers: tuple[StoredMixer, ...] = ()
    waiting: tuple[NewEpoch, ...] = ()
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True)
class ProjectOpened:
    """A project is open and its backbone is ready."""

    project: ProjectInfo


@dataclass(frozen=True, slots=True)
class ProjectListed:
    """A project as its files say, without its backbone.

    Attributes:
        backbone: what it is called.
        reference: where it was when the project was last open: "starter", a Hub id, a path.
        strategy: the Time Mixer's.
        epochs: finished, broken and interrupted ones; what is heavy was not looked at.
        generations: all kept generations and texts, in the order in which they were kept.
    """

    path: str
    name: str
    backbone: str
    reference: str
    strategy: str
    epochs: tuple[EpochInfo, ...]
    generations: tuple[GenerationSummary, ...]


@dataclass(frozen=True, slots=True)
class ProjectWritten:
    """A project's copy, or its file, is whole.

    Attributes:
        path: the folder or the file.
        note: what has become of an epoch in training; empty without one.
    """

    path: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProjectWeighed:
    """Answer to :class:`~tlora_gui.engine.protocol.jobs.WeighProject`.

    Attributes:
        rest: bytes of what is sent in any case.
        parts: bytes of each part that can be left out; the samples of trainings are counted with the rest.
    """

    rest: int
    parts: tuple[tuple[ProjectPart, int], ...]


# -- ends -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobDone:
    """The job did what it was asked."""

    job_id: int


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """The job was ended from outside; ``kept`` says whether anything of it stays."""

    job_id: int
    kept: bool


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The job failed. ``details`` is a traceback if it was a bug, else empty; ``code`` is the error's, see there."""

    job_id: int
    message: str
    hint: str
    details: str = ""
    code: str = ""


TrashKind = Literal["epoch", "text", "run"]


@dataclass(frozen=True, slots=True)
class TrashItem:
    """Something that was deleted and can come back.

    Attributes:
        id: an epoch's slug; a text's or a run's id.
        deleted: when, in seconds since 1970; 0 if nobody knows.
        size: bytes on disk.
        others: texts that branch off it and come back with it.
    """

    kind: TrashKind
    id: str
    name: str
    deleted: float = 0.0
    size: int = 0
    others: int = 0

    @property
    def restoring(self) -> RestoreEpoch | DeleteGeneration | DeleteRun:
        """The job that brings it back."""
        match self.kind:
            case "epoch":
                return RestoreEpoch(self.id)
            case "text":
                return DeleteGeneration(self.id, restore=True)
            case "run":
                return DeleteRun(self.id, restore=True)

    @property
    def deleting(self) -> DeleteEpoch | DeleteGeneration | DeleteRun:
        """The job that deletes it again."""
        match self.kind:
            case "epoch":
                return DeleteEpoch(self.id)
            case "text":
                return DeleteGeneration(self.id)
            case "run":
                return DeleteRun(self.id)


@dataclass(frozen=True, slots=True)
class TrashListed:
    """What lies in the project's trash, the one deleted last first."""

    items: tuple[TrashItem, ...]


StreamEvent = (
    Progress
    | Warned
    | CorpusRead
    | TrainStarted
    | TrainStep
    | HeldOut
    | TrainingSample
    | EpochFinished
    | EpochsChanged
    | GenerationStarted
    | TokenEvent
    | GenerationFinished
    | InRow
    | PromptTooLong
    | GenerationsListed
    | GenerationLoaded
    | RunsListed
    | RunLoaded
    | Counterfactual
    | MixerTimeline
    | CorpusSummarised
    | BlocksPreviewed
    | AdapterSeen
    | SettingsLoaded
    | TrainingEstimate
    | Evaluated
    | WeightsHashed
    | DemoCorpora
    | FileWritten
    | ProjectOpened
    | ProjectListed
    | TrashListed
    | ProjectWritten
    | ProjectWeighed
)
EndEvent = JobDone | JobCancelled | JobFailed
Event = StreamEvent | EndEvent
