"""What every line of the forgetting benchmark shares: texts, adapters, router inputs, and how they are measured.

Everything costly is kept in the work folder, written whole or not at all, so that a run goes on where it was cut off
and several processes can share one folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from pathlib import Path
from statistics import fmean
from typing import Any

import domains
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tlora_gui.engine.backbones.loading import Backbone, load_backbone
from tlora_gui.engine.corpus.blocks import TokenBlocks, make_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.projects.adapter_folder import read_adapter, write_adapter
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER, MixerSettings, SleepSettings, TrainSettings
from tlora_gui.engine.protocol.metrics import calibration_error, switch_lag
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.training.dreams import DREAM_LENGTH, dream, dream_ids, dream_memory, router_features
from tlora_gui.engine.training.epoch_run import train_epoch
from tlora_gui.engine.training.evaluation import training_precision
from tlora_gui.temporal.active_sleep import EpochMemory, cut_windows, to_levels
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.switching import count_tokens
from tlora_gui.temporal.time_mixer import TimeMixer

CONTEXT = 512
"""Tokens of a held-out block that is measured on; training blocks have 128."""


CONTROL = "control"
"""The adapter that learns text of no domain."""

Weigh = Callable[[Tensor, Tensor], Tensor]
"""Weights over slots (N, T, S) on text (N, T) whose features (N, T, H) are known."""


@dataclass(frozen=True)
class Profile:
    """How much is done.

    Attributes:
        domains: epochs in their first order.
        off_domain: texts of none of them.
        seeds, orders: how many of each; order 1 is the reverse of order 0.
        tokens: training tokens per epoch.
        matrix_tokens: held-out tokens behind each loss in a matrix.
        final_tokens: the same for the losses after the last phase.
        pass_tokens: tokens per pass of the table of passes.
    """

    name: str
    domains: tuple[str, ...]
    off_domain: tuple[str, ...]
    seeds: int
    orders: int
    tokens: int
    matrix_tokens: int
    final_tokens: int
    pass_tokens: int


PROFILES = {
    "full": Profile("full", domains.DOMAINS, domains.OFF_DOMAIN, 3, 2, 24_576, 512, 2048, 8192),
    "ten": Profile("ten", domains.TEN_DOMAINS, domains.OFF_DOMAIN, 3, 2, 24_576, 512, 2048, 8192),
    "quick": Profile("quick", domains.QUICK_DOMAINS, domains.QUICK_OFF_DOMAIN, 1, 1, 3584, 512, 1024, 1024),
}


class Laboratory:
    """Texts, adapters and features of one profile, made when first asked for.

    Where it is ``routing_alone`` that counts, adapters need not be trained, and no losses are measured.
    """

    def __init__(self, profile: Profile, work: Path, *, routing_alone: bool = False) -> None:
        self.profile = profile
        self.routing_alone = routing_alone
        self.work = work / f"{profile.name}-{TrainSettings().learning_rate:g}"  # whose adapters are kept there
        self.texts = work / "texts"
        for folder in (self.work, self.texts):
            folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def backbone(self) -> Backbone:
        return drain(load_backbone(STARTER, CancelToken()))

    def order(self, number: int) -> tuple[str, ...]:
        return self.profile.domains if number == 0 else self.profile.domains[::-1]

    def measures_losses(self, order: Sequence[str]) -> bool:
        """Losses of mixtures are measured in the first order alone; of the others it is the routing that counts."""
        return not self.routing_alone and tuple(order) == self.order(0)

    def settings(self, seed: int) -> TrainSettings:
        return TrainSettings(max_tokens=self.profile.tokens, seed=seed, eval_every=10_000)

    def blank(self) -> TemporalLoRA:
        """The backbone without epochs, its dreams remembered."""
        backbone = drain(load_backbone(self.backbone.reference, CancelToken()))
        model = TemporalLoRA(backbone.model, mixer=MixerSettings(switching="mean"))
        model.memories[""] = self.dreams
        return model

    def mixture(self, order: Sequence[str], seed: int) -> TemporalLoRA:
        """The backbone with every domain's adapter, in this order of slots, and an untrained mixer."""
        model = self.blank()
        for name in order:
            model.add_adapter(
                name, trained=None if self.routing_alone else read_adapter(model, self.adapter(name, seed))
            )
        model.set_slots(list(order), TimeMixer(model.mixer.hidden_size, model.mixer.settings, 1 + len(order)))
        return model

    # -- what is made once --------------------------------------------------------------------------------------

    def _kept(self, name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        place = self.work / f"{name}.safetensors"
        if not place.exists():
            made = {key: value.contiguous() for key, value in make().items()}
            partial = place.with_suffix(".partial")
            save_file(made, partial)
            partial.replace(place)
        return load_file(place)

    def blocks(self, name: str, seed: int) -> TokenBlocks:
        """Training and held-out blocks of 128 tokens, held out by file; of the control, equal shares of all texts of no
        domain."""
        if name == CONTROL:
            parts = [self.blocks(kind, seed) for kind in self.profile.off_domain]
            share = self.profile.tokens // 128 // len(parts)
            train_NT = torch.cat([part.train_NT[:share] for part in parts])
            return TokenBlocks(train_NT, torch.cat([part.held_out_NT[:16] for part in parts]))

        def make() -> dict[str, Tensor]:
            made = make_blocks(
                TextCorpus.from_paths([domains.fetch(name, self.texts)]),
                self.backbone.tokenizer,
                block_size=128,
                max_tokens=self.profile.tokens,
                held_out_share=0.1,
                held_out_tokens=8192,
                seed=seed,
            )
            return {"train": made.train_NT.int(), "held_out": made.held_out_NT}

        kept = self._kept(f"blocks-{name}-{seed}", make)
        return TokenBlocks(kept["train"], kept["held_out"])

    def held_out(self, name: str, seed: int, tokens: int | None = None) -> Tensor:
        """Held-out text in blocks of ``CONTEXT`` tokens (N, CONTEXT)."""
        stream_T = self.blocks(name, seed).held_out_NT.flatten()[:tokens]
        return stream_T[: len(stream_T) // CONTEXT * CONTEXT].view(-1, CONTEXT)

    @cached_property
    def dreams(self) -> EpochMemory:
        """The backbone's dreams, as the application remembers them."""
        model = TemporalLoRA(self.backbone.model)
        ids_NT = drain(dream_ids(model, self.work.parent / "dreams.safetensors", CancelToken()))
        return dream_memory(model, ids_NT)

    def adapter(self, name: str, seed: int) -> Path:
        """Folder of the domain's adapter, trained alone (the isolated objective does not see the others)."""
        folder = self.work / "adapters" / f"{name}-{seed}"
        if not folder.exists():
            model = self.blank()
            model.add_adapter(name, seed=seed)
            drain(train_epoch(model, name, self.blocks(name, seed), self.settings(seed), CancelToken()))
            partial = folder.with_name(f".partial-{folder.name}")
            shutil.rmtree(partial, ignore_errors=True)
            write_adapter(model, name, partial, self.backbone.name)
            partial.rename(folder)
        return folder

    def features(self, name: str, seed: int) -> tuple[Tensor, Tensor]:
        """What a mixer reads: training blocks (N, 128, H) and held-out blocks (N, CONTEXT, H), float16."""

        def make() -> dict[str, Tensor]:
            model = TemporalLoRA(self.backbone.model)
            blocks = self.blocks(name, seed)
            return {
                "train": router_features(model, blocks.train_NT),
                "held_out": router_features(model, self.held_out(name, seed)),
            }

        kept = self._kept(f"features-{name}-{seed}", make)
        return kept["train"], kept["held_out"]

    def memory(self, name: str, seed: int, sleep: SleepSettings) -> EpochMemory:
        """What an epoch leaves: of its training text, or of its own dreams."""
        tokens, (train_NTH, held_out_NTH) = sleep.memory_tokens, self.features(name, seed)
        if sleep.source != "dreams":
            train_NT = self.blocks(name, seed).train_NT.long()
            kept_N = torch.linspace(0, len(train_NTH) - 1, tokens // 128).long()
            windows_NWH, ids_NT, counted_NT = cut_windows(train_NTH[kept_N]), train_NT[kept_N], train_NT
        else:

            def make() -> dict[str, Tensor]:
                model = self.mixture([name], seed)
                ids_NT = drain(dream(model, 1, tokens // DREAM_LENGTH, seed))
                return {"replay": cut_windows(router_features(model, ids_NT)), "ids": ids_NT}

            kept = self._kept(f"dreams-{name}-{seed}", make)
            windows_NWH, ids_NT, counted_NT = kept["replay"], kept["ids"], kept["ids"]
        if sleep.source == "features-without-text":
            return EpochMemory(to_levels(windows_NWH), held_out_NTH)
        read_NW = cut_windows(ids_NT).int()
        counts = count_tokens(counted_NT), self.dreams.token_counts
        return EpochMemory(windows_NWH, held_out_NTH, None, (), read_NW, *counts)

    def borders(self, order: Sequence[str], seed: int) -> list[tuple[int, Tensor, Tensor]]:
        """Texts of two domains joined, 128 tokens of each: (slot after the border, ids (1, 256), features
        (1, 256, H))."""
        held_out = {name: self.blocks(name, seed).held_out_NT for name in order}
        pairs = list(permutations(sorted(order), 2))
        joined_NT = torch.stack(
            [
                torch.cat([_block(held_out[left], 2 * turn), _block(held_out[right], 2 * turn + 1)])
                for turn, (left, right) in enumerate(pairs)
            ]
        )

        def make() -> dict[str, Tensor]:
            return {"features": router_features(TemporalLoRA(self.backbone.model), joined_NT)}

        features_NTH = self._kept(f"borders-{seed}", make)["features"]
        right_slots = [1 + list(order).index(right) for _, right in pairs]
        return list(zip(right_slots, joined_NT.split(1), features_NTH.split(1), strict=True))

    # -- measuring ----------------------------------------------------------------------------------------------

    def routing(self, weigh: Weigh, order: Sequence[str], seed: int) -> list[float]:
        """Routing accuracy per held-out token, for the epochs of slots 1 … in order."""
        return [
            float((self._weights(weigh, name, seed).argmax(-1) == slot).float().mean())
            for slot, name in enumerate(order, 1)
        ]

    def _weights(self, weigh: Weigh, name: str, seed: int) -> Tensor:
        """Weights over slots (N, CONTEXT, S) on a text's held-out blocks."""
        return weigh(self.held_out(name, seed).long(), self.features(name, seed)[1])

    def losses(self, model: TemporalLoRA, order: Sequence[str], seed: int, blend: Blend, tokens: int) -> list[float]:
        """Next-token loss on every domain's held-out text, nats per token."""
        return [mean_loss(model, self.held_out(name, seed, tokens), blend) for name in order]

    def references(self, seed: int) -> dict[str, dict[str, float]]:
        """Loss of the backbone alone and of each domain's own epoch alone, nats per token."""

        def make() -> dict[str, Tensor]:
            rows = {}
            for name in self.profile.domains:
                model = self.mixture([name], seed)
                text_NT = self.held_out(name, seed, self.profile.final_tokens)
                rows[name] = torch.tensor([mean_loss(model, text_NT, 0), mean_loss(model, text_NT, 1)])
            return rows

        kept = self._kept(f"references-{seed}", make)
        return {name: dict(zip(("backbone", "own"), kept[name].tolist(), strict=True)) for name in self.profile.domains}

    def control(self, seed: int) -> dict[str, float]:
        """Loss on every domain of an epoch that has learned text of none, nats per token. What it gains is not the
        domain's: an instruct model un-learns its chat format on any text."""

        def make() -> dict[str, Tensor]:
            model, tokens = self.mixture([CONTROL], seed), self.profile.final_tokens
            losses = self.losses(model, self.profile.domains, seed, 1, tokens)
            return dict(zip(self.profile.domains, map(torch.tensor, losses), strict=True))

        return {name: float(loss) for name, loss in self._kept(f"control-{seed}", make).items()}

    def off_domain_references(self, seed: int) -> dict[str, float]:
        """Loss of the backbone on texts of no domain."""

        def make() -> dict[str, Tensor]:
            model = self.blank()
            return {
                name: torch.tensor(mean_loss(model, self.held_out(name, seed, self.profile.final_tokens), 0))
                for name in self.profile.off_domain
            }

        return {name: float(value) for name, value in self._kept(f"off-domain-{seed}", make).items()}

    def figures(self, weigh: Weigh, order: Sequence[str], seed: int) -> dict[str, Any]:
        """Lag at borders, calibration, routing accuracy by place in the text, slot 0's weight off domain, and how well
        it tells a domain's text from others."""
        lags = [
            switch_lag(weigh(ids_1T, features_1TH)[0, 128:, slot].tolist())
            for slot, ids_1T, features_1TH in self.borders(order, seed)
        ]
        largest: list[float] = []
        right: list[bool] = []
        by_place: dict[str, list[float]] = {}
        for slot, name in enumerate(order, 1):
            top = self._weights(weigh, name, seed).max(-1)
            hits_NT = top.indices == slot
            largest += top.values.flatten().tolist()
            right += hits_NT.flatten().tolist()
            for first, last in ((0, 8), (8, 32), (32, 128), (128, CONTEXT)):
                by_place.setdefault(f"{first}-{last}", []).append(float(hits_NT[:, first:last].float().mean()))
        slot0 = {name: self._weights(weigh, name, seed)[..., 0] for name in (*order, *self.profile.off_domain)}
        off = {name: float(slot0[name].mean()) for name in self.profile.off_domain}
        own = [float(self._weights(weigh, name, seed)[..., slot].mean()) for slot, name in enumerate(order, 1)]
        return {
            "switch_lags": lags,
            "calibration_error": calibration_error(largest, right),
            "routing_by_place": {place: fmean(shares) for place, shares in by_place.items()},
            "slot0_weight": off,
            "off_domain_auroc": auroc(_runs_of_16(slot0, self.profile.off_domain), _runs_of_16(slot0, order)),
            "own_weight": fmean(own),
        }


def _runs_of_16(weights: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    """Mean weight over every 16 tokens of these texts (R,)."""
    return torch.cat([weights[name].reshape(-1, 16).mean(-1) for name in names])


def auroc(positive_N: Tensor, negative_M: Tensor) -> float:
    """Area under the ROC curve: how often one of the first is above one of the second; equal ones count half."""
    difference_NM = positive_N[:, None] - negative_M
    return float((difference_NM > 0).float().mean() + (difference_NM == 0).float().mean() / 2)


def _block(blocks_NT: Tensor, number: int) -> Tensor:
    """One of them, again from the first when there are no more."""
    return blocks_NT[number % len(blocks_NT)]


def mixer_weights(model: TemporalLoRA) -> Weigh:
    """How the model's mixer weighs."""

    @torch.no_grad()
    def weigh(ids_NT: Tensor, features_NTH: Tensor) -> Tensor:
        logits_NTS, _ = model.mixer(features_NTH, count_evidence_BTS=model.count_evidence(ids_NT))
        return model.mixer.weights(logits_NTS)

    return weigh


@torch.inference_mode()
def mean_loss(model: TemporalLoRA, text_NT: Tensor, blend: Blend) -> float:
    """Next-token loss over blocks of text, nats per token, in the precision of training."""
    total = 0.0
    for ids_BT in text_NT.split(2):
        with training_precision(model.device):
            logits_BTV = model(ids_BT, blend).logits_BTV
        total += logits_loss(logits_BTV, ids_BT).item() * ids_BT[:, 1:].numel()
    return total / text_NT[:, 1:].numel()
