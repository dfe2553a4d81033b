"""A withdrawal from its first step to its last; one that was killed is gone on with.

First it is written down who goes: from then on no stage can be opened. Then stage 01 is cut, so
that all above is stale at once, then the latest down to the volumes, whose list of scans tells
which rows of the arrays are whose. What is left is what no run could have made, so no stage above
01 is fresh that had learned from a scan of theirs.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clamlab.study import lock
from clamlab.study.catalogue import REPORT, RERUN, STAGES
from clamlab.study.errors import StudyError
from clamlab.study.files import write_file
from clamlab.study.provenance import SETTINGS, settings_of
from clamlab.study.publishing import finish
from clamlab.study.withdrawal.cutting import BEGINNING, DrawPages, cut_stage
from clamlab.study.withdrawal.mentions import clear_notebook
from clamlab.study.withdrawal.remembering import LIST, PENDING, WITHDRAWN, remember, withdrawn
from clamlab.study.withdrawal.shares import Leaving, names_of, remove

FIRST = STAGES[0]
ORDER = (BEGINNING, *(s for s in reversed(STAGES) if s not in (BEGINNING, FIRST)), FIRST)


def withdraw(
    root: Path, ids: Sequence[str], *, draw_pages: DrawPages
) -> tuple[list[str], Counter[str]]:
    """Take subjects out of a study, and those whose withdrawal was begun and not ended.

    Parameters
    ----------
    root : path
    ids : sequence of str
    draw_pages : callable
        Draws the page over all subjects: (table of quality, folder of pictures).

    Returns
    -------
    (list of str, Counter)
        Who went, and how much of what was taken away by this call.

    Raises
    ------
    StudyError
        If there is nobody to take out, or the study does not know one of them; nothing is changed.
    """
    with lock.taken(root, "clamlab withdraw"):
        going = list(dict.fromkeys([*ids, *settings_of(root).get(PENDING, [])]))
        for stage in STAGES:
            finish(root / stage)
        _check_known(root, going)
        settings = settings_of(root)
        write_file(root / SETTINGS, {**settings, PENDING: going})
        earlier = remember(root, going)
        settings = {**settings, WITHDRAWN: LIST}
        write_file(root / SETTINGS, {**settings, PENDING: going})
        leaving, counts = Leaving.of(root, going, earlier_lists=earlier), Counter[str]()
        for stage in ORDER:
            counts += cut_stage(root, stage, leaving, draw_pages)
        counts += _tidy(root)
        write_file(root / SETTINGS, {k: v for k, v in settings.items() if k != PENDING})
    return going, counts


def _check_known(root: Path, going: Sequence[str]) -> None:
    if not going:
        raise StudyError(
            f"no withdrawal from {root} is under way: expected the ids of who withdraws "
            "('clamlab withdraw STUDY ID')"
        )
    pending = settings_of(root).get(PENDING, [])
    new = [name for name in going if name not in pending]
    known = names_of(root, new)
    rest = [name for name in new if name not in known]
    again = withdrawn(root, rest)
    if unknown := [name for name in rest if name not in again]:
        raise StudyError(
            f"{root} knows no subject {', '.join(map(repr, unknown))}: expected ids as they stand "
            "in its tables (01_cohort/cohort.csv, exclusions.csv); nothing was changed. Whoever "
            "never came into the study is left out by taking the row out of your own table"
        )


def _tidy(root: Path) -> Counter[str]:
    """Clear what no stage holds: outputs of notebooks and their copies, half-written files."""
    for copies in list(root.rglob(".ipynb_checkpoints")):
        remove(copies)
    for half in [*root.glob(".partial-*"), *root.glob("*/.partial-*")]:
        remove(half)
    reported = [root / name for name in (*REPORT, RERUN) if (root / name).is_file()]
    for file in reported:
        remove(file)
    cleared = sum(clear_notebook(path) for path in sorted(root.rglob("*.ipynb")))
    return Counter(
        {"files of the study's report": len(reported), "notebooks (their outputs)": cleared}
    )
