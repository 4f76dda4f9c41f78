"""The Time Mixer: hidden state of a token -> one logit per slot.

Slot 0 is the backbone alone, slot k the k-th epoch. Strategies share one interface,
``logits_BTS, state = mixer(hidden_BTH, state)``, where the state is what a strategy must remember of earlier
tokens, so that decoding token by token gives exactly what the whole text at once gives.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, one_hot

from tlora_gui.temporal.config import MixerSettings
from tlora_gui.temporal.switching import (
    DEFAULT_SCALARS,
    SETTLED,
    Reasons,
    Scalars,
    before_text,
    come_to,
    slot_posterior,
    smoothed,
    weighed_evidence,
)

ATTENTION_SIZE = 16
"""D, the size of attention's queries and keys."""

MIN_RELATIVE_WEIGHT = 0.01
"""Share of the largest weight below which a slot is given none, so that a token costs what its active slots cost, not
all there are. Held-out losses of the demo's mix moved by less than 0.003 nats."""

NEW_SLOT_BIAS = -6.0
"""How far below the mean of the older slots' logits a slot begins: it takes at most e⁻⁶ of any token's weight, so older
slots mix as before until it learns."""

NEW_SLOT_PRIOR = -7.0
"""The same for the filter: log π of a slot that is yet to learn, against 0 for the others."""


class RunningMean(NamedTuple):
    """Bias-corrected exponential mean of past logits: ``sum_BS / count_B1``."""

    sum_BS: Tensor
    count_B1: Tensor


class Context(NamedTuple):
    """What attention looks back at: keys and token logits of the past, the number of each token, and which are real."""

    keys_BTD: Tensor
    logits_BTS: Tensor
    age_BT: Tensor
    seen_BT: Tensor


class Heard(NamedTuple):
    """What the filter takes of some tokens: what they say (B, T, 2, S), and the slots' probability before the first
    (B, 2, S) and after each (B, T, 2, S)."""

    evidence_BT2S: Tensor
    before_B2S: Tensor
    found_BT2S: Tensor


class Filtered(NamedTuple):
    """What the filter carries on: what it took of the tokens that were read last, and what attention looks back at."""

    heard: Heard
    context: Context | None


MixerState = RunningMean | Context | Filtered
"""What a strategy remembers of earlier tokens; opaque to everyone else."""


class TimeMixer(nn.Module):
    """A small router over slots, by one of three strategies.

    The features are the layer-normalised hidden states of the frozen backbone, so the router sees the same inputs
    for the same text for ever. A body of ``width`` units and one learned key per slot (the rows of ``head``) give each
    token its own logits l_t; what a token is given in context depends on the strategy:

    - *gating*: the softmax of ``s_t = a·s_{t-1} + (1-a)·l_t``, a causal mean with ``smoothing`` a, the bias of the
      empty start divided out (as in Adam, arXiv:1412.6980).
    - *routing*: the same logits, all weight to the largest (top-1). The gradient is the softmax's (straight-through,
      arXiv:1308.3432), and an adapter keeps its unit scale.
    - *attention*: ``s_t = Σ_{u≤t} softmax_u(q_t·k_u/√D + (t-u)·log a) · l_u``: the same mean, but each token decides
      how much every earlier one counts. The distance term is ALiBi's (arXiv:2108.12409); with q = 0 it is gating.

    That is *mean* switching, by which every mixer learns. With *filter* switching the token's own logits (attention's
    means) and, if asked, its counts become weights by :mod:`tlora_gui.temporal.switching` instead.

    Args:
        hidden_size: H of the backbone.
        settings: strategy, width, smoothing and switching.
        slots: number of slots to begin with (1: the backbone alone).
    """

    filter_scalars: Tensor
    filter_prior: Tensor

    def __init__(self, hidden_size: int, settings: MixerSettings, slots: int = 1) -> None:
        super().__init__()
        self.settings = settings
        self.hidden_size = hidden_size
        width = settings.width or hidden_size
        self.body = nn.Sequential(nn.Linear(hidden_size, width), nn.GELU()) if settings.width else nn.Identity()
        self.head = nn.Linear(width, slots)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        if settings.strategy == "attention":
            self.query = nn.Linear(width, ATTENTION_SIZE, bias=False)
            self.key = nn.Linear(width, ATTENTION_SIZE, bias=False)
            nn.init.zeros_(self.query.weight)
        if settings.filters:
            self.register_buffer("filter_scalars", torch.tensor(DEFAULT_SCALARS))
            self.register_buffer("filter_prior", torch.zeros(slots))

    @property
    def slots(self) -> int:
        """S, the backbone's included."""
        return self.head.out_features

    def forward(
        self,
        hidden_BTH: Tensor,
        state: MixerState | None = None,
        attention_mask_BT: Tensor | None = None,
        count_evidence_BTS: Tensor | None = None,
    ) -> tuple[Tensor, MixerState]:
        """Logits (B, T, S) in context, in float32, and the state after the last token. Masked tokens leave no trace.

        ``count_evidence_BTS`` is what the filter is told by the tokens' counts, see
        :class:`~tlora_gui.temporal.switching.TokenCounts`.
        """
        if not self.settings.filters:
            return self.mean(hidden_BTH, state, attention_mask_BT)
        after = self._filter(hidden_BTH, state, attention_mask_BT, count_evidence_BTS)
        return after.heard.found_BT2S.sum(2).clamp(min=_LEAST_WEIGHT).log(), after

    def _filter(
        self, hidden_BTH: Tensor, state: MixerState | None, mask_BT: Tensor | None, counts_BTS: Tensor | None
    ) -> Filtered:
        assert state is None or isinstance(state, Filtered)
        logits_BTS, context = self.evidence_logits(hidden_BTH, state.context if state else None, mask_BT)
        if state is None:
            before_B2S = before_text(self.scalars, self.filter_prior).expand(len(hidden_BTH), -1, -1)
        else:
            before_B2S = state.heard.found_BT2S[:, -1]
        evidence_BT2S = weighed_evidence(logits_BTS, counts_BTS, self.scalars)
        found_BT2S = slot_posterior(evidence_BT2S, self.scalars, self.filter_prior, before_B2S, mask_BT)
        return Filtered(Heard(evidence_BT2S, before_B2S, found_BT2S), context)

    def reasons(self, state: MixerState | None) -> Reasons | None:
        """Why the tokens that were read last have their slots, from the state after them; None without a filter, or a
        second slot."""
        if not isinstance(state, Filtered) or self.slots == 1:
            return None
        evidence_BT2S, before_B2S, found_BT2S = state.heard
        earlier_BT2S = torch.cat([before_B2S[:, None], found_BT2S[:, :-1]], dim=1)
        come_BT2S = come_to(earlier_BT2S, self.scalars, self.filter_prior)
        found_BTS, come_BTS = (each.sum(2).clamp(min=_LEAST_WEIGHT).log() for each in (found_BT2S, come_BT2S))
        context_BTS = evidence_BT2S[:, :, SETTLED]
        parts_BT3S = torch.stack([context_BTS, found_BTS - come_BTS - context_BTS, come_BTS], dim=2)
        first_BT2 = found_BTS.topk(2).indices
        most_BT3, next_BT3 = parts_BT3S.gather(-1, first_BT2[:, :, None].expand(-1, -1, 3, -1)).unbind(-1)
        return Reasons(first_BT2[..., 1], most_BT3 - next_BT3)

    def smoothed(self, hidden_BTH: Tensor, count_evidence_BTS: Tensor | None = None) -> Tensor:
        """The probability of every slot at every token (B, T, S) of a whole text, given what comes after it too;
        *filter* alone."""
        heard = self._filter(hidden_BTH, None, None, count_evidence_BTS).heard
        return smoothed(heard.evidence_BT2S, heard.found_BT2S, self.scalars, self.filter_prior)

    @property
    def scalars(self) -> Scalars:
        """The filter's."""
        return Scalars(*self.filter_scalars.unbind())

    def evidence_logits(
        self, hidden_BTH: Tensor, context: Context | None = None, attention_mask_BT: Tensor | None = None
    ) -> tuple[Tensor, Context | None]:
        """Logits (B, T, S) that the filter takes as evidence: each token's own, for attention its means."""
        if self.settings.strategy == "attention":
            logits_BTS, after = self.mean(hidden_BTH, context, attention_mask_BT)
            assert isinstance(after, Context)
            return logits_BTS, after
        with torch.autocast(hidden_BTH.device.type, enabled=False):
            return self.head(self._features(hidden_BTH)), None

    def _features(self, hidden_BTH: Tensor) -> Tensor:
        features_BTW: Tensor = self.body(layer_norm(hidden_BTH.float(), (self.hidden_size,)))
        return features_BTW

    def mean(
        self, hidden_BTH: Tensor, state: MixerState | None = None, attention_mask_BT: Tensor | None = None
    ) -> tuple[Tensor, MixerState]:
        """As :meth:`forward` with *mean* switching: what the mixer learns by."""
        with torch.autocast(hidden_BTH.device.type, enabled=False):
            features_BTW = self._features(hidden_BTH)
            logits_BTS = self.head(features_BTW)
            decay = self.settings.smoothing
            if self.settings.strategy == "attention":
                assert state is None or isinstance(state, Context)
                query_BTD, key_BTD = self.query(features_BTW), self.key(features_BTW)
                return _attend(query_BTD, key_BTD, logits_BTS, decay, state, attention_mask_BT)
            assert state is None or isinstance(state, RunningMean)
            return _causal_mean(logits_BTS, decay, state, attention_mask_BT)

    def weights(self, logits_BTS: Tensor) -> Tensor:
        """Weights over slots (B, T, S), summing to 1: the softmax, or for *routing* all on the largest.

        Slots below ``MIN_RELATIVE_WEIGHT`` of the largest get 0, except while gradients are wanted: 0 has none.
        """
        soft_BTS = logits_BTS.softmax(-1)
        if self.settings.strategy == "routing":
            hard_BTS = one_hot(logits_BTS.argmax(-1), self.slots).to(soft_BTS.dtype)
            return hard_BTS + (soft_BTS - soft_BTS.detach())
        if soft_BTS.requires_grad:
            return soft_BTS
        active_BTS = soft_BTS * (soft_BTS >= MIN_RELATIVE_WEIGHT * soft_BTS.amax(-1, keepdim=True))
        return active_BTS / active_BTS.sum(-1, keepdim=True)

    @torch.no_grad()
    def add_slot(self) -> None:
        """Append a slot. Logits of the older slots stay what they are; the new one begins with hardly any weight."""
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
        # Not drawn first: a training's checkpoint holds no state of torch's own generator.
        self.head = nn.utils.skip_init(nn.Linear, old.in_features, len(keep) + extra, device=old.weight.device)
        self.head.weight[:] = old.weight.mean(0)
        self.head.bias[:] = old.bias.mean() + NEW_SLOT_BIAS
        self.head.weight[: len(keep)] = old.weight[keep]
        self.head.bias[: len(keep)] = old.bias[keep]
        if self.settings.filters:
            self.filter_prior = torch.cat(
                [self.filter_prior[keep], self.filter_prior.new_full((extra,), NEW_SLOT_PRIOR)]
            )

    def admit(self, learned: float = 1.0) -> None:
        """The filter turns to the newest slot the more readily, the more of its training is done: of the whole, as
        readily as to the others."""
        if self.settings.filters:
            self.filter_prior.zero_()
            self.filter_prior[-1] = NEW_SLOT_PRIOR * (1 - learned)


def _causal_mean(
    logits_BTS: Tensor, decay: float, state: RunningMean | None, mask_BT: Tensor | None
) -> tuple[Tensor, RunningMean]:
    """Exponential moving average along T, normalised by the decayed number of tokens seen."""
    batch, tokens, slots = logits_BTS.shape
    if state is None:
        state = RunningMean(logits_BTS.new_zeros(batch, slots), logits_BTS.new_zeros(batch, 1))
    if tokens == 1 and mask_BT is None:  # as in every step of decoding: the same by far fewer operations
        now = RunningMean(decay * state.sum_BS + logits_BTS[:, 0], decay * state.count_B1 + 1)
        return (now.sum_BS / now.count_B1)[:, None], now
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
    return mean_BTS, RunningMean(sum_BS, count_B1)


def _attend(
    query_BTD: Tensor, key_BTD: Tensor, logits_BTS: Tensor, decay: float, past: Context | None, mask_BT: Tensor | None
) -> tuple[Tensor, Context]:
    """Mean of the logits so far, weighted by how well their keys answer the query and by how recent they are."""
    seen_BT = logits_BTS.new_ones(logits_BTS.shape[:2]) if mask_BT is None else mask_BT.to(logits_BTS.dtype)
    age_BT = seen_BT.cumsum(1)
    if past is not None:
        age_BT = age_BT + past.age_BT[:, -1:]
    now = Context(key_BTD, logits_BTS, age_BT, seen_BT)
    whole = now if past is None else Context(*(torch.cat(pair, dim=1) for pair in zip(past, now, strict=True)))
    tokens, length = logits_BTS.shape[1], whole.age_BT.shape[1]
    recency = log(max(decay, 1e-9))
    means = []
    for start in range(0, tokens, _CHUNK):
        stop = min(start + _CHUNK, tokens)
        reach = length - tokens + stop
        score_BTU = query_BTD[:, start:stop] @ whole.keys_BTD[:, :reach].transpose(1, 2) * query_BTD.shape[-1] ** -0.5
        score_BTU = score_BTU + recency * (age_BT[:, start:stop, None] - whole.age_BT[:, None, :reach])
        future_TU = torch.ones_like(score_BTU[0], dtype=torch.bool).triu(reach - (stop - start) + 1)
        hidden_BTU = future_TU | (whole.seen_BT[:, None, :reach] == 0)
        score_BTU = score_BTU.masked_fill(hidden_BTU, torch.finfo(score_BTU.dtype).min)
        means.append(score_BTU.softmax(-1) @ whole.logits_BTS[:, :reach])
    return torch.cat(means, dim=1), whole


_CHUNK = 256
_LEAST_WEIGHT = 1e-30
