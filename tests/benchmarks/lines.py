"""The lines of the forgetting benchmark: Active Sleep, its absence, and everything else that mixes the same adapters.

A line is a function of (laboratory, order of domains, seed). Each gives a :class:`Found`: what was measured after every
phase and after the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from laboratory import Laboratory, mixer_weights
from peft import ArrowConfig, LoraConfig, PeftModel, XLoraConfig, get_peft_model
from source_method import TokenIdMixer, learn_labels, learn_phase, reads_ids
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm
from torch.nn.utils import clip_grad_norm_

from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.training.epoch_run import schedule, train_epoch
from tlora_gui.engine.training.evaluation import training_precision
from tlora_gui.temporal.active_sleep import MixerLearner, freeze_teacher, route_loss
from tlora_gui.temporal.blend import Blend
from tlora_gui.temporal.config import MixerSettings, SleepSettings
from tlora_gui.temporal.cross_entropy import logits_loss
from tlora_gui.temporal.model import TemporalLoRA
from tlora_gui.temporal.time_mixer import TimeMixer


@dataclass
class Found:
    """One run of one line.

    Attributes:
        routing: R matrix of routing accuracy per held-out token, a row per phase; empty where nothing routes.
        loss: R matrix of the loss in nats per token (lower is better).
        final: loss on every domain after the last phase, on more text.
        off_domain: loss on texts of no domain.
        figures: lags, calibration error, weight of slot 0.
    """

    routing: list[list[float]] = field(default_factory=list)
    loss: list[list[float]] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    off_domain: dict[str, float] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


Line = Callable[[Laboratory, Sequence[str], int], Found]


# -- mixers over the same adapters, trained on their router inputs -------------------------------------------------


MEAN = MixerSettings(switching="mean")


def sleeping(
    sleep: SleepSettings,
    mixer: MixerSettings = MEAN,
    losses: bool = True,
    *,
    counts: bool = True,
    learning: bool = True,
) -> Line:
    """The application's own training of the mixer; without ``losses`` only its routing is measured. Without ``counts``
    the filter has the mixer's logits alone, without ``learning`` the counts alone."""

    def line(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
        model = lab.mixture(order, seed)
        for name, memory in {"": lab.dreams, **{name: lab.memory(name, seed, sleep) for name in order}}.items():
            model.memories[name] = memory if counts else replace(memory, token_counts=None)
        phases = _phases(lab, model, seed, sleep, mixer, learning)
        return measure_mixers(lab, model, seed, phases, losses)

    return line


def _phases(
    lab: Laboratory, model: TemporalLoRA, seed: int, sleep: SleepSettings, settings: MixerSettings, learning: bool
) -> Iterator[TimeMixer]:
    train, order = lab.settings(seed), list(model.slot_adapters)
    torch.manual_seed(seed)
    mixer = TimeMixer(model.mixer.hidden_size, settings)
    memories = {0: model.memories[""]}
    for slot, name in enumerate(order, 1):
        teacher = freeze_teacher(mixer) if slot > 1 else None
        mixer.add_slot()
        asleep = sleep.enabled or teacher is None
        replayed = {known: memory.replay_NWH for known, memory in memories.items() if asleep}
        learner = MixerLearner(mixer, teacher, replayed, sleep, train.mixer_learning_rate)
        generator = torch.Generator().manual_seed(1000 * seed + slot)
        train_NTH, _ = lab.features(name, seed)
        batches = train_NTH[torch.randperm(len(train_NTH), generator=generator)].split(train.batch_size)
        for step, batch_BTH in enumerate(batches if learning else ()):
            for hidden_1TH in batch_BTH.float().split(1):
                learner.learn(hidden_1TH, schedule(step, len(batches)), generator)
        memories[slot] = model.memories[name]
        if sleep.enabled and sleep.memory_labels:
            if learning:
                learner.calibrate(memories[slot].replay_NWH, generator)
            model.set_slots(order[:slot], mixer)
            model.fit_switching(generator)
        yield freeze_teacher(mixer)


def joint_upper_bound(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """One mixer that sees all training text of all domains at once, with labels, three times over."""
    torch.manual_seed(seed)
    texts = [lab.dreams.replay_NWH, *(lab.features(name, seed)[0] for name in order)]
    mixer = TimeMixer(texts[0].shape[-1], MEAN, 1 + len(order))
    optimizer = torch.optim.AdamW(mixer.parameters(), lr=lab.settings(seed).mixer_learning_rate, weight_decay=0.01)
    generator = torch.Generator().manual_seed(seed)
    steps = 3 * len(texts[1])
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lab.settings(seed).mixer_learning_rate * schedule(step, steps)
        losses = []
        for slot, text_NTH in enumerate(texts):
            pick = torch.randint(len(text_NTH), (1,), generator=generator)
            losses.append(route_loss(mixer(text_NTH[pick].float())[0], slot))
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
    return measure_mixers(lab, lab.mixture(order, seed), seed, [freeze_teacher(mixer)])


RIDGE = 0.01
"""Of the analytic router, by the mean square of what it reads."""


def analytic(settings: MixerSettings) -> Line:
    """A router that cannot forget: ridge regression of the slots on what the mixer reads, from sums over each epoch's
    whole text (recursive least squares, as Any-SSR's, arXiv:2503.13575). Nothing is replayed, no weight is trained. A
    factor makes logits of its shares; it and the filter are fitted to the memories of all epochs."""

    def line(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
        model = lab.mixture(order, seed)
        for name in order:
            model.memories[name] = lab.memory(name, seed, SleepSettings())
        texts = [lab.dreams.replay_NWH, *(lab.features(name, seed)[0] for name in order)]
        sums = [_moments(text_NTH) for text_NTH in texts]

        def phases() -> Iterator[TimeMixer]:
            for slot in range(1, 1 + len(order)):
                mixer = TimeMixer(model.mixer.hidden_size, replace(settings, width=0), 1 + slot)
                _regress(mixer, sums[: 1 + slot], [model.memories[name].replay_NWH for name in ("", *order[:slot])])
                model.set_slots(list(order[:slot]), mixer)
                model.fit_switching(torch.Generator().manual_seed(1000 * seed + slot))
                yield freeze_teacher(mixer)

        return measure_mixers(lab, model, seed, phases())

    return line


def _moments(text_NTH: Tensor) -> tuple[Tensor, Tensor]:
    """Mean outer product (H + 1, H + 1) and mean (H + 1) of what the mixer reads and a 1."""
    read_NH = layer_norm(text_NTH.flatten(0, 1).float(), text_NTH.shape[-1:])
    read_NX = torch.cat([read_NH, torch.ones(len(read_NH), 1)], dim=1)
    return read_NX.T @ read_NX / len(read_NX), read_NX.mean(0)


@torch.no_grad()
def _regress(mixer: TimeMixer, sums: list[tuple[Tensor, Tensor]], memories: list[Tensor]) -> None:
    outer_XX = torch.stack([outer for outer, _ in sums]).mean(0).double()
    outer_XX.diagonal()[:-1] += RIDGE * outer_XX.diagonal()[:-1].mean()
    mean_XS = torch.stack([mean for _, mean in sums], dim=1).double() / len(sums)
    head_SX = torch.linalg.solve(outer_XX, mean_XS).T.float()
    mixer.head.weight.copy_(head_SX[:, :-1])
    mixer.head.bias.copy_(head_SX[:, -1])
    shares = [mixer.mean(memory_NWH)[0] for memory_NWH in memories]
    losses = {
        factor: sum(float(route_loss(factor * share_NWS, slot)) for slot, share_NWS in enumerate(shares))
        for factor in (2.0**power for power in range(-2, 7))
    }
    best = min(losses, key=losses.__getitem__)
    mixer.head.weight *= best
    mixer.head.bias *= best


STAY = 1 - 1 / 64
"""Probability that a token comes from the slot of the one before it, where slots are told by likelihoods."""


def likelihoods(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """No router: each slot alone says how likely every token was, and a hidden Markov model with equal borders carries
    that on; the slots' probabilities are mixed (DEMix, arXiv:2108.05036). It costs a forward per slot."""
    model, found = lab.mixture(order, seed), Found()
    known: dict[bytes, Tensor] = {}

    def logs(ids_NT: Tensor) -> Tensor:
        """Log probability (N, T - 1, S) of every token but the first."""
        key = ids_NT.numpy().tobytes()
        if key not in known:
            rows = [
                torch.stack([_token_logs(model, ids_1T, slot) for slot in range(1 + len(order))], -1)
                for ids_1T in ids_NT.split(1)
            ]
            known[key] = torch.cat(rows)
        return known[key]

    def weigh(slots: int) -> Callable[[Tensor, Tensor], Tensor]:
        def after_each(ids_NT: Tensor, _: Tensor) -> Tensor:
            logs_NTS = logs(ids_NT)[..., :slots]
            now_NS = torch.full((len(ids_NT), slots), 1 / slots)
            weights = [now_NS]
            for log_NS in logs_NTS.unbind(1):
                now_NS = ((STAY * now_NS + (1 - STAY) / slots).log() + log_NS).softmax(-1)
                weights.append(now_NS)
            return torch.stack(weights, dim=1)

        return after_each

    every = weigh(1 + len(order))
    for phase in range(1, 1 + len(order)):
        found.routing.append(lab.routing(weigh(1 + phase), order[:phase], seed))
    found.figures = lab.figures(every, order, seed)

    def loss(name: str) -> float:
        ids_NT = lab.held_out(name, seed).long()
        rows = lab.profile.final_tokens // ids_NT.shape[1]
        next_NTS = STAY * every(ids_NT, ids_NT)[:, :-1] + (1 - STAY) / (1 + len(order))
        mixed_NT = (next_NTS.log() + logs(ids_NT)).logsumexp(-1)
        return -float(mixed_NT[:rows].mean())

    found.final = [loss(name) for name in order]
    found.off_domain = {name: loss(name) for name in lab.profile.off_domain}
    return found


@torch.inference_mode()
def _token_logs(model: TemporalLoRA, ids_1T: Tensor, slot: int) -> Tensor:
    """Log probability (1, T - 1) of every token but the first, by a slot alone."""
    with training_precision(model.device):
        logits_1TV = model(ids_1T, slot).logits_BTV[:, :-1]
    return -cross_entropy(logits_1TV.float().transpose(1, 2), ids_1T[:, 1:], reduction="none")


def measure_mixers(
    lab: Laboratory, model: TemporalLoRA, seed: int, phases: Iterable[TimeMixer], losses: bool = True
) -> Found:
    """Measure the mixers of successive phases over the model's finished adapters."""
    order, found = list(model.slot_adapters), Found()
    losses = losses and lab.measures_losses(order)
    for mixer in phases:
        known = order[: mixer.slots - 1]
        model.set_slots(list(known), mixer)
        found.routing.append(lab.routing(mixer_weights(model), model.slot_adapters, seed))
        if losses:
            found.loss.append(lab.losses(model, known, seed, "mixer", lab.profile.matrix_tokens))
    if losses:
        _finish(lab, found, model, order, seed, "mixer")
    found.figures = lab.figures(mixer_weights(model), order, seed)
    return found


def _finish(lab: Laboratory, found: Found, model: TemporalLoRA, order: Sequence[str], seed: int, blend: Blend) -> None:
    found.final = lab.losses(model, order, seed, blend, lab.profile.final_tokens)
    found.off_domain = dict(
        zip(
            lab.profile.off_domain,
            lab.losses(model, lab.profile.off_domain, seed, blend, lab.profile.final_tokens),
            strict=True,
        )
    )


# -- no mixer -----------------------------------------------------------------------------------------------------


def oracle(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """The true epoch alone, as if someone always told."""
    references = lab.references(seed)
    return Found(final=[references[name]["own"] for name in order])


def fixed(share: Callable[[int], float]) -> Line:
    """All adapters at once, each at the same weight."""

    def line(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
        model, found = lab.mixture(order, seed), Found()
        _finish(lab, found, model, order, seed, torch.tensor([0.0] + [share(len(order))] * len(order)))
        return found

    return line


def peft_merge(how: str, **options: Any) -> Line:
    """PEFT's ``add_weighted_adapter`` over the same adapters."""

    def line(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
        found = Found()
        torch.manual_seed(seed)
        weights = [options.get("weight", 1.0 / len(order))] * len(order)
        density = {"density": options["density"]} if "density" in options else {}
        first, *others = order
        merged = PeftModel.from_pretrained(lab.blank().backbone, str(lab.adapter(first, seed)), adapter_name=first)
        for name in others:
            merged.load_adapter(str(lab.adapter(name, seed)), adapter_name=name)
        merged.add_weighted_adapter(list(order), weights, "merged", combination_type=how, **density)
        merged.set_adapter("merged", inference_mode=True)
        _finish(lab, found, _Plain(merged), order, seed, 0)
        return found

    return line


def arrow(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """PEFT's Arrow router over the same adapters (Ostapenko et al. 2024, arXiv:2405.11157).

    What ``peft.create_arrow_model`` does, with the router in the adapted layers alone; it would put one into every
    layer and fail where there is no adapter. In float32, since its router fails under autocast.
    """
    folders = {f"task_{number}": lab.adapter(name, seed) for number, name in enumerate(order)}
    first, *rest = folders
    routed = PeftModel.from_pretrained(lab.blank().backbone, str(folders[first]), adapter_name=first)
    for name in rest:
        routed.load_adapter(str(folders[name]), adapter_name=name)
    router = ArrowConfig(top_k=min(3, len(order)), rng_seed=seed)
    router.task_adapter_names, router.gks_adapter_names = list(folders), []
    like = routed.peft_config[first]
    layers = {"layers_to_transform": like.layers_to_transform, "layers_pattern": like.layers_pattern}
    config = LoraConfig(arrow_config=router, target_modules=like.target_modules, r=like.r, **layers)
    routed.add_adapter("arrow_router", config)
    routed.set_adapter("arrow_router")
    found = Found()
    _finish(lab, found, _Plain(routed, autocast=False), order, seed, 0)
    return found


def x_lora(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """PEFT's X-LoRA over the same adapters, with its own defaults (Buehler and Buehler 2024, arXiv:2402.07148): its
    classifier learns on the text of all epochs' memories at once, so nothing can be forgotten. It has no slot 0."""
    torch.manual_seed(seed)
    base = lab.blank().backbone
    base.config.use_cache = False  # it refuses to work with a cache
    folders = {str(number): str(lab.adapter(name, seed)) for number, name in enumerate(order)}
    config = XLoraConfig(task_type="CAUSAL_LM", hidden_size=base.config.hidden_size, adapters=folders)
    model = get_peft_model(base, config)
    classifier = model.base_model.internal_xlora_classifier
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=X_LORA_RATE, weight_decay=0.01)
    text_NT = torch.cat([lab.memory(name, seed, SleepSettings()).replay_ids_NW.long() for name in order])
    steps = X_LORA_PASSES * len(text_NT) // 4
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = X_LORA_RATE * schedule(step, steps)
        ids_BT = text_NT[torch.randint(len(text_NT), (4,), generator=generator)]
        with torch.autocast(model.device.type, torch.bfloat16):
            logits_BTV = model(input_ids=ids_BT).logits
        logits_loss(logits_BTV, ids_BT).backward()
        optimizer.step()
        optimizer.zero_grad()
    found = Found()
    _finish(lab, found, _Plain(model), order, seed, 0)
    return found


X_LORA_RATE, X_LORA_PASSES = 1e-3, 3
"""What its classifier learns with: as many passes as the joint upper bound has."""


class _Plain:
    """Another model's forward where a mixture is expected."""

    def __init__(self, model: Any, autocast: bool = True) -> None:
        self.model = model.eval()
        self.device = model.device
        self.autocast = autocast

    def __call__(self, ids_BT: Tensor, blend: Blend) -> Any:
        wanted = self.autocast and torch.is_autocast_enabled(self.device.type)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=wanted):
            output = self.model(input_ids=ids_BT)
        output.logits_BTV = output.logits
        return output


# -- lines that train adapters of their own -------------------------------------------------------------------------


def shared_lora(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """One LoRA trained on all domains in turn, with the same data and schedule."""
    model, found, settings = lab.blank(), Found(), lab.settings(seed)
    model.add_adapter("shared", seed=seed)
    model.begin_epoch("shared")
    parameters = list(model.adapter_parameters("shared").values())
    for number, name in enumerate(order):
        optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=0.0)
        generator = torch.Generator().manual_seed(seed)
        train_NT = lab.blocks(name, seed).train_NT.long()
        batches = train_NT[torch.randperm(len(train_NT), generator=generator)].split(settings.batch_size)
        for step, ids_BT in enumerate(batches):
            optimizer.param_groups[0]["lr"] = settings.learning_rate * schedule(step, len(batches))
            with training_precision(model.device):
                logits_BTV = model(ids_BT, 1).logits_BTV
            logits_loss(logits_BTV, ids_BT).backward()
            clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
        found.loss.append(lab.losses(model, order[: number + 1], seed, 1, lab.profile.matrix_tokens))
    _finish(lab, found, model, order, seed, 1)
    return found


def joint_objective(lab: Laboratory, order: Sequence[str], seed: int) -> Found:
    """The application's other objective: each adapter learns through the mixture."""
    model, found = lab.blank(), Found()
    settings = replace(lab.settings(seed), objective="joint")
    for name in order:
        model.add_adapter(name, seed=seed)
        drain(train_epoch(model, name, lab.blocks(name, seed), settings, CancelToken()))
        found.routing.append(lab.routing(mixer_weights(model), model.slot_adapters, seed))
        found.loss.append(lab.losses(model, model.slot_adapters, seed, "mixer", lab.profile.matrix_tokens))
    _finish(lab, found, model, order, seed, "mixer")
    found.figures = lab.figures(mixer_weights(model), order, seed)
    return found


def source_method(lab: Laboratory, order: Sequence[str], seed: int) -> dict[str, Found]:
    """The source's method phase by phase; and as published, with a mixer reset and labelled at the end."""
    model, phased = lab.blank(), Found()
    model.mixer = TokenIdMixer(model.backbone.config.vocab_size, model.mixer.hidden_size, seed)
    reads_ids(model)
    for name in order:
        model.add_adapter(name, seed=seed)
        earlier = [lab.blocks(past, seed).train_NT.long() for past in model.slot_adapters]
        learn_phase(model, name, lab.blocks(name, seed).train_NT.long(), earlier, lab.settings(seed))
        phased.routing.append(_source_routing(lab, model, model.slot_adapters, seed))
        phased.loss.append(lab.losses(model, model.slot_adapters, seed, "mixer", lab.profile.matrix_tokens))
    _finish(lab, phased, model, order, seed, "mixer")
    published = Found()
    learn_labels(model, [lab.blocks(name, seed).train_NT.long() for name in order], lab.settings(seed))
    published.routing.append(_source_routing(lab, model, order, seed))
    _finish(lab, published, model, order, seed, "mixer")
    return {"source, phase by phase": phased, "source, as published": published}


@torch.no_grad()
def _source_routing(lab: Laboratory, model: TemporalLoRA, order: Sequence[str], seed: int) -> list[float]:
    return [
        float((model.mixer.token_weights(lab.held_out(name, seed)).argmax(-1) == slot).float().mean())
        for slot, name in enumerate(order, 1)
    ]


_DISTILL = SleepSettings(memory_labels=False)
_WITHOUT_TEXT = SleepSettings(source="features-without-text")
_FILTER = MixerSettings(switching="filter")
LINES: dict[str, Line] = {
    "unprotected": sleeping(SleepSettings(enabled=False)),
    "Active Sleep": sleeping(_DISTILL),
    "Active Sleep (dreams)": sleeping(replace(_DISTILL, source="dreams")),
    "Active Sleep + memory labels": sleeping(SleepSettings()),
    "Active Sleep + memory labels (dreams)": sleeping(SleepSettings(source="dreams"), losses=False),
    "features without text": sleeping(_WITHOUT_TEXT, losses=False),
    "features without text, filter": sleeping(_WITHOUT_TEXT, _FILTER, losses=False),
    "memory 0.5 % of the tokens": sleeping(SleepSettings(memory_tokens=128), losses=False),
    "memory 2 % of the tokens": sleeping(SleepSettings(memory_tokens=512), losses=False),
    "memory 10 % of the tokens": sleeping(SleepSettings(memory_tokens=2432), losses=False),
    "Active Sleep + memory labels, filter": sleeping(SleepSettings(), _FILTER),
    "the filter without counts": sleeping(SleepSettings(), _FILTER, counts=False),
    "the filter of counts alone": sleeping(SleepSettings(), _FILTER, learning=False),
    "unprotected, filter": sleeping(SleepSettings(enabled=False), _FILTER),
    "Active Sleep + memory labels, routing": sleeping(SleepSettings(), replace(MEAN, strategy="routing")),
    "Active Sleep + memory labels, attention": sleeping(SleepSettings(), replace(MEAN, strategy="attention")),
    "analytic router": analytic(MEAN),
    "analytic router, filter": analytic(_FILTER),
    "adapters' likelihoods": likelihoods,
    "joint upper bound": joint_upper_bound,
    "oracle": oracle,
    "sum of adapters": fixed(lambda count: 1.0),
    "average of adapters": fixed(lambda count: 1.0 / count),
    "PEFT linear 1/K": peft_merge("linear"),
    "PEFT linear 1": peft_merge("linear", weight=1.0),
    "PEFT TIES": peft_merge("ties", weight=1.0, density=0.5),
    "PEFT DARE": peft_merge("dare_linear", weight=1.0, density=0.5),
    "PEFT DARE 1/K": peft_merge("dare_linear", density=0.5),
    "PEFT cat 1/K": peft_merge("cat"),
    "PEFT SVD 1/K": peft_merge("svd"),
    "PEFT Arrow": arrow,
    "PEFT X-LoRA": x_lora,
    "shared LoRA": shared_lora,
    "joint objective": joint_objective,
}
SOURCE = "source"
"""The one line that gives two."""
