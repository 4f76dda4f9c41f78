"""Files of every kind that a corpus can be kept in, written with libraries or, where none writes them, by hand."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from html import escape
from typing import Any

Writer = Callable[[str], bytes]
"""From a text to a file that holds it. Texts are lines of words, each with its end."""


def paragraphs_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


# -- documents --------------------------------------------------------------------------------------------------


def html(text: str) -> bytes:
    lines = "".join(f"<div class='line'>{escape(line)}</div>\n" for line in paragraphs_of(text))
    page = (
        f"<!DOCTYPE html>\n<html><head><title>Title</title><style>p {{ x: y }}</style></head><body>"
        f"<script>if (1 < 2) alert('no')</script>\n{lines}<!-- no --></body></html>"
    )
    return page.encode()


def srt(text: str) -> bytes:
    cues = (
        f"{number}\n00:00:{number % 60:02},000 --> 00:00:{number % 60:02},900\n<i>{line}</i>\n\n"
        for number, line in enumerate(paragraphs_of(text), 1)
    )
    return "".join(cues).encode()


def vtt(text: str) -> bytes:
    cues = (f"00:01.000 --> 00:02.000 align:start\n<v Ann>{line}\n\n" for line in paragraphs_of(text))
    return ("WEBVTT - a title\n\nNOTE a remark\n\nSTYLE\n::cue { color: red }\n\n" + "".join(cues)).encode()


def docx(text: str) -> bytes:
    from docx import Document

    document = Document()
    for line in paragraphs_of(text):
        document.add_paragraph(line)
    return saved(document.save)


def docx_with_table(rows: Iterable[Iterable[str]]) -> bytes:
    from docx import Document

    document, rows = Document(), [list(row) for row in rows]
    document.add_paragraph("before")
    table = document.add_table(len(rows), len(rows[0]))
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, cells, strict=True):
            cell.text = value
    document.add_paragraph("after")
    return saved(document.save)


def saved(save: Callable[[Any], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def odt(text: str, prologue: str = "") -> bytes:
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in paragraphs_of(text))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{prologue}<office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f"<office:body><office:text>\n{lines}\n</office:text></office:body></office:document-content>"
    )
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def epub(text: str, further: dict[str, str] | None = None) -> bytes:
    lines = paragraphs_of(text)
    chapters = (lines[: len(lines) // 2], lines[len(lines) // 2 :])
    pages = {
        f"OEBPS/text {number}.xhtml": '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title/></head><body>{''.join(f'<p>{escape(line)}</p>' for line in chapter)}</body></html>"
        for number, chapter in enumerate(chapters, 1)
    }
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
        '<item id="b" href="text%202.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="text%201.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="c" href="cover.png" media-type="image/png"/></manifest>'
        '<spine><itemref idref="c"/><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    parts = {"META-INF/container.xml": container, "OEBPS/book.opf": book, **pages, **(further or {})}
    return zipped({"mimetype": "application/epub+zip", **parts})


def notebook(text: str) -> bytes:
    cells = [
        {"cell_type": "code", "source": [f"{line}\n" for line in paragraphs_of(text)], "outputs": [{"text": "no"}]},
        {"cell_type": "markdown", "source": ""},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def pdf(text: str, further: bytes = b"") -> bytes:
    """A page for each 40 lines, ASCII alone."""
    lines = paragraphs_of(text)
    pages = [lines[start : start + 40] for start in range(0, len(lines), 40)]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(pages), b" ".join(b"%d 0 R" % (4 + 2 * i) for i in range(len(pages)))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, page in enumerate(pages):
        shown = b"".join(b"(%s)'\n" % pdf_string(line) for line in page)
        stream = b"BT /F1 12 Tf 14 TL 50 750 Td\n" + shown + b"ET"
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * number)
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    return pdf_of(objects, further)


def pdf_string(line: str) -> bytes:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("latin-1")


def pdf_of(objects: list[bytes], further: bytes = b"") -> bytes:
    made, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, further, len(made),
    )  # fmt: skip


def scanned_pdf() -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>"
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", page])


def locked_pdf(text: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(io.BytesIO(pdf(text))))
    writer.encrypt("secret", algorithm="RC4-128")
    return saved(writer.write)


def mail(text: str, kind: str = "plain") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "ann@example.org", "bob@example.org", "On the night"
    made.set_content(text, cte="base64" if kind == "base64" else "quoted-printable")
    if kind == "html":
        made.add_alternative("<html><body><p>no</p></body></html>", subtype="html")
    made.add_attachment(b"\0\1\2", maintype="image", subtype="png")
    return made.as_bytes()


def mailbox(texts: Iterable[str]) -> bytes:
    return b"".join(b"From ann@example.org Thu Jan  1 00:00:00 1970\n" + mail(text) + b"\n\n" for text in texts)


# -- tables: a row for each text ---------------------------------------------------------------------------------


def csv_of(texts: Iterable[str], delimiter: str = ",") -> bytes:
    file = io.StringIO()
    table = csv.writer(file, delimiter=delimiter)
    table.writerow(["id", "text", "label"])
    table.writerows([number, text, "good"] for number, text in enumerate(texts))
    return file.getvalue().encode()


def json_lines(texts: Iterable[str]) -> bytes:
    return "".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(texts)).encode()


def json_array(texts: Iterable[str]) -> bytes:
    return json.dumps([{"id": number, "text": text} for number, text in enumerate(texts)], indent=1).encode()


def parquet(texts: Iterable[str]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    texts = list(texts)
    table = pyarrow.table({"id": list(range(len(texts))), "text": texts})
    return saved(lambda file: parquet.write_table(table, file, row_group_size=7))


def arrow(texts: Iterable[str], stream: bool = False) -> bytes:
    import pyarrow

    table = pyarrow.table({"text": list(texts)})
    file = io.BytesIO()
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


# -- archives ---------------------------------------------------------------------------------------------------


def zipped(members: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else None)
    return file.getvalue()


def locked_zip(members: dict[str, str | bytes]) -> bytes:
    """One whose members say that they are encrypted."""
    made = bytearray(zipped(members))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = -1
        while (at := made.find(mark, at + 1)) >= 0:
            made[at + place] |= 1
    return bytes(made)


def tarred(members: dict[str, bytes], packed: str = "") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{packed}") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}

WRITERS: dict[str, Writer] = {
    "html": html, "srt": srt, "vtt": vtt, "docx": docx, "odt": odt, "epub": epub, "ipynb": notebook, "pdf": pdf,
    "eml": mail,
}  # fmt: skip
TABLES: dict[str, Callable[[Iterable[str]], bytes]] = {
    "csv": csv_of, "jsonl": json_lines, "json": json_array, "parquet": parquet, "arrow": arrow,
    "feather": lambda texts: arrow(texts, stream=True), "tsv": lambda texts: csv_of(texts, "\t"), "mbox": mailbox,
}  # fmt: skip
