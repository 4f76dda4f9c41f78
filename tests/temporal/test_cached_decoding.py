"""One text in pieces, in batches and padded: always the logits and weights of the whole text by itself.

Whoever speaks: the Time Mixer by each strategy, one epoch alone, or fixed weights.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mixtures import EPOCHS, assert_near, mixture, token_ids
from torch import Tensor

from tlora_gui.temporal.config import STRATEGIES, MixerSettings, Strategy
from tlora_gui.temporal.model import MixtureOutput, TemporalLoRA
from tlora_gui.temporal.time_mixer import Context, Filtered, RunningMean

T = 14
FIXED = torch.tensor([0.1, 0.2, 0.3, 0.4])

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
every_speaker = pytest.mark.parametrize(
    ("strategy", "blend"),
    [
        *(pytest.param(strategy, "mixer", id=strategy) for strategy in STRATEGIES),
        pytest.param("gating", 2, id="solo"),
        pytest.param("gating", FIXED, id="fixed"),
    ],
)


def speaking(backbone: Any, strategy: Strategy) -> TemporalLoRA:
    """Three epochs and a mixer of this strategy, with opinions."""
    return mixture(backbone, mixer=MixerSettings(strategy))


@torch.no_grad()
def in_pieces(model: TemporalLoRA, ids_BT: Tensor, pieces: list[int], blend: Any, mask_BT: Any = None) -> MixtureOutput:
    """Feed ``pieces`` through the cache; logits and weights of all of them."""
    cache = state = None
    logits, weights, done = [], [], 0
    for piece_BT in ids_BT.split(pieces, dim=1):
        done += piece_BT.shape[1]
        output = model(
            piece_BT,
            blend,
            cache=cache,
            mixer_state=state,
            use_cache=True,
            attention_mask=None if mask_BT is None else mask_BT[:, :done],
        )
        cache, state = output.cache, output.mixer_state
        logits.append(output.logits_BTV)
        weights.append(output.weights_BTS)
    return MixtureOutput(torch.cat(logits, 1), torch.cat(weights, 1), output.hidden_BTH, cache, state)


def leaves(state: Any) -> list[Tensor]:
    """All tensors of a mixer's state, or of a batch's."""
    return [state] if isinstance(state, Tensor) else [leaf for part in state or () for leaf in leaves(part)]


def carried_on(output: MixtureOutput) -> tuple[Tensor, ...]:
    """What the mixer's state has for the tokens to come."""
    state = output.mixer_state
    if isinstance(state, Filtered):
        return state.heard.found_BT2S[:, -1], *(state.context or ())
    assert isinstance(state, RunningMean | Context)
    return state


@torch.no_grad()
def at_once(model: TemporalLoRA, ids_BT: Tensor, blend: Any = "mixer", mask_BT: Tensor | None = None) -> MixtureOutput:
    return model(ids_BT, blend, attention_mask=mask_BT)


@pytest.mark.parametrize("pieces", [[1] * T, [5, 1, 1, 6, 1], [T - 1, 1], [T]], ids=str)
@every_speaker
def test_cached_decoding_equals_uncached(tiny_backbone: Any, pieces: list[int], strategy: Strategy, blend: Any) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT = token_ids(2, T)
    whole, parts = at_once(model, ids_BT, blend), in_pieces(model, ids_BT, pieces, blend)
    assert_near(parts.weights_BTS, whole.weights_BTS)
    assert_near(parts.logits_BTV, whole.logits_BTV)
    if isinstance(blend, str):
        for mine, theirs in zip(carried_on(parts), carried_on(whole), strict=True):
            assert_near(mine, theirs)


@every_strategy
def test_a_mixture_moves_from_token_to_token(tiny_backbone: Any, strategy: Strategy) -> None:
    weights_BTS = at_once(speaking(tiny_backbone, strategy), token_ids(2, T)).weights_BTS
    assert weights_BTS.std(dim=(0, 1)).max() > 0.1, "a constant mix would hide errors elsewhere"
    assert (weights_BTS.unique().tolist() == [0.0, 1.0]) is (strategy == "routing")


@pytest.mark.parametrize("strategy", ["gating", "attention"])
def test_forgetting_the_mixer_state_between_pieces_would_show(tiny_backbone: Any, strategy: Strategy) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT = token_ids(1, T)
    first = model(ids_BT[:, :-1], use_cache=True)
    kept = model(ids_BT[:, -1:], cache=first.cache, mixer_state=None, use_cache=True)
    assert (kept.weights_BTS[:, -1] - at_once(model, ids_BT).weights_BTS[:, -1]).abs().max() > 1e-3


@every_strategy
def test_a_past_token_keeps_its_weights_as_the_text_grows(tiny_backbone: Any, strategy: Strategy) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT = token_ids(1, T)
    whole = at_once(model, ids_BT)
    for length in (1, 4, T - 1):
        assert_near(at_once(model, ids_BT[:, :length]).weights_BTS, whole.weights_BTS[:, :length])


def test_a_live_epoch_decodes_with_a_cache_too(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone, EPOCHS[:2], live="tale")
    ids_BT = token_ids(1, T)
    whole, parts = at_once(model, ids_BT), in_pieces(model, ids_BT, [1] * T, "mixer")
    assert_near(parts.weights_BTS, whole.weights_BTS)
    assert_near(parts.logits_BTV, whole.logits_BTV)


@torch.no_grad()
def test_logits_to_keep_gives_the_last_positions_and_all_weights(tiny_backbone: Any) -> None:
    model = mixture(tiny_backbone)
    ids_BT = token_ids(2, T)
    output = model(ids_BT, logits_to_keep=2)
    whole = at_once(model, ids_BT)
    assert output.weights_BTS.shape == (2, T, 4)
    assert_near(output.logits_BTV, whole.logits_BTV[:, -2:])


def test_no_cache_is_returned_unless_asked_for(tiny_backbone: Any) -> None:
    assert at_once(mixture(tiny_backbone), token_ids()).cache is None


@every_speaker
def test_a_batch_equals_its_rows(tiny_backbone: Any, strategy: Strategy, blend: Any) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT = token_ids(5, T)
    together = at_once(model, ids_BT, blend)
    for row in range(5):
        alone = at_once(model, ids_BT[row : row + 1], blend)
        assert_near(together.weights_BTS[row], alone.weights_BTS[0])
        assert_near(together.logits_BTV[row], alone.logits_BTV[0])


# -- padding ----------------------------------------------------------------------------------------------------

LENGTHS = (T, 9, 3)


def padded(side: str) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A batch of texts of ``LENGTHS``, its mask, and the texts by themselves."""
    rows = [token_ids(1, length, seed=length) for length in LENGTHS]
    ids_BT = torch.full((len(rows), T), 256)
    mask_BT = torch.zeros(len(rows), T, dtype=torch.long)
    for row, text in enumerate(rows):
        place = slice(0, text.shape[1]) if side == "right" else slice(T - text.shape[1], T)
        ids_BT[row, place] = text
        mask_BT[row, place] = 1
    return ids_BT, mask_BT, rows


@pytest.mark.parametrize("side", ["right", "left"])
@every_speaker
def test_a_padded_batch_equals_its_rows_at_real_positions(
    tiny_backbone: Any, side: str, strategy: Strategy, blend: Any
) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT, mask_BT, rows = padded(side)
    together = at_once(model, ids_BT, blend, mask_BT)
    assert_near(together.weights_BTS.sum(-1), torch.ones(3, T))
    for row, text in enumerate(rows):
        real = mask_BT[row].bool()
        alone = at_once(model, text, blend)
        assert_near(together.weights_BTS[row, real], alone.weights_BTS[0])
        assert_near(together.logits_BTV[row, real], alone.logits_BTV[0])


@every_strategy
@pytest.mark.parametrize("pieces", [[1] * T, [12, 1, 1]], ids=str)
def test_a_left_padded_batch_decodes_with_a_cache_like_its_rows(
    tiny_backbone: Any, pieces: list[int], strategy: Strategy
) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT, mask_BT, rows = padded("left")
    together = in_pieces(model, ids_BT, pieces, "mixer", mask_BT)
    for row, text in enumerate(rows):
        real = mask_BT[row].bool()
        alone = at_once(model, text)
        assert_near(together.weights_BTS[row, real], alone.weights_BTS[0])
        assert_near(together.logits_BTV[row, real], alone.logits_BTV[0])


@every_strategy
def test_padding_tokens_themselves_do_not_matter(tiny_backbone: Any, strategy: Strategy) -> None:
    model = speaking(tiny_backbone, strategy)
    ids_BT, mask_BT, _ = padded("left")
    other_BT = torch.where(mask_BT.bool(), ids_BT, torch.full_like(ids_BT, 7))
    one, other = at_once(model, ids_BT, "mixer", mask_BT), at_once(model, other_BT, "mixer", mask_BT)
    assert_near(one.weights_BTS[mask_BT.bool()], other.weights_BTS[mask_BT.bool()])
    assert_near(one.logits_BTV[mask_BT.bool()], other.logits_BTV[mask_BT.bool()])


@every_strategy
@pytest.mark.parametrize("blend", ["mixer", ("mixer", 1), ("mixer", "mixer")], ids=str)
def test_tokens_read_one_by_one_leave_what_all_at_once_leave(
    tiny_backbone: Any, strategy: Strategy, blend: Any
) -> None:
    model, ids_BT = speaking(tiny_backbone, strategy), token_ids(2, T)
    whole = in_pieces(model, ids_BT, [5, T - 5], blend)
    model._cache_format.takes_pieces = False  # type: ignore[misc]  # as many state space models
    one_by_one = in_pieces(model, ids_BT, [5, T - 5], blend)
    for found, wanted in zip(leaves(one_by_one.mixer_state), leaves(whole.mixer_state), strict=True):
        assert_near(found.float(), wanted.float())
