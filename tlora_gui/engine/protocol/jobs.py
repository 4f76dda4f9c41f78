"""What can be asked of a session, as data. Imports neither torch nor Qt, so the window may use it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tlora_gui.engine.protocol.config import (
    MIXER_MODE,
    SLOT_SETTINGS,
    STARTER,
    MixingDesk,
    ProjectPart,
    ReadOptions,
    SamplingSettings,
    TrainSettings,
)
from tlora_gui.engine.protocol.texts import Generation


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Make a project folder around a backbone (fetched if need be) and open it. Answer: ProjectOpened.

    ``mixer_layer`` is the block before which the Time Mixer reads, and the first that epochs change; None takes a
    quarter of the depth. Adapters that change all blocks need 0, or ``bare_router``: the Time Mixer then reads the bare
    backbone, whose lower blocks run twice while such an adapter is in the mixture. ``switching`` is the Time Mixer's,
    see :class:`~tlora_gui.temporal.config.MixerSettings`.
    """

    path: str
    backbone: str = STARTER
    mixer_strategy: str = "gating"
    mixer_layer: int | None = None
    bare_router: bool = False
    switching: str = "filter"


@dataclass(frozen=True, slots=True)
class OpenProject:
    """Open a project folder. Answer: ProjectOpened.

    ``backbone`` says where the project's backbone is now, if it has moved; its weights prove it, then the project
    remembers.
    """

    path: str
    backbone: str = ""


@dataclass(frozen=True, slots=True)
class ListProject:
    """What is in a project's folder, as its files say: neither opened nor locked. Answer: ProjectListed."""

    path: str


@dataclass(frozen=True, slots=True)
class FollowProject:
    """Look on while another window or command has a project open, without its backbone. What was open is let go of.

    Answer: ProjectOpened, then what the others do, as TrainEpoch tells it, until they let go of the project.
    """

    path: str


@dataclass(frozen=True, slots=True)
class CloseProject:
    """Let go of the open project, so that others may open it.

    ``drop_if_empty`` takes its folder away again if this session made it and nothing has come into it: no epoch,
    finished or interrupted, and no text.
    """

    drop_if_empty: bool = False


@dataclass(frozen=True, slots=True)
class CopyProject:
    """Copy the project in the folder ``path``, open here or nowhere, to the new folder ``target``: all of it, but for
    its lock and what is half written. An epoch in training is copied as its latest checkpoint. Answer: ProjectWritten.

    Any cancel leaves no trace.
    """

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class PackProject:
    """Write the project in the folder ``path``, open here or nowhere, to one file for somebody else.

    Never in it: the backbone, deleted epochs and texts, the queue, paths on this machine. Answer: ProjectWritten. Any
    cancel leaves no trace.

    Attributes:
        path: the project.
        target: a file that ends in .tlora; it is replaced if ``overwrite``.
        without: what is left out too.
    """

    path: str
    target: str
    without: tuple[ProjectPart, ...] = ()
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class UnpackProject:
    """Make the new folder ``target`` of a packed project; empty: one named as the file, where new projects go.

    Whatever stands in the file, nothing is written outside of that folder, and nothing stays if it is refused or
    cancelled. Answer: ProjectWritten.
    """

    path: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class WeighProject:
    """How much of the project in the folder ``path`` is what? Answer: ProjectWeighed."""

    path: str


@dataclass(frozen=True, slots=True)
class SummariseCorpus:
    """Look through files and folders. Answer: CorpusSummarised."""

    paths: tuple[str, ...]
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class PreviewBlocks:
    """How does the backbone read the beginning of these files and folders? Answer: BlocksPreviewed."""

    paths: tuple[str, ...]
    reading: ReadOptions = field(default_factory=ReadOptions)
    block_size: int = TrainSettings().block_size


@dataclass(frozen=True, slots=True)
class TrainEpoch:
    """Train a new epoch on files and folders. Answer: TrainStarted, TrainStep, HeldOut and TrainingSample …,
    EpochFinished.

    ``colour`` empty takes the next free one. ``replaces`` is a broken epoch, whose place it takes when it is finished.
    Cancel modes: keep, discard, suspend.
    """

    name: str
    paths: tuple[str, ...]
    era: str = ""
    colour: str = ""
    settings: TrainSettings = field(default_factory=TrainSettings)
    reading: ReadOptions = field(default_factory=ReadOptions)
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class ResumeEpoch:
    """Go on with the interrupted epoch from its checkpoint, bit for bit. Answer: as TrainEpoch."""

    slug: str


@dataclass(frozen=True, slots=True)
class KeepEpoch:
    """Make a finished epoch of an interrupted one as it is. Answer: TrainStarted, HeldOut, EpochFinished.

    Its note says after which step it stopped. Cancel modes: discard, suspend.
    """

    slug: str


@dataclass(frozen=True, slots=True)
class LookAtAdapter:
    """Which blocks does an adapter in a folder or .zip change? Answer: AdapterSeen."""

    source: str


@dataclass(frozen=True, slots=True)
class ImportAdapter:
    """Make an epoch of a LoRA adapter that was trained elsewhere. Answer: CorpusRead, HeldOut (both only with text),
    EpochFinished.

    The Time Mixer learns its slot from text of its kind in ``paths``, or from the adapter's own dreams without any.

    ``source`` is a folder, a .zip, or an id on the Hub; ``name`` empty takes its name, ``colour`` empty the next free
    one. Whatever cannot be represented exactly is refused before any work begins. Any cancel leaves no trace.

    An adapter that reaches below the project's ``mixer_layer`` is refused too, unless the Time Mixer reads the bare
    backbone, or ``bare_router`` lets it do so from now on.
    """

    source: str
    name: str = ""
    era: str = ""
    colour: str = ""
    paths: tuple[str, ...] = ()
    settings: TrainSettings = SLOT_SETTINGS
    reading: ReadOptions = field(default_factory=ReadOptions)
    bare_router: bool = False


NewEpoch = ImportAdapter | TrainEpoch
"""What makes an epoch, and may have to wait its turn."""


@dataclass(frozen=True, slots=True)
class RepairMemory:
    """Make again what an epoch leaves for later sleep: from its text if that is as it was, else from its own dreams.

    Answer: EpochsChanged. Any cancel leaves no trace.
    """

    slug: str


@dataclass(frozen=True, slots=True)
class RepairMixer:
    """Make the mixer that is used in place of a damaged one the current one; epochs that it does not know are learned
    from their memories. Answer: EpochsChanged. Any cancel leaves no trace.
    """


@dataclass(frozen=True, slots=True)
class EstimateTraining:
    """How long a training takes and how much memory, by a few steps on random tokens that are undone.

    ``tokens`` are those of the training text. Refused while an epoch is in training. Answer: TrainingEstimate.
    """

    settings: TrainSettings
    tokens: int


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How was this epoch trained? Answer: SettingsLoaded."""

    slug: str


@dataclass(frozen=True, slots=True)
class KeepQueue:
    """Keep with the project which epochs are still to be made, next one first, in place of what was kept."""

    waiting: tuple[NewEpoch, ...]


@dataclass(frozen=True, slots=True)
class EditEpoch:
    """Rename or recolour. Answer: EpochsChanged."""

    slug: str
    name: str
    era: str
    colour: str


@dataclass(frozen=True, slots=True)
class DeleteEpoch:
    """Take an epoch out of the mixture; it can come back until the trash is emptied. Answer: EpochsChanged."""

    slug: str


@dataclass(frozen=True, slots=True)
class RestoreEpoch:
    """Bring a deleted epoch back, as it was if nothing was learned since; else the Time Mixer learns its slot anew from
    what the epoch remembers. Answer: ProjectOpened, with the epoch and its history back.

    Cancelled while the mixer learns, it leaves no trace.
    """

    slug: str


@dataclass(frozen=True, slots=True)
class ExportEpoch:
    """Write an epoch's adapter for others: as a GGUF file if ``path`` ends in .gguf, else as a plain PEFT folder of its
    own in the folder ``path``. A file is replaced if ``overwrite``, a folder never. Answer: FileWritten.
    """

    slug: str
    path: str
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class ExportMerge:
    """Write epochs at constant weights as one: an adapter as ExportEpoch does, or a model. Answer: FileWritten.

    Attributes:
        weights: (slug, weight in (0, 10]); the mixture as it is with these weights at every token.
        rank: what the adapter is compressed to, if its rank is higher; None keeps it exact, of all ranks together.
        into_backbone: write the whole model, the backbone's weights changed, as transformers loads it.
    """

    weights: tuple[tuple[str, float], ...]
    path: str
    rank: int | None = None
    into_backbone: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """Where a generation leaves another one.

    Attributes:
        record: id of the other one if the project keeps it, else that one whole, finished or not; its tokens before
            ``at`` are read again and emitted as they are.
        at: index of the first token that is new.
        token_id: the token put there, a :class:`~tlora_gui.engine.protocol.texts.Alternative`'s; -1 for none.
        text: or a text put there; neither generates at once.
    """

    record: Generation | str
    at: int
    token_id: int = -1
    text: str = ""


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue a prompt, or another generation from some token on.

    ``mode`` is "mixer", "+sum", "+average", a slot's slug ("" for the backbone) or a
    :class:`~tlora_gui.engine.protocol.events.StoredMixer`'s. ``desk`` works on mixers alone. With a ``branch`` the
    prompt is its record's. Answer: GenerationStarted, TokenEvent …, GenerationFinished.
    """

    prompt: str
    mode: str = MIXER_MODE
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    desk: MixingDesk = field(default_factory=MixingDesk)
    branch: Branch | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One of several texts that continue a prompt; fields as those of :class:`Generate`."""

    mode: str = MIXER_MODE
    desk: MixingDesk = field(default_factory=MixingDesk)


@dataclass(frozen=True, slots=True)
class GenerateRows:
    """Continue a prompt once per row, all at once where memory and backbone allow it, else in turns. Each is the text
    that Generate gives. Answer: what it answers, as :class:`~tlora_gui.engine.protocol.events.InRow`; a row may fail
    while the others go on.
    """

    prompt: str
    rows: tuple[Row, ...]
    sampling: SamplingSettings = field(default_factory=SamplingSettings)


@dataclass(frozen=True, slots=True)
class ScoreText:
    """Colour a given text without generating. Answer as to Generate, all tokens of the prompt; the record's ``report``
    has the rest. Of a text that does not fit into the context its beginning is read if ``cut``, else the job fails.
    """

    text: str
    mode: str = MIXER_MODE
    desk: MixingDesk = field(default_factory=MixingDesk)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ScoreTextFile:
    """As ScoreText, with the text of a file."""

    path: str
    mode: str = MIXER_MODE
    desk: MixingDesk = field(default_factory=MixingDesk)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class PredictCounterfactual:
    """What would each slot alone have predicted at a token? Answer: Counterfactual."""

    record: Generation
    index: int


@dataclass(frozen=True, slots=True)
class ComputeMixerTimeline:
    """How would every stored mixer, and the current one at the end, weigh this text? Answer: MixerTimeline."""

    record: Generation


@dataclass(frozen=True, slots=True)
class ListGenerations:
    """What is kept in the project? Answer: GenerationsListed."""


@dataclass(frozen=True, slots=True)
class LoadGeneration:
    """Bring a kept generation. Answer: GenerationLoaded."""

    id: str


@dataclass(frozen=True, slots=True)
class EditGeneration:
    """Name or pin a kept generation. Answer: GenerationsListed."""

    id: str
    name: str
    pinned: bool


@dataclass(frozen=True, slots=True)
class DeleteGeneration:
    """Take a kept generation and what branches off it out of the list, or bring it back. Answer: GenerationsListed."""

    id: str
    restore: bool = False


@dataclass(frozen=True, slots=True)
class ExportGeneration:
    """Write a generation, the kind of file by its ending: .html (a page of its own), .json (with the full recipe), .md.

    Answer: FileWritten.
    """

    record: Generation
    path: str


@dataclass(frozen=True, slots=True)
class ImportGeneration:
    """Open a generation that was exported as .json and keep it in the project. Answer: GenerationLoaded."""

    path: str


@dataclass(frozen=True, slots=True)
class ListRuns:
    """Which trainings have there been? Answer: RunsListed."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """Bring a run with its curves. Answer: RunLoaded."""

    id: str


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Take a run out of the history, or bring it back; its epoch stays. Answer: RunsListed."""

    id: str
    restore: bool = False


@dataclass(frozen=True, slots=True)
class ListTrash:
    """Which epochs, texts and runs were deleted and can come back? Answer: TrashListed."""


@dataclass(frozen=True, slots=True)
class EmptyTrash:
    """Take everything that was deleted away for good. Answer: TrashListed."""


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Measure backbone, own epoch and mix on every epoch's held-out text. Answer: Evaluated.

    ``misrouted`` is how many stretches of that text are told of, those that the Time Mixer gets most wrong.
    """

    held_out_tokens: int = 4096
    misrouted: int = 0


@dataclass(frozen=True, slots=True)
class HashWeights:
    """Hash every bit of backbone and adapters, to see that later training wrote to none. Answer: WeightsHashed."""


@dataclass(frozen=True, slots=True)
class FetchDemoCorpora:
    """Bring the sample corpora to this machine. Answer: DemoCorpora."""


Job = (
    CreateProject
    | OpenProject
    | ListProject
    | FollowProject
    | CloseProject
    | CopyProject
    | PackProject
    | UnpackProject
    | WeighProject
    | SummariseCorpus
    | PreviewBlocks
    | TrainEpoch
    | ResumeEpoch
    | KeepEpoch
    | LookAtAdapter
    | ImportAdapter
    | RepairMemory
    | RepairMixer
    | EstimateTraining
    | LoadSettings
    | KeepQueue
    | EditEpoch
    | DeleteEpoch
    | RestoreEpoch
    | ExportEpoch
    | ExportMerge
    | Generate
    | GenerateRows
    | ScoreText
    | ScoreTextFile
    | PredictCounterfactual
    | ComputeMixerTimeline
    | ListGenerations
    | LoadGeneration
    | EditGeneration
    | DeleteGeneration
    | ExportGeneration
    | ImportGeneration
    | ListRuns
    | LoadRun
    | DeleteRun
    | ListTrash
    | EmptyTrash
    | Evaluate
    | HashWeights
    | FetchDemoCorpora
)
TRAININGS = (TrainEpoch, ResumeEpoch, KeepEpoch, ImportAdapter)
"""Jobs at whose end there is an epoch more."""
INTERACTIVE = (
    CopyProject,
    PackProject,
    WeighProject,
    SummariseCorpus,
    PreviewBlocks,
    LookAtAdapter,
    EstimateTraining,
    LoadSettings,
    KeepQueue,
    EditEpoch,
    ExportEpoch,
    ExportMerge,
    Generate,
    GenerateRows,
    ScoreText,
    ScoreTextFile,
    PredictCounterfactual,
    ComputeMixerTimeline,
    ListGenerations,
    LoadGeneration,
    EditGeneration,
    DeleteGeneration,
    ExportGeneration,
    ImportGeneration,
    ListRuns,
    LoadRun,
    DeleteRun,
    ListTrash,
    EmptyTrash,
)
"""Jobs that go ahead between the steps of a long one; all others wait their turn."""
