"""What a file is, told by its first bytes, then by its ending."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import PurePath
from typing import BinaryIO, NamedTuple
from zipfile import BadZipFile, ZipFile

from tlora_gui.engine.corpus.decoding import NotText, first_text
from tlora_gui.engine.protocol.sentences import say


class Kind(NamedTuple):
    """A kind of file that can be read.

    Attributes:
        key: its reader.
        name: what people call it.
        library: what must be installed to read it.
    """

    key: str
    name: str
    library: str = ""


TEXT = Kind("text", say("plain text"))
HTML = Kind("html", "HTML")
SUBTITLES = Kind("subtitles", say("subtitles"))
CSV = Kind("csv", "CSV")
JSON, JSON_LINES = Kind("json", "JSON"), Kind("json_lines", "JSON")
NOTEBOOK = Kind("notebook", say("a notebook"))
MAIL, MAILBOX = Kind("mail", say("mail")), Kind("mailbox", say("mail"))
PDF = Kind("pdf", "PDF", "pypdf")
PARQUET, ARROW = Kind("parquet", "Parquet", "pyarrow"), Kind("arrow", "Arrow", "pyarrow")
ZIP, TAR = Kind("zip", say("an archive")), Kind("tar", say("an archive"))
GZIP, BZIP2, XZ = (Kind(key, say("an archive")) for key in ("gzip", "bzip2", "xz"))
WORD, OPEN_DOCUMENT, EPUB = Kind("docx", "Word"), Kind("odt", "OpenDocument"), Kind("epub", "EPUB")

COMPRESSED = (GZIP, BZIP2, XZ)
ARCHIVES = (ZIP, TAR, *COMPRESSED)

_HEADS = {
    b"%PDF-": PDF, b"PAR1": PARQUET, b"ARROW1": ARROW, b"PK\3\4": ZIP, b"PK\5\6": ZIP, b"\x1f\x8b": GZIP,
    b"BZh": BZIP2, b"\xfd7zXZ\0": XZ,
}  # fmt: skip
_REFUSED_HEADS = {
    b"{\\rtf": "RTF", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "Word", b"FEA1": "Feather 1",
    b"\x28\xb5\x2f\xfd": "Zstandard", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!": "RAR",
}  # fmt: skip
_OLD_OFFICE = {".xls": "Excel", ".ppt": "PowerPoint", ".msg": "Outlook"}
_KINDLE = b"BOOKMOBI"
_ENDINGS = {
    ".html": HTML, ".htm": HTML, ".xhtml": HTML, ".srt": SUBTITLES, ".vtt": SUBTITLES, ".csv": CSV, ".tsv": CSV,
    ".tab": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES, ".json": JSON, ".ipynb": NOTEBOOK, ".eml": MAIL,
    ".mbox": MAILBOX,
}  # fmt: skip
_OF_ANY_KIND = {"", ".txt", ".text", ".log", ".dat", ".data", ".gz", ".bz2", ".xz", *_ENDINGS}
"""Endings that do not say what a text is; others do (source code that begins with a page or an object is code)."""
_PAGE = re.compile(r"\s*<(!doctype html|html)\b", re.IGNORECASE)
_SUBTITLES = re.compile(r"(\s*WEBVTT\b|\s*\d+[^\S\n]*\n\s*[\d:]+[,.]\d{3} --> )")
_OBJECT = re.compile(r'[\s\[]*\{\s*("[^"\n]*"\s*:|\})|\s*\[[\s\[]*("[^"\n]*"|-?\d[\d.]*)\s*,')
_HEADER = re.compile(r"[!-9;-~]+:[^\S\n]")
_MAIL_HEADERS = {"from", "to", "subject", "date", "message-id", "received", "mime-version", "content-type",
                 "newsgroups", "path", "return-path", "delivered-to"}  # fmt: skip


def ending(name: str) -> str:
    return PurePath(name).suffix.lower()


def kind_of(head: bytes, file: BinaryIO, name: str) -> Kind:
    """What a file is that begins so.

    Raises:
        NotText: if nothing here reads it.
    """
    kind = binary_kind(head, name)
    if kind == ZIP:
        return _kind_of_zip(file)
    return kind or text_kind(first_text(head), name)


def binary_kind(head: bytes, name: str) -> Kind | None:
    """The kind of a file that is no text in itself; None of any other.

    Raises:
        NotText: if nothing here reads such files.
    """
    start = head.lstrip(b"\0\t\n\r \xef\xbb\xbf")[:8]
    if start.startswith(b"%PDF-") or (ending(name) == ".pdf" and b"%PDF-" in head[:1024]):
        return PDF
    kind = next((kind for mark, kind in _HEADS.items() if head.startswith(mark)), None)
    if kind in (BZIP2, None) and head[257:262] == b"ustar":
        return TAR
    if kind is BZIP2 and not (head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")):
        return None
    if kind is None and _begins_arrow_stream(head):
        return ARROW
    refused = next((refused for mark, refused in _REFUSED_HEADS.items() if head.startswith(mark)), None)
    if head[60:68] == _KINDLE:
        refused = "Kindle"
    if refused:
        refused = _OLD_OFFICE.get(ending(name), refused) if refused == "Word" else refused
        raise not_plain(refused)
    return kind


def not_plain(kind: str) -> NotText:
    return NotText(say("{kind} is not plain text; save it as .txt first", kind=kind))


def _begins_arrow_stream(head: bytes) -> bool:
    size = int.from_bytes(head[4:8], "little")
    return head[:4] == b"\xff\xff\xff\xff" and 0 < size < 2**24 and size % 8 == 0


def _kind_of_zip(file: BinaryIO) -> Kind:
    """What a zip is: a book, a document, or an archive of files.

    Raises:
        NotText: if it is damaged, or a document of a kind that nothing here reads.
    """
    try:
        with ZipFile(file) as archive:
            names = set(archive.namelist())
            mimetype = archive.open("mimetype").read(80) if "mimetype" in names else b""
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise NotText(say("a damaged archive")) from error
    if mimetype.startswith(b"application/epub") or "META-INF/container.xml" in names:
        return EPUB
    if mimetype.startswith(b"application/vnd.oasis.opendocument.text"):
        return OPEN_DOCUMENT
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        raise not_plain("OpenDocument")
    if "[Content_Types].xml" in names:
        if "word/document.xml" in names:
            return WORD
        if any(name.startswith(("xl/", "ppt/")) for name in names):
            raise not_plain("Excel" if any(name.startswith("xl/") for name in names) else "PowerPoint")
    return ZIP


def text_kind(text: str, name: str) -> Kind:
    """The kind of a text that begins so; line ends are ``\\n``."""
    suffix = ending(name)
    if suffix not in _OF_ANY_KIND:
        return TEXT
    if _PAGE.match(text):
        return HTML
    if _SUBTITLES.match(text):
        return SUBTITLES
    if text.startswith("From ") and _mail_headers(text.partition("\n")[2]) >= 2:
        return MAILBOX
    if _mail_headers(text) >= 2:
        return MAIL
    if _OBJECT.match(text):
        return _kind_of_json(text, suffix)
    return _ENDINGS.get(suffix, TEXT)


def _mail_headers(text: str) -> int:
    """How many lines of a mail's head a text begins with."""
    known = set[str]()
    for line in text.split("\n"):
        if not (_HEADER.match(line) or (known and line[:1] in (" ", "\t") and line.strip())):
            break
        known |= {line.partition(":")[0].lower()} & _MAIL_HEADERS
    return len(known) if "from" in known else 0


def _kind_of_json(text: str, suffix: str) -> Kind:
    if suffix == ".ipynb" or re.match(r'\s*\{[^{}]*"(cells|nbformat)"\s*:', text):
        return NOTEBOOK
    if suffix in (".jsonl", ".ndjson"):
        return JSON_LINES
    first, _, rest = text.lstrip().partition("\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return JSON
    return JSON_LINES if rest.lstrip()[:1] in ("{", "[") else JSON


def require_library(kind: Kind) -> None:
    """Raise ``NotText`` with the command that brings it if the library that reads a kind is not there."""
    if kind.library and find_spec(kind.library) is None:
        raise NotText(
            say(
                "{kind} is read with {library}, which is not installed: {command}",
                kind=kind.name,
                library=kind.library,
                command="pip install 'tlora-gui[formats]'",
            )
        )
