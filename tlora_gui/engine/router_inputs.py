"""What the frozen blocks below ``mixer_layer`` make of the training text: computed once, read back in later passes."""

from __future__ import annotations

import weakref
from math import prod
from tempfile import SpooledTemporaryFile

import torch
from torch import Tensor

from tlora_gui.engine.evaluation import training_dtype, training_precision
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.model import TemporalLoRA

IN_MEMORY = 2**28
"""Bytes that are kept in memory; beyond, everything goes to a temporary file."""

ON_DISK = 2**33
"""Bytes that are kept at all; blocks beyond are computed anew in every pass."""


class RouterInputs:
    """Router inputs of training blocks by their numbers.

    They come in the precision of training and in batches of one size, so that a block's are the same bits whether read
    back or computed again.

    Args:
        model: whose blocks.
        train_NT: token ids of all training blocks.
        batch_size: blocks that are computed at once.
        keep: whether they will be asked for again.
    """

    def __init__(self, model: TemporalLoRA, train_NT: Tensor, batch_size: int, keep: bool) -> None:
        self._model = model
        self._train_NT = train_NT
        self._batch_size = batch_size
        self._keep = keep
        self._dtype = training_dtype(model)
        self._shape = (train_NT.shape[1], model.mixer.hidden_size)
        self._bytes = prod(self._shape) * self._dtype.itemsize
        self._places: dict[int, int] = {}
        cache_dir().mkdir(parents=True, exist_ok=True)
        self._file: SpooledTemporaryFile[bytes] | None = None

    def __call__(self, rows_B: Tensor) -> Tensor:
        """Router inputs (B, T, H) of the blocks with these numbers, on the model's device."""
        rows: list[int] = rows_B.tolist()
        device, dtype = self._model.device, self._model.backbone.dtype
        if self._places.keys() >= set(rows):
            return torch.stack([self._read(row) for row in rows]).to(device, dtype)
        filled = rows + rows[:1] * (self._batch_size - len(rows))
        with training_precision(device), torch.no_grad():
            hidden_BTH = self._model.features(self._train_NT[filled].long().to(device))[: len(rows)].to(self._dtype)
        for row, hidden_TH in zip(rows, hidden_BTH, strict=True):
            if self._keep and row not in self._places and self._bytes * (len(self._places) + 1) <= ON_DISK:
                self._write(row, hidden_TH)
        return hidden_BTH.to(dtype)

    def close(self) -> None:
        """Forget everything."""
        self._places.clear()
        self._keep = False
        if self._file is not None:
            self._file.close()

    def _read(self, row: int) -> Tensor:
        assert self._file is not None
        self._file.seek(self._places[row])
        return torch.frombuffer(bytearray(self._file.read(self._bytes)), dtype=self._dtype).view(self._shape)

    def _write(self, row: int, hidden_TH: Tensor) -> None:
        place = len(self._places) * self._bytes
        try:
            if self._file is None:
                self._file = SpooledTemporaryFile(IN_MEMORY, "w+b", dir=str(cache_dir()))  # noqa: SIM115 - see close()
                weakref.finalize(self, self._file.close)
            self._file.seek(place)
            self._file.write(hidden_TH.cpu().contiguous().view(torch.uint8).numpy().tobytes())
        except OSError:  # no room on the disk: what is kept is kept
            self._keep = False
        else:
            self._places[row] = place
