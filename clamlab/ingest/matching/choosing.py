"""The one rule that serves a cohort best: tried on all scans, and told where it cannot be."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from pathlib import Path

from clamlab.ingest.matching.finding import Found
from clamlab.ingest.matching.rules import FIELDS, HEADER, ID, Rule
from clamlab.ingest.matching.writing import WAYS, affixes, common_prefix

# So many rows in a hundred may be doubled under a good rule: a copy, a second visit.
DOUBLED = 0.05
# And so many may have another scan under an equally good rule: these are left out by name.
DISPUTED = 0.2
# Ids shorter than this stand in names by chance: as days, slices, thicknesses.
TELLING = 4
SHOWN = 3


@dataclass(frozen=True)
class Trial:
    """What a rule makes of the scans.

    Attributes
    ----------
    rule : Rule
    places : dict of str to tuple of Path
        For each row's id where its scan is; several places where the rule cannot tell.
    owners : dict of Path to list of str
        For each scan the rows whose id it bears.
    disputed : dict of str to str
        Rows that an equally good rule gives another scan, with that rule in words.
    """

    rule: Rule
    places: dict[str, tuple[Path, ...]]
    owners: dict[Path, list[str]]
    disputed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def shared(self) -> set[str]:
        """The rows whose scan bears another row's id too."""
        return {own for owners in self.owners.values() if len(owners) > 1 for own in owners}

    @cached_property
    def served(self) -> dict[str, Path]:
        """The rows with one scan of their own, and where it is."""
        one = {own: places[0] for own, places in self.places.items() if len(places) == 1}
        return {own: place for own, place in one.items() if own not in self.shared}

    @cached_property
    def doubled(self) -> list[str]:
        """The rows that the rule finds, and cannot serve."""
        return [own for own in self.places if own not in self.served]

    def qualifies(self, n_rows: int, n_scans: int) -> bool:
        """Tell whether the rule may be believed.

        It serves half of the rows, or of the scans: a rule that serves a handful has found numbers
        that look like ids. And hardly a row is doubled.
        """
        served = len(self.served)
        covered = sum(len(o) == 1 and o[0] in self.served for o in self.owners.values())
        many = 2 * served >= n_rows or 2 * covered >= n_scans
        return bool(served) and many and len(self.doubled) <= max(1, DOUBLED * served)


def choose_rule(ids: Sequence[str], scans: Sequence[Found], where: str | None = None) -> Trial:
    """Choose the rule that serves most rows; of those that serve the same, the strictest.

    Parameters
    ----------
    ids : sequence of str
        Of the rows.
    scans : sequence of Found
    where : str or None
        Where a person says that the id stands; only how it is written is chosen then. Rows on which
        another rule differs, though it agrees on most, are disputed even so.

    Raises
    ------
    ValueError
        If two rules that may be meant differ, or none can be believed; what was tried is
        shown.
    """
    trials = [try_rule(rule, ids, scans) for rule in candidates(ids, scans, where)]
    if where is not None:
        return max(trials, key=lambda t: (len(t.served), -len(t.doubled)))  # the first: strictest
    good = [t.qualifies(len(ids), len(scans)) for t in trials]
    if not any(good):
        raise ValueError(_none_found(trials, len(ids)))
    best = max(len(t.served) for t in compress(trials, good))
    first = next(t for t in compress(trials, good) if len(t.served) == best)
    disputed: dict[str, str] = {}
    for other, may_hold in zip(trials, good, strict=True):
        if not _is_rival(first, other, good=may_hold):
            continue
        apart = _served_otherwise(first, other)
        if len(apart) > DISPUTED * best:
            raise ValueError(_two_rules(first, other, apart, len(ids)))
        why = f"{other.rule.where} gives it another scan than {first.rule.where} does"
        disputed |= dict.fromkeys(apart, why)
    for other in compress(trials, good):
        why = f"its scan is another row's by {other.rule.where}"
        disputed = dict.fromkeys(_given_away(first, other), why) | disputed
    return replace(first, disputed=disputed)


def _is_rival(first: Trial, other: Trial, *, good: bool) -> bool:
    """Tell whether a rule may be meant as well as the first; ``good``: whether it qualifies."""
    alike = good and len(other.served) == len(first.served)
    depth = other.rule.level - first.rule.level
    if first.rule.is_of_whole_names:
        # A part of a name beside or below it is a mask's, a date's; above it, "sub-17/4" may be 17.
        return alike and (other.rule.is_of_whole_names or depth < 0)
    # "17_ct" and "17_seg" are rivals however many there are of each; "sub-17/ses-4" is 17.
    return alike or (good if other.rule.is_of_whole_names else depth == 0)


def try_rule(rule: Rule, ids: Sequence[str], scans: Sequence[Found]) -> Trial:
    """Give each scan to the rows whose id it bears."""
    rows: dict[str, list[str]] = defaultdict(list)
    for own in ids:
        rows[rule.written(own)].append(own)
    places: dict[str, dict[Path, None]] = defaultdict(dict)
    owners = {}
    for scan in scans:
        known = [own for found in rule.ids_of(scan) for own in rows.get(found, [])]
        for own in known:
            places[own][rule.place_of(scan)] = None
        if known:
            owners[scan.path] = known
    return Trial(rule, {own: one_place(found, scans) for own, found in places.items()}, owners)


def one_place(places: Iterable[Path], scans: Sequence[Found]) -> tuple[Path, ...]:
    """Take several folders of slices as one place: the folder that holds no other scans."""
    places = tuple(places)
    if len(places) < 2:  # nearly always: not worth a look at all scans
        return places
    folders = {scan.path for scan in scans if not scan.is_nifti}
    if not folders.issuperset(places):
        return places
    above = Path(os.path.commonpath(places))
    below = {scan.path for scan in scans if above in (scan.path, *scan.path.parents)}
    return (above,) if above.parts and below == set(places) else places


def _served_otherwise(first: Trial, other: Trial) -> list[str]:
    """List the rows to which two rules give scans that have nothing in common."""
    scans: list[dict[str, set[Path]]] = [defaultdict(set), defaultdict(set)]
    for trial, of_row in zip((first, other), scans, strict=True):
        for path, owners in trial.owners.items():
            for own in owners:
                of_row[own].add(path)
    both = [own for own in first.served if own in other.served]
    return [own for own in both if not scans[0][own] & scans[1][own]]


def _given_away(first: Trial, other: Trial) -> set[str]:
    """List the rows whose scan another rule gives to others, if it agrees on nearly all rows.

    Such is a file with its patient's id in the folder of somebody else.
    """
    if other.rule.field:  # headers are asked on their own
        return set()
    agree: set[str] = set()
    apart: set[str] = set()
    for path, owners in first.owners.items():
        theirs = other.owners.get(path)
        if theirs and len(owners) == 1:
            (agree if owners[0] in theirs else apart).add(owners[0])
    return apart if len(apart) <= DISPUTED * len(agree | apart) else set()


def _two_rules(first: Trial, other: Trial, apart: list[str], n_rows: int) -> str:
    served = " and ".join(dict.fromkeys(str(len(t.served)) for t in (first, other)))
    return (
        f"two rules serve {served} of {n_rows} rows and give {len(apart)} of them "
        f"different scans (the first is {apart[0]!r}):\n  {first.rule}\n  {other.rule}\n"
        f"Say which one holds: --match '{first.rule.where}' or --match '{other.rule.where}'"
    )


def _none_found(trials: list[Trial], n_rows: int) -> str:
    found = sorted((t for t in trials if t.places), key=lambda t: -len(t.places))
    tried = [
        f"  {t.rule}: serves {len(t.served)}, finds {len(t.doubled)} more than once"
        for t in found[:SHOWN]
    ]
    listed = "\n".join(["; tried were", *tried]) if tried else ""
    if shared := max((len(t.shared) for t in trials), default=0):
        listed += f"\n{shared} ids share a folder with others: make one for each patient"
    return (
        f"no one rule says which scan belongs to which of the {n_rows} rows{listed}\nName where "
        f"the id stands (--match '{ID}/*', --match '*/sub-{ID}', --match {HEADER}PatientID), or "
        "give the table a column of paths (--path-column)"
    )


def candidates(
    ids: Sequence[str], scans: Sequence[Found], where: str | None = None
) -> Iterator[Rule]:
    """Yield rules to be tried, from strict to loose."""
    prefixes = ["", *filter(None, [common_prefix(ids)])]
    writings = [(way, prefix) for prefix in prefixes for way in WAYS]
    if where is not None:
        yield from (Rule(where, *writing) for writing in writings)
        return
    levels = range(max((len(scan.names) for scan in scans), default=0))
    whole = [*(f"{'*/' * level}{ID}" for level in levels), *(f"{HEADER}{name}" for name in FIELDS)]
    yield from (Rule(place, *writing) for writing in writings for place in whole)
    for writing in writings:
        for level in levels:
            yield from _parts_of_names(ids, scans, level, *writing)


def _parts_of_names(
    ids: Sequence[str], scans: Sequence[Found], level: int, way: str, prefix: str
) -> Iterator[Rule]:
    """Yield rules for ids with something before or behind them in a level's names."""
    write, above = WAYS[way], "*/" * level
    names = [write(scan.names[level].strip()) for scan in scans if len(scan.names) > level]
    own = [write(i.strip().removeprefix(prefix)) for i in ids]
    for before, behind in affixes(names, own):
        if "*" not in before + behind:
            yield Rule(f"{above}{before}{ID}{behind}", way, prefix)
    if min(map(len, own), default=0) >= TELLING:
        parts = (f"*_{ID}", f"{ID}_*", f"*-{ID}", f"{ID}-*")
        yield from (Rule(f"{above}{part}", way, prefix) for part in parts)
