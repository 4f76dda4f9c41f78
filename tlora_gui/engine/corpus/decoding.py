"""The bytes of a file -> its text: which encoding it has, and whether it is text at all."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, NamedTuple

from charset_normalizer import from_bytes

from tlora_gui.engine.protocol.sentences import say

SNIFF = 8192
"""Bytes from which an encoding is recognised."""

_MARKS = (  # the mark of UTF-32 LE begins with that of UTF-16 LE, so it comes first
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_UNMARKED = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "cp932"]
_CODE_PAGES += ["euc_jp", "gb18030", "big5", "cp949"]
_DECLARED = {*_CODE_PAGES, *(f"iso8859_{part}" for part in range(1, 17)), "shift_jis", "euc_kr", "gbk", "gb2312"}
_DECLARED |= {"koi8_u", "cp866", "cp1258", "cp874", "big5hkscs", "mac_roman", "iso2022_kr"}
_CONTROLS = r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]"
_CONTROL_CHARACTER = re.compile(_CONTROLS[:-1] + r"\x80-\x84\x86-\x9f]")
_CONTROL_BYTE = re.compile(_CONTROLS.encode())
_OTHER_LINE_ENDS = re.compile("\r+\n|[\r\x85\u2028\u2029]")
_HALVES = re.compile("[\ud800-\udfff]")
_BULK = 0.01
_PIECE = 2**20
_COMMON = {*map(chr, range(0x20, 0x7F)), *"\t\n\r\u3000、。\uff0c\uff01\uff1f"}


class NotText(Exception):
    """Bytes that no text has, or that cannot be read; its message is the reason that a person reads."""


def recognise(head: bytes) -> str | None:
    """The Unicode encoding of a file that begins with ``head``; None for a code page, or damaged UTF-8.

    Raises:
        NotText: if it is binary.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if any(switch in head for switch in (b"\x1b$B", b"\x1b$@", b"\x1b(J")):
        return "iso2022_jp"
    plain = b"\0" not in head
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        found = "utf-8" if plain else None
    except UnicodeDecodeError:
        found = None
    found = found or next(filter(lambda encoding: _unmarked(head, encoding), _UNMARKED), None)
    if found is None and not plain:
        raise NotText(say("binary, not text"))
    if found in ("utf-8", None):
        refuse_controls(head)
    return found


def first_text(head: bytes) -> str:
    """A file's beginning as text, code pages as Latin-1. Raises ``NotText`` if it is binary."""
    encoding = recognise(head) or "latin-1"
    return tidy(codecs.getincrementaldecoder(encoding)(errors="replace").decode(head))


def refuse_controls(raw: bytes) -> None:
    """Raise ``NotText`` if bytes of an encoding that keeps ASCII hold control characters in bulk."""
    if len(_CONTROL_BYTE.findall(raw)) > _BULK * len(raw):
        raise NotText(say("binary, not text"))


def _unmarked(head: bytes, encoding: str) -> bool:
    """Whether bytes without a mark read as text in this encoding.

    Other bytes can decode too, to characters of many scripts, unassigned ones among them; what people write has spaces,
    line ends or punctuation, and those have bytes that no text of a code page has.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) < SNIFF)
    except UnicodeDecodeError:
        return False
    kinds = Counter(map(unicodedata.category, text))
    strange = kinds["Cn"] + kinds["Co"] + len(_CONTROL_CHARACTER.findall(text))
    rows = Counter("cjk" if "一" <= c <= "鿿" else "hangul" if "가" <= c <= "힣" else str(ord(c) >> 8) for c in text)
    common = sum(c in _COMMON for c in text)
    few_scripts = sum(count for _, count in rows.most_common(5)) >= 0.9 * len(text)
    return 0 < len(text) <= 100 * common and (not strange or (few_scripts and strange <= 0.02 * len(text)))


class Encoding(NamedTuple):
    """How a file's bytes become its text, and remarks on what is unusual about that."""

    name: str
    remarks: list[str]


def examine(file: BinaryIO, declared: str = "") -> Encoding:
    """Read a file once, a piece at a time, to find its encoding.

    Args:
        file: seekable, read from its beginning.
        declared: the encoding that it says it has, believed where it is not Unicode.

    Raises:
        NotText: if it is binary, or in no encoding that is known here.
    """
    file.seek(0)
    head = file.read(SNIFF)
    found = recognise(head)
    tally = _Tally()
    try:
        for text in _pieces(file, found or "utf-8", "strict"):
            tally.add(text)
        name, remarks = found or "utf-8", list[str]()
        if found not in (None, "utf-8"):
            remarks.append(say("read as {encoding}", encoding=_name(found)))
    except UnicodeDecodeError as error:
        reached = file.tell() - len(error.object) + error.start
        name, remark = _examine_damaged(file, found, reached, declared)
        remarks, tally = [remark], _Tally()
        for text in _pieces(file, name):
            tally.add(text)
    if tally.controls > _BULK * tally.characters:
        raise NotText(say("binary, not text"))
    if tally.nuls:
        remarks.append(say("{count:,} NUL characters left out", count=tally.nuls))
    return Encoding(name, remarks)


def read_decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The tidy text of a file from its beginning, in pieces of a million characters at most."""
    return tidied(_pieces(file, encoding))


def decoded(raw: bytes, declared: str = "") -> str:
    """The tidy text of some bytes. Raises as :func:`examine`."""
    file = BytesIO(raw)
    return "".join(read_decoded(file, examine(file, declared).name))


def tidied(pieces: Iterable[str]) -> Iterator[str]:
    """Each piece of a text tidy, as if the whole had been."""
    held = ""
    for piece in pieces:
        piece = held + piece
        ended = len(piece.rstrip("\r"))
        ended = ended if len(piece) - ended < SNIFF else len(piece)  # a line end can be cut in two
        held = piece[ended:]
        yield tidy(piece[:ended])
    yield tidy(held)


def tidy(text: str) -> str:
    """A text without what its file's history left in it: other line ends than ``\\n``, marks of encoding, NULs, halves
    of characters.
    """
    if _OTHER_LINE_ENDS.search(text):
        text = _OTHER_LINE_ENDS.sub("\n", text)
    if not text.isascii() and _HALVES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\ufeff", "").replace("\0", "")


def _pieces(file: BinaryIO, encoding: str, errors: str = "replace") -> Iterator[str]:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    while raw := file.read(_PIECE):
        yield decoder.decode(raw)
    yield decoder.decode(b"", final=True)


@dataclass(slots=True)
class _Tally:
    """What a text is made of, in characters."""

    characters: int = 0
    foreign: int = 0
    damaged: int = 0
    controls: int = 0
    nuls: int = 0

    def add(self, text: str) -> None:
        self.characters += len(text)
        if not text.isascii():
            self.foreign += len(text) - len(text.encode("ascii", "ignore"))
            self.damaged += text.count("\ufffd")
        self.controls += len(_CONTROL_CHARACTER.findall(text))
        self.nuls += text.count("\0")


def _name(encoding: str) -> str:
    return encoding.removesuffix("-le").removesuffix("-be").upper()


def _examine_damaged(file: BinaryIO, found: str | None, reached: int, declared: str) -> tuple[str, str]:
    """The encoding of a file in a code page, or with damaged characters, of which the first is near byte ``reached``;
    and what was done.
    """
    unicode = found if found in _UNMARKED else "utf-8"
    tally = _Tally()
    for text in _pieces(file, unicode):
        tally.add(text)
    if unicode != "utf-8" or tally.foreign > 5 * tally.damaged:
        return unicode, say(
            "{encoding} with {count:,} damaged characters", encoding=_name(unicode), count=tally.damaged
        )
    controls = size = 0
    file.seek(0)
    while raw := file.read(_PIECE):
        controls, size = controls + len(_CONTROL_BYTE.findall(raw)), size + len(raw)
    if controls > _BULK * size:
        raise NotText(say("binary, not text"))
    file.seek(max(0, reached - 2**17))
    guess = _known(declared) or _guess_code_page(file.read(2**18))
    return guess, say("not UTF-8; read as {encoding}", encoding=guess)


def _known(declared: str) -> str:
    """The encoding that a file declares, if it is a code page that is known here."""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return ""
    if name == "iso8859-1":  # what pages call so is its superset, as browsers know
        return "cp1252"
    return name if name.replace("-", "_") in _DECLARED else ""


def _guess_code_page(raw: bytes) -> str:
    """A code page for bytes that are not UTF-8.

    Its neighbours differ from cp1252 in a few letters only and come first by chance, so cp1252 is taken where it is
    nearly as good as the best (limits tried on 14 languages of Latin script; Hungarian, Romanian and Lithuanian lose).

    Raises:
        NotText: if none fits.
    """
    found = from_bytes(raw, cp_isolation=_CODE_PAGES)
    best = found.best()
    if best is None:
        raise NotText(say("in an encoding that is not known here, or binary; save it as UTF-8"))
    western = next((match for match in found if "cp1252" in match.could_be_from_charset), None)
    if western and western.chaos <= best.chaos + 0.09 and western.coherence >= best.coherence - 0.05:
        return "cp1252"
    return best.encoding
