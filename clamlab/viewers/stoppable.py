"""Work that goes on step by step while the notebook stays alive, and that a person can stop."""

import asyncio
import time
from collections.abc import Callable, Iterator

import ipywidgets as widgets
import traitlets

SECONDS = 0.15  # between two looks of the progress bar
END = object()


class Stoppable(widgets.HBox):
    """Work through steps behind a progress bar with a Stop button; nothing else waits for it.

    In a notebook the kernel stays free: each step runs in a thread, one after the other. Where no
    event loop runs, as in a script, all steps are done before `run` returns.

    Attributes
    ----------
    bar : ipywidgets.IntProgress
    stop : ipywidgets.Button
    done, n_steps : int
        How far the work came, of how much.
    running : bool
        Whether work is under way; to be observed.
    task : asyncio.Task or None

    Examples
    --------
    >>> work, found = Stoppable(), []
    >>> work.run(iter([1, 2, 3]), n_steps=3, then=lambda: found.append("whole"))
    >>> work.done, found
    (3, ['whole'])
    """

    running = traitlets.Bool(False)

    def __init__(self) -> None:
        self.bar = widgets.IntProgress(layout=widgets.Layout(width="220px"))
        self.stop = widgets.Button(description="Stop", layout=widgets.Layout(width="auto"))
        self.stop.on_click(lambda button: self.halt())
        self.words = widgets.Label()
        self.done = self.n_steps = 0
        self.task: asyncio.Task | None = None
        self._halted = False
        super().__init__([self.bar, self.words, self.stop])
        self.layout.display = "none"

    def run(
        self,
        steps: Iterator,
        *,
        n_steps: int,
        then: Callable[[], None],
        otherwise: Callable[[str], None] = print,
    ) -> None:
        """Begin; a second beginning while work is under way is refused.

        Parameters
        ----------
        steps : iterator
            Each of its items is one step.
        n_steps : int
            How many there will be.
        then : callable()
            What to do when all is done.
        otherwise : callable(str)
            What to do if it was stopped or failed; gets a sentence.

        Raises
        ------
        RuntimeError
            If work is under way.
        """
        if self.running:
            raise RuntimeError("work is under way: stop it first")
        self.running, self._halted, self.done, self.n_steps = True, False, 0, n_steps
        work = self._work(steps, then, otherwise)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a script, or a test
            asyncio.run(work)
        else:
            self.task = loop.create_task(work)

    def halt(self) -> None:
        """Stop after the step that is being done."""
        self._halted = True
        self.stop.disabled = True

    async def _work(
        self, steps: Iterator, then: Callable[[], None], otherwise: Callable[[str], None]
    ) -> None:
        try:
            await self._steps(steps)
            left = self.done < self.n_steps
            said = f"Stopped after {self.done} of {self.n_steps} steps." if left else ""
        except Exception as error:
            said = str(error) or type(error).__name__
        finally:
            self.running = False
            self.layout.display = "none"
        if said:
            otherwise(said)
        else:
            then()

    async def _steps(self, steps: Iterator) -> None:
        self.bar.max, self.stop.disabled = max(self.n_steps, 1), False
        shown = time.monotonic()
        self._show()
        while not self._halted and await asyncio.to_thread(next, steps, END) is not END:
            self.done += 1
            if time.monotonic() - shown > SECONDS:
                shown = time.monotonic()
                self.layout.display = ""  # what takes no time flashes no bar
                self._show()

    def _show(self) -> None:
        self.bar.value = self.done
        self.words.value = f"{self.done} of {self.n_steps}"
