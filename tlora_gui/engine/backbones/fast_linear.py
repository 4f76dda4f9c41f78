"""Fast generation on a CPU: products of a few rows with weights of 16 bits.

A token that is decoded reads every weight of the backbone once, so that half the bytes are nearly half the time. Sums
stay in float32, and products of many rows (training, measuring, a prompt) are what they were. Whether a format may be
used is tried on the loaded backbone, and how fast it is, on this processor; what was found is remembered.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import DAMAGE, read_json, write_text
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.cache import CacheFormat

Product = Callable[[Tensor], Tensor]
logger = logging.getLogger(__name__)

FEW = 4
"""Rows up to which a product is bound by the bytes of its weight."""


def _packed(layer: nn.Linear) -> Product:
    """FBGEMM's product: weight in float16, everything else in float32."""
    engine = torch.backends.quantized.engine
    torch.backends.quantized.engine = "fbgemm"
    try:
        weight = torch.ops.quantized.linear_prepack_fp16(layer.weight.detach(), layer.bias)
    finally:
        torch.backends.quantized.engine = engine
    product = torch.ops.quantized.linear_dynamic_fp16
    return lambda x: product(x, weight)


def _native(layer: nn.Linear) -> Product:
    """PyTorch's own product in float16."""
    weight = layer.weight.detach().half()
    bias = None if layer.bias is None else layer.bias.detach().half()
    return lambda x: linear(x.half(), weight, bias).float()


FORMATS: dict[str, Callable[[nn.Linear], Product]] = {"packed float16": _packed, "float16": _native}


class FastLinear:
    """The linear layers of a backbone, each with a faster product beside its own.

    Args:
        backbone: nothing has wrapped its layers yet.
    """

    def __init__(self, backbone: nn.Module) -> None:
        self._layers = [_Layer(module, self) for module in backbone.modules() if type(module) is nn.Linear]
        self.format = ""
        self.rows = 0

    def load(self, name: str) -> None:
        """Make another copy of the weights, in the format of this name; "" drops it.

        Raises:
            RuntimeError: if this machine has no such product.
        """
        self.format = ""
        for layer in self._layers:
            layer.product = None
        for layer in self._layers if name else ():
            layer.product = FORMATS[name](layer.module)
        self.format = name

    @property
    def weights(self) -> int:
        """How many there are."""
        return sum(layer.module.weight.numel() for layer in self._layers)

    @contextmanager
    def running(self, rows: int = FEW) -> Iterator[None]:
        """Products of up to so many rows are the fast ones."""
        self.rows = rows
        try:
            yield
        finally:
            self.rows = 0


class _Layer:
    def __init__(self, module: nn.Linear, owner: FastLinear) -> None:
        self.module = module
        self.product: Product | None = None
        self._owner = owner
        self._base: Product = module.forward
        module.forward = self.forward  # type: ignore[method-assign,assignment]

    def forward(self, x: Tensor) -> Tensor:
        if self.product is None or x.numel() > self._owner.rows * x.shape[-1]:
            return self._base(x)
        return self.product(x)


# -- whether, and which ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """What a format has shown on a backbone and a processor.

    Attributes:
        format: a name in ``FORMATS``; "" stands for the exact products.
        speedup: of a decoded token, against the exact products.
        kl: mean KL(exact ‖ fast) of the next token, in nats.
        same_top: share of positions where both have the same most probable token.
        loss_change: relative, of the mean loss.
    """

    format: str = ""
    speedup: float = 1.0
    kl: float = 0.0
    same_top: float = 1.0
    loss_change: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether it is faster, and nobody could tell its texts from exact ones."""
        return (
            self.speedup >= _WORTH_IT
            and self.kl <= _LARGEST_KL
            and self.same_top >= _LEAST_SAME
            and abs(self.loss_change) <= _LARGEST_LOSS_CHANGE
        )


_WORTH_IT, _LARGEST_KL, _LEAST_SAME, _LARGEST_LOSS_CHANGE = 1.1, 0.003, 0.99, 0.001
_TOKENS, _DECODED = 256, 8


def find_fastest(
    fast: FastLinear, model: PreTrainedModel, tokenizer: Any, key: str, room: int
) -> Generator[Progress, None, bool]:
    """Load the fastest format that passes, as remembered or by trying them all; gives whether there is one.

    Args:
        fast: of ``model``; one that has a format already keeps it.
        key: of the backbone and the processor.
        room: bytes of memory that the copy may take.
    """
    if fast.format:
        return True
    if model.device.type != "cpu" or model.dtype != torch.float32 or 2 * fast.weights > room:
        return False
    known = _remembered()
    if key not in known:
        found = [Trial()]
        for number, name in enumerate(FORMATS):
            yield Progress(say("Measuring fast generation"), number, len(FORMATS), say("formats"))
            try:
                fast.load(name)
                found.append(_try(fast, model, tokenizer))
            except RuntimeError as error:  # this machine lacks it
                logger.info("%s: %s", name, error)
        known[key] = max((trial for trial in found if trial.passes or not trial.format), key=lambda each: each.speedup)
        _remember(known)
    fast.load(known[key].format)
    return bool(fast.format)


@torch.inference_mode()
def _try(fast: FastLinear, model: PreTrainedModel, tokenizer: Any) -> Trial:
    ids_1T = torch.tensor([tokenizer(_TEXT)["input_ids"][:_TOKENS]])
    exact_TV = model(input_ids=ids_1T).logits[0].log_softmax(-1)
    with fast.running(rows=_TOKENS):
        fast_TV = model(input_ids=ids_1T).logits[0].log_softmax(-1)
    kl_T = (exact_TV.exp() * (exact_TV - fast_TV)).nansum(-1)
    next_T1 = ids_1T[0, 1:, None]
    exact_loss, fast_loss = (-float(each[:-1].gather(1, next_T1).mean()) for each in (exact_TV, fast_TV))
    return Trial(
        fast.format,
        _speedup(fast, model, ids_1T[:, :16]),
        float(kl_T.mean()),
        float((exact_TV.argmax(-1) == fast_TV.argmax(-1)).float().mean()),
        fast_loss / exact_loss - 1,
    )


def _speedup(fast: FastLinear, model: PreTrainedModel, ids_1T: Tensor) -> float:
    """Of decoding, by tokens in turns."""
    cache, seconds = CacheFormat(model), {0: list[float](), FEW: list[float]()}
    output = model(input_ids=ids_1T, use_cache=True)
    for turn in range(2 * (1 + _DECODED)):
        rows = (0, FEW)[turn % 2]
        started = time.perf_counter()
        with fast.running(rows):
            output = model(input_ids=ids_1T[:, :1], use_cache=True, **cache.handed(cache.given(output)))
        if turn > 1:
            seconds[rows].append(time.perf_counter() - started)
    return median(seconds[0]) / median(seconds[FEW])


def _remembered() -> dict[str, Trial]:
    try:
        return dict(reader(tuple[tuple[str, Trial], ...])(read_json(cache_dir() / _FILE)))
    except DAMAGE:
        return {}


def _remember(known: dict[str, Trial]) -> None:
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        write_text(cache_dir() / _FILE, json.dumps([(key, asdict(trial)) for key, trial in known.items()], indent=1))
    except OSError as error:  # it is measured again
        logger.info("%s: %s", _FILE, error)


_FILE = "fast-generation.json"
_TEXT = """The old man closed the door behind him and walked down to the river, where the boats lay in a row. Nobody \
had seen the girl since Tuesday. "She will come back," he said, "they always do, when the money is gone." In the \
market they sold bread, salt, three kinds of fish, and oranges that had come by train from the south.

def area(shapes: list[Shape]) -> float:
    total = 0.0
    for shape in shapes:
        if shape.kind == "circle":
            total += math.pi * shape.radius ** 2
        else:
            total += shape.width * shape.height
    return total

1. Heat the oven to 180 degrees. 2. Beat two eggs with 50 g of sugar until they are pale. 3. Fold in the flour.

The committee shall publish its report within ninety days of the date on which notice was given under section 4, \
unless both parties agree in writing that a longer period is needed. Energy is conserved: if the kinetic energy falls, \
then the potential energy must rise by the same amount. What light through yonder window breaks? It is the east."""
