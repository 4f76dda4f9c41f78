"""Where text meets the tokenizer: what is asked and what is learned is encoded here and nowhere else.

Control tokens that a person types into a prompt count as such (chat templates are typed that way); written out in a
corpus they are plain characters. Of the tokenizer's own template only what it puts before every text is used, never
an end mark.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tlora_gui.engine.backbones.token_text import TextStream
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.sentences import say

_SAMPLE = "a"
_LEADS = ".a"
"""What hardly any text that follows makes a token with, one or the other."""
_REACH = 64
"""Characters in a row that a tokenizer may leave out."""

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
    """The text with every lone surrogate, which no tokenizer reads, as "?".

    Raises:
        TloraError: if it is no text.
    """
    if not isinstance(text, str):
        raise TloraError(say("A {type} is no text.", type=type(text).__name__), say("Give a string."))
    return text.encode(errors="replace").decode()


def vocabulary_of(backbone: Any) -> int:
    """How many token ids a model can read."""
    return int(backbone.get_input_embeddings().weight.shape[0])


def require_known(backbone: Any, ids: Iterable[int]) -> None:
    """Refuse token ids of a record that the backbone cannot read.

    Raises:
        TloraError: if there is one.
    """
    vocabulary = vocabulary_of(backbone)
    if not all(0 <= each < vocabulary for each in ids):
        raise TloraError(
            say("This text has tokens that this backbone lacks; another backbone may have written it."),
            say("Open it in a project around that one."),
        )


def chat_template(tokenizer: Any) -> Callable[[Sequence[dict[str, str]]], str] | None:
    """What makes a text of messages (role, content), its control tokens written out; None if it knows no chats.

    Control tokens that are written out in a message would end it or speak for somebody else, so they are left out.
    """
    if not getattr(tokenizer, "chat_template", None):
        return None
    controls = re.compile("|".join(map(re.escape, tokenizer.convert_ids_to_tokens([*_controls(tokenizer)]))) or "(?!)")

    def render(messages: Sequence[dict[str, str]]) -> str:
        plain = [{name: controls.sub("", value) for name, value in message.items()} for message in messages]
        return str(tokenizer.apply_chat_template(plain, tokenize=False))

    return render


def start_token_id(backbone: Any, tokenizer: Any) -> int:
    """What is read first where there is no prompt."""
    known = (each for each in (tokenizer.bos_token_id, tokenizer.eos_token_id) if each is not None)
    return next((each for each in known if each < vocabulary_of(backbone)), 0)


def start_ids(tokenizer: Any, vocabulary: int | None = None) -> list[int]:
    """What the tokenizer itself puts before every text."""
    alone = _call(tokenizer, _SAMPLE, add_special_tokens=False)["input_ids"]
    whole = _call(tokenizer, _SAMPLE)["input_ids"]
    before = next(whole[:start] for start in range(len(whole) + 1) if whole[start : start + len(alone)] == alone)
    return [each for each in before if vocabulary is None or each < vocabulary]


def encode_prompt(tokenizer: Any, text: str, vocabulary: int | None = None) -> EncodedText:
    """Encode a text that is read or continued; control tokens in it count.

    Args:
        tokenizer: any of transformers'.
        text: any string.
        vocabulary: how many ids the model can read; tokens beyond them are read as plain characters.

    Raises:
        TloraError: if the text needs tokens that the model lacks.
    """
    text, before = clean(text), start_ids(tokenizer, vocabulary)
    ids, spans = _encode(tokenizer, text, vocabulary, plain=False)
    return EncodedText(text, before + ids, _ends(text, [(0, 0)] * len(before) + spans))


def encode_more(tokenizer: Any, text: str, vocabulary: int | None = None) -> EncodedText:
    """Encode a text that goes on after another: as :func:`encode_prompt`, but it has nothing before it, nor the space
    that some tokenizers put before every text.

    Raises:
        TloraError: if the text needs tokens that the model lacks.
    """
    text = clean(text)
    for lead in _LEADS if text else "":
        alone, _ = _encode(tokenizer, lead, vocabulary, plain=False)
        more, spans = _encode(tokenizer, lead + text, vocabulary, plain=False)
        start = len(alone)
        if more[:start] == alone and len(more) > start and spans[start][0] > 0:
            shifted = [(max(0, first - 1), max(0, last - 1)) for first, last in spans[start:]]
            return EncodedText(text, more[start:], _ends(text, shifted))
    ids, spans = _encode(tokenizer, text, vocabulary, plain=False)
    return EncodedText(text, ids, _ends(text, spans))


def encode_plain(tokenizer: Any, text: str, vocabulary: int | None = None) -> list[int]:
    """Token ids of a corpus' text: nothing is added, and control tokens written out are plain characters.

    Raises:
        TloraError: if the text needs tokens that the model lacks.
    """
    return _encode(tokenizer, clean(text), vocabulary, plain=True)[0]


class PlainEncoder:
    """Encodes many texts at once, each as :func:`encode_plain` does, on as many threads as torch uses.

    Attributes:
        vocabulary: no id is as large as this.
    """

    def __init__(self, tokenizer: Any, vocabulary: int | None = None) -> None:
        self._tokenizer = tokenizer
        self._known = vocabulary
        size = max(tokenizer.get_vocab().values()) + 1
        self.vocabulary = size if vocabulary is None else vocabulary
        self._refused = np.zeros(size, dtype=bool)
        self._refused[self.vocabulary :] = True
        self._refused[[each for each in _controls(tokenizer) if each < size]] = True
        self._fast: Tokenizer | None = None
        if tokenizer.is_fast:
            self._fast = _without(tokenizer, frozenset())
            self._fast.encode_special_tokens = True

    def __call__(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Token ids of each text.

        Raises:
            TloraError: if one needs tokens that the model lacks.
        """
        if self._fast is None:
            return [self._alone(text) for text in texts]
        texts, threads = [clean(text) for text in texts], torch.get_num_threads()
        with ThreadPoolExecutor(threads) as pool:  # the tokenizer's own threads are off in a program that forks
            shares = list(pool.map(self._encode, (texts[start::threads] for start in range(threads))))
        found = [shares[index % threads][index // threads] for index in range(len(texts))]
        return [self._alone(text) if self._refused[ids].any() else ids for text, ids in zip(texts, found, strict=True)]

    def _encode(self, texts: list[str]) -> list[NDArray[np.int64]]:
        assert self._fast is not None
        encodings = self._fast.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]

    def _alone(self, text: str) -> NDArray[np.int64]:
        return np.array(encode_plain(self._tokenizer, text, self._known), dtype=np.int64)


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """The same for tokenizers that read every corpus alike."""
    if tokenizer.is_fast:
        rules = _without(tokenizer, frozenset()).to_str()
    else:
        rules = f"{type(tokenizer)}{tokenizer.init_kwargs}{sorted(tokenizer.get_vocab().items())}"
    rules += f"{tokenizer.all_special_ids}{getattr(tokenizer, 'chat_template', None)}"
    return blake2b(rules.encode(), digest_size=16).hexdigest()


def _encode(
    tokenizer: Any, text: str, vocabulary: int | None, *, plain: bool
) -> tuple[list[int], list[tuple[int, int]]]:
    """Token ids, and the characters (start, end) that each stands for, as far as that is known."""
    offsets = tokenizer.is_fast and not plain  # of a corpus nobody asks where its tokens stand
    found = _call(tokenizer, text, add_special_tokens=False, split_special_tokens=plain, offsets=offsets)
    ids: list[int] = found["input_ids"]
    spans = found["offset_mapping"] if offsets else [] if plain else _spans(tokenizer, text, ids)
    controls = _controls(tokenizer) if plain else frozenset()
    lacking = _lacking(ids, vocabulary)
    if tokenizer.is_fast and (lacking or not controls.isdisjoint(ids)):
        unwanted = lacking | controls
        if vocabulary is not None:
            unwanted |= {*range(vocabulary, len(tokenizer))}
        encoding = _without(tokenizer, frozenset(unwanted)).encode(text, add_special_tokens=False)
        ids, spans = encoding.ids, encoding.offsets
        lacking = _lacking(ids, vocabulary)
    if lacking:
        names = ", ".join(f"{name!r:.40}" for name in tokenizer.convert_ids_to_tokens(sorted(lacking)[:3]))
        raise TloraError(
            say("The tokenizer reads this text with tokens that the backbone lacks: {tokens}.", tokens=names),
            say("Leave them out of the text, or choose a backbone whose tokenizer is its own."),
        )
    return ids, spans


def _lacking(ids: Iterable[int], vocabulary: int | None) -> set[int]:
    return set() if vocabulary is None else {each for each in ids if each >= vocabulary}


def _call(tokenizer: Any, text: str, offsets: bool = False, **options: Any) -> Any:
    return tokenizer(text, verbose=False, return_offsets_mapping=offsets, **options)


def _controls(tokenizer: Any) -> frozenset[int]:
    """Ids of tokens that no plain text stands for; the one for the unknown is none of them."""
    added = {each for each, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(added | {*tokenizer.all_special_ids}) - {tokenizer.unk_token_id}


def _without(tokenizer: Any, unwanted: frozenset[int]) -> Tokenizer:
    """A copy of a fast tokenizer that finds none of these tokens in a text; ids of all others are the same."""
    known, found = _deaf.get(tokenizer, (None, None))
    if found is None or known != unwanted:
        backend = tokenizer.backend_tokenizer
        found = _deafened(backend, unwanted) if unwanted else copy.deepcopy(backend)
        found.post_processor = None
        found.no_truncation()
        found.no_padding()
        _deaf[tokenizer] = unwanted, found
    return found


def _deafened(tokenizer: Tokenizer, unwanted: frozenset[int]) -> Tokenizer:
    """A copy in which these tokens are written as no text is."""
    parts = json.loads(tokenizer.to_str())
    for token in parts["added_tokens"]:
        if token["id"] in unwanted:
            token["content"] = _unwritable(token["id"])
    words = parts["model"]["vocab"]
    if isinstance(words, dict):
        parts["model"]["vocab"] = {_unwritable(i) if i in unwanted else word: i for word, i in words.items()}
    else:
        parts["model"]["vocab"] = [
            [_unwritable(i) if i in unwanted else word, score] for i, (word, score) in enumerate(words)
        ]
    return Tokenizer.from_str(json.dumps(parts))


def _unwritable(token_id: int) -> str:
    """What no text has."""
    return f"\0\0{token_id}\0\0"


def _ends(text: str, spans: list[tuple[int, int]]) -> list[int]:
    """See :class:`EncodedText`; whatever the spans are like, the ends rise to the length of the text."""
    ends, begun = list[int](), len(text)
    for start, end in reversed(spans):
        ends.append(min(end, begun))
        if start < end:
            begun = min(begun, start)
    ends[:1] = [len(text)] if ends else []
    return list(accumulate(reversed(ends), max))


def _spans(tokenizer: Any, text: str, ids: list[int]) -> list[tuple[int, int]]:
    """Where in a text its tokens stand, if the tokenizer does not say it: what they decode to is looked for."""
    stream = TextStream(tokenizer)
    pieces = [stream.push(token_id) for token_id in ids]
    if "".join(pieces) == text:
        return [*pairwise(accumulate(map(len, pieces), initial=0))]
    lower = text.lower()
    if len(lower) != len(text):  # a few letters become two
        lower = text
    spans, position = list[tuple[int, int]](), 0
    for piece in pieces:
        word = piece.strip() or piece
        starts = (each.find(word, position, position + _REACH + len(word)) for each in (text, lower))
        start = min((each for each in starts if each >= 0), default=-1) if word else -1
        spans.append((position, position) if start < 0 else (start, start + len(word)))
        position = spans[-1][1]
    return spans
