"""Tokenizers of every kind with at most 257 tokens, so that the tiny backbone can read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizer, PreTrainedTokenizerFast

LETTERS = "abcdefghijklmnopqrstuvwxyz<>/[]éü,.?!"


def byte_level(template: str = "") -> Any:
    """GPT-2's kind: spaces and halves of characters are merged; <eos> is 256, [PAD] and <think> lie beyond 256."""
    alphabet = sorted({*pre_tokenizers.ByteLevel.alphabet()} - {*"ÀÁõö÷øùúûüýþÿ"})  # bytes that UTF-8 never has
    merges = [("Ġ", "ð"), ("Ġð", "Ł"), ("t", "h"), ("th", "e"), ("Ġ", "Ġ")]
    unused = (f"<unused{number}>" for number in range(256 - len(alphabet) - len(merges)))
    words = [*alphabet, *map("".join, merges), *unused, "<eos>"]
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    if template:
        tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<eos>", 256)])
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", bos_token="<eos>")
    made.add_special_tokens({"pad_token": "[PAD]"})
    made.add_tokens([AddedToken("<think>", special=False)])
    return made


def word_piece() -> Any:
    """BERT's kind: letter case, accents and spaces are lost, Chinese is cut into characters, and it adds marks."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS[:-8], "the", "night", "天", *",.?!<>/[]"]
    words += [f"##{letter}" for letter in LETTERS]
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    named = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", **named)
    made.add_special_tokens({"mask_token": AddedToken("[MASK]", lstrip=True, rstrip=True)})
    return made


def unigram() -> Any:
    """SentencePiece's kind: compatibility forms and runs of spaces become plain, control tokens are ordinary pieces."""
    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *((letter, -4.0) for letter in LETTERS + "▁")]
    pieces += [("▁the", -3.0), ("night", -3.0), ("fi", -3.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    squeeze = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), squeeze])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>"
    )


def byte_fallback() -> Any:
    """Llama 2's kind: what has no piece is bytes, a space is put before the text; it has no template."""
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(128, 256)), *LETTERS, "▁", "▁t", "\n"]
    words += [f"<0x{byte:02X}>" for byte in range(0, 33)]
    tokenizer = Tokenizer(
        models.BPE(
            {word: index for index, word in enumerate(words)},
            [("▁", "t")],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


class SlowTokenizer(PreTrainedTokenizer):
    """Plain Python, which knows no offsets: small letters, one token each; it knows neither start nor end."""

    def __init__(self, **named: Any) -> None:
        self._words = ["<unk>", "<pad>", *LETTERS, " "]
        super().__init__(unk_token="<unk>", pad_token="<pad>", **named)

    @property
    def vocab_size(self) -> int:
        return len(self._words)

    def get_vocab(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self._words)} | self.added_tokens_encoder

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        return list(text.lower())

    def _convert_token_to_id(self, token: str) -> int:
        return self._words.index(token) if token in self._words else 0

    def _convert_id_to_token(self, index: int) -> str:
        return self._words[index] if index < len(self._words) else "<unk>"

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)


KINDS: dict[str, Callable[[], Any]] = {
    "byte level": byte_level,
    "end mark after": lambda: byte_level("$A <eos>"),
    "mark on both sides": lambda: byte_level("<eos> $A <eos>"),
    "word piece": word_piece,
    "unigram": unigram,
    "byte fallback": byte_fallback,
    "plain Python": SlowTokenizer,
}
