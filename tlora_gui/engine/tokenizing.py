"""Where text meets the tokenizer: what is asked and what is learned is encoded here and nowhere else.

Control tokens that a person types into a prompt count as such (chat templates are typed that way); written out in a
corpus they are plain characters. Of the tokenizer's own template only what it puts before every text is used, never
an end mark.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

from tokenizers import Tokenizer

from tlora_gui.engine.errors import TloraError

_PROBE = "a"
_deaf: WeakKeyDictionary[Any, tuple[frozenset[int], Tokenizer]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text as a model reads it.

    Attributes:
        text: as it was typed, lone surrogates read as "?".
        ids: of its tokens, what the tokenizer itself puts before them included.
        ends: for every token, the number of characters of the text that are shown once it has come: rising, 0 for
            what the tokenizer put there, the last one the length of the text. A character spread over several tokens
            comes with its last one, what a tokenizer leaves out with the next token.
    """

    text: str
    ids: list[int]
    ends: list[int]

    @property
    def pieces(self) -> list[str]:
        """The text that each token shows; joined they are the text."""
        return [self.text[start:end] for start, end in pairwise([0, *self.ends])]


def clean(text: str) -> str:
    """The text with every lone surrogate, which no tokenizer reads, as "?"."""
    return text.encode(errors="replace").decode()


def vocabulary_of(backbone: Any) -> int:
    """How many token ids a model can read."""
    return int(backbone.get_input_embeddings().weight.shape[0])


def start_ids(tokenizer: Any, vocabulary: int | None = None) -> list[int]:
    """What the tokenizer itself puts before every text."""
    alone = _call(tokenizer, _PROBE, add_special_tokens=False)["input_ids"]
    whole = _call(tokenizer, _PROBE)["input_ids"]
    before = next(whole[:place] for place in range(len(whole) + 1) if whole[place : place + len(alone)] == alone)
    return [each for each in before if vocabulary is None or each < vocabulary]


def encode_prompt(tokenizer: Any, text: str, vocabulary: int | None = None, *, start: bool = True) -> EncodedText:
    """Encode a text that is read or continued; control tokens in it count.

    Args:
        tokenizer: any of transformers'.
        text: any string.
        vocabulary: how many ids the model can read; tokens beyond them are read as plain characters.
        start: whether it begins with what the tokenizer itself puts before every text.

    Raises:
        TloraError: if the text needs tokens that the model lacks.
    """
    text = clean(text)
    ids, spans = _encode(tokenizer, text, vocabulary, plain=False)
    before = start_ids(tokenizer, vocabulary) if start else []
    return EncodedText(text, before + ids, [0] * len(before) + _ends(tokenizer, text, ids, spans))


def encode_plain(tokenizer: Any, text: str, vocabulary: int | None = None) -> list[int]:
    """Token ids of a corpus' text: nothing is added, and control tokens written out are plain characters.

    Raises:
        TloraError: if the text needs tokens that the model lacks.
    """
    return _encode(tokenizer, clean(text), vocabulary, plain=True)[0]


def _encode(
    tokenizer: Any, text: str, vocabulary: int | None, *, plain: bool
) -> tuple[list[int], list[tuple[int, int]] | None]:
    """Token ids, and the characters (start, end) that each stands for where the tokenizer knows them."""
    found = _call(tokenizer, text, add_special_tokens=False, split_special_tokens=plain, offsets=tokenizer.is_fast)
    ids, spans = found["input_ids"], found.get("offset_mapping")
    lacking = {each for each in ids if vocabulary is not None and each >= vocabulary}
    if tokenizer.is_fast and (lacking or plain and not _controls(tokenizer).isdisjoint(ids)):
        unwanted = _controls(tokenizer) if plain else set()
        if vocabulary is not None:
            unwanted |= {each for each in tokenizer.get_vocab().values() if each >= vocabulary}
        encoding = _without(tokenizer, frozenset(unwanted)).encode(text, add_special_tokens=False)
        ids, spans = encoding.ids, encoding.offsets
        lacking = {each for each in ids if vocabulary is not None and each >= vocabulary}
    if lacking:
        names = ", ".join(map(repr, tokenizer.convert_ids_to_tokens(sorted(lacking)[:3])))
        raise TloraError(
            f"The tokenizer reads this text with tokens that the backbone lacks: {names}.",
            "Leave them out of the text, or choose a backbone whose tokenizer is its own.",
        )
    return ids, spans


def _call(tokenizer: Any, text: str, offsets: bool = False, **options: Any) -> Any:
    return tokenizer(text, verbose=False, return_offsets_mapping=offsets, **options)


def _controls(tokenizer: Any) -> set[int]:
    """Ids of tokens that no plain text stands for; the one for the unknown is none of them."""
    added = {each for each, token in tokenizer.added_tokens_decoder.items() if token.special}
    return (added | {*tokenizer.all_special_ids}) - {tokenizer.unk_token_id}


def _without(tokenizer: Any, unwanted: frozenset[int]) -> Tokenizer:
    """A copy of a fast tokenizer that finds none of these tokens in a text; ids of all others are the same."""
    known, copy = _deaf.get(tokenizer, (None, None))
    if copy is None or known != unwanted:
        told = json.loads(tokenizer.backend_tokenizer.to_str())
        told |= {"post_processor": None, "truncation": None, "padding": None}
        for token in told["added_tokens"]:
            if token["id"] in unwanted:
                token["content"] = _unheard(token["id"])
        words = told["model"]["vocab"]
        if isinstance(words, dict):
            told["model"]["vocab"] = {_unheard(i) if i in unwanted else word: i for word, i in words.items()}
        else:
            told["model"]["vocab"] = [
                [_unheard(i) if i in unwanted else word, score] for i, (word, score) in enumerate(words)
            ]
        copy = Tokenizer.from_str(json.dumps(told))
        _deaf[tokenizer] = unwanted, copy
    return copy


def _unheard(token_id: int) -> str:
    """What no text has."""
    return f"\0\0{token_id}\0\0"


def _ends(tokenizer: Any, text: str, ids: list[int], spans: list[tuple[int, int]] | None) -> list[int]:
    if spans is None:
        spans = _found(tokenizer, text, ids)
    ends, before = list[int](), len(text)
    for start, end in reversed(spans):
        ends.append(min(end, before))
        if start < end:
            before = min(before, start)
    ends.reverse()
    ends[-1:] = [len(text)] if ends else []
    for place in range(1, len(ends)):
        ends[place] = max(ends[place], ends[place - 1])
    return ends


def _found(tokenizer: Any, text: str, ids: list[int]) -> list[tuple[int, int]]:
    """Where in the text the tokens of a tokenizer stand that does not tell it: what they decode to is looked for."""
    lower = text.lower() if len(text.lower()) == len(text) else text
    spans, place = list[tuple[int, int]](), 0
    for count, token_id in enumerate(ids):
        word: str = tokenizer.decode([token_id]).strip() or tokenizer.decode([token_id])
        start = max(lower.find(word, place, place + 64 + len(word)), text.find(word, place, place + 64 + len(word)))
        if not word or start < 0:
            spans.append((place, place))
            continue
        place = start + len(word)
        spans.append((start, place))
    return spans
