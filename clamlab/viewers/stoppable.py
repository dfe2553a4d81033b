"""Work that goes on step by step while the notebook stays alive, and that a person can stop."""

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets
import traitlets

from clamlab.viewers.job import Job, Step, StoppedError


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
        self._job: Job | None = None
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
        self.running, self.done, self.n_steps = True, 0, n_steps
        self.bar.max, self.stop.disabled = max(n_steps, 1), False

        def work(step: Step) -> None:
            for self.done, _ in enumerate(steps, start=1):
                step(self.done)

        self._job = Job(work, told=self._tell, done=lambda end: self._over(end, then, otherwise))
        self._job.start()

    def halt(self) -> None:
        """Stop after the step that is being done."""
        if self._job is not None:
            self._job.stop()
        self.stop.disabled = True

    def _tell(self, n: int) -> None:
        self.layout.display = "" if n > 1 else "none"  # what takes no time flashes no bar
        self.bar.value = n
        self.words.value = f"{n} of {self.n_steps}"

    def _over(self, end: Any, then: Callable[[], None], otherwise: Callable[[str], None]) -> None:
        self.running = False
        self.layout.display = "none"
        if isinstance(end, StoppedError) and self.done < self.n_steps:
            otherwise(f"Stopped after {self.done} of {self.n_steps} steps.")
        elif isinstance(end, Exception) and not isinstance(end, StoppedError):
            otherwise(str(end) or type(end).__name__)
        else:
            then()
