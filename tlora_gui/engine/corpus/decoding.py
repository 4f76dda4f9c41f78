"""The bytes of a file -> its text: which encoding it has, and whether it is text at all."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter

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
_CONTROLS = r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]"
_CONTROL_CHARACTER = re.compile(_CONTROLS[:-1] + r"\x80-\x84\x86-\x9f]")
_CONTROL_BYTE = re.compile(_CONTROLS.encode())
_OTHER_LINE_ENDS = re.compile("\r+\n|[\r\x85\u2028\u2029]")
_BULK = 0.01
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


def decode(raw: bytes, cut: bool = False) -> tuple[str, list[str]]:
    """The text of a file, with its line ends as ``\\n``, and remarks on what was unusual.

    Args:
        raw: its bytes.
        cut: whether the file goes on beyond them, so that they may end within a character.

    Raises:
        NotText: if it is binary, or in no encoding that is known here.
    """
    encoding = recognise(raw[:SNIFF])
    remarks: list[str] = []
    try:
        text = codecs.getincrementaldecoder(encoding or "utf-8")().decode(raw, final=not cut)
        if encoding not in ("utf-8", None):
            remarks.append(say("read as {encoding}", encoding=_name(encoding)))
    except UnicodeDecodeError as error:
        text, remark = _decode_damaged(raw, encoding, error.start)
        remarks.append(remark)
    if len(_CONTROL_CHARACTER.findall(text)) > _BULK * len(text):
        raise NotText(say("binary, not text"))
    if nuls := text.count("\0"):
        remarks.append(say("{count:,} NUL characters left out", count=nuls))
    return tidy(text), remarks


def tidy(text: str) -> str:
    """A text without what its file's history left in it: other line ends than ``\\n``, marks of encoding, NULs."""
    if _OTHER_LINE_ENDS.search(text):
        text = _OTHER_LINE_ENDS.sub("\n", text)
    return text.replace("\ufeff", "").replace("\0", "")


def _name(encoding: str) -> str:
    return encoding.removesuffix("-le").removesuffix("-be").upper()


def _decode_damaged(raw: bytes, encoding: str | None, start: int) -> tuple[str, str]:
    """A text in a code page, or with damaged characters, of which the first is at ``start``; and what was done."""
    unicode = encoding if encoding in _UNMARKED else "utf-8"
    text = raw.decode(unicode, errors="replace")
    damaged = text.count("\ufffd")
    if unicode != "utf-8" or len(text) - len(text.encode("ascii", "ignore")) > 5 * damaged:
        return text, say("{encoding} with {count:,} damaged characters", encoding=_name(unicode), count=damaged)
    refuse_controls(raw)
    start = max(0, start - 2**17)
    guess = _guess_code_page(raw[start : start + 2**18])
    return raw.decode(guess, errors="replace"), say("not UTF-8; read as {encoding}", encoding=guess)


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
