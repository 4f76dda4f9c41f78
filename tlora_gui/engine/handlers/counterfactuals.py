"""Handler of counterfactuals: what each slot alone would have predicted at a token of a text, and the mix."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from tlora_gui.engine.backbones.finite import require_finite
from tlora_gui.engine.generation.token_stream import TokenStream, token_stats
from tlora_gui.engine.handlers.generating import open_text, require_readable
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import Counterfactual, Progress
from tlora_gui.engine.protocol.sentences import say
from tlora_gui.engine.protocol.streams import Stream, cancellable
from tlora_gui.engine.protocol.texts import SlotPrediction, TokenEvent
from tlora_gui.engine.workspace import Workspace
from tlora_gui.temporal.model import TemporalLoRA

_PIECE = 256
_TOGETHER = 2**14


def predict_counterfactual(workspace: Workspace, job: jobs.PredictCounterfactual, cancel: CancelToken) -> Stream:
    """Read everything before a token again: as the mix under the mixing desk of the text, and as each slot alone.

    Predictions and mix are those of the model as it is now, whatever slots the text was written by.

    Raises:
        TloraError: if nothing comes before the token, the text's mode is there no more, the text is not this
            backbone's, or an epoch holds NaN.
        Cancelled: once the token is set.
    """
    tokens, token = job.record.tokens[: job.index], job.record.tokens[job.index]
    if not tokens and token.is_prompt:
        raise TloraError(
            say("Nothing comes before the first token, so nobody could foresee it."), say("Ask at a later one.")
        )
    require_readable(workspace, [each.token_id for each in (*tokens, token)], job.index)
    text = open_text(workspace, job.record.mode, job.record.desk)
    require_finite(workspace.model, text.names)
    mix_V = yield from cancellable(_mix(text, tokens), cancel)
    alone_SV = yield from cancellable(_predictions(workspace.model, text.seen), cancel)
    tokenizer = workspace.backbone.tokenizer
    predictions = (
        SlotPrediction(slot, *token_stats(tokenizer, row_V, token.token_id)) for slot, row_V in enumerate(alone_SV)
    )
    mix = SlotPrediction(-1, *token_stats(tokenizer, mix_V, token.token_id))
    yield Counterfactual(job.index, mix, tuple(predictions), _divergence(mix_V, alone_SV[0]))


def _mix(text: TokenStream, tokens: Sequence[TokenEvent]) -> Generator[Progress, None, Tensor]:
    """Next-token logits (V,) of the mix after all tokens."""
    for done, _ in enumerate(text.feed(tokens, ()), 1):
        if done % _PIECE == 0:
            yield Progress(say("Asking the mix"), done, len(tokens), say("tokens"))
    assert text.logits_V is not None
    return text.logits_V


def _predictions(model: TemporalLoRA, ids: list[int]) -> Generator[Progress, None, Tensor]:
    """Next-token logits (S, V) of every slot alone after these tokens: a row each, fewer at once if they are long."""
    ids_T = torch.tensor(ids, device=model.device)
    found: list[Tensor] = []
    for slots in torch.arange(model.mixer.slots).split(max(1, _TOGETHER // len(ids))):
        cache: Any = None
        for start in range(0, len(ids), _PIECE):
            if start:
                yield Progress(say("Asking every epoch alone"), start, len(ids), say("tokens"))
            piece_BT = ids_T[start : start + _PIECE].expand(len(slots), -1)
            with torch.inference_mode():
                output = model(piece_BT, tuple(slots.tolist()), cache=cache, use_cache=True, logits_to_keep=1)
            cache = output.cache
        found.append(output.logits_BTV[:, -1].float())
    return torch.cat(found)


@torch.inference_mode()
def _divergence(mix_V: Tensor, backbone_V: Tensor) -> float:
    """KL(mix ‖ backbone) in nats."""
    divergence = kl_div(backbone_V.log_softmax(-1), mix_V.log_softmax(-1), reduction="sum", log_target=True)
    return max(0.0, float(divergence))
