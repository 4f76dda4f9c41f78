"""What makes training cheap changes nothing of what is learned: kept router inputs, parts of batches, recomputing."""

from __future__ import annotations

import copy
import gc
import os
import tempfile
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.training import epoch_run, router_inputs
from tlora_gui.engine.training.epoch_run import EpochRun
from tlora_gui.engine.training.memory_fit import MemoryFit, activation_bytes, free_memory, memory_fit
from tlora_gui.engine.training.router_inputs import RouterInputs
from tlora_gui.temporal.model import TemporalLoRA

BLOCK = 32


def token_ids(blocks: int, seed: int = 0) -> Tensor:
    return torch.randint(257, (blocks, BLOCK), generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def learner(mixture: TemporalLoRA) -> TemporalLoRA:
    """Two finished epochs and one in training."""
    mixture.add_adapter("tale")
    mixture.begin_epoch("tale")
    return mixture


# -- the blocks below mixer_layer ---------------------------------------------------------------------------------


@pytest.fixture
def counted(learner: TemporalLoRA, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batch sizes that went through the frozen blocks."""
    batches: list[int] = []
    features = learner.features

    def count(ids_BT: Tensor) -> Tensor:
        batches.append(len(ids_BT))
        return features(ids_BT)

    monkeypatch.setattr(learner, "features", count)
    return batches


@pytest.mark.parametrize("in_memory", [2**28, 1], ids=["in memory", "in a file"])
def test_router_inputs_are_computed_once_and_come_back_bit_for_bit(
    learner: TemporalLoRA, counted: list[int], monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(router_inputs, "IN_MEMORY", in_memory)
    ids_NT = token_ids(6)
    inputs = RouterInputs(learner, ids_NT, 4, keep=True)
    first = {row: inputs(torch.tensor([row, (row + 1) % 6]))[0] for row in range(0, 6, 2)}
    again = inputs(torch.tensor([4, 0, 2]))
    inputs.close()
    assert counted == [4, 4, 4], "one batch size, so that a block's bits do not depend on its neighbours"
    for hidden_TH, row in zip(again, (4, 0, 2), strict=True):
        assert torch.equal(hidden_TH, first[row])
        assert_close(hidden_TH, learner.features(ids_NT[row : row + 1])[0], rtol=1e-4, atol=1e-4)


def test_nothing_is_kept_for_a_single_pass(learner: TemporalLoRA, counted: list[int]) -> None:
    inputs = RouterInputs(learner, token_ids(4), 2, keep=False)
    for _ in range(3):
        inputs(torch.tensor([0, 1]))
    assert counted == [2, 2, 2]


@pytest.mark.parametrize("trouble", ["no room left", "full"])
def test_what_cannot_be_kept_is_computed_again(
    learner: TemporalLoRA, counted: list[int], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "full":
        monkeypatch.setattr(router_inputs, "ON_DISK", 0)
    else:
        monkeypatch.setattr(router_inputs, "IN_MEMORY", 0)
        monkeypatch.setattr(router_inputs, "TemporaryFile", refuse_to_write)
    inputs = RouterInputs(learner, token_ids(2), 2, keep=True)
    first, again = inputs(torch.tensor([0, 1])), inputs(torch.tensor([0, 1]))
    assert torch.equal(first, again)
    assert counted == [2, 2]


class FullDisk(FileIO):
    """Room for one and a half blocks; as on a real disk, the write that fills it is cut short."""

    def __init__(self, **_: Any) -> None:
        super().__init__(os.memfd_create("full") if hasattr(os, "memfd_create") else tempfile.mkstemp()[0], "rb+")

    def write(self, data: Any) -> int:
        return super().write(data[: max(0, 3 * BYTES // 2 - self.tell())])


BYTES = BLOCK * 48 * 4
"""Of the router inputs of a block."""


def test_a_disk_that_fills_up_loses_nothing_of_what_is_kept(
    learner: TemporalLoRA, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router_inputs, "IN_MEMORY", 2 * BYTES)
    monkeypatch.setattr(router_inputs, "TemporaryFile", FullDisk)
    inputs = RouterInputs(learner, token_ids(6), 1, keep=True)
    first = [inputs(torch.tensor([row])) for row in range(6)]
    again = [inputs(torch.tensor([row])) for row in range(6)]
    inputs.close()
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert len(counted) == 6 + 3, "two are in memory, one on the disk"


def test_a_temporary_file_that_is_cut_short_is_done_without(
    learner: TemporalLoRA, counted: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(router_inputs, "IN_MEMORY", 0)
    file = FileIO(os.open(tmp_path / "spill", os.O_RDWR | os.O_CREAT), "rb+")
    monkeypatch.setattr(router_inputs, "TemporaryFile", lambda **_: file)
    inputs = RouterInputs(learner, token_ids(2), 2, keep=True)
    first = inputs(torch.tensor([0, 1]))
    assert file.seek(0, os.SEEK_END) == 2 * BYTES
    file.truncate(BYTES)
    assert torch.equal(inputs(torch.tensor([0, 1])), first) and counted == [2, 2]
    inputs.close()


def test_a_cache_folder_that_cannot_be_made_ends_no_training(
    learner: TemporalLoRA, counted: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TLORA_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(router_inputs, "IN_MEMORY", 0)
    inputs = RouterInputs(learner, token_ids(2), 2, keep=True)
    assert torch.equal(inputs(torch.tensor([0, 1])), inputs(torch.tensor([0, 1])))
    assert counted == [2, 2]


def test_a_batch_size_beyond_the_text_reads_no_block_twice(learner: TemporalLoRA, counted: list[int]) -> None:
    RouterInputs(learner, token_ids(3), 2**31 - 1, keep=False)(torch.tensor([0, 1, 2]))
    assert counted == [3]


def refuse_to_write(*args: Any, **kwargs: Any) -> None:
    raise OSError(28, "No space left on device")


# -- the loss without logits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("blend", ["mixer", 3, 1])
def test_loss_and_gradients_are_those_of_the_whole_logits(learner: TemporalLoRA, blend: Any) -> None:
    ids_BT = token_ids(3)
    logits_BTV = learner(ids_BT, blend).logits_BTV
    expected = cross_entropy(logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
    found = learner.next_token_loss(ids_BT, blend)
    known = learner.next_token_loss(ids_BT, blend, learner.features(ids_BT))
    assert_close(found.loss, expected)
    assert_close(known.loss, expected)
    assert_close(found.hidden_BTH, learner.features(ids_BT))
    parameters = [p for p in learner.parameters() if p.requires_grad]
    if blend != 1:
        for one in (found, known):
            mine = torch.autograd.grad(one.loss, parameters, allow_unused=True, retain_graph=True)
            theirs = torch.autograd.grad(expected, parameters, allow_unused=True, retain_graph=True)
            assert any(gradient is not None and gradient.any() for gradient in theirs)
            assert_close(mine, theirs, rtol=1e-3, atol=1e-6)


def test_a_backbone_that_scales_its_logits_is_measured_by_them(mixture: TemporalLoRA) -> None:
    head = mixture.backbone.get_output_embeddings()
    forward = mixture.backbone.forward

    def scaled(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        output.logits = output.logits / 3
        return output

    mixture.backbone.forward = scaled
    ids_BT = token_ids(2)
    with torch.no_grad():
        logits_BTV = mixture(ids_BT, 1).logits_BTV
        expected = cross_entropy(logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten())
        assert_close(mixture.next_token_loss(ids_BT, 1).loss, expected)
    assert head is not None


# -- parts of a batch ---------------------------------------------------------------------------------------------


def trained(model: TemporalLoRA, found: MemoryFit, monkeypatch: pytest.MonkeyPatch) -> tuple[list[float], list[Tensor]]:
    """Losses and weights after three steps of this fit, from the same start."""
    monkeypatch.setattr(epoch_run, "memory_fit", lambda *args: found)
    model = copy.deepcopy(model)
    blocks = TokenBlocks(token_ids(8), token_ids(2, seed=1))
    settings = TrainSettings(block_size=BLOCK, batch_size=4, num_passes=2, max_tokens=8 * BLOCK)
    model.add_adapter("tale", seed=3)
    run = EpochRun(model, "tale", blocks, settings)
    steps = run.steps()
    losses = [next(steps).adapter_loss for _ in range(3)]
    run.undo()
    return losses, [parameter.detach() for parameter in run.adapter]


@pytest.mark.parametrize(
    "found", [MemoryFit(1, False), MemoryFit(3, False), MemoryFit(4, True), MemoryFit(1, True)], ids=str
)
def test_parts_of_a_batch_and_recomputing_learn_the_same(
    mixture: TemporalLoRA, monkeypatch: pytest.MonkeyPatch, found: MemoryFit
) -> None:
    losses, weights = trained(mixture, MemoryFit(4, False), monkeypatch)
    theirs, same = trained(mixture, found, monkeypatch)
    assert losses == pytest.approx(theirs, rel=1e-4)
    assert losses[0] != losses[2]
    far = sum(float((mine - other).norm()) for mine, other in zip(weights, same, strict=True))
    assert far < 0.02 * sum(float(mine.norm()) for mine in weights)


def test_trying_what_activations_take_leaves_none_of_them(learner: TemporalLoRA) -> None:
    def alive() -> int:
        gc.collect()
        return sum(issubclass(type(each), Tensor) for each in gc.get_objects())

    activation_bytes(learner, token_ids(1), 3)
    before = alive()
    activation_bytes(learner, token_ids(1), 3)
    assert alive() <= before


def test_a_fit_takes_what_there_is_room_for(learner: TemporalLoRA) -> None:
    ids_1T = token_ids(1)
    one = activation_bytes(learner, ids_1T, 3)
    assert 0 < one < activation_bytes(learner, token_ids(2), 3)
    assert memory_fit(learner, ids_1T, 3, 4, room=100 * one) == MemoryFit(4, False)
    assert memory_fit(learner, ids_1T, 3, 4, room=2 * one) == MemoryFit(2, False)
    assert memory_fit(learner, ids_1T, 3, 4, room=one // 2) == MemoryFit(1, True)
    assert 0 < free_memory(torch.device("cpu")) < 2**50


def test_recomputing_needs_less_and_is_switched_off_again(learner: TemporalLoRA) -> None:
    whole = activation_bytes(learner, token_ids(2), 3)
    learner.recompute_activations = True
    assert activation_bytes(learner, token_ids(2), 3) < 0.7 * whole
    learner.recompute_activations = False
    assert activation_bytes(learner, token_ids(2), 3) == whole
    assert not any(module.training for module in learner.backbone.modules())
