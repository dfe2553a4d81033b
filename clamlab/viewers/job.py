"""Work beside the kernel's own: told of while it goes on, stopped when nobody wants it any more."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

SECONDS = 0.15  # between two times that the work is told of
Step = Callable[[int], None]


class StoppedError(Exception):
    """Nobody wants the result any more."""


def said(error: Exception) -> str:
    """Return an error's words, or else its name.

    Examples
    --------
    >>> said(ValueError("no decoder")), said(MemoryError())
    ('no decoder', 'MemoryError')
    """
    return str(error) or type(error).__name__


class Job:
    """Do work that counts its steps, in a thread; all that is told comes back to the kernel's loop.

    Where no loop runs (in a script) it is done at once, in the same thread.

    Parameters
    ----------
    work : callable
        Takes what is to be called with the number of steps done; returns the result.
    told : callable
        Called with the number of steps done, every so often; never after `stop`.
    done : callable
        Called once, when the work has come to its end: with the result, or with the exception in
        its place, which is a StoppedError after `stop`.

    Examples
    --------
    >>> results = []
    >>> Job(lambda step: step(1) or "p", told=print, done=results.append).start()
    1
    >>> results
    ['p']
    """

    def __init__(
        self, work: Callable[[Step], Any], *, told: Step, done: Callable[[Any], None]
    ) -> None:
        self._work, self._told, self._done = work, told, done
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._last = -SECONDS

    def start(self) -> None:
        """Begin."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run()
        else:
            threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End it after the step that is being done."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            result = self._work(self._step)
        except Exception as error:  # whatever it is, somebody waits for an answer
            result = error
        self._call(self._end, result)

    def _step(self, n: int) -> None:
        if self._stopped.is_set():
            raise StoppedError
        if time.monotonic() - self._last > SECONDS:
            self._last = time.monotonic()
            self._call(self._tell, n)

    def _call(self, function: Callable[[Any], None], value: Any) -> None:
        # Widgets, and what draws figures, belong to one thread.
        if self._loop is None:
            function(value)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, value)

    def _tell(self, n: int) -> None:
        if not self._stopped.is_set():
            self._told(n)

    def _end(self, result: Any) -> None:
        # Stopped after its last step: the one who stopped it counts on nothing more to come.
        self._done(StoppedError() if self._stopped.is_set() else result)
