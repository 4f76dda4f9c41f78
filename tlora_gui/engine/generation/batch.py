"""Several texts that continue one prompt, read and written in one batch, each as it would be alone."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tlora_gui.engine.backbones.loading import context_length
from tlora_gui.engine.generation.read_text import InputToken, Mix, Piece
from tlora_gui.engine.generation.token_stream import Outcome, TokenStream, mixes_of, torch_threads
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.texts import Ending, TokenEvent

News = TokenEvent | Outcome | TloraError
"""A token of a text, or how the text ended."""


def write_together(
    texts: Mapping[int, TokenStream], given: Sequence[InputToken], max_new_tokens: int, cancel: CancelToken
) -> Generator[tuple[int, News], None, None]:
    """Emit what is given, for each text, then draw more, as far as the context goes. Every text has an end of its own.

    Args:
        texts: by number, of one model; nothing has been read of them yet.
        given: what all begin with.
        max_new_tokens: of each.
        cancel: ends all of them.
    """
    batch = _Batch(texts)
    for text in texts.values():
        text.begin(given)
    while (piece := batch.piece(given)) is not None:
        before = {number: (text.logits_V, text.mix) for number, text in batch.texts.items()}
        read = batch.read([piece.ids] * len(batch.texts), keep=0 if piece.given else 1)
        yield from batch.drop_failed()
        for number, text in batch.texts.items():
            for event in text.emit(piece, text.tell(piece, *before[number], *read[number])):
                yield number, event
                if cancel.mode:
                    yield from ((each, Outcome("stopped", 0.0)) for each in batch.texts)
                    return
    ending: Ending = "length"
    started, drawn = time.perf_counter(), 0
    most = min(
        [max_new_tokens, *(context_length(batch.model.backbone) - len(text.seen) for text in batch.texts.values())]
    )
    while batch.texts and drawn < most:
        if cancel.mode:
            ending = "stopped"
            break
        if drawn:
            batch.read([text.unread for text in batch.texts.values()], keep=1)
            yield from batch.drop_failed()
        ended = list[int]()
        for number, text in batch.texts.items():
            if (token := text.draw()) is None:
                ended.append(number)
            else:
                yield number, token
        if ended:
            yield from ((number, Outcome("end of text", _rate(drawn, started))) for number in ended)
            batch.drop(ended)
        drawn += 1
    yield from ((number, Outcome(ending, _rate(drawn, started))) for number in batch.texts)


def _rate(count: int, started: float) -> float:
    return count / max(1e-9, time.perf_counter() - started)


class _Batch:
    """Texts of one length, by number: those that go on."""

    def __init__(self, texts: Mapping[int, TokenStream]) -> None:
        self.texts = dict(texts)
        first = next(iter(texts.values()))
        self.model, self.products, self.threads = first.model, first.products, first.threads
        self.failed: dict[int, TloraError] = {}
        self.cache: Any = None
        self.states: Any = None

    def piece(self, given: Sequence[InputToken]) -> Piece | None:
        """What is read next of what is given."""
        for text in self.texts.values():
            return text.piece(text.reading, (), given, len(self.texts))
        return None

    @torch.inference_mode()
    def read(self, ids: Sequence[Sequence[int]], keep: int) -> dict[int, tuple[Tensor, list[Mix]]]:
        """Read some tokens of each text; logits (T, V) and mixes by number."""
        blends = tuple(text.blend.predicting(text.reading + 1) for text in self.texts.values())
        ids_BT = torch.tensor(ids, device=self.model.device)
        with self.products(), torch_threads(self.threads if ids_BT.shape[1] > 1 else 0):
            output = self.model(
                ids_BT, blends, cache=self.cache, mixer_state=self.states, use_cache=True, logits_to_keep=keep
            )
        self.cache, self.states = output.cache, output.mixer_state
        mixes = mixes_of(self.model, output.weights_BTS, blends, self.states)
        read = dict(zip(self.texts, zip(output.logits_BTV, mixes, strict=True), strict=True))
        for (number, text), its_ids in zip(self.texts.items(), ids, strict=True):
            try:
                text.took(its_ids, *read[number])
            except TloraError as error:
                self.failed[number] = error
        return read

    def drop_failed(self) -> list[tuple[int, TloraError]]:
        """Go on without those that have no next token."""
        failed, self.failed = self.failed, {}
        self.drop(list(failed))
        return list(failed.items())

    def drop(self, numbers: Sequence[int]) -> None:
        """Go on without these."""
        left = [row for row, number in enumerate(self.texts) if number not in numbers]
        for number in numbers:
            del self.texts[number]
        if numbers and left:
            self.model.select_rows(self.cache, left)
            self.states = tuple(self.states[row] for row in left)
