"""Damages of tables, workbooks and JSON."""

import io
import json
import random
import struct
import zipfile
from typing import Any

from studies.damage.kinds import Change, Damages, anywhere, flips, instead, only, put

TEXT = b"urn:oasis:names:tc:opendocument:xmlns:text:1.0"
ROW, ROW_END, CELL = b"<table:table-row", b"</table:table-row>", b"<table:table-cell"
SPANNED = b' table:number-rows-spanned="1000000000"'
MERGED_ALL = b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
LINKED_ALL = b'</sheetData><hyperlinks><hyperlink ref="A1:XFD1048576"/></hyperlinks>'


def csv(whole: bytes) -> Damages:
    """Yield what may have become of text with commas."""
    yield from anywhere(whole)
    end = whole.index(b"\n", len(whole) // 2) + 1
    first, second = whole.split(b"\n")[0].split(b",")[:2]

    def with_line(line: bytes) -> Change:
        return lambda data: data[:end] + line + data[end:]

    yield "structure", "a row with cells too many", with_line(b"S99" + b",1" * 20 + b"\n")
    yield "structure", "an open quote", with_line(b'"')
    yield "structure", "half of a letter", with_line(b"S98\xe2\x82,1\n")
    yield "bomb", "one cell of 2 MB", with_line(b'"' + b"x" * 2_000_000 + b'",1\n')
    yield "structure", "zero bytes", instead(b"S0", b"S\0")
    yield "structure", "UTF-16", only(whole.decode().encode("utf-16"))
    yield "structure", "a column twice", instead(second, first)
    yield "structure", "no header", only(whole[whole.index(b"\n") + 1 :])


def binary(whole: bytes) -> Damages:
    """Yield what may have become of formats whose fields are not known here."""
    yield from anywhere(whole)
    rng = random.Random(2)
    for i in range(12):
        at = rng.randrange(min(600, len(whole) - 4))
        yield "a header's field", f"{i}: greatest at byte {at}", put(at, b"\xff\xff\xff\x7f")


def workbook(whole: bytes) -> Damages:
    """Yield what may have become of a ZIP archive with a sheet."""
    yield from anywhere(whole)
    yield from flips(whole, 14)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        main = next(n for n in archive.namelist() if n.endswith(("sheet1.xml", "content.xml")))
        text = archive.read(main)
    yield "structure", "a member gone", _with_member(main, None)
    yield "structure", "no XML", _with_member(main, b"nothing")
    yield "structure", "half of the XML", _with_member(main, text[: len(text) // 2])
    far, many = b'<text:p xmlns:text="%b">x</text:p>' % TEXT, b':number-%b-repeated="%d"'
    cells = CELL + b" table" + many % (b"columns", 2_000_000_000) + b">" + far
    entity = b'<!DOCTYPE a [<!ENTITY a "%b">]><a>' % (b"x" * 100_000)
    bombs = {
        "60 MB of blanks": text + b" " * 60_000_000,
        "400 MB of zeros": bytes(400_000_000),
        "rows without end": text.replace(b"</sheetData>", b"<row/>" * 1_500_000 + b"</sheetData>"),
        "nested without end": b"<a>" * 3_000_000,
        "a cell far away": text.replace(b'r="D9"', b'r="XFD1048576"'),
        "a cell beside all": text.replace(b'r="D9"', b'r="XFD9"'),
        "all is merged": text.replace(b"</sheetData>", MERGED_ALL),
        "all is one link": text.replace(b"</sheetData>", LINKED_ALL),
        "cells merged without end": text.replace(CELL, CELL + SPANNED, 1),
        "cells repeated": text.replace(ROW_END, cells + b"</table:table-cell>" + ROW_END, 1),
        "rows repeated": text.replace(ROW, ROW + b" table" + many % (b"rows", 4_000_000)),
        "entities": entity + b"&a;" * 100_000 + b"</a>",
    }
    for name, content in bombs.items():
        if content != text:
            yield "bomb", name, _with_member(main, content)


def _with_member(name: str, new: bytes | None) -> Change:
    """Pack a workbook with another member, or without it."""

    def change(data: bytes) -> bytes:
        made = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(data)) as old,
            zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed,
        ):
            for member in old.namelist():
                content = new if member == name else old.read(member)
                if content is not None:
                    packed.writestr(member, content)
        return made.getvalue()

    return change


def json_object(whole: bytes) -> Damages:
    """Yield what may have become of a JSON object."""
    yield from anywhere(whole)
    value = json.loads(whole)
    for text in (b"[]", b"null", b'"text"', b"7", b"{}x", b"\xff\xfe{\0}\0", b'{"a": \xff}'):
        yield "structure", repr(text), only(text)
    first = json.dumps(next(iter(value))).encode()
    yield "structure", "a name twice", only(b"{%b: 1,%b" % (first, whole.lstrip()[1:]))
    yield "bomb", "nested lists", only(b'{"a":' + b"[" * 1_000_000)
    yield "bomb", "nested braces", only(b'{"a":' * 200_000)
    yield "bomb", "2 MB of lists", only(b'{"a":[' + b"[]," * 650_000 + b"[]]}")
    yield "bomb", "60 MB of lists", only(b'{"a":[' + b"[]," * 20_000_000 + b"[]]}")
    yield "bomb", "a number of 1 MB", only(b'{"a":' + b"9" * 1_000_000 + b"}")
    rng = random.Random(len(whole))
    others: list[Any] = [None, [], {}, "text", -1, 1e300, [[1]], True, 10**12]
    for i in range(14):
        other = rng.choice(others)
        changed = json.dumps(_with_part(value, random.Random(i), other)).encode()
        yield "a part of another kind", f"{i}: {other!r}", only(changed)


def _with_part(value: Any, rng: random.Random, other: Any) -> Any:
    """Put something else in the place of one part."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return other
    key = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    changed = value.copy()
    changed[key] = _with_part(value[key], rng, other)
    return changed


def safetensors(whole: bytes) -> Damages:
    """Yield what may have become of named arrays, which begin with a JSON object."""
    yield from anywhere(whole, values=False)
    (length,) = struct.unpack("<Q", whole[:8])
    header, rest = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    name = next(n for n in header if n != "__metadata__")

    def with_header(text: bytes) -> Change:
        return only(struct.pack("<Q", len(text)) + text + rest)

    entries: dict[str, dict[str, Any]] = {
        "rows": {"shape": [99, 99]}, "8 GB": {"shape": [2**31]}, "minus": {"shape": [-1]},
        "no shape": {"shape": None}, "other numbers": {"dtype": "F64"}, "none": {"dtype": "X9"},
        "an end before the start": {"data_offsets": [8, 0]}, "one place": {"data_offsets": [0]},
        "far": {"data_offsets": [0, 2**62]}, "half": {"data_offsets": [0, 2]},
    }  # fmt: skip
    for what, entry in entries.items():
        told = {**header, name: {**header[name], **entry}}
        yield "a header's field", what, with_header(json.dumps(told).encode())
    text = json.dumps(header).encode()
    less = json.dumps({n: entry for n, entry in header.items() if n != name}).encode()
    for what, damaged in {
        "a name twice": text[:-1] + b"," + text[1:], "a name less": less, "a list": b"[]",
        "no JSON": b"{nothing", "no UTF-8": b'{"\xff": 1}', "texts for entries": b'{"a": "b"}',
    }.items():  # fmt: skip
        yield "structure", what, with_header(damaged)
    for size in (0, 7, 2**31, 2**62, 2**64 - 1):
        yield "a header's field", f"length {size}", put(0, struct.pack("<Q", size))
    yield "bomb", "nested", with_header(b'{"a":' + b"[" * 1_500_000)
    yield "bomb", "many lists", with_header(b'{"a":[' + b"[]," * 600_000 + b"[]]}")
    yield "bomb", "a header of 60 MB", with_header(b'{"a":[' + b"[]," * 20_000_000 + b"[]]}")
