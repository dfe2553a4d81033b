"""Whether a folder still tells of somebody: an id looked for in all names and all contents.

Not seen are texts that are drawn (in a picture, or letter by letter in a PDF), voxels and numbers
of arrays, and other packings than gzip, zip and PDF's; what is locked by a password is listed, so
that a person looks. In pictures and arrays that a page or a notebook holds, written in base64, no
id is to be read: what stands there as a word does so by chance.
"""

import csv
import gzip
import html
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from clamlab.paths import path_part

CHUNK = 1 << 22
LOOKED_AT = 8000  # bytes that tell a text from other contents: those have a zero among them
IMAGE_HEAD = 1 << 20  # of an image its head may hold text, and what follows are voxels
ARRAY_HEAD = 256
SURE_IN_BYTES = 6  # a shorter text stands in compressed bytes by chance
SURE_LENGTH = 7
# With the bytes that follow every plain letter.
ENCODINGS = {"utf-8": b"", "utf-16-le": b"\0", "utf-32-le": b"\0\0\0", "latin-1": b""}
# Letters that stand for another one, as atoms of a pattern: a word may begin right after them.
_BACKSLASH, _HEX = rb"\\", rb"[0-9a-f]"
ESCAPES = (
    [_BACKSLASH, rb"[nrtbf]"],
    [_BACKSLASH, b"u", *4 * [_HEX]],  # of JSON
    [_BACKSLASH, b"x", *2 * [_HEX]],  # of Python
    [b"%", *2 * [_HEX]],  # of addresses
)
LONGEST_ESCAPE = 6 * 4  # bytes, as UTF-32 writes it
UNOPENED = "(could not be opened)"
# No path and no sentence goes on for so long without a full stop, hyphen, underscore or space.
PACKED = re.compile(rb"[A-Za-z0-9+/]{200,}")
ARRAYS, IMAGES, TABLES = (".npy",), (".nii", ".nii.gz"), (".csv", ".tsv")
BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile)


def is_telling(text: str) -> bool:
    """Tell whether a text, found as a word anywhere, can hardly be there by chance.

    That is one with a letter and a digit, or with seven characters. A short number or word is not:
    contents are full of them.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_telling("S-01"), is_telling("1994-0031"), is_telling("12"), is_telling("ok")
    (True, True, False, False)
    """
    mixed = any(c.isalpha() for c in text) and any(c.isdigit() for c in text)
    return mixed or len(text) >= SURE_LENGTH


def find(
    folder: str | os.PathLike[str], texts: Iterable[str], *, others: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """List the files and folders that hold one of some texts, in their names or contents.

    Looked for are whole words, capital or small, as UTF-8, -16, -32 and Latin-1 write them, plain
    or as JSON, HTML, CSV, addresses and :func:`clamlab.paths.path_part` do; also inside gzip and
    zip files (so .xlsx and .docx), in the texts of PNG and the streams of PDF. A text that is not
    telling (:func:`is_telling`) is looked for as a whole name, and in the columns of tables
    (CSV) that hold ids; one below six characters not in contents that are no text.

    Parameters
    ----------
    folder : path
    texts : iterable of str
        For instance the ids of subjects.
    others : iterable of str
        Texts that are none of these although they may hold one, such as the id ``S1-2``.

    Returns
    -------
    list of (str, str)
        Path within the folder and the text that is there; "(could not be opened)" for a file
        that is damaged or locked, in which nobody has looked.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "notes.txt").write_bytes(gzip.compress(b"seen: SIM007, sim0071"))
    >>> (folder / "sim008").mkdir()
    >>> find(folder, ["sim007", "sim008", "sim0"])
    [('notes.txt', 'sim007'), ('sim008', 'sim008')]
    """
    folder, others = Path(folder), list(others)
    wanted = [_Wanted(text, others) for text in dict.fromkeys(texts)]
    found = []
    for path in sorted(folder.rglob("*")):
        seen = {w.text for w in wanted if w.names(path.name)}
        if path.is_file() and not path.is_symlink():
            seen |= _in_file(path, wanted)
        found += [(path.relative_to(folder).as_posix(), text) for text in sorted(seen)]
    return found


class _Wanted:
    """One text, and the ways in which files write it."""

    def __init__(self, text: str, others: Iterable[str]) -> None:
        self.text, self.telling = text, is_telling(text)
        self.part = path_part(text).lower()
        longer = [other for other in others if text in other and text != other]
        self.forms: dict[bytes, re.Pattern[bytes]] = {}
        for encoding, zeros in ENCODINGS.items():
            around = _encoded([form for other in longer for form in _forms(other)], encoding)
            for form in _encoded(_forms(text), encoding):
                self.forms[form] = _as_word([*around, form], zeros)

    def names(self, name: str) -> bool:
        if not self.telling:
            return self.part in (name.lower(), name.split(".")[0].lower())
        return self.stands_in(os.fsencode(name), is_text=True)

    def stands_in(self, data: bytes, *, is_text: bool) -> bool:
        if not self.telling or (not is_text and len(self.text) < SURE_IN_BYTES):
            return False
        small = data.lower()
        return any(
            form in small and any(m.group() == form for m in pattern.finditer(small))
            for form, pattern in self.forms.items()
        )


def _forms(text: str) -> set[str]:
    """List how a text is written: as it is, and where some letters need a way round."""
    written = {text, path_part(text), quote(text), quote(text, safe=""), html.escape(text)}
    written |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    written |= {text.replace('"', '""'), text.encode("ascii", "xmlcharrefreplace").decode()}
    return written | {way for form in written for way in (form.lower(), form.upper())}


def _encoded(forms: Iterable[str], encoding: str) -> list[bytes]:
    possible = set()
    for form in forms:
        with suppress(UnicodeEncodeError):  # Latin-1 has few letters
            possible.add(form.encode(encoding).lower())
    return sorted(possible, key=len, reverse=True)


def _as_word(forms: list[bytes], wide: bytes) -> re.Pattern[bytes]:
    """Match whole words only; the longer ones first, so that they are not taken for the last."""
    either = b"|".join(map(re.escape, forms))
    escapes = (b"".join(letter + wide for letter in escape) for escape in ESCAPES)
    begins = b"|".join([b"(?<![a-z0-9]%b)" % wide, *(b"(?<=%b)" % escape for escape in escapes)])
    return re.compile(b"(?:%b)(?:%b)(?![a-z0-9]%b)" % (begins, either, wide))


def _in_file(path: Path, wanted: list[_Wanted]) -> set[str]:
    name = path.name.lower()
    if name.endswith(ARRAYS) and not _holds_texts(path):
        return set()
    found = _in_id_columns(path, wanted) if name.endswith(TABLES) else set()
    try:
        with path.open("rb") as file:
            if name.endswith(IMAGES):
                opened = gzip.GzipFile(fileobj=file, mode="rb") if name.endswith(".gz") else file
                return found | _in_stream(io.BytesIO(opened.read(IMAGE_HEAD)), wanted)
            for stream in _opened(file):
                found |= _in_stream(stream, wanted)
    except BROKEN:
        found.add(UNOPENED)
    return found


def _holds_texts(path: Path) -> bool:
    """Tell by its head whether an array is one of texts, or of whatever else is no number."""
    with path.open("rb") as file:
        head = file.read(ARRAY_HEAD)
    return re.search(rb"'descr': '[<>|=][biufc]\d", head) is None


def _in_id_columns(path: Path, wanted: list[_Wanted]) -> set[str]:
    """Look for what is not telling where a cell is nothing but an id."""
    plain = {w.text for w in wanted if not w.telling}
    if not plain:
        return set()
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        head = file.readline()
        delimiter = max(",;\t", key=head.count)
        columns = next(csv.reader([head], delimiter=delimiter), [])
        ids = [i for i, name in enumerate(columns) if name.lower().endswith(("id", "subject"))]
        rows = csv.reader(file, delimiter=delimiter)
        return {row[i].strip() for row in rows for i in ids if i < len(row)} & plain


def _in_stream(stream: BinaryIO, wanted: list[_Wanted]) -> set[str]:
    found: set[str] = set()
    longest = max((len(form) for w in wanted for form in w.forms), default=0)
    longest += LONGEST_ESCAPE
    chunk = stream.read(CHUNK)
    is_text = b"\x00" not in chunk[:LOOKED_AT] or chunk[:2] in (b"\xff\xfe", b"\xfe\xff")
    while chunk:
        seen = PACKED.sub(b" ", chunk) if is_text else chunk
        found |= {w.text for w in wanted if w.stands_in(seen, is_text=is_text)}
        following = stream.read(CHUNK)
        # What lies across two chunks stands whole in the second.
        chunk = chunk[-longest:] + following if following else b""
    return found


def _opened(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield what a file holds: itself, and what is compressed in it, at any depth."""
    head = stream.read(8)
    stream.seek(0)
    yield stream
    stream.seek(0)
    if head.startswith(b"\x1f\x8b"):
        yield from _opened(gzip.GzipFile(fileobj=stream, mode="rb"))  # type: ignore[arg-type]
    elif head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                yield io.BytesIO(member.filename.encode())
                with archive.open(member) as file:
                    yield from _opened(file)  # type: ignore[arg-type]
    elif head.startswith(b"\x89PNG"):
        yield from _texts_of_png(stream)
    elif head.startswith(b"%PDF"):
        yield from _streams_of_pdf(stream)


def _texts_of_png(stream: BinaryIO) -> Iterator[BinaryIO]:
    stream.seek(8)
    while len(start := stream.read(8)) == 8:
        data = stream.read(int.from_bytes(start[:4]))
        stream.read(4)  # check sum
        if start[4:] == b"zTXt":
            yield io.BytesIO(zlib.decompress(data.partition(b"\x00")[2][1:]))
        elif start[4:] == b"iTXt" and data.partition(b"\x00")[2][:1] == b"\x01":
            language_and_text = data.partition(b"\x00")[2][2:]
            yield io.BytesIO(zlib.decompress(language_and_text.split(b"\x00", 2)[2]))


def _streams_of_pdf(stream: BinaryIO) -> Iterator[BinaryIO]:
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", stream.read(), re.DOTALL):
        # Pictures in a PDF are packed in ways of their own.
        try:
            yield io.BytesIO(zlib.decompressobj().decompress(match[1]))
        except zlib.error:
            continue
