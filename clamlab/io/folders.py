"""What lies in a folder at any depth, listed in one way by all who look into it."""

import os
from collections.abc import Iterator
from pathlib import Path

# What other systems leave beside files.
LEFT_BESIDE = ("._", ".DS_Store")
# Where systems keep what was deleted, and what they make beside it.
BINS = (".Trash", "$RECYCLE.BIN", "#recycle", "@Recycle", "@eaDir", "__MACOSX")


def walk(folder: Path, problems: list[str] | None = None) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder with the names of its files, in order; links are followed once.

    Parameters
    ----------
    folder : path
    problems : list of str, optional
        Is added what was not searched, and why.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "S1").mkdir()
    >>> (folder / "S1" / "1.dcm").touch()
    >>> (folder / "S2").symlink_to(folder / "S1")
    >>> [(place.relative_to(folder).as_posix(), names) for place, names in walk(folder)]
    [('.', []), ('S1', ['1.dcm']), ('S2', ['1.dcm'])]
    """
    problems = [] if problems is None else problems

    def refused(error: OSError) -> None:
        place = os.path.relpath(error.filename or folder, folder)
        problems.append(f"{place}: a folder that could not be read ({error.strerror})")

    seen = {os.path.realpath(folder)}
    for place, folders, names in os.walk(folder, onerror=refused, followlinks=True):
        for name in sorted(folders):
            path = os.path.join(place, name)
            if name.startswith(BINS):
                folders.remove(name)
                problems.append(f"{os.path.relpath(path, folder)}: holds what was deleted")
            elif os.path.islink(path):
                real = os.path.realpath(path)
                if real in seen or os.path.realpath(folder).startswith(real + os.sep):
                    folders.remove(name)
                    what = "a link to what was searched already"
                    problems.append(f"{os.path.relpath(path, folder)}: {what}")
                seen.add(real)
        folders.sort()
        yield Path(place), sorted(name for name in names if not name.startswith(LEFT_BESIDE))
