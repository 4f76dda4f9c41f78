"""The README.md of what leaves a project: a model card, as people and the Hub read it.

Names come from a stranger's project at worst: none of them is taken for Markdown, HTML or YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import exp
from typing import Any, Literal

import tlora_gui
from tlora_gui.engine.protocol.config import TrainSettings
from tlora_gui.engine.protocol.events import EpochInfo
from tlora_gui.engine.protocol.markdown import escaped
from tlora_gui.engine.protocol.wording import one_line
from tlora_gui.engine.storage.disk import is_path

CARD_FILE = "README.md"
Kind = Literal["adapter", "merged adapter", "merged model"]
Part = tuple[EpochInfo, TrainSettings, float]
"""An epoch's facts, the settings it was trained with, and its weight."""

_WHAT: dict[Kind, str] = {
    "adapter": "A LoRA adapter of the base model: an epoch of a Temporal LoRA project, by itself.",
    "merged adapter": "A LoRA adapter of the base model: epochs of a Temporal LoRA project at constant weights. "
    "The Time Mixer, which weighs them anew at every token, is not part of it.",
    "merged model": "The base model with epochs of a Temporal LoRA project added to its weights, at constant weights. "
    "The Time Mixer, which weighs them anew at every token, is not part of it.",
}
_LOAD_ADAPTER = """from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = {base}
adapter = "."  # this folder
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter)
"""
_LOAD_MODEL = """from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "."  # this one
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
"""


def model_card(
    kind: Kind, title: str, parts: Sequence[Part], base: str, fingerprint: str, remarks: Iterable[str] = ()
) -> str:
    """The card of an export.

    Args:
        kind: what was made.
        title: of the card.
        parts: the epochs in it.
        base: what the base model is loaded from, a Hub id or a path.
        fingerprint: of the base model's weights, as they were in training.
        remarks: sentences on what is special about this export.
    """
    load = _LOAD_MODEL if kind == "merged model" else _LOAD_ADAPTER.format(base=ascii(base))
    blocks = [
        _front_matter(kind, base),
        f"# {_shown(title)}",
        _WHAT[kind],
        *map(escaped, remarks),
        "## How to load",
        f"```python\n{load}```",
        _table(("base model", "fingerprint of its weights"), [(base, fingerprint)]),
    ]
    for info, settings, weight in parts:
        blocks += [f"## Trained: {_shown(info.name)}" + (f" (weight {weight:g})" if kind != "adapter" else "")]
        blocks += _trained(info, settings)
    blocks += [
        "## Licence",
        "Unknown. That of the base model applies, and so do the rights in the texts; neither is known here.",
        f"Made with tlora-gui {tlora_gui.__version__}.",
    ]
    return "\n\n".join(blocks) + "\n"


def _trained(info: EpochInfo, settings: TrainSettings) -> list[str]:
    """Tables: on what, how well, how."""
    names = ", ".join(re.split(r"[\\/]", path.rstrip("\\/"))[-1] for path in info.corpus)
    data = [("era", info.era), ("text", names), ("fingerprint of the text", info.corpus_fingerprint)]
    data += [("tokens read", f"{info.tokens:,}"), ("note", info.note)]
    blocks = [_table(("data", ""), [(name, told) for name, told in data if told])]
    losses = (("base model", info.backbone_loss), ("with this epoch at weight 1", info.held_out_loss))
    if measured := [(name, f"{loss:.4f}", f"{exp(min(loss, 700)):,.2f}") for name, loss in losses if loss is not None]:
        blocks.append(_table(("held-out text", "loss (nats per token)", "perplexity"), measured))
    return [*blocks, _table(("setting", "value"), list(_flat(asdict(settings))))]


def _flat(settings: dict[str, Any], within: str = "") -> Iterable[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield within + name, str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, (":--",) * len(head), *(tuple(_shown(cell, 1000) for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(text: str, limit: int = 200) -> str:
    return escaped(one_line(text, limit))


def _front_matter(kind: Kind, base: str) -> str:
    """What the Hub reads; a path on somebody's machine is none of its base models."""
    lines = [f"base_model: {_yaml(base)}"] if not is_path(base) else []
    lines += [f"library_name: {'transformers' if kind == 'merged model' else 'peft'}", "license: unknown"]
    lines += ["pipeline_tag: text-generation", "tags:", "- lora", "- temporal-lora"]
    return "\n".join(["---", *lines, "---"])


def _yaml(text: str) -> str:
    """A string as YAML writes it, in which nothing ends it or breaks the line."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)
