"""A project that is open: its folder, its model, its epochs. What every job works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from tlora_gui.engine.backbones.loading import Backbone, context_length
from tlora_gui.engine.backbones.tokenizing import chat_template, vocabulary_of
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.generation.read_text import ReadText
from tlora_gui.engine.generation.token_stream import TokenStream
from tlora_gui.engine.projects.epoch_list import EpochList
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.project_index import MixerFile
from tlora_gui.engine.projects.stored_mixers import current_mixer, over_slots, stored_mixers
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import (
    AVERAGE_MODE,
    BACKBONE_COLOUR,
    BACKBONE_SLOT,
    BASELINE_MODE,
    MIXER_MODE,
    SUM_MODE,
)
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import (
    BackboneInfo,
    EpochInfo,
    EpochsChanged,
    HeldOut,
    Progress,
    ProjectInfo,
    Repair,
    StoredMixer,
)
from tlora_gui.engine.protocol.jobs import RepairMemory, RepairMixer
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.texts import SlotInfo
from tlora_gui.engine.storage.disk import is_path
from tlora_gui.engine.training.preparation import held_out_again
from tlora_gui.engine.training.probe import Probed
from tlora_gui.engine.training.ranks import Ranks
from tlora_gui.temporal.blend import RowBlend
from tlora_gui.temporal.layers import decoder_blocks
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


@dataclass(slots=True)
class Workspace:
    """An open project.

    Attributes:
        generating: the text that is coming.
        ranks: the processes that train together.
        probed: what trying some steps has shown so far.
        reading_threads: torch's while several tokens are read at once; 0 for as many as ever.
        changes: how many jobs that may have changed the model are over.
    """

    project: Project
    model: TemporalLoRA
    backbone: Backbone
    epochs: EpochList = field(default_factory=EpochList)
    generating: TokenStream | None = None
    ranks: Ranks = field(default_factory=Ranks)
    probed: Probed = field(default_factory=dict)
    reading_threads: int = 0
    changes: int = 0
    _changing: int = 0
    _read: ReadText | None = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """While a job may change the model, or wants the memory, no text that was read is kept."""
        self._read = None
        self._changing += 1
        try:
            yield
        finally:
            self._changing -= 1
            self.changes += 1

    def keep_read(self, text: ReadText | None) -> None:
        """Keep the text that was read last, for the next one that begins alike; None drops it."""
        self._read = None if self._changing else text

    def take_read(self, conditions: Hashable) -> ReadText | None:
        """The text that was read last, if it was under these conditions. It is kept no longer."""
        text, self._read = self._read, None
        return text if text is not None and text.conditions == conditions else None

    def load(self) -> None:
        """Make the model and the list of epochs what the project on disk is."""
        model = self.model
        if model.slot_adapters:  # without slots, removals have nothing to stack anew
            model.set_slots([], TimeMixer(model.mixer.hidden_size, model.mixer.settings))
        for slug in list(model.adapters):
            model.remove_adapter(slug)
        self.epochs = EpochList(self.project.load_into(self.model))
        self.list_interrupted()

    def list_interrupted(self) -> None:
        """List the interrupted epochs anew: how far they came, and whether they can still go on."""
        for epoch in self.project.interrupted():
            if not self.goes_on(epoch):
                note = say("{note}; it cannot go on, the epochs before it have changed", note=epoch.note)
                epoch = replace(epoch, note=note, goes_on=False)
            self.epochs.put(epoch)

    def goes_on(self, epoch: EpochInfo) -> bool:
        """Whether an interrupted epoch can go on as things are; no longer once another is trained or deleted."""
        return epoch.state == "interrupted" and self.project.checkpoints.goes_on(epoch.slug, self.model.mixer)

    # -- as people see it ---------------------------------------------------------------------------------------

    def info(self) -> ProjectInfo:
        """The open project, whole."""
        project = self.project
        known = [epoch.slug for epoch in self.epochs if epoch.state != "broken"]
        return ProjectInfo(
            path=str(project.path),
            name=project.path.name,
            backbone=self.backbone_info(),
            strategy=project.index.mixer.strategy,
            epochs=tuple(self.epochs),
            slots=self.slots(),
            history=tuple((slug, project.read_history(slug)) for slug in known),
            generation=project.generations.last(),
            mixers=tuple(self.stored_mixers()),
            waiting=project.waiting(),
            repairs=self.repairs(),
        )

    def changed(self) -> EpochsChanged:
        """The epochs and what goes with them, after a change."""
        mixers, bare_router = tuple(self.stored_mixers()), self.model.lora.bare_router
        return EpochsChanged(tuple(self.epochs), self.slots(), mixers, bare_router, self.repairs())

    def repairs(self) -> tuple[Repair, ...]:
        """What is broken and can be made whole, the Time Mixer first; nothing where nobody may write."""
        project, found = self.project, list[Repair]()
        if project.read_only:
            return ()
        if project.mixer_damage:
            problem, names = project.mixer_damage, ", ".join(self.epochs[slug].name for slug in project.unlearned)
            if len(project.unlearned) == len(self.model.slot_adapters):
                reason = say(
                    "{problem} No other can be read, so {names} have hardly any weight.", problem=problem, names=names
                )
            elif names:
                reason = say(
                    "{problem} An earlier one is used, which does not know {names}.", problem=problem, names=names
                )
            else:
                reason = say("{problem} An earlier one is used, which knows all epochs.", problem=problem)
            found.append(Repair(reason, RepairMixer()))
        replaced = {epoch.replaces for epoch in self.epochs}
        for epoch in self.epochs:
            if epoch.state == "broken" and epoch.slug in project.index.folders and epoch.slug not in replaced:
                job = project.retraining(epoch.slug)
                found += [Repair(epoch.note, job)] if job else []
            elif epoch.state == "frozen" and epoch.slug in project.without_memory:
                found.append(Repair(epoch.note, RepairMemory(epoch.slug)))
        return tuple(found)

    def backbone_info(self) -> BackboneInfo:
        """The frozen backbone."""
        model, device = self.model, self.model.device
        return BackboneInfo(
            name=self.backbone.name.rsplit("/", 1)[-1],
            reference=self.backbone.reference,
            parameters=sum(parameter.numel() for parameter in model.backbone.parameters()),
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper(),
            dtype=str(model.backbone.dtype).removeprefix("torch."),
            context_length=context_length(model.backbone),
            blocks=model.backbone.config.get_text_config().num_hidden_layers,
            mixer_layer=model.mixer_layer,
            note=say("Epochs leave these as they are: {names}.", names=", ".join(kept))
            if (kept := _unadapted(model))
            else "",
            bare_router=model.lora.bare_router,
        )

    def loadable_backbone(self) -> str:
        """What transformers and PEFT load this backbone from: a Hub id or a folder."""
        backbone = self.backbone
        return str(backbone.tokenizer.name_or_path) if is_path(backbone.reference) else backbone.name

    def slots(self) -> tuple[SlotInfo, ...]:
        """The mixer's slots, the backbone first."""
        named = (self.epochs[slug] for slug in self.model.slot_adapters)
        epochs = (SlotInfo(epoch.slug, epoch.name, epoch.colour) for epoch in named)
        return (SlotInfo("", BACKBONE_SLOT, BACKBONE_COLOUR), *epochs)

    def blend(self, mode: str) -> RowBlend:
        """The blend of a mode of generation.

        Raises:
            TloraError: if there is no epoch to mix, or the mode's epoch has no slot, or its mixer is not there.
        """
        slots = ["", *self.model.slot_adapters]
        if mode == MIXER_MODE:
            return "mixer"
        if mode in (SUM_MODE, AVERAGE_MODE):
            if not (epochs := len(slots) - 1):
                raise TloraError(say("There is no epoch to mix."), say("Train an epoch first, or choose another mode."))
            share = 1.0 if mode == SUM_MODE else 1 / epochs
            return torch.tensor([0.0] + [share] * epochs)
        if mode in slots:
            return slots.index(mode)
        for stored, entry in self.stored_mixers().items():
            if stored.mode == mode:
                mixer = self.project.read_mixer(entry, self.model)
                return over_slots(mixer, entry.slots, self.model.slot_adapters).to(self.model.device)
        raise TloraError(
            say("That mixer is not stored in this project.")
            if mode.startswith("@")
            else say("That epoch is not in the mixture."),
            say("Choose another mode: {names}.", names=", ".join([MIXER_MODE, *slots[1:21]])),
        )

    # -- mixers of the past -------------------------------------------------------------------------------------

    def stored_mixers(self) -> dict[StoredMixer, MixerFile]:
        """Mixers of earlier phases, oldest first, and the latest epoch's without Active Sleep; each with its file."""
        return stored_mixers(self.project, self.epochs, self.model.slot_adapters)

    def phases(self) -> list[tuple[StoredMixer, TimeMixer]]:
        """The mixer of every phase over its own slots, the current one last.

        Raises:
            TloraError: if one of them cannot be read.
        """
        earlier = [
            (stored, self.project.read_mixer(entry, self.model).to(self.model.device))
            for stored, entry in self.stored_mixers().items()
            if stored.mode != BASELINE_MODE
        ]
        return [*earlier, (current_mixer(self.project, self.epochs, self.model.slot_adapters), self.model.mixer)]

    # -- what can be measured -----------------------------------------------------------------------------------

    def held_out_texts(self, tokens: int, cancel: CancelToken) -> Generator[Progress, None, dict[str, Tensor]]:
        """Held-out text of every epoch in the mixture that has had any (N, T), about ``tokens`` of it.

        It is what the epoch has left, else what of it is found again in its files.

        Raises:
            TloraError: if that text is gone, or no epoch has had any.
        """
        texts: dict[str, Tensor] = {}
        for slug in (slugs := self.model.slot_adapters):
            yield Progress(say("Reading held-out text"), len(texts), len(slugs), say("epochs"))
            memory = self.model.memories.get(slug)
            if memory is None or slug in self.project.without_memory:
                continue
            left_NT = memory.held_out_NT
            if left_NT is not None:
                texts[slug] = left_NT[: max(1, tokens // left_NT.shape[1])].long()
            elif self.epochs[slug].corpus:
                info, settings = self.project.read_epoch(slug)
                tokenizer = self.backbone.tokenizer
                corpus = TextCorpus.from_paths(info.corpus, cancel, info.reading, chat_template(tokenizer))
                digests, vocabulary = memory.held_out_digests, vocabulary_of(self.model.backbone)
                found_NT = yield from held_out_again(corpus, tokenizer, settings, digests, vocabulary)
                texts[slug] = found_NT[: max(1, tokens // found_NT.shape[1])]
        if not texts:
            raise TloraError(say("No epoch has text to measure on."), say("Import an adapter with text of its kind."))
        return texts

    def baseline_routing(self) -> dict[str, float]:
        """Last routing accuracies of the mixer that was trained without Active Sleep beside the latest epoch."""
        slots = self.model.slot_adapters
        history = self.project.read_history(slots[-1]) if slots else ()
        measured = [event for event in history if isinstance(event, HeldOut)]
        return dict(measured[-1].unprotected) if measured else {}


def _unadapted(model: TemporalLoRA) -> list[str]:
    """Weights that no epoch adapts, if they are a good part of the blocks that epochs adapt: the experts of a mixture
    of experts, say, which are no linear layers. Each kind once, by its name within a block."""
    adapted = {id(module.weight) for module in model.layers.values()}
    sizes: Counter[str] = Counter()
    total = 0
    for block in decoder_blocks(model.backbone)[1][model.mixer_layer :]:
        for name, parameter in block.named_parameters():
            total += parameter.numel()
            if id(parameter) not in adapted:
                sizes[name] += parameter.numel()
    return [name for name, size in sizes.items() if size > _GOOD_PART * total]


_GOOD_PART = 0.05
"""Share of these blocks' weights from which it is worth saying that an epoch leaves them alone."""
