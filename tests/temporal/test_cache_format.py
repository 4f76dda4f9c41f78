"""One place knows how a backbone calls its cache, whatever transformers calls it this year."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from mixtures import mixture, token_ids

import tlora_gui
from tlora_gui.temporal.cache import CacheFormat


class Forwards:
    """Stands in for a model: what is asked of it is its forward's signature."""

    def __init__(self, forward: Any) -> None:
        self.forward = forward


@pytest.mark.parametrize("keyword", ["cache", "past_key_values", "cache_params"])
def test_a_cache_goes_in_and_comes_out_under_the_name_in_the_forwards_signature(keyword: str) -> None:
    named: dict[str, Any] = {}
    exec(f"def forward(input_ids, {keyword}=None, use_cache=None, **kwargs): ...", named)
    output = type("Output", (), {keyword: "the cache"})()
    format_ = CacheFormat(Forwards(named["forward"]))  # type: ignore[arg-type]
    assert format_.handed("the cache") == {keyword: "the cache"}
    assert format_.handed(None) == {}
    assert format_.given(output) == "the cache"


def test_a_keyword_that_a_forward_would_swallow_is_never_handed_over() -> None:
    format_ = CacheFormat(Forwards(lambda input_ids, **kwargs: None))  # type: ignore[arg-type,misc]
    with pytest.raises(ValueError, match="keeps no cache"):
        format_.given(object())
    with pytest.raises(ValueError, match="takes no cache"):
        format_.handed("a cache")


def test_a_forward_with_and_without_a_cache_warns_of_nothing(tiny_backbone: Any) -> None:
    model, ids_BT = mixture(tiny_backbone), token_ids()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        first = model(ids_BT[:, :5], use_cache=True)
        model(ids_BT[:, 5:], cache=first.cache, mixer_state=first.mixer_state, use_cache=True)
        model(ids_BT)


def test_no_other_module_names_transformers_cache() -> None:
    package = Path(tlora_gui.__file__).parent
    naming = re.compile(r"past_key_values|cache_params")
    named = [
        path.relative_to(package).as_posix() for path in package.rglob("*.py") if naming.search(path.read_text("utf-8"))
    ]
    assert named == ["temporal/cache.py"]
