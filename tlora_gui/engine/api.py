"""The public API in plain Python: the source's own usage runs as written.

    model = TemporalLoRAModel(model_name="starter", lora_rank=8, lora_alpha=16.0, mixer_strategy="gating")
    model.add_adapter("shakespeare", "Renaissance Era")
    train_adapter(model, "plays/", "shakespeare", epochs=3)
    text, weights = generate_with_mixer(model, model.tokenizer, "To code or not to code")

The README tells what each line gives.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tlora_gui.engine.backbones.invariants import refuse_unfit
from tlora_gui.engine.backbones.loading import fingerprint, load_backbone, require_causal, require_reads
from tlora_gui.engine.backbones.model_folder import in_short, require_finite, require_own_tokenizer
from tlora_gui.engine.backbones.tokenizing import chat_template, encode_prompt, vocabulary_of
from tlora_gui.engine.corpus.text_corpus import TextCorpus, as_corpus
from tlora_gui.engine.generation.token_stream import generate
from tlora_gui.engine.projects.adapter_folder import read_adapter, write_adapter
from tlora_gui.engine.projects.new_folder import new_folder
from tlora_gui.engine.projects.project import Project
from tlora_gui.engine.projects.records import check_epoch
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import (
    STARTER,
    LoraSettings,
    MixerSettings,
    ReadOptions,
    SamplingSettings,
    SleepSettings,
    TrainSettings,
    epoch_colour,
)
from tlora_gui.engine.protocol.errors import TloraError, disk_is_full
from tlora_gui.engine.protocol.events import EpochInfo, TrainingEvent, TrainStep
from tlora_gui.engine.protocol.sentences import message_of, say
from tlora_gui.engine.protocol.streams import drain, tee
from tlora_gui.engine.training.epoch_run import require_context, train_epoch
from tlora_gui.engine.training.evaluation import mixer_weights
from tlora_gui.engine.training.preparation import epoch_blocks, remember_dreams
from tlora_gui.temporal.blend import RowBlend
from tlora_gui.temporal.config import Strategy, Switching
from tlora_gui.temporal.lora import LoraWeights
from tlora_gui.temporal.model import TemporalLoRA


class TemporalLoRAModel(TemporalLoRA):
    """A frozen backbone with epochs and a Time Mixer, loaded by name, saved as a project.

    Args:
        model_name: a Hub id, a local folder, a .gguf file, "starter", or a loaded ``PreTrainedModel``.
        lora_rank: rank R of every epoch's adapter.
        lora_alpha: PEFT's scaling numerator; updates are scaled by ``lora_alpha / lora_rank``.
        mixer_strategy: how weights are made: ``"gating"``, ``"routing"`` or ``"attention"``.
        switching: how the Time Mixer turns from one epoch to another: by a ``"filter"``, a
            ``"filter-without-counts"`` or a running ``"mean"``.
        tokenizer: needed with a loaded model only.
        mixer_layer: first adapted decoder block; a quarter of the depth by default.
        bare_router: let the Time Mixer read the bare backbone, so that adapters from elsewhere may lie in every block.

    Raises:
        TloraError: if there is no such model, it is not a causal language model, or its tokenizer is not given.
    """

    def __init__(
        self,
        model_name: str | Path | PreTrainedModel = STARTER,
        lora_rank: int = 8,
        lora_alpha: float = 16.0,
        mixer_strategy: Strategy = "gating",
        *,
        tokenizer: Any = None,
        mixer_layer: int | None = None,
        bare_router: bool = False,
        switching: Switching = "filter",
    ) -> None:
        if isinstance(model_name, PreTrainedModel):
            if tokenizer is None:
                raise TloraError(say("A loaded model needs its tokenizer."), say("Give it as `tokenizer=`."))
            if not isinstance(tokenizer, PreTrainedTokenizerBase):
                raise TloraError(
                    say("A {type} is no tokenizer.", type=type(tokenizer).__name__), say("Give one of transformers'.")
                )
            reference = str(model_name.config._name_or_path)
            name = Path(reference).name if os.path.exists(reference) else reference or type(model_name).__name__
            require_finite(model_name, name)
            require_causal(model_name, name)
            require_reads(model_name, name)
            require_own_tokenizer(tokenizer, model_name, name)
            backbone = model_name
            self.reference = os.path.abspath(reference) if os.path.exists(reference) else reference
        elif isinstance(model_name, (str, Path)):
            loaded = drain(load_backbone(str(model_name), CancelToken()))
            backbone, tokenizer, name, self.reference = loaded.model, loaded.tokenizer, loaded.name, loaded.reference
        else:
            raise TloraError(
                say("A {type} is no backbone.", type=type(model_name).__name__),
                say(
                    "Give a name, a folder, a .gguf file or a transformers model; of a PEFT model, the model inside it."
                ),
            )
        lora = LoraSettings(r=lora_rank, lora_alpha=lora_alpha, mixer_layer=mixer_layer, bare_router=bare_router)
        super().__init__(backbone, lora, MixerSettings(strategy=mixer_strategy, switching=switching))
        try:
            refuse_unfit(self)
        except ValueError as error:
            raise TloraError(
                say("{name} cannot be used: {reason}.", name=name, reason=message_of(error)),
                say("Choose another backbone."),
            ) from error
        self.tokenizer, self.backbone_name = tokenizer, name
        self.results: dict[str, TrainResult] = {}
        self._fingerprint = fingerprint(backbone)

    def add_adapter(self, name: str, era: str = "", seed: int = 0, *, trained: LoraWeights | None = None) -> None:
        """As :meth:`TemporalLoRA.add_adapter`, which has the arguments.

        Raises:
            ValueError: if the name is empty, taken, too long or no string, or the era is too long or none: :meth:`save`
                could not write them.
        """
        if isinstance(name, str) and name:
            if not isinstance(era, str):
                raise ValueError(f"an epoch's era is a string, not {era!r:.80}")
            check_epoch(EpochInfo(name, name, era, epoch_colour(0), "frozen"))
        super().add_adapter(name, era, seed, trained=trained)

    def save_adapter(self, name: str, folder: str | Path) -> None:
        """Write an adapter as a plain PEFT folder."""
        write_adapter(self, name, Path(folder), self.backbone_name)

    def load_adapter(self, name: str, folder: str | Path, era: str = "") -> None:
        """Take in a trained adapter from a plain PEFT folder, frozen. Give it a slot with :meth:`set_slots`.

        Raises:
            ValueError: if it is not an ordinary LoRA adapter over this model's layers; the model stays as it was.
            OSError: if the weights cannot be read.
        """
        self.add_adapter(name, era, trained=read_adapter(self, Path(folder)))

    def mixer_weights(self, text: str) -> Tensor:
        """The Time Mixer's weights for a given text: (tokens, 1 + K), rows sum to 1, column 0 the backbone."""
        ids = encode_prompt(self.tokenizer, text, vocabulary_of(self.backbone)).ids
        if not ids:
            return torch.empty(0, self.mixer.slots)
        return mixer_weights(self, torch.tensor([ids]))[0]

    def save(self, path: str | Path) -> None:
        """Write a project folder with every trained epoch and the mixer.

        Raises:
            TloraError: if an adapter is not trained here or read from a project, the backbone has no name that finds
                it again or is no longer what it was, the folder is not empty, cannot be written, or is another
                session's. Nothing is written then.
        """
        if lacking := [name for name in self.adapters if name not in self.results]:
            raise TloraError(
                say(
                    "The adapter {name!r} was not trained with train_adapter, so it cannot be saved.",
                    name=in_short(lacking[0]),
                ),
                say("Train it, or take it out with remove_adapter."),
            )
        if not self.reference:
            raise TloraError(
                say("The backbone has no name or folder, so the project could not find it again."),
                say("Save the model first (save_pretrained), and load it from there."),
            )
        if fingerprint(self.backbone) != self._fingerprint:
            raise TloraError(
                say("The backbone's weights are no longer those that it was loaded with, so no project could use it."),
                say("Load it in the precision that you want, and train over that."),
            )
        path = Path(path)
        with new_folder(path) as (lock, _):
            project = Project.create(path, self.reference, self.backbone_name, self._fingerprint, self)
            try:
                for name in self.slot_adapters:
                    result = self.results[name]
                    project.add_epoch(result.info, result.settings, self, result.history)
            except BaseException as error:
                for part in ("epochs", "mixer"):
                    shutil.rmtree(path / part, ignore_errors=True)
                if isinstance(error, OSError) or disk_is_full(error):
                    raise TloraError(
                        say("{path} cannot be written: {reason}.", path=path, reason=in_short(error)),
                        say("Choose another place."),
                    ) from error
                raise
        if lock is not None:
            lock.release()

    @classmethod
    def load(cls, path: str | Path, backbone: str | Path | PreTrainedModel | None = None, tokenizer: Any = None) -> Any:
        """Open a project folder, with its own backbone, or with the same one from elsewhere.

        Raises:
            BackboneMissing: if its own backbone is not where it was; give it as ``backbone``.
            TloraError: if it is no project, is damaged, or the backbone's weights are others.
        """
        project = Project.open(Path(path))
        index = project.index
        model = cls(
            backbone if backbone is not None else index.backbone_reference,
            index.lora.r,
            index.lora.lora_alpha,
            index.mixer.strategy,
            tokenizer=tokenizer,
            mixer_layer=index.lora.mixer_layer,
            bare_router=index.lora.bare_router,
            switching=index.mixer.switching,
        )
        if fingerprint(model.backbone) != index.fingerprint:
            raise TloraError(
                say("The backbone is not the one this project was made with."), say("Load the original model.")
            )
        infos = project.load_into(model)
        project.require_whole_mixer()
        for info in infos:
            if info.state == "broken":
                raise TloraError(
                    say("The epoch {slug} is damaged: {note}.", slug=info.slug, note=info.note),
                    say("Restore its folder from a copy."),
                )
            _, settings = project.read_epoch(info.slug)
            model.results[info.slug] = TrainResult(info, settings, project.read_history(info.slug))
        return model


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What :func:`train_adapter` did.

    Attributes:
        info: the epoch, with held-out loss of adapter and backbone (nats per token).
        settings: how it was trained.
        history: every step and measurement.
        remarks: (path, remark) of what of the corpus was not read, and why, or was read in an unusual way; none in
            projects that were loaded.
    """

    info: EpochInfo
    settings: TrainSettings
    history: tuple[TrainingEvent, ...]
    remarks: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def adapter_loss(self) -> list[float]:
        """Training loss per step, nats per token."""
        return [event.adapter_loss for event in self.history if isinstance(event, TrainStep)]

    @property
    def mixer_distill_loss(self) -> list[float]:
        """Active Sleep's loss per step, nats per token; 0 in the first phase."""
        return [event.mixer_distill_loss for event in self.history if isinstance(event, TrainStep)]

    @property
    def held_out_loss(self) -> float:
        """Loss of the epoch alone on its held-out text, nats per token; NaN for an adapter without any text."""
        return math.nan if self.info.held_out_loss is None else self.info.held_out_loss


def train_adapter(
    model: TemporalLoRAModel,
    dataset: TextCorpus | str | Path | Sequence[str] | Sequence[Path],
    adapter_name: str,
    epochs: int = 1,
    *,
    active_sleep: bool = True,
    max_tokens: int | None = None,
    seed: int = 0,
    learning_rate: float = 2e-3,
    batch_size: int = 4,
    block_size: int = 128,
    reading: ReadOptions | None = None,
) -> TrainResult:
    """Train one adapter and freeze it. Active Sleep protects the mixer from the second one on.

    Args:
        model: has the adapter (``add_adapter``).
        dataset: a corpus, a path, a sequence of texts, or one of ``Path`` objects.
        adapter_name: which one.
        epochs: passes over the data. (Elsewhere here a pass is ``num_passes``; an *epoch* is a trained adapter.)
        active_sleep: False lets the mixer forget, for comparison.
        max_tokens: training tokens per pass; None reads all.
        seed: fixes the whole run.
        learning_rate: peak AdamW step of the adapter's A; B's is four times it.
        batch_size: blocks per step.
        block_size: tokens per block.
        reading: which files of folders are read, and which column of tables; None for all, and what is found.

    Raises:
        TloraError: if there is too little text, or the dataset is something else.
        ValueError: if a setting makes no sense, or the adapter is frozen already.
        KeyError: if there is no such adapter.
    """
    settings = TrainSettings(
        num_passes=epochs,
        max_tokens=max_tokens,
        learning_rate=learning_rate,
        batch_size=batch_size,
        block_size=block_size,
        held_out_tokens=max(2048, block_size),
        sleep=SleepSettings(enabled=active_sleep),
        seed=seed,
    )
    if model.adapters[adapter_name].state == "frozen":
        raise ValueError(f"{adapter_name!r} is trained and frozen; add a new adapter instead")
    require_context(model, block_size)
    cancel = CancelToken()
    corpus = as_corpus(dataset, reading, chat_template(model.tokenizer))
    blocks = drain(epoch_blocks(corpus, model.tokenizer, settings, cancel, vocabulary_of(model.backbone)))
    drain(remember_dreams(model, fingerprint(model.backbone), cancel))
    history: list[TrainingEvent] = []
    result = drain(tee(train_epoch(model, adapter_name, blocks, settings, cancel), history))
    info = EpochInfo(
        slug=adapter_name,
        name=adapter_name,
        era=model.adapters[adapter_name].era,
        colour=epoch_colour(len(model.slot_adapters) - 1),
        state="frozen",
        tokens=result.tokens,
        held_out_loss=result.held_out_loss,
        backbone_loss=result.backbone_loss,
        corpus=corpus.paths,
        corpus_fingerprint=blocks.fingerprint,
        reading=reading or ReadOptions(),
    )
    remarks = (*corpus.skipped, *blocks.notes)
    model.results[adapter_name] = TrainResult(info, settings, tuple(history), remarks)
    return model.results[adapter_name]


def generate_with_mixer(
    model: TemporalLoRAModel,
    tokenizer: Any,
    prompt: str,
    max_new_tokens: int = 60,
    *,
    blend: RowBlend = "mixer",
    temperature: float = 0.8,
    top_k: int = 50,
    top_p: float = 0.95,
    repetition_penalty: float = 1.1,
    seed: int = 0,
) -> tuple[str, Tensor]:
    """Continue a prompt with the Time Mixer in charge.

    Returns:
        The prompt with its continuation, and the mix of every token of it: float (tokens, 1 + K), rows sum to 1,
        column 0 the backbone, then epochs in training order. A generated token's row is the mix in force when it
        was predicted, a prompt token's its own.

    Raises:
        TloraError: if the prompt is longer than the backbone's context.
    """
    sampling = SamplingSettings(max_new_tokens, temperature, top_k, top_p, repetition_penalty, seed)
    tokens = list(generate(model, tokenizer, prompt, blend, sampling, CancelToken()))
    weights = torch.tensor([token.weights for token in tokens])
    return "".join(token.text for token in tokens), weights.view(len(tokens), model.mixer.slots)
