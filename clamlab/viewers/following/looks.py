"""How often somebody has looked: every setting that was shown counts, once."""

from collections.abc import Hashable


class Looks:
    """Count the settings that were shown beside the planned one.

    Two settings that leave the same scans and columns show the same, and count once; going back to
    one that was seen does not count again. What was only passed on the way was not seen.

    Parameters
    ----------
    planned : hashable
        The setting that nobody had to look for.

    Examples
    --------
    >>> looks = Looks(planned="all")
    >>> for setting in ("all", "without sex", "all", "without sex"):
    ...     looks.see(setting)
    >>> looks.n
    1
    """

    def __init__(self, planned: Hashable) -> None:
        self.planned = planned
        self._seen = {planned}

    def see(self, setting: Hashable) -> None:
        """Count a setting that is shown."""
        self._seen.add(setting)

    @property
    def n(self) -> int:
        """How many different ones were shown, without the planned one."""
        return len(self._seen) - 1


def counted(n: int, what: str) -> str:
    """Say how many there are.

    Examples
    --------
    >>> counted(1, "setting"), counted(3, "setting")
    ('1 setting', '3 settings')
    """
    return f"{n} {what}{'' if n == 1 else 's'}"
