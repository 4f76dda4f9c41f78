"""Processes that train an epoch together, each on its share of every step's blocks.

They go through the same steps at the same time, with the same adapter and mixers. What only one of them knows, such as
that it ran out of memory or that a person wants it to stop, they agree upon before they go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tlora_gui.engine.protocol.cancel import CancelMode, CancelToken
from tlora_gui.engine.protocol.errors import TloraError, out_of_memory
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.temporal.layers import decoder_blocks
from tlora_gui.temporal.model import TemporalLoRA

TIMEOUT = timedelta(minutes=10)
"""How long a process waits for one that does not answer; of one that has ended it knows at once."""

_PREPARATION = timedelta(days=1)
"""How long the others wait while the first fetches a backbone or reads a corpus."""

_MODES: tuple[CancelMode | None, ...] = (None, "keep", "suspend", "discard")
_FINE, _NO_MEMORY, _FAILED = range(3)


class Ranks:
    """One process, alone; :class:`Processes` are several.

    Attributes:
        index: this process's number; the first, 0, is the one that writes and speaks.
        size: how many there are.
        neighbours: how many of them share this one's memory.
        device: what this one computes on, unless it may choose.
    """

    index, size, neighbours = 0, 1, 1
    device: torch.device | None = None

    @property
    def is_first(self) -> bool:
        return self.index == 0

    def part(self, count: int) -> int:
        """How many of so many blocks a process has at most."""
        return -(-count // self.size)

    def share(self, rows_B: Tensor) -> tuple[Tensor, int]:
        """This process's blocks of a step's, as many as every other has, and how many of them count: the last processes
        repeat the first block where there are no more."""
        most = self.part(len(rows_B))
        mine = rows_B[self.index * most : (self.index + 1) * most]
        return torch.cat([mine, rows_B[:1].expand(most - len(mine))]), len(mine)

    def gather(self, part_bTH: Tensor, count: int) -> Tensor:
        """What all have made of their shares of ``count`` blocks, in the order of the blocks."""
        return part_bTH

    def shard(self, model: TemporalLoRA) -> None:
        """Keep only a part of each of the backbone's blocks, if the launcher was asked for FSDP; the rest comes from
        the others whenever it is computed with. All processes must do the same forwards from then on."""

    def add_up(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make every gradient the sum of all processes'."""

    def total(self, number: float) -> float:
        """The sum of all processes' numbers."""
        return number

    def largest(self, number: int) -> int:
        """The largest of all processes' numbers."""
        return number

    def wait(self) -> None:
        """Go on when all have come here, however long one of them takes."""

    def agreed(self, cancel: CancelToken) -> CancelToken:
        """What any process was asked by now; all get the same answer, and it does not change."""
        return cancel

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """What fails in one process fails in all.

        Raises:
            MemoryError: if memory ran out in others.
            TloraError: if something else happened in others.
        """
        yield

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """The first process does it before the others, which find in the cache what it has made."""
        if not self.is_first:
            self.wait()
        yield
        if self.is_first:
            self.wait()

    def require_same(self, number: int) -> None:
        """Refuse to go on unless all processes have the same number.

        Raises:
            TloraError: in all of them, if one has another.
        """
        if self.largest(number) != -self.largest(-number):
            raise TloraError(
                say("The processes of this training do not begin with the same text and weights."),
                say("Give all of them the same files and the same versions."),
            )


class Processes(Ranks):
    """What a launcher started together: torch's default process group, whose tensors lie on ``device``.

    Raises:
        TloraError: from whatever needs the others, if one of them has ended or does not answer.
    """

    device: torch.device

    def __init__(self, device: torch.device, shards: bool) -> None:
        self.index, self.size, self.device = dist.get_rank(), dist.get_world_size(), device
        self._shards = shards
        self.neighbours = int(os.environ.get("LOCAL_WORLD_SIZE", self.size)) if device.type == "cpu" else 1
        self._agreement = dist.new_group(backend="gloo", timeout=TIMEOUT)  # numbers, which need not go to a GPU

    def gather(self, part_bTH: Tensor, count: int) -> Tensor:
        parts = [torch.empty_like(part_bTH) for _ in range(self.size)]
        with _answering():
            dist.all_gather(parts, part_bTH.contiguous())
        return torch.cat(parts)[:count]

    def shard(self, model: TemporalLoRA) -> None:
        if self._shards:
            from torch.distributed.device_mesh import init_device_mesh  # a second of imports
            from torch.distributed.fsdp import fully_shard

            mesh = init_device_mesh(self.device.type, (self.size,))
            for block in decoder_blocks(model.backbone)[1]:
                sharded = fully_shard(block, mesh=mesh)
                sharded.unshard()  # once outside of inference mode, or nothing could be learned through these weights
                sharded.reshard()
            model.fused.keeps_cast_weights = False

    def add_up(self, parameters: Iterable[nn.Parameter]) -> None:
        parameters = list(parameters)
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
        flat_N = torch.cat([gradient.flatten() for gradient in gradients])
        with _answering():
            dist.all_reduce(flat_N)
        for each, summed in zip(parameters, flat_N.split([each.numel() for each in parameters]), strict=True):
            each.grad = summed.view_as(each)

    def total(self, number: float) -> float:
        return float(self._reduced(torch.tensor(number, dtype=torch.float64), dist.ReduceOp.SUM))

    def largest(self, number: int) -> int:
        return int(self._reduced(torch.tensor(number), dist.ReduceOp.MAX))

    def _reduced(self, number: Tensor, by: dist.ReduceOp.RedOpType) -> Tensor:
        with _answering():
            dist.all_reduce(number, by, group=self._agreement)
        return number

    def wait(self) -> None:
        with _answering():
            dist.monitored_barrier(self._agreement, timeout=_PREPARATION)

    def agreed(self, cancel: CancelToken) -> CancelToken:
        answer = CancelToken()
        if mode := _MODES[self.largest(_MODES.index(cancel.mode))]:
            answer.cancel(mode)
        return answer

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        failure: Exception | None = None
        try:
            yield
        except Exception as error:  # raised again below  # noqa: BLE001
            failure = error
        kind = _FINE if failure is None else _NO_MEMORY if out_of_memory(failure) else _FAILED
        worst = self.largest(kind)
        if failure is not None and kind == worst:
            raise failure
        if worst == _NO_MEMORY:
            raise MemoryError
        if worst == _FAILED:
            raise TloraError(say("Another process of this training failed."), _LOOK) from failure


_LOOK = say("See what it said; a training that was begun is kept and can go on from its last checkpoint.")


@contextmanager
def _answering() -> Iterator[None]:
    """Say it in words if the others are gone."""
    try:
        yield
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        raise TloraError(say("Another process of this training has ended or does not answer."), _LOOK) from error


@contextmanager
def joined() -> Iterator[Ranks]:
    """The processes that a launcher such as ``accelerate launch`` started together with this one, or this one alone.

    Raises:
        TloraError: if Accelerate, which joins them, is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Ranks()
        return
    try:
        from accelerate import PartialState
        from accelerate.utils import parse_flag_from_env
    except ImportError as error:
        raise TloraError(
            say("Several processes were started, and Accelerate, which joins them, is not installed."),
            say("Bring it with `pip install 'tlora-gui[distributed]'`."),
        ) from error
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    on_cpu = accelerator is None or accelerator.type == "mps" or parse_flag_from_env("ACCELERATE_USE_CPU")
    state = PartialState(cpu=on_cpu, timeout=TIMEOUT)
    yield Processes(state.device, parse_flag_from_env("ACCELERATE_USE_FSDP"))
    dist.destroy_process_group()  # not after a failure: the others may be gone, and it would wait for them
