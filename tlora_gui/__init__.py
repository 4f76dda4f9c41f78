"""tlora-gui: a desktop playground for Temporal LoRA.

The names below load torch when they are first used; importing the package loads neither torch nor Qt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlora_gui.engine.api import TemporalLoRAModel, TrainResult, generate_with_mixer, train_adapter
    from tlora_gui.engine.corpus.text_corpus import TextCorpus

__version__ = "0.1.0"
__all__ = ["TemporalLoRAModel", "TextCorpus", "TrainResult", "generate_with_mixer", "train_adapter"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tlora_gui.engine import api
    from tlora_gui.engine.corpus import text_corpus

    return getattr(text_corpus if name == "TextCorpus" else api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
