"""Text folders and files: what is read, what is skipped and why, encodings, the held-out split, blocks and summary."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch

from tlora_gui.engine.corpus.blocks import TokenBlocks, make_blocks, summarise
from tlora_gui.engine.corpus.documents import read_documents, read_text
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError

LINE = "The quick brown fox jumps over the lazy dog and runs away.\n"


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def blocks_of(texts: TextCorpus, tokenizer: Any, **changes: Any) -> TokenBlocks:
    options: dict[str, Any] = {
        "block_size": 32, "max_tokens": None, "held_out_share": 0.1, "held_out_tokens": 128, "seed": 0,
    }  # fmt: skip
    return make_blocks(texts, tokenizer, **{**options, **changes})


def summary_of(tokenizer: Any, *paths: Path, block_size: int = 32) -> Any:
    return summarise([str(path) for path in paths], tokenizer, block_size=block_size, held_out_share=0.1)


def reasons(found: TextCorpus) -> dict[str, str]:
    return {Path(path).name: reason for path, reason in found.skipped}


def names(found: TextCorpus) -> list[str]:
    return [Path(source.label).name for source in found.sources]


def unequal_files(folder: Path, count: int) -> Path:
    for index in range(count):
        write(folder / f"{index:03}.txt", f"{index}\n" + LINE * (10 + 7 * index % 23))
    return folder


# -- what is read -----------------------------------------------------------------------------------------------


def test_folders_are_walked_in_name_order(tmp_path: Path) -> None:
    for name in ("b/z.txt", "b/a.txt", "a/y.txt", "c.txt", "B.txt"):
        write(tmp_path / name, name)
    found = [os.path.relpath(source.label, tmp_path) for source in TextCorpus.from_paths([tmp_path]).sources]
    assert found == ["B.txt", "c.txt", "a/y.txt", "b/a.txt", "b/z.txt"]


def test_what_is_not_text_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path / "good.txt", LINE)
    write(tmp_path / "image.png", b"\x89PNG\r\n\0\0\0")
    write(tmp_path / "empty.txt", b"")
    write(tmp_path / "blank.txt", b" \n\n")
    write(tmp_path / ".hidden.txt", LINE)
    write(tmp_path / ".git" / "config", LINE)
    write(tmp_path / "node_modules" / "x.js", LINE)
    os.symlink(tmp_path / "gone", tmp_path / "broken-link.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    found = TextCorpus.from_paths([tmp_path])
    assert names(found) == ["good.txt"]
    assert reasons(found) == {
        "image.png": "binary, not text",
        "empty.txt": "empty",
        "blank.txt": "empty",
        ".hidden.txt": "hidden",
        ".git": "hidden",
        "node_modules": "made by tools",
        "broken-link.txt": "not a regular file",
        "pipe.txt": "not a regular file",
    }


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [("book.rtf", b"{\\rtf1 night}", "RTF"), ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99, "Word"),
     ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99, "Excel"),
     ("book.mobi", b"\0" * 60 + b"BOOKMOBI", "Kindle")],
)  # fmt: skip
def test_documents_that_nothing_here_reads_say_what_to_do(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    path = write(tmp_path / name, data)
    assert reasons(TextCorpus.from_paths([path])) == {name: f"{kind} is not plain text; save it as .txt first"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_unreadable_files_and_folders_are_skipped_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path / "secret.txt", LINE).chmod(0)
    write(tmp_path / "locked" / "a.txt", LINE).parent.chmod(0)
    found = reasons(TextCorpus.from_paths([tmp_path]))
    (tmp_path / "locked").chmod(0o700)
    assert "cannot be read" in found["secret.txt"] and "no permission" in found["locked"]


def test_file_that_vanishes_after_the_scan_gives_no_text_and_a_note(tmp_path: Path) -> None:
    notes: list[tuple[str, str]] = []
    assert read_text(Source(str(tmp_path / "gone.txt"), 10), notes) == ""
    assert "cannot be read" in notes[0][1]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", LINE)
    os.symlink(path, tmp_path / "b.txt")
    found = TextCorpus.from_paths([tmp_path, path])
    assert names(found) == ["a.txt"]
    assert reasons(found)["b.txt"] == "the same file is there already"


def test_path_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(TloraError, match="nowhere does not exist"):
        TextCorpus.from_paths([tmp_path / "nowhere"])


def test_cancel_is_noticed_at_every_file_of_a_scan_and_of_a_reading(tmp_path: Path, tiny_tokenizer: Any) -> None:
    found = TextCorpus.from_paths([unequal_files(tmp_path, 20)])
    cancel = CancelToken()
    cancel.cancel("keep")
    with pytest.raises(Cancelled):
        TextCorpus.from_paths([tmp_path], cancel)
    with pytest.raises(Cancelled):
        blocks_of(found, tiny_tokenizer, cancel=cancel)
    with pytest.raises(Cancelled):
        summarise([str(tmp_path)], tiny_tokenizer, block_size=32, held_out_share=0.1, cancel=cancel)


# -- encodings --------------------------------------------------------------------------------------------------

FRENCH = "L’été dernier, la forêt était déjà brûlée ; « Ça suffit », dit Noël à la fenêtre, l’œil naïf.\n"
ITALIAN = "La città è più bella perché c’è la libertà; così però non si può, e già si va di là, lunedì.\n"
ENGLISH = "It was a fine café in the naïve town, said Renée, “mais oui” — déjà vu.\n"


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", "read as UTF-16"), ("cp1252", "not UTF-8; read as cp1252")],
)
@pytest.mark.parametrize("line", [FRENCH, ITALIAN, ENGLISH], ids=["french", "italian", "english"])
def test_encodings_give_the_right_characters_and_a_note(
    tmp_path: Path, encoding: str, note: str | None, line: str
) -> None:
    path = write(tmp_path / "a.txt", (line * 5).encode(encoding))
    notes: list[tuple[str, str]] = []
    (source,) = TextCorpus.from_paths([path]).sources
    assert read_text(source, notes) == line * 5
    assert notes == ([(str(path), note)] if note else [])


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("latin-1", "¿Dónde está el niño? Mañana habrá más corazón y pasión en la canción española, ¡qué razón!\n"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy. Řeka teče přes město a děti si hrají na břehu.\n"),
        ("cp1251", "Пароход идет по реке, а мы поем песни о родине. Все счастливые семьи похожи друг на друга.\n"),
        ("cp932", "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n"),
        ("gb18030", "道可道，非常道。名可名，非常名。无名天地之始；有名万物之母。\n"),
    ],
)
def test_other_code_pages_are_told_from_each_other(tmp_path: Path, encoding: str, line: str) -> None:
    path = write(tmp_path / "a.txt", (line * 3).encode(encoding))
    assert read_text(Source(str(path), 1)) == line * 3


def test_foreign_character_far_into_a_long_file_is_read_right(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", b"plain words only\n" * 20_000 + FRENCH.encode("cp1252") * 3)
    assert read_text(Source(str(path), 1)).endswith(FRENCH)


def test_one_damaged_byte_does_not_spoil_a_utf8_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "日本語のテキスト\n".encode() * 50 + b"\xff" + FRENCH.encode())
    notes: list[tuple[str, str]] = []
    text = read_text(Source(str(path), 1), notes)
    assert text.startswith("日本語") and text.endswith(FRENCH) and text.count("\ufffd") == 1
    assert notes == [(str(path), "UTF-8 with 1 damaged characters")]


# -- very large files -------------------------------------------------------------------------------------------


def test_sparse_file_of_2_gb_is_looked_at_and_not_read(tmp_path: Path, tiny_tokenizer: Any) -> None:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    summary = summary_of(tiny_tokenizer, path)
    assert summary.skipped == ((str(path), "binary, not text"),)
    assert summary.problem == "No readable text was found here."


def test_a_large_file_is_read_whole_in_pieces_and_no_more_of_it_is_held(tmp_path: Path) -> None:
    path = write(tmp_path / "huge.txt", LINE * 700_000)
    tracemalloc.start()
    lengths = [len(piece) for document in read_documents(Source(str(path), 1), []) for piece in document.pieces]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(lengths) == path.stat().st_size and max(lengths) <= 2**20 and peak < 2**23


def test_a_few_tokens_can_be_drawn_from_a_corpus_far_beyond_the_limits(tmp_path: Path, tiny_tokenizer: Any) -> None:
    for index in range(8):
        write(tmp_path / f"{index}.txt", LINE * 35_000)
    blocks = blocks_of(TextCorpus.from_paths([tmp_path]), tiny_tokenizer, max_tokens=512, held_out_tokens=64)
    assert blocks.train_NT.numel() == 512 and blocks.held_out_NT.numel() == 64


# -- held-out split ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "share"), [(2, 0.1), (6, 0.1), (30, 0.1), (30, 0.3), (100, 0.05), (9, 0.5)])
def test_split_is_disjoint_complete_repeatable_and_near_the_share(tmp_path: Path, count: int, share: float) -> None:
    texts = TextCorpus.from_paths([unequal_files(tmp_path, count)])
    train, held_out = texts.split(share)
    again = TextCorpus.from_paths([tmp_path]).split(share)
    assert (train, held_out) == again
    whole = {(source.label, source.start, source.stop) for source in (*train.sources, *held_out.sources)}
    assert len(whole) == len(train.sources) + len(held_out.sources)
    assert train.size + held_out.size == pytest.approx(texts.size, abs=2)
    assert 0.5 * share <= held_out.size / texts.size <= 1.5 * share
    if share < 0.5 and count >= 30:
        assert not set(names(train)) & set(names(held_out))


def test_the_only_file_is_cut_so_that_its_end_is_held_out(tmp_path: Path) -> None:
    text = "".join(f"{index:05}\n" for index in range(1000))
    train, held_out = TextCorpus.from_paths([write(tmp_path / "one.txt", text)]).split(0.1)
    assert read_text(train.sources[0]) + read_text(held_out.sources[0]) == text
    assert held_out.size == pytest.approx(600, abs=2)


def test_tiny_file_beside_a_book_does_not_become_the_whole_held_out_part(tmp_path: Path, tiny_tokenizer: Any) -> None:
    write(tmp_path / "README", "read me\n")
    write(tmp_path / "book.txt", LINE * 500)
    texts = TextCorpus.from_paths([tmp_path])
    assert texts.split(0.1)[1].size == pytest.approx(texts.size / 10, rel=0.05)
    assert summary_of(tiny_tokenizer, tmp_path).problem == ""
    assert len(blocks_of(texts, tiny_tokenizer).held_out_NT)


# -- blocks -----------------------------------------------------------------------------------------------------


def test_blocks_are_packed_without_padding_in_order(tiny_tokenizer: Any) -> None:
    texts = TextCorpus.from_texts([LINE * 10, LINE[:20] * 7, LINE * 3])
    train, held_out = texts.split(0.3)
    blocks = blocks_of(texts, tiny_tokenizer, held_out_share=0.3, held_out_tokens=None)
    assert (blocks.train_NT.dtype, blocks.held_out_NT.dtype) == (torch.uint16, torch.int64)
    for part, packed in ((train, blocks.train_NT), (held_out, blocks.held_out_NT)):
        whole = "".join(read_text(source) + tiny_tokenizer.eos_token for source in part.sources)
        assert packed.shape == (len(whole.replace("<eos>", "|")) // 32, 32)
        assert whole.startswith(tiny_tokenizer.decode(packed.flatten()))


def test_max_tokens_is_respected_and_the_choice_depends_on_the_seed_alone(tmp_path: Path, tiny_tokenizer: Any) -> None:
    for index in range(10):
        write(tmp_path / f"{index}.txt", "".join(f"{index} {line} of many\n" for line in range(1500)))
    texts = TextCorpus.from_paths([tmp_path])
    one, same, other = (blocks_of(texts, tiny_tokenizer, max_tokens=1000, seed=seed).train_NT for seed in (1, 1, 2))
    assert one.numel() == 31 * 32
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_of_many_files_that_are_shorter_than_a_passage_enough_are_read(tmp_path: Path, tiny_tokenizer: Any) -> None:
    for index in range(1500):
        write(tmp_path / f"{index}.txt", f"{index} is a short text of its own, as people write them to each other\n")
    blocks = blocks_of(TextCorpus.from_paths([tmp_path]), tiny_tokenizer, block_size=512, max_tokens=20_000)
    assert blocks.train_NT.numel() == 39 * 512


def test_too_little_text_is_refused_with_both_numbers(tmp_path: Path, tiny_tokenizer: Any) -> None:
    path = write(tmp_path / "a.txt", LINE * 4)
    with pytest.raises(TloraError, match=r"about 237 tokens, and an epoch needs at least 448"):
        blocks_of(TextCorpus.from_paths([path]), tiny_tokenizer)
    assert "about 236 tokens" in summary_of(tiny_tokenizer, path).problem


def test_text_of_less_than_a_block_is_counted_in_the_refusal(tmp_path: Path, tiny_tokenizer: Any) -> None:
    path = write(tmp_path / "a.txt", LINE * 40)
    with pytest.raises(TloraError, match=r"about 2,361 tokens, and an epoch needs at least 57,344"):
        blocks_of(TextCorpus.from_paths([path]), tiny_tokenizer, block_size=4096)


@pytest.mark.parametrize(("max_tokens", "enough"), [(None, False), (32, True)])
def test_a_small_budget_needs_little_text(
    tmp_path: Path, tiny_tokenizer: Any, max_tokens: int | None, enough: bool
) -> None:
    path = write(tmp_path / "a.txt", "a" * 210)
    summary = summary_of(tiny_tokenizer, path).under(32, 0.2, max_tokens)
    assert bool(summary.problem) is not enough
    assert enough or "needs at least 384." in summary.problem
    if enough:
        assert len(blocks_of(TextCorpus.from_paths([path]), tiny_tokenizer, held_out_share=0.2, max_tokens=32).train_NT)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("files", [1, 40])
def test_the_refusal_never_asks_for_less_than_it_was_given(tiny_tokenizer: Any, share: float, files: int) -> None:
    for size in range(100, 6000, 450):
        texts = TextCorpus.from_texts(["a" * (size // files)] * files)
        try:
            blocks_of(texts, tiny_tokenizer, held_out_share=share)
        except TloraError as error:
            told, asked = (int(word.strip(".").replace(",", "")) for word in error.message.split() if word[0].isdigit())
            assert told < asked


def test_a_small_budget_from_a_large_corpus_is_not_called_too_little_text(tiny_tokenizer: Any) -> None:
    blocks = blocks_of(TextCorpus.from_texts([LINE * 500]), tiny_tokenizer, max_tokens=64)
    assert blocks.train_NT.shape == (2, 32)


# -- summary ----------------------------------------------------------------------------------------------------


def test_summary_counts_what_training_would_read(tmp_path: Path, tiny_tokenizer: Any) -> None:
    write(tmp_path / "songs" / "skip.bin", b"a\0b")
    unequal_files(tmp_path / "songs", 30)
    summary = summary_of(tiny_tokenizer, tmp_path / "songs")
    train, held_out = TextCorpus.from_paths([tmp_path / "songs"]).split(0.1)
    assert summary.paths == (str(tmp_path / "songs"),)
    assert (summary.files, summary.held_out_files) == (30, len(held_out.sources))
    assert (summary.tokens, summary.held_out_tokens) == (train.size, held_out.size)  # every byte is a token
    assert not summary.estimated and not summary.notes and not summary.problem
    assert [Path(path).name for path, _ in summary.skipped] == ["skip.bin"]
    assert summary.excerpt.startswith("0\n" + LINE)


def test_summary_of_a_large_corpus_is_an_estimate_and_says_so(tmp_path: Path, tiny_tokenizer: Any) -> None:
    unequal_files(tmp_path, 100)
    summary = summary_of(tiny_tokenizer, tmp_path)
    assert summary.estimated
    assert summary.tokens + summary.held_out_tokens == TextCorpus.from_paths([tmp_path]).size


@pytest.mark.parametrize("files", [1, 30])
def test_a_summary_knows_its_counts_and_its_problem_under_every_setting(
    tmp_path: Path, tiny_tokenizer: Any, files: int
) -> None:
    unequal_files(tmp_path, files)
    summary = summary_of(tiny_tokenizer, tmp_path)
    for percent in (1, 10, 40, 50):
        _, held_out = TextCorpus.from_paths([tmp_path]).split(percent / 100)
        under = summary.under(16, percent / 100)
        counts = (under.held_out_files, under.held_out_tokens, under.tokens + under.held_out_tokens)
        assert counts == (len(held_out.sources), held_out.size, summary.tokens + summary.held_out_tokens)
    assert not summary.under(16, 0.2).problem
    assert "an epoch needs at least 57,344" in summary.under(4096, 0.1).problem


def test_empty_folder_is_a_problem_and_no_error(tmp_path: Path, tiny_tokenizer: Any) -> None:
    summary = summary_of(tiny_tokenizer, tmp_path)
    assert (summary.files, summary.tokens, summary.problem) == (0, 0, "No readable text was found here.")


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["songs/of_love.txt"], "Of love"),
        (["songs"], "Songs"),
        (["songs/of_love.txt", "songs/b.txt"], "Songs"),
        (["songs/node.js"], "Node.js"),
        (["songs/node.js/.."], "Songs"),
    ],
)
def test_name_is_guessed_from_the_paths(tmp_path: Path, tiny_tokenizer: Any, paths: list[str], name: str) -> None:
    for file in ("of_love.txt", "b.txt", "node.js/a.txt"):
        write(tmp_path / "songs" / file, LINE)
    assert summary_of(tiny_tokenizer, *(tmp_path / path for path in paths)).name_guess == name


def test_name_is_guessed_from_the_folder_that_a_person_stands_in(
    tmp_path: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "milton" / "a.txt", LINE)
    monkeypatch.chdir(tmp_path / "milton")
    assert summary_of(tiny_tokenizer, Path(".")).name_guess == "Milton"
