"""Whether fast generation may be used: formats of weights tried on the loaded backbone, and how fast each is, on this
processor. What was found is remembered in the cache.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tlora_gui.engine.backbones.fast_linear import FEW, FORMATS, FastLinear
from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.backbones.tokenizing import encode_prompt, vocabulary_of
from tlora_gui.engine.protocol.events import Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.storage.disk import DAMAGE, read_json, write_text
from tlora_gui.engine.storage.typed_json import reader
from tlora_gui.paths import cache_dir
from tlora_gui.temporal.cache import CacheFormat

logger = logging.getLogger(__name__)


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
        known[key] = yield from fastest(fast, model, tokenizer)
        _remember(known)
    fast.load(known[key].format)
    return bool(fast.format)


def fastest(fast: FastLinear, model: PreTrainedModel, tokenizer: Any) -> Generator[Progress, None, Trial]:
    """Try every format; the fastest that passes. However it ends, nothing that was only tried stays loaded."""
    passed = [Trial()]
    try:
        for number, name in enumerate(FORMATS):
            yield Progress(say("Measuring fast generation"), number, len(FORMATS), say("formats"))
            try:
                fast.load(name)
                passed += [trial for trial in [_try(fast, model, tokenizer)] if trial.passes]
            except Exception as error:  # exact products say what is wrong, if anything is  # noqa: BLE001
                logger.info("%s: %s", name, error)
    finally:
        fast.load("")
    return max(passed, key=lambda trial: trial.speedup)


@torch.inference_mode()
def _try(fast: FastLinear, model: PreTrainedModel, tokenizer: Any) -> Trial:
    most = min(_TOKENS, context_length(model))
    ids_1T = torch.tensor([encode_prompt(tokenizer, _TEXT, vocabulary_of(model)).ids[:most]])
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
        found: tuple[tuple[str, Trial], ...] = reader(tuple[tuple[str, Trial], ...])(read_json(cache_dir() / _FILE))
    except DAMAGE:
        return {}
    return {key: trial for key, trial in found if trial.format in ("", *FORMATS)}


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
