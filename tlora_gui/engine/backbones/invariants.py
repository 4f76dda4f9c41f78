"""Tries what the mixture rests on, once, when a backbone is chosen; one that fails is refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from tlora_gui.engine.protocol.sentences import message_of, say
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.cache import ALIKE, agree, probe_ids
from tlora_gui.temporal.config import MixerSettings, Refusal
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.layers import new_weights
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer

_TRIALS = ("a frozen trial", "a trial that learns")


def refuse_unfit(model: TemporalLoRA) -> None:
    """Try a new model with epochs that change its logits, and leave it as it was.

    It must be causal, a text must be the same alone and in a batch, in one pass and with a cache, and an epoch must
    learn from the hidden states that the Time Mixer reads what it learns from the text.

    Raises:
        ValueError: what does not hold.
    """
    for name, parameter in model.backbone.named_parameters():
        whole = parameter.is_floating_point() and parameter.element_size() > 1  # smaller kinds cannot be added up
        if whole and not parameter.detach().sum(dtype=torch.float32).isfinite():
            raise ValueError(say("the weights hold NaN or infinite numbers, in {name}", name=name))
    ids_2T = probe_ids(model.backbone)
    with _random_epochs(model):
        _try_learning(model, ids_2T[:1], expected=_try_reading(model, ids_2T))


def refuse_unfit_slots(model: TemporalLoRA) -> None:
    """Try a model's own slots, all at once: whether a text is the same alone, in a batch, and with a cache.

    Raises:
        ValueError: what does not hold.
    """
    _try_reading(model, probe_ids(model.backbone), torch.full((model.mixer.slots,), 1 / model.mixer.slots))


@contextmanager
def _random_epochs(model: TemporalLoRA) -> Iterator[None]:
    """One frozen, one in training, and a mixer that tells tokens apart; gone afterwards.

    The frozen one lies in every block if that may be.
    """
    mixer, (frozen, learning) = model.mixer, _TRIALS
    layers = model.all_layers if model.lora.bare_router else model.layers
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model.mixer = TimeMixer(mixer.hidden_size, MixerSettings()).to(model.device)
        try:
            model.add_adapter(frozen, trained=new_weights(layers.values(), model.lora, 0, model.device))
            model.mixer.add_slot()
            model.set_slots([frozen], model.mixer)
            model.add_adapter(learning)
            model.begin_epoch(learning)
            for name in _TRIALS:
                with torch.no_grad():
                    for parameter in model.adapters[name].weights.up:
                        parameter.copy_(0.02 * torch.randn(parameter.shape))
            with torch.no_grad():
                model.mixer.head.weight.copy_(0.1 * torch.randn(model.mixer.head.weight.shape))
                model.mixer.head.bias.zero_()
            yield
        finally:
            for name in _TRIALS:
                if name in model.adapters:
                    model.remove_adapter(name)
            model.mixer = mixer


@torch.no_grad()
def _try_reading(model: TemporalLoRA, ids_2T: Tensor, blend: Blend = "mixer") -> Tensor:
    """Next-token loss of the first text."""
    with _refused_as("it cannot read a text with an epoch: {reason}"):
        both_2TV = model(ids_2T, blend).logits_BTV
    if not both_2TV.isfinite().all():
        raise ValueError(say("its logits are not finite"))
    moved_T = (both_2TV[1] - both_2TV[0]).float().norm(dim=-1)
    if moved_T[:ALIKE].max() > 1e-3 * moved_T[ALIKE:].max():  # 0 for causal models, 3e-3 for a tiny untrained BERT
        raise ValueError(say("it is not a causal language model, so it cannot write text token by token"))
    with _refused_as("it cannot go on with a text: {reason}"):
        begun = now = model(ids_2T[:1, :ALIKE], blend, use_cache=True)
        steps = []
        for id_11 in ids_2T[:1, ALIKE : ALIKE + 2].split(1, dim=1):
            now = model(id_11, blend, cache=now.cache, mixer_state=now.mixer_state, use_cache=True)
            steps.append(now.logits_BTV)
    if not agree(begun.logits_BTV, both_2TV[:1, :ALIKE]):
        raise ValueError(say("it reads a text in a batch otherwise than alone"))
    if not agree(torch.cat(steps, dim=1), both_2TV[:1, ALIKE : ALIKE + 2]):
        raise ValueError(say("it goes on with a text otherwise than it reads it at once"))
    return logits_loss(both_2TV[:1], ids_2T[:1])


@torch.enable_grad()
def _try_learning(model: TemporalLoRA, ids_1T: Tensor, expected: Tensor) -> None:
    with _refused_as("an epoch cannot learn with it: {reason}"):
        loss = model.next_token_loss(ids_1T, hidden_BTH=model.features(ids_1T)).loss
        loss.backward()
    if not torch.isclose(loss, expected, rtol=torch.finfo(model.backbone.dtype).eps ** 0.5):
        raise ValueError(say("its upper blocks need more than what the lower ones give"))
    grads = [parameter.grad for parameter in model.adapters[_TRIALS[-1]].weights.parameters()]
    if not any(grad is not None and grad.isfinite().all() and grad.any() for grad in grads):
        raise ValueError(say("an epoch cannot learn with it: no gradient reaches its adapter"))


@contextmanager
def _refused_as(what: str) -> Iterator[None]:
    """Whatever a model's own code raises, as a reason to refuse it."""
    try:
        yield
    except Refusal as error:
        raise ValueError(say(what, reason=message_of(error))) from error
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(say(what, reason=reason[0][:200])) from error
