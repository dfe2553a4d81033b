"""Names from outside as parts of paths: one function for all, so that none leads elsewhere."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import quote

LONGEST = 100  # bytes: leaves room for endings below the 255 that file systems allow
HASH_DIGITS = 32
# Windows takes these for devices, whatever ending follows.
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d) *(\.|$)", re.ASCII | re.IGNORECASE)


def path_part(text: str) -> str:
    """Write any text as the name of one file or folder that every file system takes.

    An ordinary id stays itself. What some system does not take, or takes for something else, is
    written as %xx: separators, control characters, letters outside of ASCII, dots and spaces at
    the ends, the names of Windows' devices. A long name is cut and ends with ``~`` and a hash of
    the whole. Two texts never get one name.

    Parameters
    ----------
    text : str
        A subject's id, a cluster's name, whatever a table or a person calls something.

    Returns
    -------
    str
        At most 100 letters of ASCII; an ending such as ``.png`` may follow.

    Examples
    --------
    >>> path_part("S-01_b"), path_part("S/01"), path_part("..")
    ('S-01_b', 'S%2F01', '%2E%2E')
    >>> path_part("x" * 300)
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~...'
    """
    # A tilde of the text's own must not look like the one that a cut name has.
    name = quote(text, safe=" ()+,@=", errors="surrogatepass").replace("~", "%7E")
    if not name:
        return "%"  # no text's own name: a percent sign is written as %25
    if name[0] in ". " or DEVICE.match(name):
        name = _escaped(name[0]) + name[1:]
    if name[-1] in ". ":
        name = name[:-1] + _escaped(name[-1])
    if len(name) <= LONGEST:
        return name
    whole = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
    start = name[: LONGEST - HASH_DIGITS - 1]
    return f"{re.sub('%.?$', '', start)}~{whole}"  # no half of a %xx


def _escaped(letter: str) -> str:
    return f"%{ord(letter):02X}"


def writable(text: str) -> str:
    r"""Return a text as UTF-8 can hold it; half a character is written by its number.

    Names of files that are no UTF-8 reach Python as such halves (lone surrogates): a table with
    one could be printed and written nowhere.

    Examples
    --------
    >>> writable("Zoë"), writable("Zo\udceb") == r"Zo\udceb"
    ('Zoë', True)
    """
    return text.encode("utf-8", "backslashreplace").decode()


def unusable_ids(ids: Sequence[str | None]) -> dict[int, str]:
    """Tell which subjects cannot have a folder of their own, and why.

    Parameters
    ----------
    ids : sequence of str or None

    Returns
    -------
    dict of int to str
        The reason by position: no id, an id that is no text, or ids that differ in capital and
        small letters only, which share a folder on some disks.

    Examples
    --------
    >>> unusable_ids(["S1", "s1", "S2", " "])[0]
    "its id differs from 's1' only in capital and small letters, and on some disks the two ..."
    >>> sorted(unusable_ids(["S1", "s1", "S2", " "]))
    [0, 1, 3]
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for known in dict.fromkeys(i for i in ids if i):
        alike[known.casefold()].append(known)
    found = {}
    for position, text in enumerate(ids):
        if not text or not text.strip():
            found[position] = "it has no id: give every subject one"
        elif writable(text) != text:
            found[position] = (
                "its id holds a broken character, which no file can hold: correct it in the table"
            )
        elif others := [other for other in alike[text.casefold()] if other != text]:
            found[position] = (
                f"its id differs from {', '.join(map(repr, others))} only in capital and small "
                "letters, and on some disks the two would share one folder: give each another id"
            )
    return found
