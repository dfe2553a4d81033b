"""People and their scans side by side: nobody doubled, nobody lost without a word."""

import pandas as pd

LISTED = 10  # so many subjects are named before "and N more"


def join_subjects(scans: pd.DataFrame, people: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Put each scan's row beside that of its person, and learn who has no scan.

    Parameters
    ----------
    scans : DataFrame
        One row per scan, with ``subject_id``, for instance ``assignments``.
    people : DataFrame
        One row per person, with ``subject_id``.

    Returns
    -------
    table : DataFrame
        The rows of ``scans`` in their order: the columns of ``people``, then their own.
    said : str
        How many people there are, and who of them has no row in ``scans``.

    Raises
    ------
    ValueError
        If a subject stands twice in either table, a scan has no person, or both tables have a
        column of the same name.

    Examples
    --------
    >>> scans = pd.DataFrame({"subject_id": ["S3", "S1"], "cluster": [0, 1]})
    >>> people = pd.DataFrame({"subject_id": ["S1", "S2", "S3"], "age": [61, 70, 55]})
    >>> table, said = join_subjects(scans, people)
    >>> table["age"].tolist(), said
    ([55, 61], '2 of 3 people have a scan; without one: S2.')
    """
    for name, table in (("people", people), ("scans", scans)):
        if len(twice := table["subject_id"][table["subject_id"].duplicated()].unique()):
            raise ValueError(
                f"{_listed(twice)} stand twice among the {name}: expected one row each"
            )
    if both := (set(scans) & set(people)) - {"subject_id"}:
        raise ValueError(f"people and scans both have a column {min(both)!r}: rename one")
    strangers = scans["subject_id"][~scans["subject_id"].isin(people["subject_id"])]
    if len(strangers):
        raise ValueError(
            f"no row of the people's table belongs to the scans of {_listed(strangers)}: the table "
            "has changed since they were clustered; run the notebooks again from 01"
        )
    joined = scans[["subject_id"]].merge(people, on="subject_id", validate="one_to_one")
    joined = joined.merge(scans, on="subject_id", validate="one_to_one")
    without = people["subject_id"][~people["subject_id"].isin(scans["subject_id"])]
    said = f"{len(joined)} of {len(people)} people have a scan"
    return joined, f"{said}; without one: {_listed(without)}." if len(without) else f"{said}."


def _listed(ids: pd.Series) -> str:
    names = [str(i) for i in ids]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
