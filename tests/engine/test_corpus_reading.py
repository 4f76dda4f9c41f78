"""What people give as a corpus: any encoding, any kind of file and folder, any object; read right or told."""

from __future__ import annotations

import base64
import os
import random
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_helpers import QUICK, collect, only, reopened, train_job

from tlora_gui.engine.corpus.blocks import TokenBlocks, block_digests, make_blocks, read_blocks, summarise
from tlora_gui.engine.corpus.documents import Document, read_documents, read_text
from tlora_gui.engine.corpus.text_corpus import TextCorpus, as_corpus
from tlora_gui.engine.protocol import jobs
from tlora_gui.engine.protocol.cancel import CancelToken
from tlora_gui.engine.protocol.errors import Cancelled, TloraError
from tlora_gui.engine.protocol.events import CorpusRead, Evaluated, Progress
from tlora_gui.engine.protocol.streams import drain
from tlora_gui.engine.session import Session
from tlora_gui.engine.training.preparation import epoch_blocks, held_out_again

WORDS = {
    kind: words.split()
    for kind, words in {
        "latin": "été dernier la forêt était déjà brûlée naïf garçon où the house is very old and grey",
        "cyrillic": "Пароход идет по реке а мы поем песни о родине все счастливые семьи похожи друг на друга",
        "japanese": "吾輩は猫である 名前はまだ無い どこで生れたか とんと見当がつかぬ 何でも薄暗い",
        "emoji": "😀 🎉 👍 hello 🚀 good 🌍",
    }.items()
}
WORDS["mixed"] = [word for words in WORDS.values() for word in words]
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
CODE_PAGES = {"latin": "cp1252", "cyrillic": "cp1251", "japanese": "shift-jis"}
EOS = 256


def prose(kind: str, words: int, seed: int = 0) -> str:
    rng = random.Random(f"{kind}{seed}")
    gap = "。" if kind == "japanese" else " "
    return "".join(rng.choice(WORDS[kind]) + rng.choice([gap] * 8 + ["\n"]) for _ in range(words)) + "end\n"


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode(errors="surrogatepass") if isinstance(data, str) else data)
    return path


def read_one(path: Path) -> tuple[str | None, list[str]]:
    """The text of a file, None if it was skipped; and what was told about it."""
    found = TextCorpus.from_paths([path])
    told = [*found.skipped, *found.notes]
    text = read_text(found.sources[0], told) if found.sources else None
    return text, [remark for _, remark in told]


def blocks_of(corpus: TextCorpus, tokenizer: Any, **changes: Any) -> TokenBlocks:
    options: dict[str, Any] = {
        "block_size": 32, "max_tokens": None, "held_out_share": 0.1, "held_out_tokens": None, "seed": 0,
    }  # fmt: skip
    return make_blocks(corpus, tokenizer, **{**options, **changes})


def text_of(tokenizer: Any, blocks_NT: torch.Tensor) -> str:
    told: str = tokenizer.decode(blocks_NT.flatten())
    return told


# -- encodings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029", "\r\r\n"])
def test_line_ends_of_other_systems_are_made_equal(tmp_path: Path, line_end: str) -> None:
    text = prose("latin", 60)
    assert read_one(write(tmp_path / "a.txt", text.replace("\n", line_end).encode()))[0] == text


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("kind", WORDS)
def test_a_text_comes_back_from_every_encoding_with_its_line_ends_made_equal(
    tmp_path: Path, kind: str, line_end: str
) -> None:
    for words in (1, 5, 60, 3000):
        text = prose(kind, words)
        encodings = UNICODE + ([CODE_PAGES[kind]] if kind in CODE_PAGES and words >= 60 else [])
        for encoding in encodings:
            path = write(tmp_path / f"{encoding}.txt", text.replace("\n", line_end).encode(encoding))
            assert read_one(path)[0] == text, encoding


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_the_mark_of_utf_32_is_not_taken_for_that_of_utf_16(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.txt", ("\ufeff" + "Hello café\n" * 2000).encode(encoding))
    assert read_one(path) == ("Hello café\n" * 2000, [f"read as {encoding[:6].upper()}"])


def test_a_foreign_letter_at_the_very_end_of_a_file_is_not_lost(tmp_path: Path) -> None:
    assert read_one(write(tmp_path / "a.txt", "Ich trinke im Café".encode("cp1252")))[0] == "Ich trinke im Café"


def test_old_japanese_mail_is_read(tmp_path: Path) -> None:
    assert read_one(write(tmp_path / "a.txt", prose("japanese", 50).encode("iso2022_jp")))[0] == prose("japanese", 50)


def test_damaged_utf_16_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "word ".encode("utf-16") * 1 + b"\x00\xdc" + ("word " * 50).encode("utf-16-le"))
    text, told = read_one(path)
    assert text and "word word" in text and told == ["UTF-16 with 1 damaged characters"]


def test_nuls_far_into_a_text_are_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "plain words\n" * 3000 + "\0\0" + "plain words\n" * 3000)
    assert read_one(path) == ("plain words\n" * 6000, ["2 NUL characters left out"])


def test_bytes_that_no_text_has_are_binary_wherever_they_stand(tmp_path: Path) -> None:
    rng = random.Random(0)
    noise = bytes(rng.choices(range(1, 256), k=40_000))
    for name, data in {
        "noise.txt": noise,
        "later.txt": b"a line of text\n" * 3000 + noise,
        "high.txt": bytes(rng.choices(range(128, 256), k=9000)),
        "ids.bin": b"".join(min(int(rng.paretovariate(0.7)), 50_000).to_bytes(2, "little") for _ in range(9000)),
        "table.parquet": b"PAR1" + bytes(rng.choices([1, 2, 5, 0x15, 0x59, 0xB3, 0x41, 0x42], k=9000)),
        "renamed.txt": b"%PDF-1.4\n" + b"1 0 obj <</Type /Catalog>> endobj\n" * 300,
    }.items():
        text, told = read_one(write(tmp_path / name, data))
        assert not text and told, name


def test_marks_of_encoding_inside_a_text_are_left_out(tmp_path: Path) -> None:
    assert read_one(write(tmp_path / "a.txt", "\ufeffone\n\ufefftwo\n"))[0] == "one\ntwo\n"


def test_a_file_that_begins_with_8_kb_of_blanks_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "\n" * 9000 + "words\n" * 5000)
    assert read_one(path)[0] == "\n" * 9000 + "words\n" * 5000


# -- kinds of files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xml", '<?xml version="1.0"?><a>night</a>'),
        ("drawing.txt", "<svg><text>night</text></svg>"),
        ("a.ass", "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,O night\n"),
    ],
)
def test_markup_is_read_with_a_remark_that_it_is_learnt_too(
    tmp_path: Path, tiny_tokenizer: Any, name: str, text: str
) -> None:
    path = write(tmp_path / name, text * 40)
    summary = summarise([str(path)], tiny_tokenizer, block_size=32, held_out_share=0.1)
    assert len(summary.notes) == 1 and "the marks are learnt too; save the text alone" in summary.notes[0][1]
    corpus = TextCorpus.from_paths([path, write(tmp_path / "b" / "more.txt", "plain words\n" * 100)])
    assert set(summary.notes) <= set(blocks_of(corpus, tiny_tokenizer).notes)


def test_encoded_data_in_bulk_is_remarked_and_plain_text_is_not(tmp_path: Path) -> None:
    data = base64.encodebytes(random.Random(0).randbytes(20_000)).decode()
    assert "base64" in read_one(write(tmp_path / "a.txt", "A picture:\n" + data))[1][0]
    assert "base64" in read_one(write(tmp_path / "hex.txt", random.Random(0).randbytes(20_000).hex()))[1][0]
    assert read_one(write(tmp_path / "rulers.txt", ("O gentle night\n" + "=" * 70 + "\n") * 50))[1] == []
    assert read_one(write(tmp_path / "links.md", "[[O gentle night]], [1] and more\n" * 50))[1] == []
    assert read_one(write(tmp_path / "b.txt", prose("latin", 3000) + "=" * 70 + "\n"))[1] == []
    assert read_one(write(tmp_path / "c.md", "# Title\n\n- `code` {braces}\n" * 50))[1] == []


@pytest.mark.parametrize("deep", [False, True])
def test_projects_and_models_are_never_a_corpus(
    session: Session, tiny_tokenizer: Any, tiny_model_folder: Path, deep: bool
) -> None:
    assert session.project is not None
    for place in (session.project.path, tiny_model_folder):
        chosen = place.parent if deep else place
        found = TextCorpus.from_paths([chosen])
        assert not [source for source in found.sources if Path(source.label).is_relative_to(place)]
        assert any(path == str(place) and "not text" in reason for path, reason in found.skipped)
        if not deep:
            with pytest.raises(TloraError, match=r"No readable text was found here\..*not text"):
                blocks_of(found, tiny_tokenizer)


def test_a_project_json_of_another_program_is_a_file_like_any(tmp_path: Path) -> None:
    write(tmp_path / "project.json", '{"name": "web", "targets": {}}')
    write(tmp_path / "a.txt", "words")
    assert len(TextCorpus.from_paths([tmp_path]).sources) == 2


# -- folders ----------------------------------------------------------------------------------------------------


def listed(found: TextCorpus, root: Path) -> tuple[list[str], dict[str, str]]:
    sources = [os.path.relpath(source.label, root) for source in found.sources]
    return sources, {os.path.relpath(path, root): reason for path, reason in found.skipped}


def test_linked_folders_are_read_once_each_and_loops_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "real" / "book.txt", "a book")
    write(tmp_path / "c" / "a.txt", "a")
    for link, target in (("books", "../real"), ("again", "../real"), ("up", ".."), ("self", "self")):
        os.symlink(target, tmp_path / "c" / link)
    sources, skipped = listed(TextCorpus.from_paths([tmp_path / "c"]), tmp_path / "c")
    assert sources == ["a.txt", "again/book.txt"]
    assert skipped == {
        "up": "a link to a folder that it lies in",
        "books": "the same folder is there already",
        "self": "not a regular file",
    }


def test_a_link_that_may_not_be_followed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "c" / "good.txt", prose("latin", 200))
    locked = [str(tmp_path / "c" / name) for name in ("file.txt", "folder")]
    for link in locked:
        os.symlink(tmp_path / "elsewhere", link)
    follow = os.readlink

    def denied(path: Any, **options: Any) -> Any:
        if str(path) in locked:
            raise PermissionError(13, "Permission denied", path)
        return follow(path, **options)

    monkeypatch.setattr(os, "readlink", denied)
    corpus = TextCorpus.from_paths([tmp_path / "c"])
    assert [Path(source.label).name for source in corpus.sources] == ["good.txt"]
    assert {path for path, _ in corpus.skipped} >= set(locked)


def test_every_file_is_read_or_listed_or_below_a_listed_folder(tmp_path: Path) -> None:
    for seed in range(25):
        rng, root = random.Random(seed), tmp_path / str(seed)
        folders = [root]
        root.mkdir()
        names = [
            "a.txt",
            "b.pdf",
            ".hid",
            "c.json",
            "build",
            "d",
            "é.md",
            b"n\xe9.txt".decode(errors="surrogateescape"),
        ]
        for _ in range(40):
            place = rng.choice(folders) / f"{rng.randrange(9)}{rng.choice(names)}"
            if os.path.lexists(place):
                continue
            match rng.randrange(6):
                case 0:
                    place.mkdir()
                    folders.append(place)
                case 1:
                    os.symlink(rng.choice([*folders, root / "gone", place]), place)
                case 2:
                    os.mkfifo(place)
                case kind:
                    write(place, rng.choice([b"", b"\0\1", b"same", str(place).encode(errors="replace")]) * kind)
        found = TextCorpus.from_paths([root])
        sources, skipped = {source.label for source in found.sources}, {path for path, _ in found.skipped}
        assert not sources & skipped and len(found.skipped) == len(skipped)
        reached = {os.path.realpath(path) for path in sources}
        assert len(reached) == len(sources)
        for folder, names_there, files in os.walk(root):
            links = [name for name in names_there if os.path.islink(os.path.join(folder, name))]
            for name in (*files, *links):
                path = Path(folder, name)
                told = any(str(each) in skipped for each in (path, *path.parents))
                below = os.path.isdir(path) and any(
                    source.startswith(f"{path}{os.sep}") for source in (*sources, *skipped)
                )
                empty = os.path.isdir(path) and not os.listdir(path)
                assert told or str(path) in sources or below or empty, path


def test_the_same_text_under_two_names_is_read_once_whatever_its_encoding(tmp_path: Path) -> None:
    text = prose("cyrillic", 5000)
    write(tmp_path / "a.txt", text)
    write(tmp_path / "b.txt", text.replace("\n", "\r\n").encode("utf-16"))
    write(tmp_path / "c.txt", text[:-5] + "other\n")
    sources, skipped = listed(TextCorpus.from_paths([tmp_path]), tmp_path)
    assert sources == ["a.txt", "c.txt"] and list(skipped) == ["b.txt"]
    assert skipped["b.txt"].startswith("the same text as") and skipped["b.txt"].endswith("a.txt")


def test_equal_texts_of_a_list_fall_on_one_side() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        texts = [str(rng.randrange(6)) * 50 for _ in range(rng.randrange(2, 30))]
        train, held_out = TextCorpus.from_texts(texts).split(0.2)
        whole = {source.text for source in train.sources if source.stop == 1}
        assert not whole & {source.text for source in held_out.sources}


# -- what is given ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "match"),
    [
        ("line 0 of the book\n" * 3000, "looks like a text"),
        ("", "is empty"),
        ("  ", "is empty"),
        (["a.txt"] * 400, "look like paths"),
        (["books/one.txt", "books/my second.md"], "look like paths"),
        ([{"text": "a"}], "Text 1 is no text but dict"),
        (["words", None], "Text 2 is no text but None"),
        ([b"words"], "Text 1 is no text but bytes"),
        ({"text": ["a"]}, "cannot be made of dict"),
        ({"words"}, "cannot be made of set"),
        (b"words", "cannot be made of bytes"),
        (None, "cannot be made of None"),
        (7, "cannot be made of int"),
        ("a\0b.txt", "cannot be looked at"),
        ("https://example.org/a.txt", "an address on the web"),
        ("-", "Standard input"),
        ("nowhere/*.txt", "No file matches"),
        ("n" * 300, "does not exist"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_corpus_is_refused_in_one_short_sentence(dataset: Any, match: str) -> None:
    with pytest.raises(TloraError, match=match) as refused:
        as_corpus(dataset)
    assert len(str(refused.value)) < 200


def test_one_object_of_several_meanings_is_told_apart(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.txt", "first"), write(tmp_path / "two.txt", "second")
    by_path = as_corpus([one, two])
    assert [read_text(source) for source in by_path.sources] == ["first", "second"]
    assert by_path.paths == (str(one), str(two))
    assert [source.text for source in as_corpus(text for text in ("a b.", "c d.")).sources] == ["a b.", "c d."]
    assert len(TextCorpus.from_texts("a whole book").sources) == 1
    with pytest.raises(TloraError, match="look like paths"):
        as_corpus([str(tmp_path)])


def test_addresses_of_files_wildcards_and_home_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = write(tmp_path / "a book.txt", "first"), write(tmp_path / "two[1].txt", "second")
    monkeypatch.setenv("HOME", str(tmp_path))
    for given, files in {
        one.as_uri(): [one], str(tmp_path / "*.txt"): [one, two], "~/a book.txt": [one], str(two): [two],
    }.items():  # fmt: skip
        assert [source.label for source in TextCorpus.from_paths([given]).sources] == list(map(str, files))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TloraError, match="a pipe cannot be read twice"):
        TextCorpus.from_paths([tmp_path / "pipe"])


def test_the_refusal_of_too_little_text_tells_what_was_not_read(tmp_path: Path, tiny_tokenizer: Any) -> None:
    write(tmp_path / "few.txt", "words\n")
    for index in range(5):
        write(tmp_path / f"book{index}.rtf", "{\\rtf1 night}")
    with pytest.raises(TloraError, match=r"too little text.* Not read: book0.rtf \(RTF is not .* and 2 more\."):
        blocks_of(TextCorpus.from_paths([tmp_path]), tiny_tokenizer)


# -- blocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_tokens", [None, 6400])
@pytest.mark.parametrize("line", ["line {} of one text\n", "word{} "], ids=["lines", "one long line"])
def test_an_end_mark_stands_where_a_document_ends_and_nowhere_else(
    tiny_tokenizer: Any, max_tokens: int | None, line: str
) -> None:
    documents = ["".join(line.format(i) for i in range(20_000)) + "THE END", "short one THE END", "x y THE END"]
    blocks = blocks_of(TextCorpus.from_texts(documents), tiny_tokenizer, max_tokens=max_tokens)
    for part in (blocks.train_NT, blocks.held_out_NT):
        before = text_of(tiny_tokenizer, part).split("<eos>")[:-1]
        assert len(before) <= 3 and all(text.endswith("THE END") for text in before)
    assert (blocks.held_out_NT == EOS).sum() + (max_tokens is None) * ((blocks.train_NT == EOS).sum() - 2) <= 1


def test_no_block_of_a_sample_holds_text_that_does_not_follow_without_a_mark(tiny_tokenizer: Any) -> None:
    texts = ["".join(f"{document}:{line:06}\n" for line in range(9000)) for document in range(9)]
    blocks = blocks_of(
        TextCorpus.from_texts(texts), tiny_tokenizer, max_tokens=6400, block_size=64, held_out_tokens=640
    )
    rows = [text_of(tiny_tokenizer, row) for row in (*blocks.train_NT, *blocks.held_out_NT)]
    assert len(rows) == 110
    for row in rows:
        assert any(piece in text for text in texts for piece in [row]) or "<eos>" in row, row


def test_no_block_joins_a_document_to_the_one_before_whose_end_is_held_out(tiny_tokenizer: Any) -> None:
    texts = [
        "".join(f"{document}:{line:06}\n" for line in range(lines)) for document, lines in enumerate((900, 400, 400))
    ]
    blocks = blocks_of(TextCorpus.from_texts(texts), tiny_tokenizer)
    rows = [text_of(tiny_tokenizer, row) for row in blocks.train_NT]
    assert [row for row in rows if "1:000000" in row]
    assert all(any(row in text for text in texts) or "<eos>" in row for row in rows)


def test_control_tokens_written_out_in_a_corpus_are_plain_characters(tiny_tokenizer: Any) -> None:
    text = "He typed <eos> and went on.\n" * 200
    blocks = blocks_of(TextCorpus.from_texts([text]), tiny_tokenizer)
    assert (blocks.train_NT == EOS).sum() == 0
    assert text.startswith(text_of(tiny_tokenizer, blocks.train_NT))


def test_a_piece_in_the_middle_of_a_text_gets_no_space_of_its_own() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"▁": 0, "\n": 1, "<eos>": 2} | {letter: 3 + i for i, letter in enumerate("abcdefghij")}
    made = Tokenizer(models.BPE(words, []))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<eos>")
    blocks = blocks_of(TextCorpus.from_texts(["abcdefghij\n" * 9000]), tokenizer)
    assert (blocks.train_NT == 0).sum() == 1


def test_more_text_needs_no_more_memory_and_a_token_2_bytes_of_disk(tmp_path: Path, tiny_tokenizer: Any) -> None:
    peaks = []
    for files in (1, 4, 16):  # what is loaded once is loaded with the first
        for index in range(files):
            write(tmp_path / str(files) / f"{index}.txt", f"{index} of some lines of text\n" * 20_000)
        corpus = TextCorpus.from_paths([tmp_path / str(files)])
        tracemalloc.start()
        blocks = blocks_of(corpus, tiny_tokenizer, held_out_tokens=640)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 2**18
    assert blocks.file is not None and blocks.file.stat().st_size < 2 * blocks.train_NT.numel() + 4096


def test_progress_comes_in_mb_and_cancel_is_noticed_within_a_file(tiny_tokenizer: Any) -> None:
    corpus, cancel = TextCorpus.from_texts(["some text\n" * 200_000]), CancelToken()
    options: dict[str, Any] = {"max_tokens": None, "held_out_share": 0.1, "held_out_tokens": None, "seed": 0}
    stream = read_blocks(corpus, tiny_tokenizer, block_size=32, cancel=cancel, **options)
    told = [next(stream) for _ in range(4)]
    assert all(isinstance(event, Progress) and event.unit == "MB" for event in told)
    assert told[-1].total == pytest.approx(2_000_000 / 2**20, rel=0.01) and 0 < told[1].done < told[3].done < 1
    cancel.cancel("discard")
    with pytest.raises(Cancelled):
        next(stream)


def test_a_file_that_is_written_to_meanwhile_is_not_both_learned_and_held_out(
    tmp_path: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "log.txt", "".join(f"{line:07}\n" for line in range(5000)))
    corpus = TextCorpus.from_paths([path])

    def read_and_grow(*given: Any) -> Iterator[Document]:
        for document in read_documents(*given):
            yield document
            path.write_text("".join(f"{line:07}\n" for line in range(2500)))

    monkeypatch.setattr("tlora_gui.engine.corpus.packing.read_documents", read_and_grow)
    blocks = blocks_of(corpus, tiny_tokenizer)
    learned, held_out = (
        text_of(tiny_tokenizer, part).split("\n")[1:-1] for part in (blocks.train_NT, blocks.held_out_NT)
    )
    assert len(held_out) > 100 and not set(learned) & set(held_out)


# -- what a backbone knows --------------------------------------------------------------------------------------


@pytest.mark.parametrize("unknown", ["<unk>", None])
def test_text_that_the_backbone_does_not_know_is_told_with_its_share(tmp_path: Path, unknown: str | None) -> None:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    letters = {letter: index for index, letter in enumerate("abcdefghijklmnopqrstuvwxyz \n.")}
    made = Tokenizer(models.BPE(letters | ({unknown: 40} if unknown else {}) | {"<eos>": 41}, [], unk_token=unknown))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<eos>", unk_token=unknown)
    path = write(tmp_path / "a.txt", "абвгд fgh.\n" * 300)
    expected = 45 if unknown else 56  # of the characters, or of those that are seen
    summary = summarise([str(path)], tokenizer, block_size=32, held_out_share=0.1)
    notes = blocks_of(TextCorpus.from_paths([path]), tokenizer).notes
    assert (str(path), f"this backbone does not know {expected}% of this text") in summary.notes
    assert any("does not know" in remark for _, remark in notes)


# -- held-out text of an epoch ----------------------------------------------------------------------------------


def test_held_out_text_found_again_in_an_edited_corpus_was_held_out_then(tmp_path: Path, tiny_tokenizer: Any) -> None:
    for index in range(12):
        write(tmp_path / f"{index:02}.txt", "".join(f"{index}-{line} " for line in range(400 + index)))
    settings = replace(QUICK, max_tokens=None, held_out_tokens=4096)

    def corpus() -> TextCorpus:
        return TextCorpus.from_paths([tmp_path])

    first = drain(epoch_blocks(corpus(), tiny_tokenizer, settings, CancelToken()))
    digests = block_digests(first.held_out_NT)
    again = drain(held_out_again(corpus(), tiny_tokenizer, settings, digests, None))
    assert torch.equal(again, first.held_out_NT)
    then = {tuple(row.tolist()) for row in first.held_out_NT}
    for seed in range(12):
        rng = random.Random(seed)
        path = tmp_path / f"{rng.randrange(12):02}.txt"
        path.write_text(
            path.read_text() + f"more {seed} " * rng.randrange(1, 300) if path.exists() and seed % 3 else "new"
        )
        try:
            found_NT = drain(held_out_again(corpus(), tiny_tokenizer, settings, digests, None))
        except TloraError as error:
            assert "no longer there" in error.message
        else:
            assert {tuple(row.tolist()) for row in found_NT} <= then
    with pytest.raises(TloraError, match="What was held out is not known"):
        drain(held_out_again(corpus(), tiny_tokenizer, settings, (), None))


def test_a_training_tells_what_of_its_corpus_was_not_read(session: Session, corpora: Any, tmp_path: Path) -> None:
    write(tmp_path / "more" / "book.rtf", "{\\rtf1 night}")
    write(tmp_path / "more" / "a.xml", "<?xml?>" + "night " * 50)
    job = train_job("Verse", corpora["verse"])
    job = replace(job, paths=(*job.paths, str(tmp_path / "more")))
    (told,) = only(collect(session.run(job)), CorpusRead)
    assert [Path(path).name for path, _ in told.skipped] == ["book.rtf"]
    assert [Path(path).name for path, _ in told.notes] == ["a.xml"]


def test_evaluation_of_dreams_survives_a_restart_and_refuses_an_edited_corpus(
    session: Session, corpora: Any, tmp_path: Path
) -> None:
    for file in corpora["verse"].iterdir():
        write(tmp_path / "verse" / file.name, file.read_bytes())
    settings = replace(QUICK, sleep=replace(QUICK.sleep, source="dreams"))
    collect(session.run(train_job("Verse", tmp_path / "verse", settings)))
    again = reopened(session)
    one, other = (only(collect(each.run(jobs.Evaluate())), Evaluated)[0].scores for each in (session, again))
    assert one == other
    for file in (tmp_path / "verse").iterdir():
        file.write_text("Other words. " + file.read_text())
    with pytest.raises(TloraError, match="no longer there"):
        collect(again.run(jobs.Evaluate()))
