"""What a file is, by what lies in it: names of files lie, and many programs open by name only."""

import zipfile
from pathlib import Path

from clamlab.io import FileError, room_for

# Every kind that is read, and what it is called.
KINDS = {
    "text": "text with separators (CSV)",
    "xlsx": "an Excel workbook",
    "xls": "an Excel workbook of before 2007",
    "ods": "an OpenDocument spreadsheet",
    "sav": "an SPSS file",
    "dta": "a Stata file",
    "sas7bdat": "a SAS data set",
    "xpt": "a SAS transport file",
}
_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".tab", ".dat", ".psv", ""), "text"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx"), "xlsx"),
    **dict.fromkeys((".xls", ".xlt"), "xls"),
    ".ods": "ods", ".sav": "sav", ".dta": "dta", ".sas7bdat": "sas7bdat", ".xpt": "xpt",
}  # fmt: skip
AS_XLSX = "open it in the program it comes from, and save it as .xlsx or .csv"
_UNPACKED = 1_000_000_000  # bytes that a workbook may unpack to
_WIDEST = 200  # times that it may be greater than packed, once it is great
_GREAT = 500_000  # bytes
_GROWS = 10  # times the room of its text that a table takes
_START = 4096

# How files of other kinds begin, and what they are.
_FOREIGN = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\x1f\x8b", "a file packed with gzip"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"RDX", "an R workspace"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAS = bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf"
_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")


def kind_of(file: Path) -> tuple[str, str]:
    """Tell what kind of table a file is, and what is to be said where its name says another.

    Raises
    ------
    ValueError
        If it is no table that can be read: what it is, and what to do.
    """
    if file.name.startswith("~$"):
        raise ValueError(
            f"{file} is the mark that Excel leaves while {file.name[2:]} is open: give "
            f"{file.with_name(file.name[2:])}"
        )
    with file.open("rb") as stream:
        start = stream.read(_START)
    kind = _by_content(file, start)
    expected = _SUFFIXES.get(file.suffix.lower())
    if kind is None:
        # A damaged file shows by its name what it should have been.
        found = (
            f" (damaged: it begins like no {file.suffix})" if expected not in (None, "text") else ""
        )
        raise ValueError(
            f"{file} is a binary file of a kind that is not known here{found}: expected a table; "
            f"{AS_XLSX}"
        )
    if expected is None or kind == expected:
        return kind, ""
    return kind, f"the file is named {file.suffix}, and is {KINDS[kind]}: read as that"


def _by_content(file: Path, start: bytes) -> str | None:
    if start.startswith(b"PK"):
        return _zipped(file)
    if start.startswith(_OLE):
        return _ole(file)
    if start.startswith(_SAS):
        return "sas7bdat"
    if start.startswith((b"$FL2", b"$FL3")):
        return "sav"
    if start.startswith((b"HEADER RECORD*******LIBRARY", b"HEADER RECORD*******LIBV8")):
        return "xpt"
    old_stata = start[0] in range(104, 116) and start[1:2] in (b"\x01", b"\x02") and b"\0" in start
    if start.startswith(b"<stata_dta>") or old_stata:
        return "dta"
    if start.startswith(_BIFF):
        return "xls"
    for beginning, name in _FOREIGN:
        if start.startswith(beginning):
            raise _foreign(file, name)
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        raise _foreign(file, "an Excel workbook of 2003, written as XML")
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<body", b"<meta", b"<style")):
        raise _foreign(file, "a web page (HTML)")
    if head.startswith(b"<?xml"):
        raise _foreign(file, "an XML file")
    return "text" if is_text(start) else None


def _foreign(file: Path, name: str) -> ValueError:
    return ValueError(f"{file} is {name}, whatever its name says: expected a table; {AS_XLSX}")


def is_text(start: bytes) -> bool:
    r"""Tell text, in whatever encoding, from the bytes of something else.

    Examples
    --------
    >>> is_text("id,ä".encode("utf-16")), is_text(b"id\0\1\2")
    (True, False)
    """
    encoding = encoding_of_units(start)
    if encoding:
        start = start[: len(start) // 2 * 2].decode(encoding, "ignore").encode("utf-8", "ignore")
    strange = sum(start.count(bytes([c])) for c in range(32) if c not in b"\t\n\v\f\r\x1a\x1b")
    # Single strange letters are told with their line; many are no text at all.
    return strange <= len(start) // 50


def encoding_of_units(raw: bytes) -> str | None:
    """Name the encoding of a text in units of two bytes, by its mark or its many zeros."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = raw[:_START]
    half = len(start) // 2
    odd, even = start[1::2].count(0), start[::2].count(0)
    if half >= 4 and odd > 0.8 * half and even == 0:
        return "utf-16-le"
    return "utf-16-be" if half >= 4 and even > 0.8 * half and odd == 0 else None


def _zipped(file: Path) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            _check_unpacked(file, members)
            kind = archive.read("mimetype")[:200] if "mimetype" in names else b""
    except FileError:
        raise
    except Exception as error:  # whatever a library says of a damaged archive
        raise ValueError(
            f"{file} is damaged (it begins like a workbook, and cannot be unpacked): copy it again "
            f"from where it comes, or {AS_XLSX}"
        ) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return "ods"
    others = {
        "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
        "word/document.xml": "a Word document",
        "ppt/presentation.xml": "a PowerPoint file",
        "Index/Document.iwa": "an Apple Numbers or Pages file",
    }
    name = next((title for member, title in others.items() if member in names), "a ZIP archive")
    raise _foreign(
        file, "an OpenDocument text" if kind.startswith(b"application/vnd.oasis") else name
    )


def _check_unpacked(file: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuse what would fill the memory; no member unpacks to more than it says here."""
    unpacked, packed = (sum(getattr(m, a) for m in members) for a in ("file_size", "compress_size"))
    if unpacked > _UNPACKED or unpacked > max(_GREAT, _WIDEST * packed):
        raise FileError(
            file, "a table", f"what unpacks to {unpacked / 1e6:.0f} MB from {packed / 1e6:.1f} MB",
            "delete what is empty below and beside the table, and save it again",
        )  # fmt: skip
    room_for(file, _GROWS * unpacked, expected="a table")


def _ole(file: Path) -> str:
    raw = file.read_bytes()

    def holds(stream: str) -> bool:
        return stream.encode("utf-16-le") in raw

    if holds("EncryptedPackage"):
        raise ValueError(
            f"{file} is protected by a password: open it in Excel, take the password away (File, "
            "Info, Protect Workbook), and save it"
        )
    if holds("WordDocument"):
        raise _foreign(file, "a Word document of before 2007")
    if holds("Workbook") or holds("Book"):
        return "xls"
    raise _foreign(file, "a file of another Office program, or damaged")
