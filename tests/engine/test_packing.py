"""A corpus as tokens on disk: what was packed is the text, on one side each, the same every time."""

from __future__ import annotations

import errno
import json
import os
import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK
from hypothesis import assume, given
from hypothesis import strategies as st

from tlora_gui.engine.backbones.tokenizing import PlainEncoder, chat_template, encode_plain
from tlora_gui.engine.corpus import packing, token_store
from tlora_gui.engine.corpus.blocks import TokenBlocks, make_blocks, read_blocks
from tlora_gui.engine.corpus.documents import Document
from tlora_gui.engine.corpus.fingerprint import corpus_fingerprint
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.projects.checkpoints import Checkpoints
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import EpochInfo, Progress
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.paths import tokens_dir

EOS = 256
INFO = EpochInfo("verse", "Verse", "", "#0072B2", "training")


def blocks_of(corpus: TextCorpus, tokenizer: Any, **changes: Any) -> TokenBlocks:
    options: dict[str, Any] = {
        "block_size": 32, "max_tokens": None, "held_out_share": 0.1, "held_out_tokens": None, "seed": 0,
    }  # fmt: skip
    return make_blocks(corpus, tokenizer, **{**options, **changes})


def text_of(tokenizer: Any, blocks_NT: torch.Tensor) -> str:
    told: str = tokenizer.decode(blocks_NT.flatten())
    return told


def lines(name: str, count: int) -> str:
    return "".join(f"{name}:{line:05}\n" for line in range(count))


@pytest.mark.parametrize("max_tokens", [96, None])
@pytest.mark.parametrize("words", ["", "A short remark."])
def test_a_large_file_with_hardly_any_text_does_not_outweigh_the_rest(
    tiny_tokenizer: Any, tmp_path: Path, words: str, max_tokens: int | None
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(lines(f"text {number}", 40))
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as archive:
        archive.writestr("picture.bin", random.Random(0).randbytes(300_000))
        if words:
            archive.writestr("note.txt", words)
    corpus = TextCorpus.from_paths([str(tmp_path)], CancelToken())
    blocks = blocks_of(corpus, tiny_tokenizer, max_tokens=max_tokens)
    assert len(blocks.train_NT) >= 3 and 1 <= len(blocks.held_out_NT) < 20
    told = [label for label, _ in (*corpus.skipped, *blocks.notes)]
    assert any("picture.bin" in label or "large.zip" in label for label in told)
    assert told.count(str(tmp_path / "large.zip")) <= 1


@contextmanager
def a_table(rows: list[str], piece: int = 1000) -> Iterator[TextCorpus]:
    """A source of many documents, each of which comes in pieces."""

    def read(source: Source, _: object) -> Iterator[Document]:
        for number, text in enumerate(rows):
            pieces = (text[start : start + piece] for start in range(0, len(text), piece))
            yield Document(f"{source.label} {number}", pieces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "read_documents", read)
        patch.setattr(packing, "_SMALL", 3000)
        label = f"/table {blake2b(repr(rows).encode(), digest_size=8).hexdigest()}"  # blocks of others are not its own
        yield TextCorpus((Source(label, sum(map(len, rows))),))


# -- what is packed ---------------------------------------------------------------------------------------------


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x85\u2028\u2029\ufeff\0"))),
       st.integers(1, 40), st.sampled_from([0.1, 0.3, 0.5]))  # fmt: skip
def test_what_is_packed_is_the_text_with_one_end_mark_for_each_document(
    tiny_tokenizer: Any, texts: list[str], piece: int, share: float
) -> None:
    documents = list({text.strip(): text for text in texts if text.strip()}.values())
    assume(sum(len(text.encode()) + 1 for text in documents) > 60)
    with a_table(documents, piece) as corpus:
        blocks = blocks_of(corpus, tiny_tokenizer, block_size=1, held_out_share=share)
    ids = [*blocks.train_NT.flatten().tolist(), *blocks.held_out_NT.flatten().tolist()]
    assert ids.count(EOS) == len(documents)
    assert len(ids) == sum(len(text.encode()) + 1 for text in documents)
    packed = text_of(tiny_tokenizer, torch.tensor(ids)).split("<eos>")
    assert len(set(documents) - set(packed)) <= 2  # of one the end is held out, and follows elsewhere


@pytest.mark.parametrize("limit", [packing._PIECE, 100])
def test_ids_do_not_depend_on_how_a_text_is_cut(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    rng = random.Random(0)
    gaps = [" ", " ", " ", ", ", "\n", "\n\n", " \n", "\n    ", "  "]
    words = [*["the", "a", "house", "été", "naïve", "garçon", "über", "12345", "x=1", "foo_bar()", "don't", "日本語"]]
    text = "".join(rng.choice(words) + rng.choice(gaps) for _ in range(6000))
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [text], trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made)
    pieces = [*packing.cut_pieces([text[:777], text[777:20_000], text[20_000:]], limit)]
    assert len(pieces) > len(text) / limit / 3
    encoder = PlainEncoder(tokenizer)
    found = [token for ids in encoder([piece for _, piece, _ in pieces]) for token in ids.tolist()]
    assert found == encode_plain(tokenizer, text)


def test_documents_of_a_table_are_each_on_one_side_and_none_comes_twice(tiny_tokenizer: Any) -> None:
    rows = [lines(str(number), 20 if number % 9 else 900) for number in range(300)]
    with a_table([*rows, *rows[::3], *rows[::-1]]) as corpus:
        blocks = blocks_of(corpus, tiny_tokenizer)
        again = blocks_of(corpus, tiny_tokenizer)
    assert [remark for _, remark in blocks.notes] == ["400 documents left out that come twice"]
    train, held_out = (text_of(tiny_tokenizer, part) for part in (blocks.train_NT, blocks.held_out_NT))
    learned, kept = set(train.split("<eos>")), set(held_out.split("<eos>"))
    assert len(learned & set(rows)) > 240 and len(kept & set(rows)) > 10
    assert not {line for line in train.splitlines() if len(line) > 6} & set(held_out.splitlines()[1:])
    assert len(held_out) / (len(train) + len(held_out)) == pytest.approx(0.1, abs=0.05)
    assert torch.equal(again.train_NT, blocks.train_NT)


def test_of_a_table_of_few_documents_the_end_is_held_out(tiny_tokenizer: Any) -> None:
    rows = [lines("one", 800), lines("two", 600)]
    with a_table(rows) as corpus:
        blocks = blocks_of(corpus, tiny_tokenizer)
    held_out = text_of(tiny_tokenizer, blocks.held_out_NT)
    assert 0.05 < len(held_out) / sum(map(len, rows)) < 0.15
    assert held_out.split("<eos>")[0] in rows[1] and held_out[:60] not in text_of(tiny_tokenizer, blocks.train_NT)


# -- a sample ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_of_a_large_file_only_the_chosen_places_are_read(tmp_path: Path, tiny_tokenizer: Any, end: str) -> None:
    text = "".join(f"línea {number:06} of many{end}" for number in range(200_000))
    (tmp_path / "a.txt").write_bytes(text.encode())
    corpus, told = TextCorpus.from_paths([tmp_path]), list[Progress]()
    stream = read_blocks(
        corpus, tiny_tokenizer, block_size=64, max_tokens=4096, held_out_share=0.1, held_out_tokens=1024, seed=0
    )
    while True:
        try:
            told.append(next(stream))
        except StopIteration as stop:
            blocks = stop.value
            break
    assert max(event.total or 0 for event in told) < 0.15
    assert (len(blocks.train_NT), len(blocks.held_out_NT)) == (64, 16)
    tidied = text.replace("\r\n", "\n")
    places = {
        name: [tidied.index(text_of(tiny_tokenizer, row).strip("\ufffd")) / len(tidied) for row in part]
        for name, part in (("train", blocks.train_NT), ("held", blocks.held_out_NT))
    }
    assert min(places["train"]) < 0.1 and 0.8 < max(places["train"]) < 0.9 < min(places["held"])


def test_of_a_large_table_rows_are_read_and_no_places(tmp_path: Path, tiny_tokenizer: Any) -> None:
    rows = (json.dumps({"id": "x" * 20, "text": f"row {number:06}"}) + "\n" for number in range(30_000))
    (tmp_path / "a.jsonl").write_text("".join(rows))
    assert (tmp_path / "a.jsonl").stat().st_size > packing._SEEK
    blocks = blocks_of(TextCorpus.from_paths([tmp_path]), tiny_tokenizer, max_tokens=1024, held_out_tokens=64)
    assert not {"{", "x"} & set(text_of(tiny_tokenizer, blocks.train_NT))


def test_of_a_chat_the_marks_of_its_template_are_control_tokens_and_those_that_people_wrote_are_none(
    tmp_path: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tiny_tokenizer.convert_ids_to_tokens(EOS)
    monkeypatch.setattr(
        tiny_tokenizer, "chat_template", "{% for m in messages %}{{ m.role }}:{{ m.content }}" + mark + "{% endfor %}"
    )
    rows = [
        [{"role": "user", "content": f"{number:03}{mark}"}, {"role": "assistant", "content": "yes"}]
        for number in range(300)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    corpus = TextCorpus.from_paths([tmp_path], chat=chat_template(tiny_tokenizer))
    first, *_ = text_of(tiny_tokenizer, blocks_of(corpus, tiny_tokenizer).train_NT).split("user:")[1:]
    assert first.split(mark) == [first[:3], "assistant:yes", "", ""]


# -- kept and used again ----------------------------------------------------------------------------------------


def test_blocks_are_used_again_until_a_text_changes(
    tmp_path: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(lines(name, 400), encoding="utf-8")
    corpus = TextCorpus.from_paths([tmp_path])
    first = blocks_of(corpus, tiny_tokenizer)
    with monkeypatch.context() as patch:
        patch.setattr(packing, "read_documents", lambda *_: pytest.fail("it is read again"))
        again = blocks_of(corpus, tiny_tokenizer)
    assert torch.equal(first.train_NT, again.train_NT) and torch.equal(first.held_out_NT, again.held_out_NT)
    assert again.notes == first.notes and again.fingerprint == first.fingerprint != ""
    (tmp_path / "two.txt").write_text(lines("TWO", 400), encoding="utf-8")
    assert "TWO" in text_of(tiny_tokenizer, blocks_of(TextCorpus.from_paths([tmp_path]), tiny_tokenizer).train_NT)


def test_blocks_that_are_damaged_are_made_again(tmp_path: Path, tiny_tokenizer: Any) -> None:
    corpus = TextCorpus.from_texts([lines("one", 900)])
    first = blocks_of(corpus, tiny_tokenizer)
    whole = first.train_NT.clone()
    assert first.file is not None
    first.file.unlink()
    first.file.write_bytes(b"cut short")
    assert torch.equal(blocks_of(corpus, tiny_tokenizer).train_NT, whole)


def test_fingerprint_changes_with_every_text_and_not_with_the_folder(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        return [*corpus_fingerprint(TextCorpus.from_paths([folder]))][-1]

    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "a.txt").write_text(lines("a", 100))
    (folder / "large.txt").write_text(lines("large", 200_000))
    found = [fingerprint(folder)]
    folder = folder.rename(tmp_path / "there")
    assert fingerprint(folder) == found[0]
    for name, place in (("a.txt", 50), ("large.txt", 0), ("large.txt", 1_234_567), ("large.txt", -3)):
        with (folder / name).open("r+b") as file:
            file.seek(place, 2 if place < 0 else 0)
            file.write(b"?")
        found.append(fingerprint(folder))
    assert len(set(found)) == 5


def test_the_oldest_blocks_go_when_the_cache_is_full(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [blocks_of(TextCorpus.from_texts([lines(name, 900)]), tiny_tokenizer).file for name in "abc"]
    for age, file in enumerate(files):
        assert file is not None
        os.utime(file, (1000 + age, 1000 + age))
    monkeypatch.setattr(token_store, "KEPT", 1.5 * files[2].stat().st_size)  # type: ignore[union-attr]
    newest = blocks_of(TextCorpus.from_texts([lines("d", 900)]), tiny_tokenizer).file
    assert {*tokens_dir().iterdir()} == {files[2], newest}


def test_a_checkpoint_keeps_its_blocks_when_the_cache_is_emptied(tmp_path: Path, tiny_tokenizer: Any) -> None:
    blocks = blocks_of(TextCorpus.from_texts([lines("one", 900)]), tiny_tokenizer)
    train, settings = blocks.train_NT.clone(), replace(QUICK, block_size=32)
    (tmp_path / "project").mkdir()
    checkpoints = Checkpoints(tmp_path / "project" / "interrupted")
    checkpoints.save(INFO, settings, blocks, {"step": torch.tensor(1)}, [])
    assert blocks.file is not None and blocks.file.samefile(checkpoints.folder("verse") / "blocks.safetensors")
    blocks.file.unlink()
    read = checkpoints.read("verse", 257)[2]
    assert torch.equal(read.train_NT, train) and torch.equal(read.held_out_NT, blocks.held_out_NT)
    checkpoints.drop("verse")
    checkpoints.save(INFO, settings, blocks, {"step": torch.tensor(1)}, [])
    assert torch.equal(checkpoints.read("verse", 257)[2].train_NT.long(), train.long())


def test_where_no_second_name_can_be_given_a_checkpoint_copies_its_blocks(
    tmp_path: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = blocks_of(TextCorpus.from_texts([lines("one", 900)]), tiny_tokenizer)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EXDEV, "another disk")))
    checkpoints = Checkpoints(tmp_path / "interrupted")
    checkpoints.save(INFO, replace(QUICK, block_size=32), blocks, {"step": torch.tensor(1)}, [])
    assert torch.equal(checkpoints.read("verse", 257)[2].train_NT, blocks.train_NT)


# -- the end before the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("events", [1, 4, 12])
def test_cancel_leaves_no_file(tiny_tokenizer: Any, events: int) -> None:
    corpus, cancel = TextCorpus.from_texts([lines("one", 200_000)]), CancelToken()
    stream = read_blocks(
        corpus, tiny_tokenizer, block_size=32, max_tokens=None, held_out_share=0.1, held_out_tokens=64, seed=0,
        cancel=cancel,
    )  # fmt: skip
    for _ in range(events):
        next(stream)
    cancel.cancel()
    with pytest.raises(Cancelled):
        drain(stream)
    assert not [*tokens_dir().iterdir()]


class FullDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self._room = file, room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._file.write(data))


def test_a_full_disk_is_told_while_tokens_are_written(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = token_store.TemporaryFile
    monkeypatch.setattr(token_store, "TemporaryFile", lambda **options: FullDisk(made(**options), 100_000))
    with pytest.raises(TloraError, match=r"The disk that holds .*tokens is full\. Make room"):
        blocks_of(TextCorpus.from_texts([lines("one", 20_000)]), tiny_tokenizer)
    assert not [*tokens_dir().iterdir()]


def test_a_full_disk_leaves_no_half_file_of_blocks(tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        assert path.exists()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(token_store, "sync", full)
    with pytest.raises(TloraError, match="is full"):
        blocks_of(TextCorpus.from_texts([lines("one", 900)]), tiny_tokenizer)
    assert not [*tokens_dir().iterdir()]
