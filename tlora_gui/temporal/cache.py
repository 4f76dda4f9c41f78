"""How a causal LM calls its cache: this is the one place that knows.

transformers 5.24 renamed ``past_key_values`` to ``cache``, state space models called it ``cache_params`` before, and a
forward swallows a keyword that it does not know without a word. So the forward's own signature is asked.
"""

from __future__ import annotations

from functools import cached_property
from inspect import signature
from typing import Any

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
        """The cache in what a forward with ``use_cache`` has given; None if there is none."""
        return None if self.keyword is None else getattr(output, self.keyword, None)
