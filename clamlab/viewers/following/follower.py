"""Following a hand without running after it: once it rests, with what stands there then."""

import asyncio
from collections.abc import Callable

REST = 0.12  # seconds without a change: the hand rests


class Follower:
    """Do some work soon after the last of several changes, and once for all of them.

    Where no event loop runs (in a script) it is done at once.

    Parameters
    ----------
    work : callable

    Examples
    --------
    >>> done = []
    >>> follower = Follower(lambda: done.append(True))
    >>> follower.changed()
    >>> done
    [True]
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._later: asyncio.TimerHandle | None = None

    def changed(self) -> None:
        """Ask for the work."""
        self.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._work()
        else:
            self._later = loop.call_later(REST, self._work)

    def cancel(self) -> None:
        """Ask no longer."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
