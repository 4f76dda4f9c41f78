"""The Time Mixer: hidden state of a token -> one logit per slot.

Slot 0 is the backbone alone, slot k the k-th epoch. Strategies share one interface,
``logits_BTS, state = mixer(hidden_BTH, state)``, where the state is what a strategy must remember of earlier
tokens, so that decoding token by token gives exactly what the whole text at once gives.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from tlora_gui.temporal.config import MixerSettings

NEW_SLOT_BIAS = -6.0
"""How far below the mean of the older slots' logits a slot begins: it takes at most e⁻⁶ of any token's weight, so older
slots speak as before until it learns."""


class MixerState(NamedTuple):
    """Running, bias-corrected mean of past logits: ``sum_BS / count_B1``."""

    sum_BS: Tensor
    count_B1: Tensor


class TimeMixer(nn.Module):
    """Gating: a small router whose softmax blends the slots.

    The features are the layer-normalised hidden states of the frozen backbone, so the router sees the same inputs
    for the same text for ever. With ``smoothing`` a, logits are averaged causally over the text,
    ``s_t = a·s_{t-1} + (1-a)·l_t`` with the bias of the empty start divided out (as in Adam, arXiv:1412.6980).

    Args:
        hidden_size: H of the backbone.
        settings: strategy, width and smoothing.
        slots: number of slots to begin with (1: the backbone alone).
    """

    def __init__(self, hidden_size: int, settings: MixerSettings, slots: int = 1) -> None:
        super().__init__()
        self.settings = settings
        self.hidden_size = hidden_size
        width = settings.width or hidden_size
        self.body = nn.Sequential(nn.Linear(hidden_size, width), nn.GELU()) if settings.width else nn.Identity()
        self.head = nn.Linear(width, slots)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def slots(self) -> int:
        return self.head.out_features

    def token_logits(self, hidden_BTH: Tensor) -> Tensor:
        """Logits of each token by itself, before smoothing (B, T, S), in float32."""
        features_BTH = layer_norm(hidden_BTH.float(), (self.hidden_size,))
        logits_BTS: Tensor = self.head(self.body(features_BTH))
        return logits_BTS

    def forward(
        self, hidden_BTH: Tensor, state: MixerState | None = None, attention_mask_BT: Tensor | None = None
    ) -> tuple[Tensor, MixerState]:
        """Logits (B, T, S) in context, and the state after the last token. Masked tokens leave no trace."""
        with torch.autocast(hidden_BTH.device.type, enabled=False):
            logits_BTS = self.token_logits(hidden_BTH)
            return _causal_mean(logits_BTS, self.settings.smoothing, state, attention_mask_BT)

    @torch.no_grad()
    def add_slot(self) -> None:
        """Append a slot. Logits of the older slots stay what they are; the new one starts near silence."""
        self._resize_head([*range(self.slots)], extra=1)

    @torch.no_grad()
    def remove_slot(self, index: int) -> None:
        """Drop one slot; the softmax over the others renormalises by itself.

        Raises:
            ValueError: for slot 0, the backbone, or a slot that is not there.
        """
        if not 1 <= index < self.slots:
            raise ValueError(f"there is no removable slot {index}; removable are 1 to {self.slots - 1}")
        self._resize_head([slot for slot in range(self.slots) if slot != index], extra=0)

    def _resize_head(self, keep: list[int], extra: int) -> None:
        old = self.head
        self.head = nn.Linear(old.in_features, len(keep) + extra).to(old.weight.device)
        self.head.weight[:] = old.weight.mean(0)
        self.head.bias[:] = old.bias.mean() + NEW_SLOT_BIAS
        self.head.weight[: len(keep)] = old.weight[keep]
        self.head.bias[: len(keep)] = old.bias[keep]


def _causal_mean(
    logits_BTS: Tensor, decay: float, state: MixerState | None, mask_BT: Tensor | None
) -> tuple[Tensor, MixerState]:
    """Exponential moving average along T, normalised by the decayed number of tokens seen."""
    batch, tokens, slots = logits_BTS.shape
    if state is None:
        state = MixerState(logits_BTS.new_zeros(batch, slots), logits_BTS.new_zeros(batch, 1))
    seen_BT1 = logits_BTS.new_ones(1, tokens, 1) if mask_BT is None else mask_BT[..., None].to(logits_BTS.dtype)
    sum_BS, count_B1 = state
    sums, counts = [], []
    for start in range(0, tokens, _CHUNK):
        piece = slice(start, start + _CHUNK)
        age_BT1 = seen_BT1[:, piece].cumsum(1)  # time passes with tokens that are seen
        lag_BTT = age_BT1 - age_BT1.transpose(1, 2)
        kernel_BTT = (decay ** lag_BTT.clamp(min=0)).tril() * seen_BT1[:, piece].transpose(1, 2)
        carry_BT1 = decay**age_BT1
        sums.append(kernel_BTT @ logits_BTS[:, piece] + carry_BT1 * sum_BS[:, None])
        counts.append(kernel_BTT.sum(-1, keepdim=True) + carry_BT1 * count_B1[:, None])
        sum_BS, count_B1 = sums[-1][:, -1], counts[-1][:, -1]
    mean_BTS = torch.cat(sums, dim=1) / torch.cat(counts, dim=1).clamp(min=1e-9)
    return mean_BTS, MixerState(sum_BS, count_B1)


_CHUNK = 256
