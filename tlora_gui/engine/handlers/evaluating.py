"""Handler of evaluations: every epoch on its held-out text, and where on it the Time Mixer errs most."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.generation.read_text import InputToken
from tlora_gui.engine.generation.scheduled_blend import ScheduledBlend
from tlora_gui.engine.generation.token_stream import TokenStream
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import MisroutedText, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.training.evaluation import Stretch, evaluate, misrouted
from tlora_gui.engine.workspace import Workspace

_AFTER = 8
"""Tokens told after a stretch."""


def evaluate_project(workspace: Workspace, job: jobs.Evaluate, cancel: CancelToken) -> Stream:
    """Measure the mixture.

    Raises:
        TloraError: if there is nothing to measure, or an epoch or the mixer holds NaN.
        Cancelled: once the token is set.
    """
    model, names = workspace.model, [slot.name for slot in workspace.slots()]
    require_measurable(job, bool(model.slot_adapters))
    require_finite(model, names)
    texts = yield from cancellable(workspace.held_out_texts(job.held_out_tokens, cancel), cancel)
    found, routed = yield from cancellable(evaluate(model, texts, workspace.baseline_routing(), names), cancel)
    told = yield from cancellable(_read(workspace, texts, misrouted(routed, job.misrouted)), cancel)
    yield replace(found, misrouted=tuple(told))


def require_measurable(job: jobs.Evaluate, any_epoch: bool) -> None:
    """Refuse an evaluation of nothing.

    Raises:
        TloraError: if there is no epoch, or no text is wanted.
    """
    if job.held_out_tokens < 1:
        raise TloraError(say("There is nothing to measure on: held_out_tokens must be at least 1."))
    if job.misrouted < 0:
        raise TloraError(say("No fewer than 0 stretches of text can be shown."))
    if not any_epoch:
        raise TloraError(say("There is no epoch to measure."), say("Train an epoch first."))


def _read(
    workspace: Workspace, texts: Mapping[str, Tensor], stretches: Sequence[Stretch]
) -> Generator[Progress, None, list[MisroutedText]]:
    """The stretches with what comes before them, as the mixture reads it."""
    slots, found = workspace.slots(), list[MisroutedText]()
    for done, each in enumerate(stretches):
        yield Progress(say("Reading where the Time Mixer errs"), done, len(stretches), say("texts"))
        blend = ScheduledBlend(workspace.blend("mixer"))
        text = TokenStream(workspace.model, workspace.backbone.tokenizer, blend, SamplingSettings())
        ids = texts[each.slug][each.block, : each.end + _AFTER].tolist()
        tokens = tuple(text.feed((), [InputToken(token_id, is_prompt=True) for token_id in ids]))
        found.append(MisroutedText(each.slug, each.slot, each.first, each.end, tokens, slots))
    return found
