"""The public API in plain Python: the source's own usage runs as written.

    model = TemporalLoRAModel(model_name="starter", lora_rank=8, lora_alpha=16.0, mixer_strategy="gating")
    model.add_adapter("shakespeare", "Renaissance Era")
    train_adapter(model, "plays/", "shakespeare", epochs=3)
    text, weights = generate_with_mixer(model, model.tokenizer, "To code or not to code")

The README tells what each line gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tlora_gui.engine.backbones import fingerprint, is_causal, load_backbone, not_causal
from tlora_gui.engine.cancel import CancelToken
from tlora_gui.engine.config import (
    STARTER,
    LoraSettings,
    MixerSettings,
    SamplingSettings,
    SleepSettings,
    TrainSettings,
    epoch_colour,
)
from tlora_gui.engine.corpus import TextCorpus, as_corpus
from tlora_gui.engine.errors import TloraError
from tlora_gui.engine.evaluation import mixer_weights
from tlora_gui.engine.events import EpochInfo, HeldOut, TrainStep
from tlora_gui.engine.generation import generate
from tlora_gui.engine.preparation import epoch_blocks, remember_dreams
from tlora_gui.engine.project import Project
from tlora_gui.engine.streams import finished, recorded
from tlora_gui.engine.training import require_context, train_epoch
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import Strategy
from tlora_gui.temporal.invariants import refuse_unfit
from tlora_gui.temporal.model import TemporalLoRA


class TemporalLoRAModel(TemporalLoRA):
    """A frozen backbone with epochs and a Time Mixer, loaded by name, saved as a project.

    Args:
        model_name: a Hub id, a local folder, a .gguf file, "starter", or a loaded ``PreTrainedModel``.
        lora_rank: rank R of every epoch's adapter.
        lora_alpha: PEFT's scaling numerator; updates are scaled by ``lora_alpha / lora_rank``.
        mixer_strategy: how weights are made: ``"gating"``, ``"routing"`` or ``"attention"``.
        tokenizer: needed with a loaded model only.
        mixer_layer: first adapted decoder block; a quarter of the depth by default.

    Raises:
        TloraError: if there is no such model, or it is not a causal language model.
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
    ) -> None:
        if isinstance(model_name, PreTrainedModel):
            if not is_causal(model_name):
                raise not_causal(type(model_name).__name__)
            backbone, self.reference = model_name, str(model_name.config._name_or_path)
            name = Path(self.reference).name if Path(self.reference).exists() else self.reference
        else:
            loaded = finished(load_backbone(str(model_name), CancelToken()))
            backbone, tokenizer, name, self.reference = loaded.model, loaded.tokenizer, loaded.name, loaded.reference
        lora = LoraSettings(r=lora_rank, lora_alpha=lora_alpha, mixer_layer=mixer_layer)
        super().__init__(backbone, lora, MixerSettings(strategy=mixer_strategy), name)
        try:
            refuse_unfit(self)
        except ValueError as error:
            raise TloraError(f"{name} cannot be used: {error}.", "Choose another backbone.") from error
        self.tokenizer = tokenizer
        self.results: dict[str, TrainResult] = {}

    def mixer_weights(self, text: str) -> Tensor:
        """The Time Mixer's weights for a given text: (tokens, 1 + K), rows sum to 1, column 0 the backbone."""
        return mixer_weights(self, self.tokenizer(text, return_tensors="pt", verbose=False)["input_ids"])[0]

    def save(self, path: str | Path) -> None:
        """Write a project folder with every trained epoch and the mixer.

        Raises:
            TloraError: if the folder is not empty or cannot be written.
        """
        project = Project.create(Path(path), self.reference, self.backbone_name, fingerprint(self.backbone), self)
        for name in self.slot_adapters:
            result = self.results[name]
            project.add_epoch(result.info, result.settings, self, result.history)

    @classmethod
    def load(cls, path: str | Path, backbone: PreTrainedModel | None = None, tokenizer: Any = None) -> Any:
        """Open a project folder, with its own backbone or a loaded one.

        Raises:
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
        )
        if fingerprint(model.backbone) != index.fingerprint:
            raise TloraError("The backbone is not the one this project was made with.", "Load the original model.")
        for info in project.load_into(model):
            if info.state == "broken":
                raise TloraError(f"The epoch {info.slug} is damaged: {info.note}.", "Restore its folder from a copy.")
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
    """

    info: EpochInfo
    settings: TrainSettings
    history: tuple[TrainStep | HeldOut, ...]

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
        """Loss of the epoch alone on its held-out text, nats per token."""
        assert self.info.held_out_loss is not None
        return self.info.held_out_loss


def train_adapter(
    model: TemporalLoRAModel,
    dataset: TextCorpus | str | Path | Sequence[str],
    adapter_name: str,
    epochs: int = 1,
    *,
    active_sleep: bool = True,
    max_tokens: int | None = None,
    seed: int = 0,
    learning_rate: float = 1e-3,
    batch_size: int = 4,
    block_size: int = 128,
) -> TrainResult:
    """Train one adapter and freeze it. Active Sleep protects the mixer from the second one on.

    Args:
        model: has the adapter (``add_adapter``).
        dataset: a corpus, a path, or a sequence of texts.
        adapter_name: which one.
        epochs: passes over the data. (Elsewhere here a pass is ``num_passes``; an *epoch* is a trained adapter.)
        active_sleep: False lets the mixer forget, for comparison.
        max_tokens: training tokens per pass; None reads all.
        seed: fixes the whole run.
        learning_rate: peak AdamW step of the adapter.
        batch_size: blocks per step.
        block_size: tokens per block.

    Raises:
        TloraError: if there is too little text.
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
    require_context(model, block_size)
    cancel = CancelToken()
    blocks = epoch_blocks(as_corpus(dataset), model.tokenizer, settings, cancel)
    finished(remember_dreams(model, fingerprint(model.backbone), cancel))
    history: list[TrainStep | HeldOut] = []
    result = finished(recorded(train_epoch(model, adapter_name, blocks, settings, cancel), history))
    info = EpochInfo(
        slug=adapter_name,
        name=adapter_name,
        era=model.adapters[adapter_name].era,
        colour=epoch_colour(len(model.slot_adapters) - 1),
        state="frozen",
        tokens=result.tokens,
        held_out_loss=result.held_out_loss,
        backbone_loss=result.backbone_loss,
        corpus=(str(Path(dataset).resolve()),) if isinstance(dataset, (str, Path)) else (),
    )
    model.results[adapter_name] = TrainResult(info, settings, tuple(history))
    return model.results[adapter_name]


def generate_with_mixer(
    model: TemporalLoRAModel,
    tokenizer: Any,
    prompt: str,
    max_new_tokens: int = 60,
    *,
    blend: Blend = "mixer",
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
