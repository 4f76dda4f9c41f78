"""A causal filter over slots: what each token says of its epoch, carried from token to token.

A mean over the last tokens is slow to turn and quick to drift. The filter keeps the probability of every slot instead
(fixed share; Herbster and Warmuth 1998, "Tracking the best expert"), in two parts: n, that the text has *newly* come to
the slot, and m, that it has *settled* there. Before a token, each slot gives up a share ε to all slots, where it is
new, and of what is new a share ρ settles; then both are multiplied by what the token says,

    n_t(s) ∝ exp(e_t(s) + β·u_t(s)) · ((1 − ε)(1 − ρ)·n_{t−1}(s) + ε·π(s)),
    m_t(s) ∝ exp(e_t(s)) · (1 − ε)·(m_{t−1}(s) + ρ·n_{t−1}(s)),
    e_t(s) = τ·(l_t(s) − l_t(0)) + b·[s = 0],    w_t(s) = n_t(s) + m_t(s),

with π the same for all slots but those that are still learning, which have hardly any of it; l_t the mixer's logits of
the token, which know its context, behind a border for some tokens still the wrong one; and u_t what the token alone
says by the counts of :class:`TokenCounts`, which later training does not touch. Counts are quick and know what no epoch
has, but take one epoch's text for another's now and then; so they are asked where a slot is new, and no more once it
has settled. The scalars are fitted to memories, by likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

MAX_COUNT_EVIDENCE = 5.0
"""Nats that one token can say for or against an epoch by its counts alone."""

PRIOR_TOKENS = 200.0
"""Tokens of dreams that the counts of an epoch are filled up with: it may well hold what it has not shown."""

SETTLED = 1
"""Where the age of a slot is an index: 0 is new."""

DEFAULT_SCALARS = (0.1, 0.5, -4.0, 0.0, 0.0)
"""Before any fit; about what fits come to."""

FIT_STEPS = 40
_FIT_RATE = 0.08
_DIFFERENCE = 0.01
_FIT_ROWS, _MOST_ROWS, _FIT_WINDOWS = 64, 384, 4
"""Rows for each slot, how many there are at most, and their windows."""
_STAYS = 0.9
"""Probability that a row's next window is of the same slot: texts rarely turn."""
_UNKNOWN, _UNKNOWN_ROWS, _MOST_UNKNOWN_ROWS = 0.008, 16, 80
"""How much text of no epoch counts in a fit, how many rows of it each epoch gives, and how many there are at most."""
_SETTLES = 1 / 12
"""ρ, about as long as logits speak of the text before a border."""
_DEAREST = 6.0
"""Nats beyond which a token of an epoch that goes to another slot costs a fit no more. One of no epoch always does, or
a fit that has given up unknown text would have no slope to come back by."""
_COUNTED_AT_ONCE = 8192
_FITTED_AT_ONCE = 2**23
"""Numbers of the filters of a fit that are made in one batch."""
_GONE = -1e4
_LEAST = 1e-30


class Scalars(NamedTuple):
    """What a filter trusts; scalar tensors.

    Attributes:
        trust: τ, of the mixer's logits.
        count_trust: β, of the counts, where a slot is new.
        share: log-odds of ε.
        backbone: b, nats a token for slot 0.
        start: nats for slot 0 before the first token.
    """

    trust: Tensor
    count_trust: Tensor
    share: Tensor
    backbone: Tensor
    start: Tensor


class Reasons(NamedTuple):
    """Why the slot that weighs most weighs more than the next.

    Attributes:
        rival_BT: the next slot.
        nats_BT3: what speaks for the first against it: the mixer's logits of the token, the token's counts, and what
            was carried on from before. Their sum is the logarithm of the two probabilities' ratio.
    """

    rival_BT: Tensor
    nats_BT3: Tensor


Counted = tuple[Tensor, Tensor]
"""Counts of an epoch's text, and of the backbone's dreams at its time; each as :func:`count_tokens` gives them."""


class TokenCounts:
    """What a token alone says of its epoch: how often it stands in the epoch's text, against the backbone's dreams.

    What it says for an epoch depends on no other epoch, so nothing that is learned or deleted later changes it.

    Args:
        counted: of slots 1 …; None where it is not known, for which no token says anything.
        vocabulary: V, tokens there are.
        device: where tokens are looked up.
    """

    def __init__(self, counted: Sequence[Counted | None], vocabulary: int, device: torch.device | None = None) -> None:
        self._counted, self._vocabulary = counted, vocabulary
        self._table_VS = self.evidence(torch.arange(vocabulary)[:, None], own=-1)[:, 0].to(device)

    def evidence(self, ids_BT: Tensor, own: int | None = None) -> Tensor:
        """u_t(s), log-likelihood ratios of tokens against dreams (B, T, S), in nats; 0 for slot 0.

        Args:
            ids_BT: tokens.
            own: the slot whose counted text the rows are part of, 0 for dreams: each row is judged by the counts
                without it.
        """
        if own is None:
            return self._table_VS[ids_BT]
        itself_BT = (ids_BT[:, :, None] == ids_BT[:, None, :]).sum(-1)
        length, found = ids_BT.shape[1], [torch.zeros(ids_BT.shape)]
        for slot, counted in enumerate(self._counted, 1):
            if counted is None:
                found.append(torch.zeros(ids_BT.shape))
                continue
            (text_V, tokens), (dreams_V, dreamt) = (self._dense(each) for each in counted)
            text_BT, dreams_BT = text_V[ids_BT], dreams_V[ids_BT]
            if own == slot:
                text_BT, tokens = (text_BT - itself_BT).clamp(min=0), max(0.0, tokens - length)
            if own == 0:
                dreams_BT, dreamt = (dreams_BT - itself_BT).clamp(min=0), max(0.0, dreamt - length)
            expected_BT = (dreams_BT + 0.5) / (dreamt + 0.5 * self._vocabulary)
            share_BT = (text_BT + PRIOR_TOKENS * expected_BT) / (tokens + PRIOR_TOKENS)
            found.append((share_BT / expected_BT).log().clamp(-MAX_COUNT_EVIDENCE, MAX_COUNT_EVIDENCE))
        return torch.stack(found, dim=-1)

    def _dense(self, counts_2N: Tensor) -> tuple[Tensor, float]:
        """Counts of all tokens (V,), and their sum."""
        counts_V = torch.zeros(self._vocabulary)
        counts_V[counts_2N[0].long()] = counts_2N[1].float()
        return counts_V, float(counts_V.sum())


def count_tokens(ids_NT: Tensor) -> Tensor:
    """The different tokens of a text and how often each is there (2, n), int32.

    ``ids_NT`` may be of any integer type, and larger than memory where it is mapped.
    """
    counts_V = np.zeros(0, np.int64)
    for part_NT in ids_NT.split(_COUNTED_AT_ONCE):
        part_V = np.bincount(part_NT.numpy().ravel(), minlength=len(counts_V))
        part_V[: len(counts_V)] += counts_V
        counts_V = part_V
    (seen_n,) = counts_V.nonzero()
    return torch.from_numpy(np.stack([seen_n, counts_V[seen_n]]).astype(np.int32))


def weighed_evidence(logits_BTS: Tensor, count_evidence_BTS: Tensor | None, scalars: Scalars) -> Tensor:
    """What tokens say for every slot where it is new and where it has settled (B, T, 2, S), in nats: by the mixer's
    logits, and where it is new by counts too, if there are any."""
    settled_BTS = scalars.trust * (logits_BTS - logits_BTS[..., :1])
    settled_BTS = torch.cat([settled_BTS[..., :1] + scalars.backbone, settled_BTS[..., 1:]], dim=-1)
    new_BTS = settled_BTS if count_evidence_BTS is None else settled_BTS + scalars.count_trust * count_evidence_BTS
    return torch.stack([new_BTS, settled_BTS], dim=2)


def before_text(scalars: Scalars, prior_S: Tensor) -> Tensor:
    """The probability of every slot before a text, (2, S) or (B, 2, S) as the scalars are: all of it is new."""
    is_backbone_S = torch.zeros_like(prior_S)
    is_backbone_S[0] = 1
    new_S = (prior_S + scalars.start * is_backbone_S).softmax(-1)
    return torch.stack([new_S, torch.zeros_like(new_S)], dim=-2)


def come_to(before_B2S: Tensor, scalars: Scalars, prior_S: Tensor) -> Tensor:
    """The probability of every slot before a token (B, 2, S), from that after the token before it."""
    share = scalars.share.sigmoid()
    stays_B2S = (1 - share[..., None]) * before_B2S
    new_BS, settled_BS = stays_B2S.unbind(-2)
    come_BS = (1 - _SETTLES) * new_BS + share * prior_S.softmax(-1)
    return torch.stack([come_BS, settled_BS + _SETTLES * new_BS], dim=-2)


def slot_posterior(
    evidence_BT2S: Tensor,
    scalars: Scalars,
    prior_S: Tensor,
    before_B2S: Tensor | None = None,
    mask_BT: Tensor | None = None,
) -> Tensor:
    """The probability of every slot after every token, new and settled (B, T, 2, S).

    Args:
        evidence_BT2S: what each token says.
        scalars: the filter's.
        prior_S: log π, up to a constant.
        before_B2S: the probability before these tokens; None at the beginning of a text.
        mask_BT: 0 where a token is none; it leaves no trace.
    """
    if before_B2S is None:
        before_B2S = before_text(scalars, prior_S).expand(len(evidence_BT2S), -1, -1)
    likelihood_BT2S = (evidence_BT2S - evidence_BT2S.amax((-2, -1), keepdim=True)).exp()
    found: list[Tensor] = []
    for step, likelihood_B2S in enumerate(likelihood_BT2S.unbind(1)):
        after_B2S = come_to(before_B2S, scalars, prior_S) * likelihood_B2S
        after_B2S = after_B2S / after_B2S.sum((-2, -1), keepdim=True)
        if mask_BT is not None:
            after_B2S = torch.where(mask_BT[:, step, None, None] != 0, after_B2S, before_B2S)
        found.append(after_B2S)
        before_B2S = after_B2S
    return torch.stack(found, dim=1)


def smoothed(evidence_BT2S: Tensor, posterior_BT2S: Tensor, scalars: Scalars, prior_S: Tensor) -> Tensor:
    """The probability of every slot at every token (B, T, S), given the tokens after it too (forward-backward; Rabiner
    1989, eq. 27).

    Args:
        evidence_BT2S, posterior_BT2S: as :func:`slot_posterior` takes and gives them.
        scalars, prior_S: the same.
    """
    likelihood_BT2S = (evidence_BT2S - evidence_BT2S.amax((-2, -1), keepdim=True)).exp()
    share, prior_S = scalars.share.sigmoid(), prior_S.softmax(-1)
    later_B2S = torch.ones_like(evidence_BT2S[:, 0])
    found = [posterior_BT2S[:, -1]]
    for step in range(evidence_BT2S.shape[1] - 1, 0, -1):
        seen_B2S = later_B2S * likelihood_BT2S[:, step]
        new_BS, settled_BS = seen_B2S.unbind(-2)
        leaves_B1 = share * (prior_S * new_BS).sum(-1, keepdim=True)
        stays_BS = (1 - share) * ((1 - _SETTLES) * new_BS + _SETTLES * settled_BS)
        later_B2S = torch.stack([stays_BS + leaves_B1, (1 - share) * settled_BS + leaves_B1], dim=-2)
        later_B2S = later_B2S / later_B2S.amax((-2, -1), keepdim=True)
        both_B2S = posterior_BT2S[:, step - 1] * later_B2S
        found.append(both_B2S / both_B2S.sum((-2, -1), keepdim=True))
    return torch.stack(found[::-1], dim=1).sum(-2)


@torch.no_grad()
def fit_scalars(memories: Mapping[int, tuple[Tensor, Tensor]], generator: torch.Generator) -> Scalars:
    """The scalars by which the filter finds the slots of memories, joined at random places, most likely.

    The slope is taken from differences: six filters in one batch cost less than the way back through one. Every fit
    begins at the defaults, so that nothing but the memories decides.

    Args:
        memories: by slot, logits of the mixer (N, W, S) and evidence by counts (N, W, S) of windows of its text.
        generator: draws what is joined.
    """
    rows = _joined(memories, generator)
    found_P = torch.tensor(DEFAULT_SCALARS).requires_grad_()
    differences_FP = _DIFFERENCE * torch.cat([torch.zeros(1, len(found_P)), torch.eye(len(found_P))])
    optimizer = torch.optim.Adam([found_P], lr=_FIT_RATE)
    together = max(1, _FITTED_AT_ONCE // (2 * rows.logits_BTS.numel()))
    for _ in range(FIT_STEPS):
        costs_F = torch.cat([_costs(some_FP, rows) for some_FP in (found_P + differences_FP).split(together)])
        found_P.grad = (costs_F[1:] - costs_F[0]) / _DIFFERENCE
        optimizer.step()
        found_P[:2].clamp_(min=0)  # what is not to be believed is not to be believed the other way round
    return Scalars(*found_P.detach().unbind())


class _Rows(NamedTuple):
    """Windows of memories, one after the other in each row.

    Attributes:
        logits_BTS, counts_BTS: what the mixer and the counts say.
        slots_BT: the slot that each token is to go to.
        gone_B1S: the slots that a row does without.
        shares_B: how much each row counts, 1 in all.
    """

    logits_BTS: Tensor
    counts_BTS: Tensor
    slots_BT: Tensor
    gone_B1S: Tensor
    shares_B: Tensor


def _costs(filters_FP: Tensor, rows: _Rows) -> Tensor:
    """What the right slots cost by each of some filters (F,), in nats a token."""
    count, filters = len(rows.logits_BTS), len(filters_FP)
    each = Scalars(*filters_FP.repeat_interleave(count, dim=0)[..., None].unbind(1))  # (B, 1), a filter for each row
    wide = Scalars(*(value[:, None] for value in each))
    logits_BTS, counts_BTS, gone_B1S = (part.repeat(filters, 1, 1) for part in (rows[0], rows[1], rows.gone_B1S))
    evidence_BT2S = weighed_evidence(logits_BTS, counts_BTS, wide).masked_fill(gone_B1S[:, :, None], _GONE)
    found_BTS = slot_posterior(evidence_BT2S, each, torch.zeros(gone_B1S.shape[-1])).sum(-2)
    found_BT = found_BTS.gather(-1, rows.slots_BT.repeat(filters, 1)[..., None])[..., 0].clamp(min=_LEAST).log()
    found_BT = torch.where(gone_B1S.any(-1), found_BT, found_BT.clamp(min=-_DEAREST))
    return -found_BT.mean(-1).view(filters, count) @ rows.shares_B


def _joined(memories: Mapping[int, tuple[Tensor, Tensor]], generator: torch.Generator) -> _Rows:
    """Rows of windows of all memories, and rows of one epoch's alone, which has no slot there, so that they are to go
    to the backbone. Half of them begin within a window."""
    known = list(memories)
    window, slots = memories[known[0]][0].shape[1:]
    length = _FIT_WINDOWS * window

    def draw(below: int) -> int:
        return int(torch.randint(below, (1,), generator=generator))

    whole, epochs = min(_FIT_ROWS * len(known), _MOST_ROWS), [slot for slot in known if slot]
    drawn = torch.randperm(len(epochs), generator=generator).tolist() * _UNKNOWN_ROWS
    without = [epochs[number] for number in drawn[:_MOST_UNKNOWN_ROWS]]
    rows: list[tuple[Tensor, Tensor, Tensor]] = []
    for gone in [0] * whole + without:
        left, piece, slot = length, window if draw(2) else 1 + draw(window), gone or known[draw(len(known))]
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        while left:
            logits_NWS, counts_NWS = memories[slot]
            which = draw(len(logits_NWS))
            place = slice(window - piece, window) if not parts else slice(0, piece)
            to_T = torch.full((piece,), 0 if gone else slot)
            parts.append((logits_NWS[which, place], counts_NWS[which, place], to_T))
            left -= piece
            piece = min(window, left)
            if not gone and float(torch.rand(1, generator=generator)) >= _STAYS:
                slot = known[draw(len(known))]
        logits, counts, to = (torch.cat(part) for part in zip(*parts, strict=True))
        rows.append((logits, counts, to))
    logits_BTS, counts_BTS, slots_BT = (torch.stack(part) for part in zip(*rows, strict=True))
    gone_B1S = torch.zeros(len(rows), 1, slots, dtype=torch.bool)
    gone_B1S[range(whole, len(rows)), 0, without] = True
    shares = [(1 - _UNKNOWN) / whole] * whole + [_UNKNOWN / len(without)] * len(without)
    return _Rows(logits_BTS, counts_BTS, slots_BT, gone_B1S, torch.tensor(shares))
