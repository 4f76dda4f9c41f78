"""The method this application starts from, re-implemented from its description, for comparison.

A mixer that reads token ids, a softmax over epochs alone (no slot for the backbone), trained through the mixture's
cross-entropy. Distillation takes a softmax of weights that are a softmax already, averaged over the sequence, over the
old epochs, on their whole training text:

    total = adapter_loss + 0.5 · KL(softmax(w / T) ‖ softmax(w_teacher / T)),   T = 2

Its published figures come from a last phase that resets the mixer and trains it on labels of all domains.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, pad
from torch.nn.utils import clip_grad_norm_

from tlora_gui.engine.protocol.config import MixerSettings, TrainSettings
from tlora_gui.engine.training.epoch_run import schedule
from tlora_gui.engine.training.evaluation import training_precision
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.model import TemporalLoRA

TEMPERATURE, DISTILL_WEIGHT = 2.0, 0.5
_NEVER = -1e4


class TokenIdMixer(nn.Module):
    """Token id -> embedding -> one logit per epoch; stands where a Time Mixer is expected."""

    settings = MixerSettings(switching="mean")

    def __init__(self, vocabulary: int, hidden_size: int, seed: int, width: int = 64) -> None:
        super().__init__()
        self.vocabulary, self.hidden_size, self.seed, self.width = vocabulary, hidden_size, seed, width
        self.ids_BT: Tensor | None = None
        self.reset(0)

    def reset(self, epochs: int) -> None:
        """New weights for this many epochs."""
        torch.manual_seed(self.seed)
        table = nn.Embedding(self.vocabulary, self.width)
        self.body = nn.Sequential(table, nn.Linear(self.width, self.width), nn.GELU())
        self.head = nn.Linear(self.width, epochs)

    @property
    def slots(self) -> int:
        return 1 + self.head.out_features

    def add_slot(self) -> None:
        old = self.head
        self.head = nn.Linear(self.width, old.out_features + 1)
        with torch.no_grad():
            self.head.weight[:-1], self.head.bias[:-1] = old.weight, old.bias

    def epoch_logits(self, ids_BT: Tensor) -> Tensor:
        logits_BTK: Tensor = self.head(self.body(ids_BT))
        return logits_BTK

    def token_weights(self, ids_BT: Tensor) -> Tensor:
        """Weights over all slots, the backbone's always 0."""
        return pad(self.epoch_logits(ids_BT).softmax(-1), (1, 0))

    def forward(
        self, hidden_BTH: Tensor, state: None = None, mask: None = None, count_evidence: None = None
    ) -> tuple[Tensor, None]:
        assert self.ids_BT is not None
        return pad(self.epoch_logits(self.ids_BT), (1, 0), value=_NEVER), None

    def weights(self, logits_BTS: Tensor) -> Tensor:
        return logits_BTS.softmax(-1)


def reads_ids(model: TemporalLoRA) -> None:
    """Let the model's token-id mixer see what the model reads."""

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        module.mixer.ids_BT = args[0]

    model.register_forward_pre_hook(note)


def learn_phase(
    model: TemporalLoRA, name: str, train_NT: Tensor, earlier: Sequence[Tensor], settings: TrainSettings
) -> None:
    """Adapter and mixer through the mixture, distilling on the earlier epochs' own text."""
    mixer = model.mixer
    teacher = copy.deepcopy(mixer).requires_grad_(False)
    model.begin_epoch(name)
    adapter = list(model.adapter_parameters(name).values())
    optimizer = torch.optim.AdamW(
        [{"params": adapter, "peak": settings.learning_rate}, {"params": mixer.parameters(), "peak": 1e-3}],
        weight_decay=0.0,
    )
    generator = torch.Generator().manual_seed(settings.seed)
    batches = train_NT[torch.randperm(len(train_NT), generator=generator)].split(settings.batch_size)
    for step, ids_BT in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * schedule(step, len(batches))
        with training_precision(model.device):
            logits_BTV = model(ids_BT, "mixer").logits_BTV
        loss = logits_loss(logits_BTV, ids_BT)
        for text_NT in earlier:
            replay_BT = text_NT[torch.randint(len(text_NT), (settings.batch_size,), generator=generator)]
            loss = loss + DISTILL_WEIGHT * _distill(mixer, teacher, replay_BT) / len(earlier)
        loss.backward()
        clip_grad_norm_(adapter, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    model.finish_epoch(name)


def _distill(mixer: TokenIdMixer, teacher: TokenIdMixer, ids_BT: Tensor) -> Tensor:
    """KL between softmaxes of the sequence's mean weights over the old epochs; with one old epoch always 0."""
    old = teacher.slots - 1
    now_BK = mixer.epoch_logits(ids_BT).softmax(-1)[..., :old].mean(1)
    then_BK = teacher.epoch_logits(ids_BT).softmax(-1).mean(1)
    now_BK, then_BK = log_softmax(now_BK / TEMPERATURE, -1), log_softmax(then_BK / TEMPERATURE, -1)
    return kl_div(now_BK, then_BK, log_target=True, reduction="batchmean")


def learn_labels(model: TemporalLoRA, texts: Sequence[Tensor], settings: TrainSettings) -> None:
    """The published last phase: a fresh mixer, trained on labels of all domains at once."""
    mixer = model.mixer
    mixer.reset(len(texts))
    optimizer = torch.optim.AdamW(mixer.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(settings.seed)
    steps = len(texts[0])
    for _ in range(steps):
        losses = []
        for label, text_NT in enumerate(texts):
            ids_BT = text_NT[torch.randint(len(text_NT), (settings.batch_size,), generator=generator)]
            logits_BTK = mixer.epoch_logits(ids_BT)
            losses.append(cross_entropy(logits_BTK.flatten(0, 1), torch.full((ids_BT.numel(),), label)))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
