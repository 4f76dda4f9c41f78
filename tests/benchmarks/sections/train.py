"""Training: tokens a second, held-out loss at equal tokens and peak memory against Hugging Face's Trainer with PEFT."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch
from measure import Figure, interleaved, ratio
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import Trainer, TrainerCallback, TrainingArguments

from sections.common import backbone, text_blocks
from tlora_gui.engine.backbones.loading import fingerprint
from tlora_gui.engine.corpus.blocks import TokenBlocks
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.training.epoch_run import WARM_UP_STEPS, EpochRun
from tlora_gui.engine.training.evaluation import held_out_loss, training_precision
from tlora_gui.engine.training.preparation import remember_dreams
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.model import TemporalLoRA

STEPS = 3
"""Optimiser steps in one timed run."""

TOKENS = 16_384
"""Training tokens behind the held-out losses."""

CONTENDERS = ("ours", "default Trainer", "careful Trainer")


def figures(threads: int) -> Iterator[Figure]:
    yield from _speeds(threads)
    yield from _losses()
    yield from _memories(threads)


def _speeds(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    contenders: dict[str, Callable[[], float]] = {
        "ours, first pass": Ours(passes=1),
        "ours, later passes": Ours(passes=2),
        "default Trainer": HuggingFace(careful=False),
        "careful Trainer": HuggingFace(careful=True),
    }
    runs = interleaved(contenders)
    detail = {"tokens_per_second": {name: median(found) for name, found in runs.items()}, "runs": runs}
    for rival, first, later in (("default Trainer", 2.75, 3.5), ("careful Trainer", 1.6, 2.2)):
        for ours_is, least in (("ours, first pass", first), ("ours, later passes", later)):
            what = f"{ours_is} against {rival} with PEFT"
            yield Figure("train", what, ratio(runs, ours_is, rival), "×", least, detail=detail)


def _losses() -> Iterator[Figure]:
    """Held-out loss of the new adapter alone after the same tokens, steps and schedule."""
    found = {}
    for name in CONTENDERS:
        contender = Ours(passes=1) if name == "ours" else HuggingFace(careful=name == "careful Trainer")
        contender.train()
        found[name] = contender.held_out_loss()
    for rival in CONTENDERS[1:]:
        more = 100 * (found["ours"] / found[rival] - 1)
        yield Figure("train", f"held-out loss against {rival} with PEFT", more, "%", at_most=0.5, detail=found)


def _memories(threads: int) -> Iterator[Figure]:
    """Peak resident memory of a process that trains a few steps and does nothing else."""
    found = {name: _peak(name, threads) for name in CONTENDERS}
    for rival in CONTENDERS[1:]:
        share = found["ours"]["peak"] / found[rival]["peak"]
        yield Figure("train", f"peak memory against {rival} with PEFT", share, "×", at_most=0.7, detail=found)
        above = found["ours"]["above"] / found[rival]["above"]
        yield Figure("train", f"peak memory above the loaded backbone against {rival}", above, "×", detail=found)


class Ours:
    """An epoch of the application's own training, the first of a project."""

    def __init__(self, passes: int) -> None:
        loaded = backbone()
        self.model = TemporalLoRA(loaded.model)
        drain(remember_dreams(self.model, fingerprint(loaded.model), CancelToken()))
        self.model.add_adapter("new")
        self.blocks = text_blocks("Shakespeare", loaded.tokenizer, TOKENS)
        self.run = EpochRun(self.model, "new", self.blocks, TrainSettings(num_passes=passes, max_tokens=TOKENS))

    def __call__(self) -> float:
        """Tokens a second of a few steps, always over the same text. One pass keeps nothing of an earlier round."""
        self.run.step, steps, started = 0, self.run.steps(), time.perf_counter()
        for _ in range(STEPS):
            next(steps)
        return STEPS * self.run.settings.batch_size * self.run.settings.block_size / (time.perf_counter() - started)

    def train(self) -> None:
        for _ in self.run.steps():
            pass

    def held_out_loss(self) -> float:
        return drain(held_out_loss(self.model, self.blocks.held_out_NT, 1))


class HuggingFace:
    """Trainer with PEFT LoRA on every linear layer, on the same blocks, batch size, rate and schedule.

    *default* leaves everything else as it is (float32); *careful* adds bf16 autocast where the processor has it and the
    fused optimiser. Both read packed blocks, so neither loses time on padding.
    """

    def __init__(self, careful: bool) -> None:
        loaded = backbone()
        settings = TrainSettings()
        config = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
        torch.manual_seed(0)
        self.model = get_peft_model(loaded.model, config)
        self.blocks = text_blocks("Shakespeare", loaded.tokenizer, TOKENS)
        self.options: dict[str, Any] = {
            "output_dir": tempfile.mkdtemp(),
            "per_device_train_batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "lr_scheduler_type": "cosine",
            "warmup_steps": WARM_UP_STEPS,
            "use_cpu": not torch.cuda.is_available(),
            "report_to": [],
            "save_strategy": "no",
            "logging_strategy": "no",
            "disable_tqdm": True,
        }
        if careful:
            self.options |= {"bf16": True, "optim": "adamw_torch_fused"}

    def __call__(self) -> float:
        """Tokens a second of a few steps."""
        clock = Clock()
        self._trainer(STEPS, [clock]).train()
        settings = TrainSettings()
        return STEPS * settings.batch_size * settings.block_size / clock.seconds

    def train(self) -> None:
        self._trainer(-1, []).train()

    def held_out_loss(self) -> float:
        self.model.eval()
        with torch.inference_mode(), training_precision(self.model.device):
            losses = [
                float(logits_loss(self.model(input_ids=ids_BT.to(self.model.device)).logits, ids_BT))
                for ids_BT in self.blocks.held_out_NT.split(4)
            ]
        return sum(losses) / len(losses)

    def _trainer(self, steps: int, callbacks: list[TrainerCallback]) -> Trainer:
        arguments = TrainingArguments(max_steps=steps, num_train_epochs=1, **self.options)
        return Trainer(self.model, arguments, train_dataset=Blocks(self.blocks), callbacks=callbacks)


class Blocks(torch.utils.data.Dataset[dict[str, Tensor]]):
    """Packed blocks as Trainer reads them."""

    def __init__(self, blocks: TokenBlocks) -> None:
        self.train_NT = blocks.train_NT.long()

    def __len__(self) -> int:
        return len(self.train_NT)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.train_NT[index], "labels": self.train_NT[index]}


class Clock(TrainerCallback):
    """Seconds between the begin of the first step and the end of the last."""

    seconds = 0.0
    _started = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._started = self._started or time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.seconds = time.perf_counter() - self._started


def _peak(contender: str, threads: int) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "sections.train", contender, str(threads)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    report: dict[str, float] = json.loads(printed.stdout.splitlines()[-1])
    return report


def _train_a_little(name: str, threads: int) -> None:
    """Train a few steps and print the process's memory, before and at its peak, in MB."""
    torch.set_num_threads(threads)
    contender = Ours(passes=1) if name == "ours" else HuggingFace(careful=name == "careful Trainer")
    before = psutil.Process().memory_info().rss / 1e6
    contender()
    print(json.dumps({"before": before, "peak": _highest(), "above": _highest() - before}))


def _highest() -> float:
    """The process's peak resident memory so far, MB. (``ru_maxrss`` would begin with the parent's.)"""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1e3


if __name__ == "__main__":
    _train_a_little(sys.argv[1], int(sys.argv[2]))
