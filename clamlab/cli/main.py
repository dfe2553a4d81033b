"""The commands and their options."""

import argparse
import sys
from collections.abc import Sequence

from clamlab import __version__
from clamlab.cli import commands, withdraw
from clamlab.cli.arguments import Named, stage_number, stage_numbers
from clamlab.cli.parameters import parse_parameter
from clamlab.schema import TableError
from clamlab.study import StudyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when it did what was asked.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command and its options; by default what was typed after ``clamlab``.

    Returns
    -------
    int
        0 when all went well; 1 after an error, which is told on standard error; 3 when a report was
        written and a section of it failed; 4 when a rerun differs from its manifest; 130 when
        stopped with Ctrl-C.

    Raises
    ------
    SystemExit
        From argparse: after ``--help`` or ``--version``, and for a command that it does not know.

    Examples
    --------
    >>> main(["status", "nowhere"])
    1
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except (StudyError, TableError, ValueError, OSError) as error:
        print(f"clamlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        how = {
            commands.run: "--from NN goes on with that notebook",
            commands.simulate: commands.AGAIN.format("STUDY"),
        }.get(options.command, "run the same command again")
        print(f"\nclamlab: stopped; {how}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clamlab",
        description="Cluster medical scans, and see which regions drive each cluster.",
    )
    parser.add_argument("--version", action="version", version=f"clamlab {__version__}")
    add = parser.add_subparsers(required=True, metavar="COMMAND").add_parser

    init = add("init", help="make a study from a table of participants and a folder of scans")
    init.add_argument("study", metavar="STUDY", help="folder to make")
    init.add_argument("--participants", required=True, metavar="TABLE", help="one row per subject")
    init.add_argument("--scans", required=True, metavar="FOLDER", help="DICOM folders or NIfTI")
    init.add_argument("--sheet", metavar="NAME", help="which sheet of a workbook")
    init.add_argument(
        "--header", type=int, metavar="ROW", help="row of the table that names the columns"
    )
    init.add_argument(
        "--visits",
        metavar="RULE",
        help="of several rows of a subject: first:COLUMN, last:COLUMN or COLUMN=VALUE",
    )
    init.add_argument("--id-column", metavar="NAME", help="column that identifies a subject")
    init.add_argument("--path-column", metavar="NAME", help="column that says where the scan is")
    init.add_argument(
        "--match",
        metavar="RULE",
        help="where the id stands: '{id}/*', '*/sub-{id}', header:PatientID",
    )
    init.add_argument(
        "--visit",
        metavar="WHICH",
        help="of several studies: first, last, nearest:COLUMN, or a column",
    )
    init.add_argument(
        "--mask-labels",
        metavar="CONVENTION",
        help="what the labels of lung masks (column lung_mask) mean: lungs, lungmask-lobes, "
        "totalsegmentator, totalsegmentator-v1 or binary",
    )
    init.set_defaults(command=commands.init)

    simulate = add("simulate", help="make a study of simulated scans, to try everything on")
    simulate.add_argument("study", metavar="STUDY", help="folder to make")
    _add_parameters(simulate)
    simulate.set_defaults(command=commands.simulate)

    run = add("run", help="run the study's notebooks in order")
    run.add_argument("study", metavar="STUDY")
    _add_number(run, "--from", "first", "01")
    _add_number(run, "--to", "last", "09")
    _add_stale(run, "stages to build on although they are stale")
    _add_parameters(run)
    run.set_defaults(command=commands.run)

    status = add("status", help="tell which stages are fresh, stale, altered, partial or missing")
    status.add_argument("study", metavar="STUDY")
    status.add_argument(
        "--verify", action="store_true", help="read every file and compare it with its record"
    )
    status.set_defaults(command=commands.status)

    lab = add("lab", help="open the study's notebooks in JupyterLab")
    lab.add_argument("study", metavar="STUDY")
    lab.add_argument("jupyter", nargs=argparse.REMAINDER, help="options passed on to jupyter lab")
    lab.set_defaults(command=commands.lab)

    report = add("report", help="write one page, a paper's draft and a manifest of the study")
    report.add_argument("study", metavar="STUDY")
    report.add_argument(
        "--scans", action="store_true", help="add a few single scans: patient data, not to publish"
    )
    report.add_argument(
        "--small-counts",
        action="store_true",
        help="keep counts below five, and averages of fewer scans",
    )
    report.set_defaults(command=commands.report)

    rerun = add("rerun", help="make a study again from its manifest, and tell what differs")
    rerun.add_argument("manifest", metavar="MANIFEST", help="manifest.json of clamlab report")
    rerun.add_argument("--scans", metavar="FOLDER", help="the scans of then, unless simulated")
    rerun.add_argument("--table", metavar="FILE", help="the participants' table of then")
    rerun.add_argument("--study", metavar="NEW", help="folder to make, or to go on with")
    rerun.add_argument(
        "--against", metavar="STUDY", help="the study of the manifest: tells how much differs"
    )
    rerun.add_argument(
        "--by-hand", metavar="FOLDER", help="where decisions.csv, readings.csv and the like lie"
    )
    _add_number(rerun, "--to", "last", "09")
    _add_parameters(rerun)
    rerun.set_defaults(command=commands.rerun)

    withdrawal = add("withdraw", help="take subjects out who withdraw their consent")
    withdrawal.add_argument("study", metavar="STUDY")
    withdrawal.add_argument(
        "subjects",
        metavar="ID",
        nargs="*",
        help="none: finish a withdrawal that was stopped; put -- before ids that begin with -",
    )
    withdrawal.set_defaults(command=withdraw.withdraw)

    export = add("export", help="gather tables, figures and average maps in one folder")
    export.add_argument("study", metavar="STUDY")
    export.add_argument("folder", metavar="FOLDER", help="folder to make")
    export.add_argument(
        "--subjects", action="store_true", help="add tables of single subjects, under pseudonyms"
    )
    export.add_argument(
        "--small-counts",
        action="store_true",
        help="keep counts below five, and averages of fewer scans",
    )
    _add_stale(export, "stages to export although they are stale")
    export.set_defaults(command=commands.export)
    return parser


def _add_number(parser: argparse.ArgumentParser, flag: str, name: str, default: str) -> None:
    parser.add_argument(
        flag,
        dest=name,
        default=default,
        type=stage_number,
        metavar="NN",
        help=f"{name} notebook",
    )


def _add_stale(parser: argparse.ArgumentParser, purpose: str) -> None:
    parser.add_argument(
        "--stale",
        action="extend",
        default=[],
        type=stage_numbers,
        metavar="NN,NN",
        help=purpose,
    )


def _add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-p",
        dest="parameters",
        action=Named,
        default=[],
        type=parse_parameter,
        metavar="NAME=VALUE",
        help="set a parameter of all notebooks that take it, or 05.NAME=VALUE of one alone; "
        "may be given several times",
    )
