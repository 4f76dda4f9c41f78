"""Files that somebody damaged or made to do harm: what a whole one becomes under a random hand.

Every function takes the file's bytes and a ``random.Random``, so a seed says which; one of hypothesis's shrinks.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, ItemsView, Iterator
from random import Random
from typing import Any

Mutate = Callable[[bytes, Random], bytes]

NUMBERS = (
    0, 1, -1, 2, 7, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 10**30, -(2**63),
    0.5, -0.0, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"), 10**400,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "\n", "\ud83d", "\udcff.txt", "a" * 300, "x" * 10**5, "../..", "../outside/kept.txt", "/etc/passwd",
    "/dev/zero", "..\\..\\a", "C:\\a", "~/a", ".", ".lock", "con", "%s%n", "{0}", "{x.__class__}", "<b>a</b>", "\u202e",
    "\U0001f600" * 50, "nan", "1e999", "#12345", "@1", "mixer", "+sum", "__metadata__", "null", "hub/../a", "file:///etc",
)  # fmt: skip


class Twice(dict):  # type: ignore[type-arg]
    """An object in which every name stands twice."""

    def items(self) -> ItemsView[Any, Any]:
        return [*super().items(), *reversed(super().items())]  # type: ignore[return-value]


# -- bytes ------------------------------------------------------------------------------------------------------


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Some bytes flipped, cut, put in, doubled or overwritten with a number such as lengths are."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at = _place(made, random)
        match random.randrange(8):
            case 0:
                made[at : at + 1] = bytes([random.randrange(256)])
            case 1 if made:
                made[min(at, len(made) - 1)] ^= 1 << random.randrange(8)
            case 2:
                del made[at:]
            case 3:
                del made[at : at + random.choice((1, 4, 8, 64, 1024))]
            case 4:
                made[at:at] = random.choice(
                    (bytes(1), b"\xff" * 4, bytes(4096), b"[" * 5000, b'"', b"\n", b"<a>", b"\x80")
                )
            case 5:
                piece = made[at : at + random.choice((4, 32, 512))]
                made[at:at] = piece * random.choice((1, 2, 50))
            case 6:
                other = _place(made, random)
                made[at : at + 16] = made[other : other + 16]
            case _:
                size = random.choice((1, 2, 4, 8))
                number = random.choice(
                    (0, 1, 2**7, 2**15, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1, len(data))
                )
                at -= random.choice((0, at % size))
                made[at : at + size] = (number % 2 ** (8 * size)).to_bytes(size, random.choice(("little", "big")))
    return bytes(made)


def _place(data: bytes | bytearray, random: Random) -> int:
    """Somewhere; the two ends, where sizes and tables stand, as often as all between."""
    size = len(data)
    return random.choice((
        random.randrange(size + 1), random.randrange(min(size, 64) + 1), random.randrange(min(size, 2048) + 1),
        size - random.randrange(min(size, 256) + 1),
    ))  # fmt: skip


# -- JSON -------------------------------------------------------------------------------------------------------


def mutated_json(data: bytes, random: Random) -> bytes:
    """Some values of some JSON of another type, size or name, or its text damaged."""
    text = _written(mutated_value(json.loads(data), random))
    return mutated_bytes(text, random) if random.random() < 0.15 else text


def mutated_lines(data: bytes, random: Random) -> bytes:
    """The same of one or some lines of JSON; lines that are gone, twice, or cut."""
    whole = data.splitlines()
    lines = list(whole)
    for _ in range(random.choice((1, 1, 3))):
        at = random.randrange(len(lines))
        match random.randrange(6):
            case 0:
                lines.insert(at, random.choice(whole))
            case 1:
                lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]
            case _:
                lines[at] = mutated_json(random.choice(whole), random)
    return b"\n".join(lines) + random.choice((b"\n", b"\n", b"", b"\r\n", b"\n\n"))


def mutated_value(value: Any, random: Random) -> Any:
    """A copy of what JSON holds with some of it changed."""
    whole = [copy.deepcopy(value)]
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        parent, key = random.choice(list(_places(whole)))
        _change(parent, key, random)
    return whole[0]


def _places(whole: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Everything that can be changed, as what holds it and its name or number there; of long lists some."""
    waiting: list[Any] = [whole]
    while waiting:
        parent = waiting.pop()
        keys = list(parent) if isinstance(parent, dict) else sorted({*range(len(parent))[:4], *range(len(parent))[-2:]})
        for key in keys:
            yield parent, key
            if isinstance(parent[key], dict | list):
                waiting.append(parent[key])


def _change(parent: Any, key: Any, random: Random) -> None:
    old = parent[key]
    match random.randrange(14):
        case 0 | 1:
            parent[key] = random.choice(NUMBERS)
        case 2 | 3:
            parent[key] = random.choice(TEXTS)
        case 4:
            parent[key] = random.choice((None, True, False, [], {}, [[]], [None], {"a": 1}, {"": {}}, [[[["a"]]]]))
        case 5 if isinstance(parent, dict) or len(parent) > 1:
            del parent[key]
        case 6 if isinstance(parent, dict):
            parent[random.choice(TEXTS)] = parent.pop(key)
        case 7 if isinstance(parent, dict):
            parent[random.choice((*TEXTS, "further"))] = random.choice((*NUMBERS, *TEXTS, None))
        case 8 if isinstance(old, list) and old:
            parent[key] = old * random.choice((2, 3, 2 + 2000 // len(old)))
        case 9 if isinstance(old, str):
            parent[key] = random.choice((old + random.choice(TEXTS), random.choice(TEXTS) + old, old[:-1], old.upper()))
        case 10 if isinstance(old, dict):
            parent[key] = Twice(old)
        case 11:
            for _ in range(random.choice((1, 3, 400))):
                old = [old]
            parent[key] = old
        case 12 if isinstance(old, dict) and len(old) > 1:
            one, other = random.sample(list(old), 2)
            old[one], old[other] = old[other], old[one]
        case _ if type(old) in (int, float) and abs(old) < 1e300:
            parent[key] = random.choice((old + 1, old - 1, -old, old * 1000, str(old), float(old), old + 0.5))
        case _:
            parent[key] = [old, old]


def _written(value: Any) -> bytes:
    """As JSON, with what a hand may write beside: NaN, halves of pairs, every name twice."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 10**5


# -- what wraps JSON and text -------------------------------------------------------------------------------------


def mutated_safetensors(data: bytes, random: Random) -> bytes:
    """Its header changed as JSON, with the length that it has then; or any bytes."""
    if random.random() < 0.3:
        return mutated_bytes(data, random)
    (size,) = struct.unpack("<Q", data[:8])
    header = mutated_json(data[8 : 8 + size], random)
    body = data[8 + size :]
    if random.random() < 0.2:
        body = mutated_bytes(body, random)
    return struct.pack("<Q", len(header) if random.random() < 0.9 else random.randrange(2**64)) + header + body


def mutated_zip(data: bytes, random: Random) -> bytes:
    """A member changed, renamed or doubled and packed again; or any bytes."""
    if random.random() < 0.4:
        return mutated_bytes(data, random)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        names = old.namelist()
        chosen = random.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen:
                match random.randrange(5):
                    case 0:
                        name = random.choice(("../outside/a.txt", "/a.txt", "a/../../b.txt", "", "a" * 300, "\0"))
                    case 1:
                        continue
                    case 2:
                        content *= random.choice((2, 50))
                    case 3 if name.endswith(".json"):
                        content = mutated_json(content, random)
                    case _:
                        content = mutated_bytes(content, random)
            entry = zipfile.ZipInfo(name or "none")
            entry.filename = entry.filename if name else ""
            made.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def mutated_gzip(data: bytes, random: Random) -> bytes:
    """What it holds changed and packed again; or any bytes."""
    if random.random() < 0.5:
        return mutated_bytes(data, random)
    return gzip.compress(mutated_bytes(gzip.decompress(data), random), mtime=0)
