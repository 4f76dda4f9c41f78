"""Text meets the tokenizer: what is typed is shown, whatever the tokenizer makes of it; nothing is added after it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from engine_helpers import collect, only
from hypothesis import example, given
from hypothesis import strategies as st
from tiny_tokenizers import KINDS, SlowTokenizer, byte_level, unigram, word_piece

from tlora_gui.engine.backbones.tokenizing import clean, encode_more, encode_plain, encode_prompt, start_ids
from tlora_gui.engine.generation.context_fit import fit_context
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.config import SamplingSettings
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.protocol.events import GenerationFinished, GenerationLoaded
from tlora_gui.engine.protocol.texts import Generation
from tlora_gui.engine.session import Session

VOCABULARY = 257
CONTROLS = ["<eos>", "[PAD]", "[SEP]", "[CLS]", "[MASK]", "<s>", "</s>", "<pad>"]
BITS = [
    *CONTROLS,
    " [MASK] ",
    "<think>",
    "<unk>",
    "the night",
    "a",
    "?!",
    " ",
    "  ",
    "\r\n",
    "\n",
    "\t",
    "\u00a0",
    "\u3000",
]
BITS += [
    "🙂",
    " 🙂",
    "👩\u200d👧",
    "e\u0301",
    "É",
    "İ",
    "ß",
    "ﬁ",
    "Ａ",
    "½",
    "天安门",
    "שלום",
    "\u202e",
    "\u2066x\u2069",
]
BITS += ["\x00", "\x1b", "\u00ad", "\ufeff", "\u2028", "\ufffd", "\u0378", "\ud83d", "\udc00"]

Make = Callable[[], Any]
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


any_text = st.lists(st.sampled_from(BITS) | st.text(max_size=3), max_size=8).map("".join)
made_once = cache(lambda make: make())
"""Tokenizers that no test changes."""


def texts(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choice(BITS) for _ in range(draw.randrange(9))) for _ in range(count)]


# -- encoding ---------------------------------------------------------------------------------------------------


@every_kind
@given(text=any_text)
def test_what_the_tokens_of_any_prompt_show_is_the_prompt(make: Make, text: str) -> None:
    encoded = encode_prompt(made_once(make), text, VOCABULARY)
    assert encoded.text == clean(text) and len(encoded.ends) == len(encoded.ids)
    assert "".join(encoded.pieces) == (encoded.text if encoded.ids else "")
    assert encoded.ends == sorted(encoded.ends)
    assert all(each < VOCABULARY for each in encoded.ids)


@every_kind
@given(text=any_text, limit=st.integers(2, 40))
def test_what_is_kept_of_a_prompt_is_its_beginning_and_never_more_than_the_limit(
    make: Make, text: str, limit: int
) -> None:
    kept, misfit = fit_context(made_once(make), text, limit, VOCABULARY)
    assert len(kept.ids) <= limit and clean(text).startswith(kept.text)
    if misfit is None:
        assert kept.text == clean(text)
    else:
        assert misfit.tokens > limit and 0 <= misfit.keep_to < len(clean(text))
        assert 0 < misfit.keep_from <= len(clean(text))


@every_kind
def test_of_a_template_only_what_begins_it_is_used(make: Make) -> None:
    tokenizer = make()
    before = start_ids(tokenizer)
    assert tokenizer("a")["input_ids"][: len(before)] == before
    for text in ("the night", "<eos>", "a</s>", ""):
        alone = tokenizer(text, add_special_tokens=False)["input_ids"]
        encoded = encode_prompt(tokenizer, text)
        assert encoded.ids == before + alone
        assert encoded.pieces[: len(before)] == [""] * len(before)


@pytest.mark.parametrize("typed", ["<eos>", "<eos><eos>"])
def test_a_start_token_that_is_typed_is_shown_and_one_that_is_put_there_is_not(typed: str) -> None:
    tokenizer = byte_level("<eos> $A <eos>")
    encoded = encode_prompt(tokenizer, f"{typed}a")
    marks = len(typed) // 5
    assert encoded.ids[: 1 + marks] == [256] * (1 + marks)
    assert encoded.pieces == ["", *["<eos>"] * marks, "a"]


@every_kind
@given(text=any_text)
@example(text="")
def test_control_tokens_written_out_in_a_corpus_are_plain_characters(make: Make, text: str) -> None:
    tokenizer = made_once(make)
    known = tokenizer.get_vocab()
    ids = encode_plain(tokenizer, text, VOCABULARY)
    assert {known[word] for word in CONTROLS if word in known}.isdisjoint(ids)
    assert text or ids == []


def test_a_piece_of_a_unigram_that_is_a_control_token_is_spelt_in_a_corpus() -> None:
    tokenizer = unigram()
    ids = encode_plain(tokenizer, "a<s>b</s> the")
    assert tokenizer.convert_ids_to_tokens(ids) == ["▁", "a", "<", "s", ">", "b", "<", "/", "s", ">", "▁the"]
    assert encode_plain(tokenizer, "the night") == tokenizer("the night", add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("encode", [encode_plain, lambda *given: encode_prompt(*given).ids], ids=["corpus", "prompt"])
def test_tokens_that_the_model_lacks_are_plain_characters(encode: Callable[..., list[int]]) -> None:
    tokenizer, plain = byte_level(), byte_level("<eos> $A")
    text = "hello [PAD] there <think> the"
    ids = encode(tokenizer, text, VOCABULARY)
    assert max(ids) < VOCABULARY and tokenizer.decode(ids) == text
    assert max(encode_prompt(tokenizer, text, len(tokenizer)).ids) >= VOCABULARY
    tokenizer.add_tokens(["hello"])  # whatever was found out before is not trusted
    assert tokenizer.decode(encode(tokenizer, text, VOCABULARY)) == text
    assert encode_prompt(plain, "<eos>[PAD]", VOCABULARY).pieces == ["", "<eos>", "[", "P", "A", "D", "]"]


def test_a_tokenizer_that_cannot_do_without_them_says_which_the_model_lacks() -> None:
    slow = SlowTokenizer(extra_special_tokens=["<|other|>"])
    with pytest.raises(TloraError, match=r"tokens that the backbone lacks: '<\|other\|>'\. Leave them out"):
        encode_prompt(slow, "a <|other|>", 40)
    assert max(encode_plain(slow, "a <|other|>", 40)) < 40


def test_letters_of_a_tokenizer_without_offsets_stand_at_their_tokens() -> None:
    encoded = encode_prompt(SlowTokenizer(), "The ÉÀ Night<pad>")
    assert encoded.pieces == ["T", "h", "e", " ", "É", "", "À ", "N", "i", "g", "h", "t", "<pad>"]


def test_characters_come_with_the_token_that_completes_them() -> None:
    assert encode_prompt(byte_level(), "a 🙂é").pieces == ["a", " ", "", "🙂", "", "é"]
    assert encode_prompt(word_piece(), "The NIGHT [MASK] , ").pieces == ["", "The", " NIGHT", " [MASK] ", ", "]
    assert encode_prompt(unigram(), "ﬁ  NIGHT").pieces == ["", "", "ﬁ", "  ", "NIGHT"]


@every_kind
@given(text=any_text)
def test_what_the_tokens_of_a_text_put_in_show_is_that_text(make: Make, text: str) -> None:
    encoded = encode_more(made_once(make), text, VOCABULARY)
    assert "".join(encoded.pieces) == (encoded.text if encoded.ids else "")
    assert encoded.ends == sorted(encoded.ends)
    assert all(each < VOCABULARY for each in encoded.ids)


@pytest.mark.parametrize("kind", ["unigram", "byte fallback", "byte level"])
@pytest.mark.parametrize("text", ["night", "a", ".", "...", " night"])
def test_a_text_put_in_has_no_space_before_it_that_was_not_typed(kind: str, text: str) -> None:
    tokenizer = KINDS[kind]()
    before, more = encode_prompt(tokenizer, "the"), encode_more(tokenizer, text)
    assert tokenizer.decode([*before.ids, *more.ids], skip_special_tokens=True) == f"the{text}"


# -- at every entrance ------------------------------------------------------------------------------------------

ONE = SamplingSettings(max_new_tokens=1, temperature=0.0)


def session_of(folder: Path, tokenizer: Any, path: Path) -> Session:
    """A session with a new project around the tiny backbone's weights and this tokenizer."""
    shutil.copytree(folder, path / "backbone", ignore=shutil.ignore_patterns("tokenizer*"))
    tokenizer.save_pretrained(path / "backbone")
    session = Session()
    collect(session.run(jobs.CreateProject(str(path / "project"), str(path / "backbone"))))
    return session


def record_of(session: Session, job: jobs.Job) -> Generation:
    (finished,) = only(session.run(job), GenerationFinished)
    return finished.record


def shown(record: Generation, **which: bool) -> str:
    wanted = [token for token in record.tokens if all(getattr(token, name) is each for name, each in which.items())]
    return "".join(token.text for token in wanted)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "plain Python"])
def test_generated_read_branched_and_kept_texts_show_what_was_typed(
    tiny_model_folder: Path, tmp_path: Path, kind: str
) -> None:
    session = session_of(tiny_model_folder, KINDS[kind](), tmp_path)
    kept: list[Generation] = []
    for text, put in zip(texts(12, seed=1), texts(12, seed=2), strict=True):
        record = record_of(session, jobs.Generate(text, sampling=ONE))
        assert shown(record, is_prompt=True) == record.prompt == clean(text)
        at = len(record.tokens) // 2
        branch = record_of(session, jobs.Generate("", sampling=ONE, branch=jobs.Branch(record, at, text=put)))
        assert branch.tokens[:at] == record.tokens[:at] and branch.prompt == clean(text)
        assert shown(branch, forced=True) == clean(put)
        kept += [record, branch]
        if clean(text).strip() and len(record.tokens) > 3:
            kept.append(record_of(session, jobs.ScoreText(text)))
            assert shown(kept[-1]) == kept[-1].prompt == clean(text)
            assert all(token.is_prompt for token in kept[-1].tokens)
    collect(session.run(jobs.OpenProject(str(tmp_path / "project"))))
    for record in kept:
        (loaded,) = only(session.run(jobs.LoadGeneration(record.id)), GenerationLoaded)
        assert loaded.record == record


@pytest.mark.parametrize("prompt", ["<eos>abc", "<eos><eos>", "abc<eos>", "[PAD]", "\ud83d", ""])
@pytest.mark.parametrize("template", ["$A", "$A <eos>", "<eos> $A <eos>"])
def test_the_model_reads_the_prompt_and_what_begins_it_and_no_end_mark(
    tiny_model_folder: Path, tmp_path: Path, template: str, prompt: str
) -> None:
    session = session_of(tiny_model_folder, byte_level(template), tmp_path)
    record = record_of(session, jobs.Generate(prompt, sampling=ONE))
    given = [token for token in record.tokens if token.is_prompt]
    put = template.startswith("<eos>")
    assert [token.token_id for token in given] == [256] * put + encode_prompt(byte_level(), prompt, VOCABULARY).ids
    assert not put or given[0].text == ""
    assert shown(record, is_prompt=True) == clean(prompt)
    page = tmp_path / "text.md"
    collect(session.run(jobs.ExportGeneration(record, str(page))))
    assert f"\n{clean(prompt)}\n" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["word piece", "unigram"])
def test_what_is_written_follows_what_was_typed(tiny_model_folder: Path, tmp_path: Path, kind: str) -> None:
    """Where all is known to the tokenizer, prompt and continuation are what it makes of all tokens together."""
    tokenizer = KINDS[kind]()
    session = session_of(tiny_model_folder, tokenizer, tmp_path)
    assert session.model is not None
    session.model.backbone.lm_head.weight.data[len(tokenizer) :] = 0
    ids = encode_prompt(tokenizer, "the night").ids
    for seed in range(5):
        sampling = SamplingSettings(max_new_tokens=12, temperature=1.0, top_k=5, seed=seed)
        record = record_of(session, jobs.Generate("the night", sampling=sampling))
        drawn = [token.token_id for token in record.tokens[len(ids) :]]
        text = tokenizer.decode(ids + drawn).removeprefix(tokenizer.decode(start_ids(tokenizer))).strip()
        assert shown(record).strip() == text
