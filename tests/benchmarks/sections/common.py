"""What the sections share: the starter backbone, its sample corpora, and mixtures of any number of epochs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch

from tlora_gui.engine.backbones import starter
from tlora_gui.engine.backbones.loading import Backbone, load_backbone
from tlora_gui.engine.corpus.blocks import TokenBlocks, make_blocks
from tlora_gui.engine.corpus.text_corpus import TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import STARTER
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


def backbone() -> Backbone:
    """A fresh copy of the starter backbone."""
    return drain(load_backbone(STARTER, CancelToken()))


@cache
def corpus(name: str) -> Path:
    """Folder of one of the sample corpora."""
    return {each: folder for each, _, folder in drain(starter.ensure_corpora(CancelToken()))}[name]


def text_blocks(name: str, tokenizer: Any, tokens: int) -> TokenBlocks:
    """Training and held-out blocks of a sample corpus, as the application cuts them."""
    texts = TextCorpus.from_paths([str(corpus(name))], CancelToken())
    return make_blocks(
        texts, tokenizer, block_size=128, max_tokens=tokens, held_out_share=0.1, held_out_tokens=4096, seed=0
    )


@torch.no_grad()
def grow(model: TemporalLoRA, epochs: int) -> None:
    """Bring a model to so many finished epochs, with adapters that say something and a mixer as sure as a trained one.

    Of a trained mixer 1.25 slots speak at a time, the dominant one with 0.97 of the weight (the demo's project,
    held-out text); this one is made to do so with any number of slots.
    """
    for number in range(len(model.adapters), epochs):
        model.add_adapter(f"epoch-{number}", seed=number)
        model.begin_epoch(f"epoch-{number}")
        model.finish_epoch(f"epoch-{number}")
        for name, parameter in model.adapter_parameters(f"epoch-{number}").items():
            if ".lora_B." in name:
                parameter.normal_(std=0.002)
    mixer = TimeMixer(model.mixer.hidden_size, model.mixer.settings, 1 + epochs)
    mixer.head.weight.normal_(generator=torch.Generator().manual_seed(epochs))
    hidden_1TH = model.features(torch.randint(1000, (1, 64), generator=torch.Generator().manual_seed(0)))
    while (mixer.weights(mixer(hidden_1TH)[0]) > 0).sum(-1).float().mean() > 1.25:
        mixer.head.weight *= 1.2
    model.set_slots(list(model.adapters), mixer)
