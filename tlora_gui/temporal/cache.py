"""How a causal LM calls its cache: this is the one place that knows.

transformers 5.24 renamed ``past_key_values`` to ``cache``, state space models called it ``cache_params`` before, and a
forward swallows a keyword that it does not know without a word. So the forward's own signature is asked.
"""

from __future__ import annotations

from functools import cached_property
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

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
        """What the forward calls its cache; None if it takes none."""
        parameters = signature(self._backbone.forward).parameters
        return next((keyword for keyword in _KEYWORDS if keyword in parameters), None)

    def handed(self, cache: Any) -> dict[str, Any]:
        """Keywords of a forward that goes on from ``cache``; none for None.

        Raises:
            ValueError: if the model takes no cache.
        """
        if cache is None:
            return {}
        if self.keyword is None:
            raise ValueError(f"{type(self._backbone).__name__} takes no cache")
        return {self.keyword: cache}

    def given(self, output: Any) -> Any:
        """The cache in what a forward with ``use_cache`` has given.

        Raises:
            ValueError: if there is none.
        """
        cache = None if self.keyword is None else getattr(output, self.keyword, None)
        if cache is None:
            raise ValueError(f"{type(self._backbone).__name__} keeps no cache")
        return cache

    @cached_property
    @torch.no_grad()
    def takes_pieces(self) -> bool:
        """Whether several tokens after a cache are read as they are in one pass; tried once.

        Many state space models begin anew there, without a word, unless it is one token.
        """
        ids_BT = probe_ids(self._backbone)[:1]
        whole_BTV = self._backbone(input_ids=ids_BT).logits
        before = self._backbone(input_ids=ids_BT[:, :_BEFORE], use_cache=True)
        try:
            after = self._backbone(input_ids=ids_BT[:, _BEFORE:], use_cache=True, **self.handed(self.given(before)))
        except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):  # as some say that they do not
            return False
        return agree(after.logits, whole_BTV[:, _BEFORE:])


def probe_ids(backbone: PreTrainedModel) -> Tensor:
    """Two short texts (2, 8) that differ in the last three tokens."""
    vocabulary = backbone.config.get_text_config().vocab_size
    ids_2T = (torch.arange(4, 12).expand(2, -1) + torch.tensor([[0], [vocabulary // 2]])) % vocabulary
    ids_2T[1, :_BEFORE] = ids_2T[0, :_BEFORE]
    return ids_2T.to(backbone.device)


def agree(logits: Tensor, expected: Tensor) -> bool:
    """Whether logits are the same but for the rounding of their precision. NaN never agrees."""
    wanted = expected.float()
    spread = (wanted - wanted.mean(-1, keepdim=True)).norm()
    return bool((logits.float() - wanted).norm() <= torch.finfo(expected.dtype).eps ** 0.5 * spread)


_BEFORE = 5
