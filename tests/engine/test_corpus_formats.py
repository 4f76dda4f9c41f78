"""Corpora in every format with every defect: what is read, what is skipped, and why; the text comes back as it was."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import random
import time
import zlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import corpora
import psutil
import pytest
import torch
from corpora import PACKERS, TABLES, WRITERS
from hypothesis import given, settings
from hypothesis import strategies as st

from tlora_gui.engine.corpus.decoding import tidied, tidy
from tlora_gui.engine.corpus.documents import read_documents, read_text
from tlora_gui.engine.corpus.text_corpus import Source, TextCorpus
from tlora_gui.engine.protocol.config import ReadOptions
from tlora_gui.engine.protocol.errors import TloraError
from tlora_gui.engine.training.probe import PeakMemory

VERSE = "O gentle night (that hides the moon).\nIt shines & glows on 3 < 4 hills.\nNo end is here.\n"
OTHER = "Another text.\nOf two lines.\n"
CAFE = "L’été dernier, la forêt était déjà brûlée ; « Ça suffit », dit Noël à la fenêtre, l’œil naïf.\n"

Told = list[tuple[str, str]]


def read(path: Path, **options: Any) -> tuple[list[tuple[str, str]], Told]:
    """(label, text) of all documents below a path, and (label, what is told of it); labels begin in its folder."""
    corpus = TextCorpus.from_paths([path], None, options.pop("reading", None), **options)
    told = [*corpus.skipped, *corpus.notes]
    found = [
        (document.label, "".join(document.pieces))
        for source in corpus.sources
        for document in read_documents(source, told)
    ]
    root = path if path.is_dir() else path.parent
    return [(below(label, root), text) for label, text in found], [(below(label, root), why) for label, why in told]


def below(label: str, root: Path) -> str:
    return label.removeprefix(f"{root}/")


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def squeezed(text: str) -> str:
    """Lines alone: pages keep no blank lines."""
    return "\n".join(line for line in text.split("\n") if line)


# -- the torture folder -----------------------------------------------------------------------------------------

ROW = "its column text is read"
LOCKED = "encrypted with a password"
TABLE: dict[str, tuple[Callable[[], bytes], list[tuple[str, str]], list[tuple[str, str]]]] = {}
"""File -> what makes its bytes, the documents that are read of it, and what is told. "" stands for the file itself."""


def row(
    name: str,
    data: bytes | Callable[[], bytes],
    read: dict[str, str] | str = "",
    told: dict[str, str] | list[str] | str = "",
) -> None:
    documents = read if isinstance(read, dict) else {"": read} if read else {}
    said = (
        told.items() if isinstance(told, dict) else [("", why) for why in ([told] if isinstance(told, str) else told)]
    )
    TABLE[name] = (
        data if callable(data) else lambda: data,
        [(name + label, text) for label, text in documents.items()],
        [(name + label, why) for label, why in said if why],
    )


def marked(index: int) -> str:
    """A text of its own, so that no file is another's copy."""
    return f"{index}. " + VERSE


for index, (kind, writer) in enumerate(WRITERS.items()):
    row(f"good/a.{kind}", partial(writer, marked(index)), squeezed(marked(index)))
    row(f"renamed/{kind}.txt", partial(writer, marked(100 + index)), squeezed(marked(100 + index)))
    row(f"unnamed/{kind}", partial(writer, marked(200 + index)), squeezed(marked(200 + index)))
for index, (kind, table) in enumerate(TABLES.items()):
    texts = {":1": marked(300 + index), ":2": OTHER}
    row(f"good/t.{kind}", partial(table, texts.values()), texts, ROW if kind in ("csv", "tsv", "json", "jsonl") else "")
    if kind not in ("csv", "tsv"):  # which nothing but their ending tells from prose
        row(
            f"renamed/t-{kind}.txt",
            partial(table, [*texts.values(), kind]),
            texts | {":3": kind},
            ROW if "json" in kind else "",
        )
for index, (packed, pack) in enumerate(PACKERS.items()):
    row(f"packed/a.txt.{packed}", pack(marked(400 + index).encode()), marked(400 + index))
    row(f"packed/a.docx.{packed}", pack(corpora.docx(marked(410 + index))), marked(410 + index))
    members = {"x/a.md": marked(420 + index).encode(), "b.jsonl": corpora.json_lines([OTHER])}
    row(
        f"packed/a.tar.{packed}", corpora.tarred(members, packed),
        {"/x/a.md": marked(420 + index), "/b.jsonl:1": OTHER}, {"/b.jsonl": ROW},
    )  # fmt: skip
row("packed/a.tar", corpora.tarred({"a.txt": marked(430).encode(), ".hidden": b"no"}), {"/a.txt": marked(430)},
    {"/.hidden": "hidden"})  # fmt: skip
row(
    "packed/a.zip",
    corpora.zipped({
        "x/a.txt": marked(440), "../../b.py": "print('out')\n", "c.zip": corpora.zipped({
            "d.epub": corpora.epub(marked(441)), "e.zip": corpora.zipped({"f.txt": VERSE}),
        }),
        "g.png": b"\x89PNG\r\n\0\0", "__MACOSX/a.txt": VERSE, "empty.txt": "",
    }),
    {"/x/a.txt": marked(440), "/../../b.py": "print('out')\n", "/c.zip/d.epub": squeezed(marked(441))},
    {"/c.zip/e.zip": "an archive too deep in others", "/g.png": "binary, not text", "/__MACOSX/a.txt": "hidden",
     "/empty.txt": "empty"},
)  # fmt: skip
row("packed/locked.zip", corpora.locked_zip({"a.txt": VERSE}), {}, {"/a.txt": LOCKED})
row("packed/cut.zip", corpora.zipped({"a.txt": VERSE})[:-40], {}, "a damaged archive")
CUT = gzip.compress(random.Random(0).randbytes(3000).hex().encode())[:2000]
row("packed/cut.txt.gz", CUT, zlib.decompressobj(31).decompress(CUT).decode(), "damaged; read up to there")
BOMB = "unpacks to more than 200 times its size"
row("packed/bomb.gz", lambda: gzip.compress(b"word " * (14 * 2**20)), {}, BOMB)
row("packed/bomb.zip", lambda: corpora.zipped({"a.txt": b"word " * (14 * 2**20)}), {}, BOMB)
row("packed/a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), {}, "7-Zip is not plain text; save it as .txt first")

row("tables/semicolons.csv", "name;text\na;Où?\nb;Là.\n".encode("cp1252"), {":1": "Où?", ":2": "Là."},
    ["not UTF-8; read as cp1252", ROW])  # fmt: skip
row("tables/cells.csv", b'text\n"two\nlines, and ""more"""\nplain\n', {":1": 'two\nlines, and "more"', ":2": "plain"})
row("tables/no-heading.csv", b'3,"A first text of this table"\n4,"A second text, longer"\n',
    {":1": "A first text of this table", ":2": "A second text, longer"}, "its column 2 is read")  # fmt: skip
row("tables/numbers.csv", b"a,b\n,\n,\n", {}, "has no column of text")
row(
    "tables/open-quote.csv",
    b'text\none\n"two\nthree\n',
    {":1": "one", ":2": "two\nthree\n"},
    "a quotation mark in line 3 is never closed: what follows is one cell",
)
row("tables/lines.jsonl", b'{"text": "a\\u0000b\\r\\nc\\ud800"}\n{"text": "no\n\n{"text": 7}\n{"text": "end"}\n[1]',
    {":1": "ab\nc\ufffd", ":3": "7", ":4": "end"}, [ROW, "2 rows cannot be read or have no text"])  # fmt: skip
row("tables/longest.jsonl", b'{"id": "x", "story_of": "The longest string is the text."}\n' * 2,
    {":1": "The longest string is the text.", ":2": "The longest string is the text."},
    "its column story_of is read")  # fmt: skip
row("tables/strings.json", b'["The one.", "The other.", 3]', {":1": "The one.", ":2": "The other."},
    "1 rows cannot be read or have no text")  # fmt: skip
row("tables/cut.json", b'[{"text": "The one."}, {"text": "The ot', {":1": "The one."}, "damaged; read up to there")
row("tables/within.json", b'{"version": 1, "data": [{"text": "The one."}, {"text": "The other."}]}',
    {":1": "The one.", ":2": "The other."})  # fmt: skip
row("tables/settings.json", b'{"name": "web", "targets": {}}', '{"name": "web", "targets": {}}',
    "JSON: the marks are learnt too; save the text alone")  # fmt: skip
row("tables/not-quite.json", b'{"name": "web", // a remark\n}', '{"name": "web", // a remark\n}',
    "JSON: the marks are learnt too; save the text alone")  # fmt: skip
row("tables/deep.json", b"[" * 100_000 + b"]" * 100_000, "[" * 100_000 + "]" * 100_000,
    "JSON: the marks are learnt too; save the text alone")  # fmt: skip
row("tables/deep.jsonl", b'{"text": "The one."}\n' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {":1": "The one."},
    "1 rows cannot be read or have no text")  # fmt: skip
SAID = {"system": "Be kind.", "user": "Hi?", "assistant": "Hello."}
CHAT = [{"role": role, "content": content} for role, content in SAID.items()]
TOLD_CHAT = "system: Be kind.\n\nuser: Hi?\n\nassistant: Hello."
row("chats/a.jsonl", json.dumps({"id": 1, "messages": CHAT}).encode() + b"\n{}\n", {":1": TOLD_CHAT},
    "1 rows cannot be read or have no text")  # fmt: skip
row("chats/b.json", json.dumps([{"conversations": [
        {"from": "human", "value": "Hi?"}, {"from": "gpt", "value": "Hello."}]}]).encode(),
    {":1": "user: Hi?\n\nassistant: Hello."})  # fmt: skip
row("chats/c.csv", b"instruction,input,output\nSay it,softly,it\n", {":1": "user: Say it\n\nsoftly\n\nassistant: it"})

row("books/table.docx", corpora.docx_with_table([["a", "b"], ["", "d"]]), "before\na\tb\n\td\nafter\n")
row("books/scan.pdf", corpora.scanned_pdf(), {}, "holds no text; it may be scanned")
row("books/locked.pdf", corpora.locked_pdf(VERSE), {}, LOCKED)
row("books/cut.pdf", corpora.pdf(VERSE)[:200], {}, "damaged")
row("books/not.pdf", VERSE.replace("night", "morning").encode(), VERSE.replace("night", "morning"))
LAUGHS = '<!DOCTYPE x [<!ENTITY l1 "ha"><!ENTITY l2 "&l1;&l1;">]>'
row("books/laughs.odt", corpora.odt("&l2;", LAUGHS), {}, "damaged: its XML defines entities")
row("books/cut.odt", corpora.zipped({
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": '<d xmlns:t="x"><t:p>The first.</t:p><t:p>The sec'}),
    "The first.\nThe sec", "damaged; read up to there")  # fmt: skip
row("books/empty.odt", corpora.zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), {},
    "damaged: content.xml is missing")  # fmt: skip
LOCKS = {"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/text%201.xhtml"/></e>'}
row("books/locked.epub", corpora.epub(VERSE, LOCKS), {}, "encrypted against copying")
row("books/sheet.xlsx", corpora.zipped({"[Content_Types].xml": "<t/>", "xl/workbook.xml": "<w/>"}), {},
    "Excel is not plain text; save it as .txt first")  # fmt: skip
row("books/cut.ipynb", corpora.notebook(VERSE)[:80], {}, "a damaged notebook")
row("pages/declared.html", "<html><meta charset=iso-8859-2><p>Zażółć gęślą jaźń. ".encode("iso-8859-2"),
    "Zażółć gęślą jaźń.", "not UTF-8; read as iso8859-2")  # fmt: skip
row("pages/marks.html", b"<html><h1>One</h1><p>Two<b>three</b> <i>four</i><br>five<ul><li>six<li>seven</ul>"
    b"<pre>\n a\n  b</pre><table><tr><td>x<td>y<tr><td>z</table>&amp; <script>no</script><style>no",
    "One\n\nTwothree four\nfive\n\nsix\nseven\n\n a\n  b\n\nx\ty\nz\n\n&")  # fmt: skip
row("mail/html.eml", corpora.mail(marked(500), "html"), marked(500))
row("mail/base64.eml", corpora.mail(marked(501), "base64"), marked(501))
row("mail/page.eml", b"From: a@b\nSubject: c\nContent-Type: text/html; charset=utf-8\n\n<p>One.</p><p>Two.</p>",
    "One.\n\nTwo.")  # fmt: skip
row("plain/code.py", b'{"a": 1}["a"]\n', '{"a": 1}["a"]\n')
row("plain/page.md", b"<html> begins a page\n", "<html> begins a page\n")
row("plain/utf-16.txt", (CAFE * 3).encode("utf-16"), CAFE * 3, "read as UTF-16")
row("plain/western.txt", (CAFE * 9).encode("cp1252"), CAFE * 9, "not UTF-8; read as cp1252")
row("plain/empty.txt", b" \n", {}, "empty")
row("plain/noise.bin", random.Random(1).randbytes(9000), {}, "binary, not text")


@pytest.fixture(scope="session")
def torture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], Told]:
    """The folder, the documents read of it, and what was told."""
    root = tmp_path_factory.mktemp("torture")
    for name, (data, _, _) in TABLE.items():
        write(root / name, data())
    write(root / "plain" / "z-copy.txt", TABLE["plain/utf-16.txt"][1][0][1].replace("\n", "\r\n").encode())
    write(root / "books" / "z-copy.docx", (root / "books" / "table.docx").read_bytes())
    os.symlink(root / "plain" / "code.py", root / "plain" / "link.py")
    documents, told = read(root)
    assert len(dict(documents)) == len(documents)
    return root, dict(documents), told


@pytest.mark.parametrize("name", TABLE)
def test_each_file_of_the_torture_folder_is_read_or_told(torture: tuple[Path, dict[str, str], Told], name: str) -> None:
    _, documents, told = torture
    _, expected, said = TABLE[name]
    of_it = {label: text for label, text in documents.items() if f"{label}/".startswith((f"{name}/", f"{name}:"))}
    if name.split("/")[0] in ("good", "renamed", "unnamed", "packed"):  # pages and books may part lines by two ends
        of_it = {label: squeezed(text) for label, text in of_it.items()}
        expected = [(label, squeezed(text)) for label, text in expected]
    assert of_it == dict(expected)
    assert [(label, why) for label, why in told if f"{label}/".startswith((f"{name}/", f"{name}:"))] == said


def test_nothing_else_is_read_or_told(torture: tuple[Path, dict[str, str], Told]) -> None:
    root, documents, told = torture
    expected = {label for _, found, _ in TABLE.values() for label, _ in found}
    assert documents.keys() == expected
    said = {each for _, _, said in TABLE.values() for each in said}
    assert {(path, why.replace(str(root), "")) for path, why in told if (path, why) not in said} == {
        ("plain/z-copy.txt", "the same text as /plain/utf-16.txt"),
        ("books/z-copy.docx", "the same text as /books/table.docx"),
        ("plain/link.py", "the same file is there already"),
    }


# -- round trips ------------------------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("abcXYZ019.,;:!?'()[]{}#&<>%\\/*-_"), min_size=1, max_size=12)
FOREIGN = st.text(st.characters(exclude_categories=["C", "Z"], max_codepoint=0x1F9FF), min_size=1, max_size=9)
"""No half characters, controls or blanks."""


def texts_of(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    line = st.lists(words, min_size=1, max_size=6).map(" ".join)
    return st.lists(line, min_size=1, max_size=30).map(lambda lines: "".join(f"{line}\n" for line in lines))


def is_kept(text: str) -> bool:
    """Whether tidying leaves it alone."""
    return tidy(text) == text


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_text_comes_back_from_every_kind_of_document(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    words = WORDS if kind == "pdf" else st.one_of(WORDS, FOREIGN)
    text = data.draw(texts_of(words).filter(is_kept))
    if kind in ("srt", "vtt"):  # whose marks cannot be written out
        text = text.translate(str.maketrans("<>{}&", "()[]+"))
    if kind == "pdf":  # whose lines lose the blanks around words
        text = " ".join(text.split(" "))
    path = write(tmp_path_factory.mktemp("a") / f"a.{kind}", WRITERS[kind](text))
    found, told = read(path)
    assert told == []
    assert squeezed(found[0][1]) == squeezed(text)


@pytest.mark.parametrize("kind", TABLES)
@settings(max_examples=25, deadline=None)
@given(texts=st.lists(texts_of(st.one_of(WORDS, FOREIGN)).filter(is_kept), min_size=1, max_size=9))
def test_texts_come_back_from_every_kind_of_table_each_one_document(
    tmp_path_factory: pytest.TempPathFactory, kind: str, texts: list[str]
) -> None:
    path = write(tmp_path_factory.mktemp("a") / f"a.{kind}", TABLES[kind](texts))
    found, _ = read(path)
    assert [text for _, text in found] == texts
    assert [label for label, _ in found] == [f"a.{kind}:{number}" for number in range(1, len(texts) + 1)]


@pytest.mark.parametrize("kind", [*WRITERS, *TABLES, "txt", "zip"])
@pytest.mark.parametrize("share", [0.1, 0.37])
def test_the_two_parts_of_any_file_meet_exactly(tmp_path: Path, kind: str, share: float) -> None:
    texts = [f"{number}. {VERSE * (number % 5 + 1)}" for number in range(40)]
    writers: dict[str, Callable[[list[str]], bytes]] = {
        "txt": lambda texts: "\r\n".join("".join(texts).split("\n")).encode(),
        "zip": lambda texts: corpora.zipped({f"{number}.txt": text for number, text in enumerate(texts)}),
    }
    writer = TABLES.get(kind) or writers.get(kind) or (lambda texts: WRITERS[kind]("".join(texts)))
    source = Source(str(write(tmp_path / f"a.{kind}", writer(texts))), 1000)
    parts = [source.part(0, share), source.part(share, 1)]
    whole = read_text(source)
    one, other = map(read_text, parts)
    assert one + other == whole and len(one) == int(share * len(whole))
    labels = [[document.label for document in read_documents(part, []) for _ in document.pieces] for part in parts]
    assert len({*labels[0]} & {*labels[1]}) <= 1


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.sampled_from("ab\r\n\x85\u2028\ufeff\0é"), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
def test_a_text_is_tidied_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[start:stop] for start, stop in pairwise(places)]
    assert "".join(tidied(pieces)) == tidy(text)


# -- chosen by a person -----------------------------------------------------------------------------------------


def test_another_column_can_be_chosen_and_one_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", b"text,title\nlong words,Short\n")
    write(tmp_path / "b.parquet", corpora.parquet(["words"]))
    write(tmp_path / "c.jsonl", json.dumps({"chat": CHAT, "title": [*SAID]}).encode())
    found, told = read(tmp_path, reading=ReadOptions(column="title"))
    assert found == [("a.csv:1", "Short"), ("c.jsonl:1", "system\nuser\nassistant")]
    assert told == [("b.parquet", "has no column title; it has text")]


def test_chats_are_read_through_the_template_of_the_backbone(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        json.dumps({"messages": CHAT}).encode() + b'\n{"messages": [{"role": "x", "content": "y"}]}',
    )
    write(tmp_path / "b.csv", b"prompt,response\nHi?,Hello.\n")

    def template(messages: Any) -> str:
        if messages[0]["role"] == "x":
            raise ValueError("roles must take turns")
        return "".join(f"<|{each['role']}|>{each['content']}" for each in messages)

    found, told = read(tmp_path, chat=template)
    assert [text for _, text in found] == [
        "<|system|>Be kind.<|user|>Hi?<|assistant|>Hello.", "<|user|>Hi?<|assistant|>Hello.",
    ]  # fmt: skip
    assert told == [("a.jsonl", "1 rows cannot be read or have no text")]
    sources = TextCorpus.from_paths([tmp_path], chat=template).sources
    assert all(document.templated for source in sources for document in read_documents(source, []))


def test_of_a_chat_with_tools_what_was_said_is_read(tmp_path: Path) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}]}
    said = [{"role": "user", "content": "Rain?"}, call, {"role": "tool", "content": "12 mm"},
            {"role": "assistant", "content": "Yes."}]  # fmt: skip
    write(tmp_path / "a.jsonl", b"\n".join([json.dumps({"messages": said}).encode()] * 3))

    def template(messages: Any) -> str:
        if any(each["role"] == "tool" for each in messages):
            raise ValueError("there is no such role")
        return "".join(f"<|{each['role']}|>{each['content']}" for each in messages)

    assert read(tmp_path, chat=template)[0][0][1] == "<|user|>Rain?<|assistant|>Yes."
    assert read(tmp_path)[0][0][1] == "user: Rain?\n\ntool: 12 mm\n\nassistant: Yes."
    write(tmp_path / "a.jsonl", b"\n".join([json.dumps({"messages": [call]}).encode()] * 3))
    assert read(tmp_path, chat=template)[0] == []


def test_patterns_and_gitignores_say_what_of_a_folder_is_read(tmp_path: Path) -> None:
    for name in ("a.txt", "b.md", "c.log", "drafts/d.txt", "src/e.txt", "src/out/f.txt", "src/keep.log", "src/g.tmp"):
        write(tmp_path / name, name.encode())
    write(tmp_path / ".gitignore", b"*.log\n# a remark\nout/\n!\n")
    write(tmp_path / "src" / ".gitignore", b"!keep.log\n/g.*\n")
    found, told = read(tmp_path, reading=ReadOptions(include=("*.txt", "*.log"), exclude=("/drafts/",)))
    assert [label for label, _ in found] == ["a.txt", "src/e.txt", "src/keep.log"]
    assert {path: why for path, why in told if why != "hidden"} == {
        "b.md": "no pattern asks for it",
        "c.log": "ignored by .gitignore",
        "drafts": "left out by a pattern",
        "src/out": "ignored by .gitignore",
        "src/g.tmp": "ignored by .gitignore",
    }
    assert len(TextCorpus.from_paths([tmp_path / "b.md"], reading=ReadOptions(include=("*.txt",))).sources) == 1


@pytest.mark.parametrize("wrong", [{"include": ["*.txt"]}, {"exclude": ("",)}, {"column": None}, {"include": (1,)}])
def test_reading_options_refuse_nonsense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ReadOptions(**wrong)


def test_a_pattern_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TloraError, match="A pattern means nothing"):
        TextCorpus.from_paths([tmp_path], reading=ReadOptions(exclude=("!",)))


def test_kinds_are_counted_with_their_bytes_before_anything_is_read(tmp_path: Path) -> None:
    sizes = {name: len(write(tmp_path / name, data).read_bytes()) for name, data in {
        "a.txt": b"words " * 900, "b.md": b"more", "c.pdf": corpora.pdf(VERSE), "d.zip": corpora.zipped({"a": VERSE}),
    }.items()}  # fmt: skip
    assert TextCorpus.from_paths([tmp_path]).kinds == (
        ("plain text", 2, sizes["a.txt"] + sizes["b.md"]),
        ("PDF", 1, sizes["c.pdf"]),
        ("an archive", 1, sizes["d.zip"]),
    )


@pytest.mark.parametrize(("name", "library"), [("a.pdf", "pypdf"), ("a.parquet", "pyarrow")])
def test_a_library_that_is_missing_is_told_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    data = corpora.pdf(VERSE) if name == "a.pdf" else corpora.parquet([VERSE])
    write(tmp_path / name, data)
    write(tmp_path / "b.zip", corpora.zipped({name: data}))
    monkeypatch.setattr("tlora_gui.engine.corpus.readers.kinds.find_spec", lambda wanted: None)
    found, told = read(tmp_path)
    kind = {"a.pdf": "PDF", "a.parquet": "Parquet"}[name]
    why = f"{kind} is read with {library}, which is not installed: pip install 'tlora-gui[formats]'"
    assert (found, told) == ([], [(name, why), (f"b.zip/{name}", why)])


# -- hostile files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*WRITERS, *TABLES, *PACKERS, "zip", "tar"])
def test_damage_anywhere_raises_nothing_and_is_told_or_read(tmp_path: Path, kind: str) -> None:
    writers = {
        **WRITERS, **{name: lambda text, pack=pack: pack(text.encode()) for name, pack in PACKERS.items()},
        **{name: lambda text, table=table: table([text] * 5) for name, table in TABLES.items()},
        "zip": lambda text: corpora.zipped({"a.txt": text, "b.docx": corpora.docx(text)}),
        "tar": lambda text: corpora.tarred({"a.txt": text.encode(), "b.csv": corpora.csv_of([text])}),
    }  # fmt: skip
    whole = writers[kind](VERSE * 5)
    for seed in range(40):
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.choice([1, 4, 40])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        del data[rng.choice([len(data), rng.randrange(len(data))]) :]
        found, told = read(write(tmp_path / f"a.{kind}", bytes(data)))
        assert found or told


@settings(max_examples=150, deadline=None)
@given(
    head=st.sampled_from([
        b"", b"%PDF-1.7\n", b"PK\3\4", b"PAR1", b"ARROW1\0\0", b"\x1f\x8b\x08\0", b"BZh91AY&SY", b"\xfd7zXZ\0",
        b"<html>", b"From a\nFrom: b\nTo: c\n", b'{"text": ', b"[[", b'{"cells": [', b"\xff\xff\xff\xff\x10\0\0\0",
        b"\xff\xfe", b"WEBVTT\n",
    ]),
    tail=st.binary(max_size=400),
    name=st.sampled_from(["a", "a.txt", "a.csv", "a.json", "a.jsonl", "a.pdf", "a.html", "a.srt", "a.eml", "a.docx"]),
)  # fmt: skip
def test_bytes_of_any_kind_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes, name: str
) -> None:
    found, told = read(write(tmp_path_factory.mktemp("a") / name, head + tail))
    assert found or told


def huge_pdf() -> bytes:
    """A page whose 40 kB unpack to 40 MB, of a stream that says it has a terabyte."""
    packed = zlib.compress(b"(word)' " * (5 * 2**20))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    stream = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (10**12, packed)
    return corpora.pdf_of(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1000000/Kids[3 0 R]>>", page, stream]
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "pages.pdf": huge_pdf,
    "open.html": lambda: b"<html>" + b"<a " * 2**18,
    "marks.html": lambda: b"<html>" + b"<![CDATA[" * 2**19,
    "comment.html": lambda: b"<html><!--" + b"x-" * 2**21,
    "hidden.html": lambda: b"<html>" + b"<svg>" * 2**19 + b"</b>" * 2**19,
    "deep.html": lambda: b"<html>" + b"<div>" * 2**20,
    "deep.odt": lambda: corpora.zipped({
        "mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<p>" * 2**20,
    }),
    "line.jsonl": lambda: b'{"text": "' + b"x" * 2**25 + b'"}\n{"text": "end"}\n',
    "array.json": lambda: b"[" + b'{"text": "word"},' * 2**18 + b"{",
    "open.json": lambda: b'[{"text": "' + b"x" * 2**23,
    "quotes.csv": lambda: b'text\n"' + b"x,\n" * 2**22,
    "headers.eml": lambda: b"From: a\nSubject: b\n" + b"X: y\n" * 2**18 + b"\nbody",
    "parts.eml": lambda: b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (i, i) for i in range(999)),
    "zeros.xz": lambda: lzma.compress(bytes(2**24)),
    "many.zip": lambda: corpora.zipped({f"{number}.txt": "word" for number in range(5000)}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_little_time_and_memory(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, HOSTILE[name]())
    started, before = time.process_time(), psutil.Process().memory_info().rss
    notes: Told = []
    with PeakMemory(torch.device("cpu")) as peak:
        for source in TextCorpus.from_paths([path]).sources:
            for document in read_documents(source, notes):
                assert all(len(piece) <= 2**20 for piece in document.pieces)
    assert peak.bytes - before < 2**28 and time.process_time() - started < 60
