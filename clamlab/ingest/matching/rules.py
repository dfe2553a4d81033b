"""A rule by which scans belong to rows: one for the whole cohort, told, kept and changeable."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clamlab.ingest.matching.finding import Found, stem
from clamlab.ingest.matching.writing import WAYS

ID = "{id}"
HEADER = "header:"
FIELDS = {"PatientID": "patient", "AccessionNumber": "accession", "StudyID": "study_id"}


@dataclass(frozen=True)
class Rule:
    """Where the id of a subject stands, and how it may be written there.

    Attributes
    ----------
    where : str
        A path with ``{id}`` in one level, such as ``{id}``, ``*/{id}`` or ``sub-{id}_ct``; or
        ``header:PatientID``.
    way : str
        How the id may be written: a key of :data:`~clamlab.ingest.matching.writing.WAYS`.
    prefix : str
        What the table writes before each id and the scans do not.

    Examples
    --------
    >>> rule = Rule("*/sub-{id}", "as written")
    >>> scan = Found(Path("site/sub-017/ct.nii"))
    >>> rule.ids_of(scan), rule.place_of(scan).as_posix()
    (['017'], 'site/sub-017')
    """

    where: str
    way: str
    prefix: str = ""

    def __str__(self) -> str:
        prefix = f", the table's {self.prefix!r} left out" if self.prefix else ""
        return f"{self.where}, {self.way}{prefix}"

    def written(self, text: str) -> str:
        """Write an id of the table as this rule compares it."""
        return WAYS[self.way](text.strip().removeprefix(self.prefix))

    def ids_of(self, scan: Found) -> list[str]:
        """Return the ids that a scan bears: one, or of headers perhaps several, or none."""
        if self.field:
            values = {getattr(header, self.field) for header in scan.headers}
            return sorted(WAYS[self.way](value) for value in values if value)
        if len(scan.names) < len(self._patterns):
            return []
        names = [WAYS[self.way](name.strip()) for name in scan.names[: len(self._patterns)]]
        matches = [p.fullmatch(name) for p, name in zip(self._patterns, names, strict=True)]
        if not all(matches):
            return []
        return [match["id"] for match in matches if match and "id" in match.groupdict()]

    def place_of(self, scan: Found) -> Path:
        """Return the file or folder that the rule speaks of."""
        return scan.path if self.field else Path(*scan.path.parts[: len(self._patterns)])

    @property
    def is_of_whole_names(self) -> bool:
        """Whether the id is all of a name, or of a field: what is part of a name is less sure."""
        return bool(self.field) or self.where.split("/")[-1] == ID

    @property
    def level(self) -> int:
        """How many levels of the path lie above the id."""
        return self.where.count("/")

    @cached_property
    def field(self) -> str:
        """The attribute of a header that holds the id; empty for a level of the path."""
        return FIELDS[self.where.removeprefix(HEADER)] if self.where.startswith(HEADER) else ""

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        parts = [part.replace(ID, "\0") for part in self.where.split("/")]
        return [re.compile("".join(map(self._piece, part))) for part in map(_pieces, parts)]

    def _piece(self, piece: str) -> str:
        """Make of a star, of the id, or of letters written in this rule's way, a pattern."""
        known = {"*": ".*", "\0": "(?P<id>.+?)"}
        return known.get(piece) or re.escape(WAYS[self.way](piece))


def _pieces(part: str) -> list[str]:
    return re.findall(r"\*|\0|[^*\0]+", part)


def parse(text: str) -> str:
    """Check where a person says that the id stands, and return it as rules are written.

    Raises
    ------
    ValueError
        If it has not one ``{id}``, or names a header field that identifies nobody.

    Examples
    --------
    >>> parse("{id}/*"), parse("*/{id}_ct.nii.gz"), parse("header:PatientID")
    ('{id}', '*/{id}_ct', 'header:PatientID')
    """
    if text.startswith(HEADER):
        if text.removeprefix(HEADER) not in FIELDS:
            raise ValueError(f"{text!r} is no rule: expected {HEADER}{f', {HEADER}'.join(FIELDS)}")
        return text
    if text.count(ID) != 1:
        raise ValueError(
            f"{text!r} is no rule: expected {ID} once, in one level of the path, such as "
            f"'{ID}/*', '*/sub-{ID}' or '{ID}_ct.nii.gz'; or '{HEADER}PatientID'"
        )
    parts = text.strip("/").split("/")
    while set(parts[-1]) == {"*"}:
        parts.pop()
    return "/".join([*parts[:-1], stem(parts[-1])])
