"""What the mixture rests on, tried once with a backbone when it is chosen; one that fails is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from tlora_gui.temporal.cache import agree, probe_ids
from tlora_gui.temporal.config import MixerSettings
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

_PROBES = ("a frozen probe", "a probe that learns")


def refuse_unfit(model: TemporalLoRA) -> None:
    """Try a new model with epochs that speak, and leave it as it was.

    It must be causal, a text must be the same alone and in a batch, in one pass and with a cache, and an epoch must
    learn from the hidden states that the Time Mixer reads what it learns from the text.

    Raises:
        ValueError: what does not hold.
    """
    for name, parameter in model.backbone_parameters().items():
        if parameter.is_floating_point() and parameter.element_size() > 1:  # smaller ones cannot be added up
            if not parameter.detach().sum(dtype=torch.float32).isfinite():
                raise ValueError(f"the weights hold NaN or infinite numbers, in {name}")
    ids_2T = probe_ids(model.backbone)
    with _epochs_that_speak(model):
        _try_reading(model, ids_2T)
        _try_learning(model, ids_2T)


@contextmanager
def _epochs_that_speak(model: TemporalLoRA) -> Iterator[None]:
    """One frozen, one in training, and a mixer with opinions; gone afterwards."""
    mixer = model.mixer
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.mixer = TimeMixer(mixer.hidden_size, MixerSettings()).to(model.device)
        try:
            for name in _PROBES:
                model.add_adapter(name)
                model.begin_epoch(name)
                if name is not _PROBES[-1]:
                    model.finish_epoch(name)
                with torch.no_grad():
                    for parameter in model.adapters[name].weights.up:
                        parameter.copy_(0.02 * torch.randn(parameter.shape))
            with torch.no_grad():
                model.mixer.head.weight.copy_(torch.randn(model.mixer.head.weight.shape))
                model.mixer.head.bias.zero_()
            yield
        finally:
            for name in _PROBES:
                if name in model.adapters:
                    model.remove_adapter(name)
            model.mixer = mixer


@torch.no_grad()
def _try_reading(model: TemporalLoRA, ids_2T: Tensor) -> None:
    with _told_as("it cannot read a text with an epoch"):
        both_2TV = model(ids_2T).logits_BTV
    if not both_2TV.isfinite().all():
        raise ValueError("what it says are no finite numbers")
    alike = int((ids_2T[0] == ids_2T[1]).sum())
    if not agree(both_2TV[1, :alike], both_2TV[0, :alike]):
        raise ValueError("it is not a causal language model, so it cannot write text token by token")
    cache: Any = None
    state: Any = None
    for start, end, wrong in (
        (0, alike - 1, "it reads a text in a batch otherwise than alone"),
        (alike - 1, alike, "it goes on with a text otherwise than it reads it at once"),
        (alike, ids_2T.shape[1], "it goes on with a text otherwise than it reads it at once"),
    ):
        with _told_as("it cannot go on with a text"):
            output = model(ids_2T[:1, start:end], cache=cache, mixer_state=state, use_cache=True)
        if not agree(output.logits_BTV, both_2TV[:1, start:end]):
            raise ValueError(wrong)
        cache, state = output.cache, output.mixer_state


@torch.enable_grad()
def _try_learning(model: TemporalLoRA, ids_2T: Tensor) -> None:
    with _told_as("an epoch cannot learn with it"):
        expected = model.next_token_loss(ids_2T).loss.detach()
        loss = model.next_token_loss(ids_2T, hidden_BTH=model.features(ids_2T)).loss
        loss.backward()
    if not torch.isclose(loss.detach(), expected, rtol=torch.finfo(model.backbone.dtype).eps ** 0.5):
        raise ValueError("it reads a text otherwise than from its lower blocks' output")
    grads = [parameter.grad for parameter in model.adapters[_PROBES[-1]].weights.parameters()]
    if not any(grad is not None and grad.any() and grad.isfinite().all() for grad in grads):
        raise ValueError("an epoch cannot learn with it: its adapter gets no gradient")


@contextmanager
def _told_as(what: str) -> Iterator[None]:
    """Whatever a model's own code raises, as a reason to refuse it."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"{what}: {reason[0][:200]}") from error
