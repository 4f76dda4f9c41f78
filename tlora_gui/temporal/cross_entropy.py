"""Next-token cross-entropy, of logits or without them: (tokens × vocabulary) need never stand in memory whole.

The output layer is frozen, so the loss needs one gradient only, that of its input. It is computed piece by piece
together with the loss, and each piece's logits are gone before the next one's are made.

On a CPU a piece's gradient is taken of the classes that some token of it gives 2⁻¹² of probability or more (the rule of
Cut Cross-Entropy, arXiv:2411.09009); all others, which together are some hundredths, count as one class, whose row is
their mean by an earlier piece's mean shares. Without that class the gradient is off by 4 % on text, with it by 0.7 %.
The share of the right class enters as what is left by the others', which 16 bits tell apart from 1 however small it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, softmax

_PIECE = {"cuda": 2**27}
"""Logits that may stand at once, by device: enough for whole matrix products, few enough to stay in the CPU's cache."""


LEAST_SHARE = 2**-12
"""Probability below which a class has no gradient of its own."""

MOST_RARE = 0.05
"""Their share of the probability of all wrong classes, on average, above which every class has its own gradient."""

_LEAST = 1e-37
"""Least probability that a token counts with: no loss is above 85 nats."""


def logits_loss(logits_BTV: Tensor, ids_BT: Tensor) -> Tensor:
    """Mean cross-entropy of each next token (a scalar), in nats."""
    return cross_entropy(logits_BTV[:, :-1].flatten(0, 1).float(), ids_BT[:, 1:].flatten())


def hidden_loss(hidden_BTH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, ids_BT: Tensor) -> Tensor:
    """Mean cross-entropy of each next token (a scalar), in nats.

    Args:
        hidden_BTH: input of the output layer.
        weight_VH, bias_V: the output layer, frozen; products are taken in the weight's precision.
        ids_BT: the tokens that were read; position t predicts token t + 1.
    """
    hidden_NH = hidden_BTH[:, :-1].flatten(0, 1)
    loss: Tensor = _CrossEntropy.apply(hidden_NH, weight_VH, bias_V, ids_BT[:, 1:].flatten())  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden_NH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, target_N: Tensor) -> Tensor:
        gradient_NH = torch.empty_like(hidden_NH) if ctx.needs_input_grad[0] else None
        loss = hidden_NH.new_zeros((), dtype=torch.float32)
        rows, rare_H = max(1, _PIECE.get(hidden_NH.device.type, 2**23) // len(weight_VH)), None
        dtype = torch.float32 if weight_VH.dtype == torch.float16 else None  # which has nothing below 6e-8
        for start in range(0, len(hidden_NH), rows):
            piece = slice(start, start + rows)
            logits_NV = linear(hidden_NH[piece].to(weight_VH.dtype), weight_VH, bias_V)
            wrong_NV = softmax(logits_NV, dim=-1, dtype=dtype)
            right = torch.arange(len(wrong_NV), device=wrong_NV.device), target_N[piece]
            right_N = wrong_NV[right].float().clamp(min=_LEAST)
            wrong_NV[right] = 0.0  # scatter takes a hundred times as long
            loss += (wrong_NV.sum(1) / right_N).log1p().sum()
            if gradient_NH is not None:
                gradient_NH[piece], rare_H = _gradient(wrong_NV, right, weight_VH, rare_H)
        if gradient_NH is not None:
            ctx.save_for_backward(gradient_NH / len(hidden_NH))
        return loss / len(hidden_NH)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient_NH,) = ctx.saved_tensors
        return gradient_NH * upstream[0].to(gradient_NH.dtype), None, None, None


def _gradient(
    wrong_NV: Tensor, right: tuple[Tensor, Tensor], weight_VH: Tensor, rare_H: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The gradient of the summed cross-entropy in the output layer's input (N, H), and the mean row of rare classes,
    which is that of an earlier piece if there is one.

    ``wrong_NV``, the shares, with 0 where ``right`` says that a class is right, is used up.
    """
    wrong_N, (row_N, target_N) = wrong_NV.sum(1), right
    if wrong_NV.device.type == "cpu":
        likely_V = wrong_NV.amax(0) >= LEAST_SHARE
        likely_V[target_N] = True
        likely_C = likely_V.nonzero()[:, 0]
        if 2 * len(likely_C) <= len(likely_V):
            error_NC = wrong_NV.index_select(1, likely_C)
            wrong_NV.index_fill_(1, likely_C, 0.0)
            rare_N1 = wrong_NV.sum(1, keepdim=True).to(weight_VH.dtype)
            if rare_N1.mean() <= MOST_RARE * wrong_N.mean():
                if rare_H is None:
                    mean_V = wrong_NV.sum(0)
                    rare_H = (mean_V / mean_V.sum().clamp(min=_LEAST)).to(weight_VH.dtype) @ weight_VH
                error_NC[row_N, torch.searchsorted(likely_C, target_N)] = -wrong_N
                likely_NH = error_NC.to(weight_VH.dtype) @ weight_VH.index_select(0, likely_C)
                return likely_NH + rare_N1 * rare_H, rare_H
            wrong_NV.index_copy_(1, likely_C, error_NC)
    wrong_NV[right] = -wrong_N
    return wrong_NV.to(weight_VH.dtype) @ weight_VH, rare_H
