"""The loss without logits, and its gradient, beside PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from tlora_gui.temporal.cross_entropy import _PIECE as cross_entropy_pieces
from tlora_gui.temporal.cross_entropy import LEAST_SHARE, hidden_loss

V, H, T = 30_000, 24, 40


def made(sharpness: float, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden states (2, T, H), output layer (V, H) and (V,), tokens (2, T); sharper is: fewer classes likely."""
    generator = torch.Generator().manual_seed(seed)
    hidden_BTH = torch.randn(2, T, H, generator=generator)
    weight_VH = sharpness * torch.randn(V, H, generator=generator) / H**0.5
    bias_V = sharpness * torch.randn(V, generator=generator)  # as words differ in how common they are
    return hidden_BTH, weight_VH, bias_V, torch.randint(V, (2, T), generator=generator)


def both(hidden_BTH: Tensor, weight_VH: Tensor, bias_V: Tensor, ids_BT: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Loss and gradient by us, and by PyTorch."""
    ours_BTH, theirs_BTH = (hidden_BTH.clone().requires_grad_() for _ in range(2))
    ours = hidden_loss(ours_BTH, weight_VH, bias_V, ids_BT)
    logits_BTV = linear(theirs_BTH, weight_VH, bias_V)
    theirs = cross_entropy(logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
    found = []
    for loss, leaf_BTH in ((ours, ours_BTH), (theirs, theirs_BTH)):
        loss.backward()
        assert leaf_BTH.grad is not None
        found.append((loss.detach(), leaf_BTH.grad))
    return found


@pytest.mark.parametrize("rows", [7, 1000])
@pytest.mark.parametrize("sharpness", [0.0, 0.5, 2.0, 3.0])
def test_the_loss_is_exact_and_the_gradient_off_by_less_than_2_per_cent(
    sharpness: float, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cross_entropy_pieces, "cpu", rows * V)
    given = made(sharpness)
    (ours, ours_BTH), (theirs, theirs_BTH) = both(*given)
    torch.testing.assert_close(ours, theirs)
    assert (ours_BTH - theirs_BTH).norm() <= 0.02 * theirs_BTH.norm() + 1e-7
    assert not ours_BTH[:, -1].any(), "the last position predicts nothing"


def test_the_shorter_way_is_taken_and_a_common_shift_of_all_classes_changes_no_gradient() -> None:
    hidden_BTH, weight_VH, bias_V, ids_BT = made(3.0)
    shares_NV = linear(hidden_BTH[:, :-1], weight_VH, bias_V).softmax(-1).flatten(0, 1)
    assert (shares_NV >= LEAST_SHARE).any(0).float().mean() < 0.5
    plain, shifted = (both(hidden_BTH, weight_VH + shift, bias_V, ids_BT)[0][1] for shift in (0.0, 1.0))
    torch.testing.assert_close(shifted, plain, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_16_bits_keep_the_loss_of_the_least_likely_tokens(dtype: torch.dtype) -> None:
    hidden_BTH, weight_VH, bias_V, ids_BT = made(3.0)
    rounded = (weight_VH.to(dtype), bias_V.to(dtype))
    ours = hidden_loss(hidden_BTH, *rounded, ids_BT)
    theirs = hidden_loss(hidden_BTH, *(each.float() for each in rounded), ids_BT)
    torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gap", [7.0, 9.0])
def test_tokens_that_are_known_nearly_for_sure_keep_their_loss_and_gradient(gap: float, dtype: torch.dtype) -> None:
    """Loss e^-gap: 0.0009 or 0.0001 nats, which 16 bits cannot tell from a probability of 1."""
    generator = torch.Generator().manual_seed(0)
    weight_VH = torch.nn.functional.normalize(torch.randn(5000, 512, generator=generator), dim=1)
    ids_BT = torch.randint(2500, (1, 32), generator=generator)
    right_BTH, rival_BTH = weight_VH[ids_BT.roll(-1, 1)], weight_VH[2500 + ids_BT.roll(-1, 1)]
    hidden_BTH = 60 * right_BTH + (60 - gap) * rival_BTH
    (ours, ours_BTH), (theirs, theirs_BTH) = both(hidden_BTH, weight_VH, torch.zeros(5000), ids_BT)
    if dtype != torch.float32:
        leaf_BTH = hidden_BTH.clone().requires_grad_()
        ours = hidden_loss(leaf_BTH, weight_VH.to(dtype), None, ids_BT)
        ours.backward()
        assert leaf_BTH.grad is not None
        ours_BTH = leaf_BTH.grad
    coarse = 0.3 if dtype == torch.bfloat16 else 0.02  # products of 16 bits: logits of 60 are off by some hundredths
    assert abs(ours / theirs - 1) <= coarse
    assert (ours_BTH - theirs_BTH).norm() <= coarse * theirs_BTH.norm()
