"""What the frozen blocks below ``mixer_layer`` make of the training text: computed once, read back in later passes."""

from __future__ import annotations

import weakref
from io import FileIO
from math import prod
from tempfile import TemporaryFile

import torch
from torch import Tensor

from tlora_gui.engine.corpus.token_store import rows_of
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.training.evaluation import training_dtype, training_precision
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import TemporalLoRA

IN_MEMORY = 2**28
"""Bytes that are kept in memory; what comes after them goes to a temporary file."""

ON_DISK = 2**33
"""Bytes that are kept at all; blocks beyond are computed anew in every pass."""


class RouterInputs:
    """Router inputs of training blocks by their numbers.

    They come in the precision of training and in batches of one size, so that a block's are the same bits whether read
    back or computed again.

    Args:
        model: whose blocks.
        train_NT: token ids of all training blocks.
        batch_size: blocks that are computed at once, unless there are fewer.
        keep: whether they will be asked for again.
    """

    def __init__(self, model: TemporalLoRA, train_NT: Tensor, batch_size: int, keep: bool) -> None:
        self._model = model
        self._train_NT = train_NT
        self._batch_size = min(batch_size, len(train_NT))
        self._keep = keep
        self._dtype = training_dtype(model)
        self._shape = (train_NT.shape[1], model.mixer.hidden_size)
        self._bytes = prod(self._shape) * self._dtype.itemsize
        self._in_memory: dict[int, Tensor] = {}
        self._on_disk: dict[int, int] = {}
        self._file: FileIO | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether later passes read back every block."""
        return self._keep and self._bytes * len(self._train_NT) <= ON_DISK

    def __call__(self, rows_B: Tensor) -> Tensor:
        """Router inputs (B, T, H) of the blocks with these numbers, on the model's device."""
        rows: list[int] = rows_B.tolist()
        device, dtype = self._model.device, self._model.backbone.dtype
        if all(row in self._in_memory or row in self._on_disk for row in rows):
            try:
                return torch.stack([self._read(row) for row in rows]).to(device, dtype)
            except OSError:  # the file is gone or damaged
                self._on_disk.clear()
                self._keep = False
        filled_B = torch.tensor(rows + rows[:1] * (self._batch_size - len(rows)))
        with training_precision(device), torch.no_grad():
            hidden_BTH = self._model.features(rows_of(self._train_NT, filled_B).to(device))[: len(rows)].to(self._dtype)
        for row, hidden_TH in zip(rows, hidden_BTH, strict=True):
            kept = len(self._in_memory) + len(self._on_disk)
            known = row in self._in_memory or row in self._on_disk
            if self._keep and not known and self._bytes * (kept + 1) <= ON_DISK:
                self._write(row, hidden_TH.cpu())
        return hidden_BTH.to(dtype)

    def close(self) -> None:
        """Forget everything."""
        self._in_memory.clear()
        self._on_disk.clear()
        self._keep = False
        if self._file is not None:
            self._file.close()

    def _read(self, row: int) -> Tensor:
        if row in self._in_memory:
            return self._in_memory[row]
        assert self._file is not None
        self._file.seek(self._on_disk[row])
        read = bytearray(self._file.read(self._bytes))
        if len(read) != self._bytes:
            raise OSError(say("the temporary file is cut short"))
        return torch.frombuffer(read, dtype=self._dtype).view(self._shape)

    def _write(self, row: int, hidden_TH: Tensor) -> None:
        if self._bytes * (len(self._in_memory) + 1) <= IN_MEMORY:
            self._in_memory[row] = hidden_TH.clone()
            return
        offset = len(self._on_disk) * self._bytes
        try:
            if self._file is None:
                cache_dir().mkdir(parents=True, exist_ok=True)
                # Without a buffer, so that a disk that is full is found out here.
                self._file = TemporaryFile(buffering=0, dir=cache_dir())  # noqa: SIM115 - see close()
                weakref.finalize(self, self._file.close)
            self._file.seek(offset)
            whole = self._file.write(hidden_TH.contiguous().view(torch.uint8).numpy().tobytes()) == self._bytes
        except OSError:
            whole = False
        if whole:
            self._on_disk[row] = offset
        else:  # no room on the disk: what is kept is kept
            self._keep = False
