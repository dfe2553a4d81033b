"""Long work beside the kernel's own: told of while it goes on, stopped when nobody wants it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

TOLD_EVERY = 20


class _StoppedError(Exception):
    """Nobody wants the result any more."""


class Job:
    """Do work that counts its steps, in a thread; all that is told comes back to the kernel's loop.

    Where no loop runs (in a script) it is done at once, in the same thread.

    Parameters
    ----------
    work : callable
        Takes what is to be called with the number of steps done; returns the result.
    told : callable
        Called with the number of steps done, every so often.
    done : callable
        Called with the result, or the ValueError in its place; never after `stop`.

    Examples
    --------
    >>> results = []
    >>> Job(lambda step: step(0) or "p", told=print, done=results.append).start()
    0
    >>> results
    ['p']
    """

    def __init__(
        self,
        work: Callable[[Callable[[int], None]], Any],
        *,
        told: Callable[[int], None],
        done: Callable[[Any], None],
    ) -> None:
        self._work, self._told, self._done = work, told, done
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run()
        else:
            threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End it at its next step; nothing is told of it any more."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            result = self._work(self._step)
        except _StoppedError:
            return
        except Exception as error:  # whatever it is, somebody waits for an answer
            result = error
        self._call(self._done, result)

    def _step(self, n: int) -> None:
        if self._stopped.is_set():
            raise _StoppedError
        if n % TOLD_EVERY == 0:
            self._call(self._told, n)

    def _call(self, function: Callable[[Any], None], value: Any) -> None:
        # Widgets, and what draws figures, belong to one thread.
        if self._loop is None:
            self._heard(function, value)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heard, function, value)

    def _heard(self, function: Callable[[Any], None], value: Any) -> None:
        if not self._stopped.is_set():
            function(value)
