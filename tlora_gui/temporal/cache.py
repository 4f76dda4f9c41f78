"""What a causal LM calls its cache: this is the one module that knows.

transformers 5.24 renamed ``past_key_values`` to ``cache``, state space models called it ``cache_params`` before, and a
forward ignores a keyword that it does not know, without an error. So the forward's own signature is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from functools import cached_property
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from tlora_gui.temporal.config import Refusal

_KEYWORDS = ("cache", "past_key_values", "cache_params")


class CacheFormat:
    """Hands a cache to a causal LM's forward and takes it from its output.

    Args:
        backbone: a causal LM of transformers.
    """

    def __init__(self, backbone: PreTrainedModel) -> None:
        self._backbone = backbone

    @cached_property
    def keyword(self) -> str | None:
        """The forward's keyword for its cache; None if it takes none."""
        parameters = signature(self._backbone.forward).parameters
        return next((keyword for keyword in _KEYWORDS if keyword in parameters), None)

    def handed(self, cache: Any) -> dict[str, Any]:
        """Keywords of a forward that goes on from ``cache``, none for None. Raises ``ValueError`` if it takes none."""
        if cache is None:
            return {}
        if self.keyword is None:
            raise Refusal("{model} takes no cache", model=type(self._backbone).__name__)
        return {self.keyword: cache}

    def given(self, output: Any) -> Any:
        """The cache in what a forward with ``use_cache`` has given. Raises ``ValueError`` if there is none."""
        cache = None if self.keyword is None else getattr(output, self.keyword, None)
        if cache is None:
            raise Refusal("{model} keeps no cache", model=type(self._backbone).__name__)
        return cache

    def complete(self, handed: Iterable[Any], cache: Any, first: int) -> Cache:
        """The cache among what a forward that ended before block ``first`` handed to it, with the layers of ``cache``
        from there up, so that all hold as many tokens. Raises ``ValueError`` if it has no layers."""
        bare = next((each for each in handed if isinstance(each, Cache)), None)
        if bare is None or not isinstance(cache, Cache):
            raise Refusal("{model} keeps a cache that is not made of layers", model=type(self._backbone).__name__)
        bare.layers[first:] = cache.layers[first:]
        return bare

    def can_crop(self, cache: Any) -> bool:
        """Whether tokens at the end of a cache can be taken away again: a state, or a window that has slid, is what it
        is."""
        return type(cache) is DynamicCache and all(type(layer) is DynamicLayer for layer in cache.layers)

    def crop(self, cache: DynamicCache, tokens: int) -> None:
        """Leave the first tokens of a cache."""
        for layer in cache.layers:
            if layer.keys is not None and layer.values is not None:
                layer.keys, layer.values = layer.keys[..., :tokens, :], layer.values[..., :tokens, :]

    @cached_property
    @torch.no_grad()
    def token_bytes(self) -> int | None:
        """What a token of a text takes in the cache; None where rows cannot be taken out of a batch's."""
        ids_1T = probe_ids(self._backbone)[:1]
        cache = self.given(self._backbone(input_ids=ids_1T, use_cache=True))
        if type(cache) is not DynamicCache or not {type(layer) for layer in cache.layers} <= _BY_ROWS:
            return None
        parts: list[Tensor | None] = [part for layer in cache.layers for part in (layer.keys, layer.values)]
        return sum(part.nbytes for part in parts if part is not None) // ids_1T.shape[1]

    @cached_property
    @torch.no_grad()
    def takes_pieces(self) -> bool:
        """Whether several tokens after a cache, and one more, are read as they are in one pass; tried once.

        Many state space models begin anew there, without an error, unless it is one token.
        """
        ids_1T = probe_ids(self._backbone)[:1]
        whole_1TV = self._backbone(input_ids=ids_1T).logits
        cache = self.given(self._backbone(input_ids=ids_1T[:, :ALIKE], use_cache=True))
        given = []
        try:
            before = _shapes(cache)
            for piece_1T in (ids_1T[:, ALIKE:-1], ids_1T[:, -1:]):
                output = self._backbone(input_ids=piece_1T, use_cache=True, **self.handed(cache))
                cache = self.given(output)
                given.append(output.logits)
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):  # how some refuse it
            return False
        if self._backbone.dtype.itemsize < 4 and before & _shapes(cache):
            return False  # a state beside keys and values, and rounding would hide that it begins anew
        return agree(torch.cat(given, dim=1), whole_1TV[:, ALIKE:])


_BY_ROWS = {DynamicLayer, DynamicSlidingWindowLayer}
"""Layers of a cache that hold nothing but keys and values of each row."""


def _shapes(cache: Any) -> set[torch.Size]:
    """Shapes of all keys, values and states of a cache, however it holds them."""
    copied: dict[int, Any] = {}
    deepcopy(cache, copied)  # which notes everything that it finds
    return {part.shape for part in copied.values() if isinstance(part, Tensor) and part.ndim >= 3}


ALIKE = 3
"""Tokens that the probe's two texts begin with."""


def probe_ids(backbone: PreTrainedModel) -> Tensor:
    """Two short texts (2, 6) of ordinary tokens, which differ after the first ``ALIKE``."""
    vocabulary: int = backbone.config.get_text_config().vocab_size
    ids_2T = (torch.arange(1, 13, device=torch.device(backbone.device)).view(2, -1) * (vocabulary // 13)) % vocabulary
    ids_2T[1, :ALIKE] = ids_2T[0, :ALIKE]
    return ids_2T


def agree(logits: Tensor, expected: Tensor) -> bool:
    """Whether logits (B, T, V) are the same but for rounding. NaN never agrees.

    Measured, of the logits' spread: 1e-5 in float32, 0.02 in float16 and 0.15 in bfloat16 for the starter backbone;
    0.06 in float32 for a random Mamba that begins anew.
    """
    wanted = expected.float()
    spread = (wanted - wanted.mean(-1, keepdim=True)).norm()
    return bool((logits.float() - wanted).norm() <= 4 * torch.finfo(expected.dtype).eps ** 0.5 * spread)
