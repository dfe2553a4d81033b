"""What was read of a study for its report, with a reason for all that was not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clamlab.io import FileError
from clamlab.schema import TableError, check_table
from clamlab.study import ARTEFACTS, Study, StudyError


@dataclass
class Gathered:
    """Values by name, and why others are not among them.

    Attributes
    ----------
    found : dict
    reasons : dict of str to str
        One for each value that is not there.
    errors : set of str
        The reasons that are the error of a file: damaged, or changed so that it cannot be used.

    Examples
    --------
    >>> gathered = Gathered()
    >>> gathered.make({"half": lambda: 1 / 0, "twice": lambda: 2 * gathered.need("half")})
    >>> gathered.reasons["twice"]
    "half could not be worked out from the study's files (ZeroDivisionError: division by zero)"
    >>> len(gathered.errors)
    1
    """

    found: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)

    def need(self, name: str) -> Any:
        """Return a value; raise StudyError with the reason where it is not there."""
        if name not in self.found:
            raise StudyError(self.reasons.get(name, f"{name} is not there"))
        return self.found[name]

    def make(self, made: Mapping[str, Callable[[], Any]]) -> None:
        """Add what other rooms make of the values; what cannot be made has its reason."""
        for name, make in made.items():
            try:
                self.found[name] = make()
            except (StudyError, ValueError, OSError) as error:
                self.refuse(name, str(error), of_file=_is_of_file(error))
            except Exception as error:  # of a file by another hand: the rest of the report is made
                told = f"{type(error).__name__}: {error}".rstrip(".")
                why = f"{name} could not be worked out from the study's files ({told})"
                self.refuse(name, why, of_file=True)

    def refuse(self, name: str, why: str, *, of_file: bool) -> None:
        """Note why a value is not there; a value that will not do is taken out."""
        self.found.pop(name, None)
        self.reasons[name] = why.rstrip(".")
        if of_file:
            self.errors.add(self.reasons[name])


def read_checked(study: Study, name: str) -> Any:
    """Read an artefact, and hold a table against its contract: somebody may have edited it.

    Raises
    ------
    StudyError
        As ``study.read`` does.
    FileError
        If it breaks its contract; columns are named, and no cell.
    """
    value, artefact = study.read(name), ARTEFACTS[name]
    if artefact.schema is None or value is None:
        return value
    try:
        check_table(value, study.schema(artefact.schema))
    except TableError as error:
        columns = ", ".join(dict.fromkeys(map(str, error.violations["column"])))
        raise FileError(
            f"{artefact.stage}/{artefact.file}",
            expected=f"a table that keeps its contract {artefact.schema}.schema.json",
            found=f"other cells or columns in {columns}",
            advice=f"run notebook {artefact.stage} again",
        ) from error
    return value


def _is_of_file(error: Exception) -> bool:
    return isinstance(error, FileError) or isinstance(error.__cause__, FileError)
