"""Tables: each row is a document. CSV, JSON, JSON lines, Parquet and Arrow, notebooks; a piece at a time."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from tlora_gui.engine.corpus.decoding import NotText
from tlora_gui.engine.corpus.readers.input import LONGEST, ChatTemplate, Document, Input, lines
from tlora_gui.engine.protocol.sentences import commas, say

Row = dict[str, Any]

_NAMES = ("text", "content", "body", "document", "article", "story", "passage", "markdown", "transcript", "review",
          "post", "comment", "code", "abstract", "sentence")  # fmt: skip
_CHATS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat")
_ASKED = ("prompt", "instruction", "question", "query")
_ANSWERED = ("response", "completion", "output", "answer", "chosen")
_FURTHER = ("input", "context")
_TOOLS = ("tool", "function")
"""Roles of what no person and no model says."""
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}
_SAMPLE_ROWS, _SAMPLE_SIZE = 200, 2**22
_BATCH = 256
_WHOLE = 2**28
"""Characters of a JSON file that is one object at most."""
_HEADING = re.compile(r"[^\W\d][\w .:/#()%-]{0,63}")

csv.field_size_limit(LONGEST)


class OtherJson(Exception):
    """JSON that is no table: settings and the like, or not quite JSON."""


# -- rows -------------------------------------------------------------------------------------------------------


def _documents(given: Input, rows: Iterable[object]) -> Iterator[Document]:
    """A document of each row that has text."""
    damage = list[Exception]()
    numbered = enumerate(map(_as_row, _up_to_damage(rows, damage)), 1)
    sample, size = list[tuple[int, Row | None]](), 0
    for number, row in islice(numbered, _SAMPLE_ROWS):
        sample.append((number, row))
        if (size := size + len(repr(row)) if size < _SAMPLE_SIZE else _SAMPLE_SIZE) == _SAMPLE_SIZE:
            break
    text_of, templated = _chosen(given, [row for _, row in sample if row])
    lost = 0
    for number, row in chain(sample, numbered):
        text = text_of(row) if row else None
        if text is None:
            lost += 1
        elif text.strip():
            yield Document(f"{given.label}:{number}", iter([text]), templated)
    if lost:
        given.remark(say("{count:,} rows cannot be read or have no text", count=lost))
    if damage:
        raise damage[0]


def _up_to_damage(rows: Iterable[object], damage: list[Exception]) -> Iterator[object]:
    try:
        yield from rows
    except Exception as error:  # raised again once these rows are read  # noqa: BLE001
        damage.append(error)


def _as_row(value: object) -> Row | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"": value}
    if isinstance(value, list):
        return {str(number): each for number, each in enumerate(value, 1)}
    return None


def _chosen(given: Input, sample: list[Row]) -> tuple[Callable[[Row], str | None], bool]:
    """What gives a row's text, and whether it is made by the backbone's chat template.

    Raises:
        NotText: if there is no text, or no column of the name that was chosen.
    """
    names = dict.fromkeys(name for row in sample for name in row)
    if not names:
        return lambda row: None, False
    if given.column:
        if given.column not in names:
            known = commas(list(names)[:20])
            raise NotText(say("has no column {name}; it has {known}", name=given.column, known=known))
        is_chat = any(_messages(row.get(given.column)) for row in sample)
        return _chat_of(given.column, given.chat) if is_chat else _text_of(given.column), is_chat and bool(given.chat)
    by_name = {name.lower().strip(): name for name in reversed(names)}
    for chat in _CHATS:
        if chat in by_name and any(_messages(row.get(by_name[chat])) for row in sample):
            return _chat_of(by_name[chat], given.chat), given.chat is not None
    amounts: dict[str | None, int] = {
        name: sum(len(v) for row in sample if isinstance(v := row.get(name), str)) for name in names
    }

    def first(known: tuple[str, ...]) -> str | None:
        return next((by_name[name] for name in known if amounts.get(by_name.get(name))), None)

    named, asked, answered = first(_NAMES), first(_ASKED), first(_ANSWERED)
    if named is None and asked is not None and answered is not None:
        return _exchange_of(asked, first(_FURTHER), answered, given.chat), given.chat is not None
    column = named if named is not None else max(names, key=amounts.__getitem__, default="")
    if not amounts.get(column):
        raise NotText(say("has no column of text"))
    if len(names) > 1:
        given.remark(say("its column {name} is read", name=column))
    return _text_of(column), False


def _text_of(column: str) -> Callable[[Row], str | None]:
    def read(row: Row) -> str | None:
        value = row.get(column)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return "\n".join(value)
        return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None

    return read


def _chat_of(column: str, template: ChatTemplate | None) -> Callable[[Row], str | None]:
    return lambda row: _told(_messages(row.get(column)), template)


def _exchange_of(
    asked: str, further: str | None, answered: str, template: ChatTemplate | None
) -> Callable[[Row], str | None]:
    def read(row: Row) -> str | None:
        question, more, answer = row.get(asked), row.get(further) if further else "", row.get(answered)
        if not isinstance(question, str) or not isinstance(answer, str):
            return None
        question = f"{question}\n\n{more}" if isinstance(more, str) and more.strip() else question
        return _told([{"role": "user", "content": question}, {"role": "assistant", "content": answer}], template)

    return read


def _messages(value: object) -> list[dict[str, str]]:
    """The messages of a chat, each with a role and a content; none if it is no chat. A turn that calls a tool says
    nothing."""
    found = []
    for each in value if isinstance(value, list) else ():
        if not isinstance(each, dict):
            return []
        role, content = each.get("role", each.get("from")), each.get("content", each.get("value"))
        if isinstance(content, list):  # parts, of which only texts are read
            content = "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and part.get("text"))
        if isinstance(role, str) and content is None:
            continue
        if not isinstance(role, str) or not isinstance(content, str):
            return []
        found.append({"role": _ROLES.get(role, role), "content": content})
    return found


def _told(messages: list[dict[str, str]], template: ChatTemplate | None) -> str | None:
    if not messages:
        return None
    if template is None:
        return "\n\n".join(f"{each['role']}: {each['content']}" for each in messages)
    spoken = [each for each in messages if each["role"] not in _TOOLS]
    for said in (messages, spoken):
        with suppress(Exception):  # a template raises what its author thought of, on roles that do not take turns
            return template(said)
    return None


# -- CSV --------------------------------------------------------------------------------------------------------


def read_csv(given: Input) -> Iterator[Document]:
    yield from _documents(given, _csv_rows(given))


def _csv_rows(given: Input) -> Iterator[Row]:
    text = lines(given.text())
    begun = list(islice(text, 1))
    while begun and not begun[0].strip():
        begun = list(islice(text, 1))
    delimiter = max(",\t;|", key=lambda sign: begun[0].count(sign)) if begun else ","
    over = list[bool]()

    def fed() -> Iterator[str]:
        yield from (f"{line}\n" for line in chain(begun, text))
        over.append(True)

    reader = csv.reader(fed(), delimiter=delimiter)
    records: Iterator[list[str]] = reader
    first = next(records, [])
    heading = [cell.strip() for cell in first]
    is_heading = all(map(_HEADING.fullmatch, heading)) and len(set(heading)) == len(heading)
    if is_heading and len(heading) == 1:
        is_heading = heading[0].lower() in (*_NAMES, given.column.lower())
    if not is_heading:
        heading = [str(number) for number in range(1, len(first) + 1)]
        records = chain([first], records)
    line = reader.line_num if is_heading else 0
    for record in records:
        if over:  # the reader wanted more of this record
            given.remark(
                say("a quotation mark in line {line:,} is never closed: what follows is one cell", line=line + 1)
            )
        line = reader.line_num
        if record:
            yield dict(zip(heading, record, strict=False))


# -- JSON -------------------------------------------------------------------------------------------------------


def read_json_lines(given: Input) -> Iterator[Document]:
    def rows() -> Iterator[object]:
        for line in lines(given.text()):
            if line.strip():
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError):
                    yield None

    yield from _documents(given, rows())


def read_json(given: Input) -> Iterator[Document]:
    """The rows of an array, of the array that an object holds, or of objects one after the other.

    Raises:
        OtherJson: if it is nothing of that.
    """
    values = _values(given.text())
    try:
        in_array, first = next(values), next(values, None)
        begun = [first] if in_array else [first, *islice(values, 1)]
    except (ValueError, RecursionError, StopIteration) as error:
        raise OtherJson from error
    if not in_array and len(begun) == 1 and isinstance(first, dict):
        begun = _rows_in(first)
    if _as_row(first) is None:
        raise OtherJson
    yield from _documents(given, chain(begun, values))


def _rows_in(whole: Row) -> list[Any]:
    """The longest list of rows that an object holds, else itself if it has a text. Raises ``OtherJson`` if neither."""
    lists = [value for value in whole.values() if isinstance(value, list) and any(isinstance(v, dict) for v in value)]
    if any(_messages(whole.get(name)) for name in _CHATS) or any(isinstance(whole.get(name), str) for name in _NAMES):
        return [whole]
    if lists:
        return max(lists, key=len)
    raise OtherJson


def _values(pieces: Iterator[str]) -> Iterator[Any]:
    """Whether it is an array, then its items, or the values that follow each other.

    Raises:
        ValueError: where it breaks off.
    """
    decoder = json.JSONDecoder()
    buffer, at, wanted, whole = "", 0, 1, False
    in_array: bool | None = None
    while True:
        while not whole and len(buffer) - at < wanted:
            piece = next(pieces, None)
            whole = piece is None
            buffer, at = buffer[at:] + (piece or ""), 0
        at = _BETWEEN[bool(in_array)].match(buffer, at).end()  # type: ignore[union-attr]
        if at == len(buffer):
            if whole:
                return
            wanted = 1
        elif in_array is None:
            in_array = buffer[at] == "["
            yield in_array
            at += in_array
        elif in_array and buffer[at] == "]":
            return
        else:
            try:
                value, end = decoder.raw_decode(buffer, at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(buffer) - 16
                if whole or not cut or len(buffer) - at > _WHOLE:
                    raise
                wanted = 2 * (len(buffer) - at) + 1
                continue
            if end == len(buffer) and not whole:  # a number may go on
                wanted = len(buffer) - at + 1
                continue
            yield value
            at, wanted = end, 1


_BETWEEN = (re.compile(r"\s*"), re.compile(r"[\s,]*"))


def read_notebook(given: Input) -> Iterator[Document]:
    """Its texts and its code, not what the code gave."""
    text = "".join(islice(given.text(), _WHOLE // 2**20))
    try:
        notebook = json.loads(text)
        sheets = notebook.get("worksheets") or [notebook]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells if cell.get("cell_type") != "raw"]
        texts = [source if isinstance(source, str) else "".join(map(str, source)) for source in sources]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise NotText(say("a damaged notebook")) from error
    yield Document(given.label, iter(["\n\n".join(filter(str.strip, texts))]))


# -- Parquet and Arrow ------------------------------------------------------------------------------------------


def read_parquet(given: Input) -> Iterator[Document]:
    from pyarrow import parquet, types

    table = parquet.ParquetFile(given.randomly(), pre_buffer=False, buffer_size=2**20)
    readable = (types.is_string, types.is_large_string, types.is_dictionary, types.is_list, types.is_large_list)
    columns = [each.name for each in table.schema_arrow if any(is_one(each.type) for is_one in readable)]
    if given.column in table.schema_arrow.names:
        columns = [given.column]
    yield from _documents(given, _batched(table.iter_batches(batch_size=_BATCH, columns=columns)))


def read_arrow(given: Input) -> Iterator[Document]:
    from pyarrow import ipc

    is_file = given.head(6) == b"ARROW1"
    file = given.randomly()
    if is_file:
        table = ipc.open_file(file)
        batches: Any = (table.get_batch(index) for index in range(table.num_record_batches))
    else:
        batches = ipc.open_stream(file)
    yield from _documents(given, _batched(batches))


def _batched(batches: Iterable[Any]) -> Iterator[Row]:
    for batch in batches:
        for start in range(0, batch.num_rows, _BATCH):
            yield from batch.slice(start, _BATCH).to_pylist()
