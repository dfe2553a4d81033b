"""From A to B: a scan on its way to what a rival cluster would have."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clamlab.viewers.clusters.differences import change_since
from clamlab.viewers.clusters.way_bars import Step, bars
from clamlab.viewers.cohort.maps import rival_of
from clamlab.viewers.cohort.table import checked_soft
from clamlab.viewers.dropdown import dropdown
from clamlab.viewers.job import Job, StoppedError, said
from clamlab.viewers.listening import Listening
from clamlab.viewers.memory import Memory
from clamlab.viewers.number_box import NumberBox
from clamlab.viewers.slices.slice_viewer import SliceViewer, close_whole
from clamlab.viewers.stills import Explorable

CHANGED, DRAWN = "the scan, changed", "as the decoder draws it"
SINCE = "HU since the start"
OF_SCAN = "<br>It is of the scan, changed, and not of what the decoder draws."
FULL = {"width": "auto"}
_open: dict[str, "Way"] = {}


class Way(Explorable, widgets.VBox):
    """Go from a scan to what a rival cluster would have it be, step by step.

    A slider runs along the way that the network sees between the scan and the rival's centre: the
    picture, what has changed since the start in HU, and how likely every cluster is there. A
    second one fades between the scan and the end of the way. Steps are worked out one after the
    other while the first are looked at, and that can be stopped.

    Parameters
    ----------
    volumes : array (n, *grid)
        HU in RAS+ order (2-D slices as displayed); a memory map is read scan by scan.
    soft_assignments : array (n, K)
        Probabilities of the clusters; the largest is the scan's own cluster.
    way : callable(scan, rival)
        Gives the steps one by one, as ``contrast.ways_hu`` does. Where it raises an error, the
        error's words are shown with the scan.
    steps : int
        How many steps `way` gives, for the slider.
    names : sequence of str, optional
        Names of the scans, by row. Default: "Scan 1" and so on.
    affine : array (4, 4), optional
        Voxel to RAS+ millimetres; needed for volumes.
    mask : bool array of the grid, optional
        Lung; no difference is shown outside it.
    key : str, optional
        Name of this viewer: the earlier one of the same name is closed, and a cell that runs again
        shows what it showed before.

    Attributes
    ----------
    scan, rival, picture : ipywidgets.Dropdown
    along : ipywidgets.IntSlider
        Number of the step, from 0; the last that is worked out where it is not there yet.
    fade : ipywidgets.FloatSlider
    slices : SliceViewer

    Raises
    ------
    ValueError
        If names or probabilities do not fit the scans, or there is one cluster only.

    Examples
    --------
    >>> def no_way(scan, rival):
    ...     raise ValueError("the model has no decoder")
    >>> viewer = Way(np.zeros((2, 8, 8)), [[0.9, 0.1], [0.2, 0.8]], no_way)
    >>> viewer.slices.title, viewer.status.value
    ('Scan 1', 'There is no way to show: the model has no decoder')
    """

    in_words = "A scan on its way to what another cluster would have it be, step by step."

    def __init__(
        self,
        volumes: NDArray,
        soft_assignments: ArrayLike,
        way: Callable[[int, int], Iterable[Step]],
        *,
        steps: int = 9,
        names: Sequence[str] | None = None,
        affine: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        key: str | None = None,
    ) -> None:
        self._volumes, self._soft = volumes, checked_soft(soft_assignments)
        self._names = _checked_names(names, len(volumes), self._soft)
        self._way, self._affine = way, affine
        self._mask = np.asarray(True if mask is None else mask, bool)
        self._steps: list[Step] = []
        self._walk: Iterator[Step] = iter(())
        self._fading = self._turning = False
        self._wanted = SINCE
        self._job: Job | None = None
        memory = Memory(key, of=self._names)
        self._add_controls(steps, memory)
        slices, i = key and f"{key}: slices", self.scan.value
        self.slices = SliceViewer(volumes[i], title=self._names[i], affine=affine, key=slices)
        self._connect()
        choices = widgets.HBox([self.scan, self.rival, self.picture])
        going = widgets.HBox([self.stop, self.progress, self.status])
        sliders = widgets.VBox([NumberBox(self.along), NumberBox(self.fade), going])
        super().__init__(
            [choices, widgets.HBox([sliders, self.bars]), Listening(), self.slices], layout=FULL
        )
        if key in _open:
            _open.pop(key)._close_all()
        if key:
            _open[key] = self
        self._begin()
        memory.tie(self.along, "value", "along")

    def _add_controls(self, steps: int, memory: Memory) -> None:
        self.scan = dropdown("Scan", [(name, i) for i, name in enumerate(self._names)])
        memory.tie(self.scan, "value", "scan")
        self.rival = dropdown("to", self._rivals(self.scan.value))
        self.rival.value = self._second(self.scan.value)
        memory.tie(self.rival, "value", "rival")
        self.picture = dropdown("seen as", [CHANGED, DRAWN])
        memory.tie(self.picture, "value", "picture")
        wide = {"width": "420px"}
        self.along = widgets.IntSlider(description="Along", max=max(1, steps - 1), layout=wide)
        self.fade = widgets.FloatSlider(
            description="Fade", min=0, max=1, step=0.05, disabled=True, layout=wide
        )
        self.stop = widgets.Button(description="Stop", layout={"width": "80px"})
        self.progress = widgets.FloatProgress(max=1, layout={"width": "120px"})
        self.status = widgets.Label()
        self.bars = widgets.HTML()

    def _connect(self) -> None:
        self.scan.observe(self._next_scan, "value")
        self.rival.observe(self._next_rival, "value")
        self.picture.observe(lambda change: self._show(), "value")
        self.along.observe(lambda change: self._look(fading=False), "value")
        self.fade.observe(lambda change: self._look(fading=True), "value")
        self.stop.on_click(lambda button: self._stop_or_go())

    def _rivals(self, scan: int) -> list[tuple[str, int]]:
        own = int(self._soft[scan].argmax())
        return [(f"cluster {k + 1}", k) for k in range(self._soft.shape[1]) if k != own]

    def _second(self, scan: int) -> int:
        return rival_of(self._soft[scan], int(self._soft[scan].argmax()))

    def _next_scan(self, change: Any) -> None:
        self._turning = True
        self.rival.options = self._rivals(change.new)
        self.rival.value = self._second(change.new)
        self._turning = False
        self._begin()

    def _next_rival(self, change: Any) -> None:
        if not self._turning:
            self._begin()

    # --- working out -----------------------------------------------------------------------
    def _begin(self) -> None:
        """Start the way of the chosen scan to the chosen rival."""
        self._halt()
        self._steps, self._fading, self._turning = [], False, True
        self.along.value = 0
        self.fade.value, self.fade.disabled, self.progress.value = 0, True, 0
        self._turning = False
        self._show()
        try:
            self._walk = iter(self._way(self.scan.value, self.rival.value))
        except Exception as error:  # whatever it is, the scan can be looked at
            self._say(f"There is no way to show: {said(error)}")
            return
        self._go()

    def _go(self) -> None:
        """Work out step by step, while the first are looked at."""
        walk, steps = self._walk, self._steps

        def work(step: Callable[[int], None]) -> None:
            for found in walk:
                if not np.isfinite([found.image, found.drawn]).all():
                    raise ValueError("its picture holds values that are not finite")
                steps.append(found)
                step(len(steps))

        self.stop.description, self.stop.disabled = "Stop", False
        self._job = Job(work, told=self._took, done=lambda end: self._ended(steps, end))
        self._job.start()

    def _took(self, n: int) -> None:
        step = self._steps[n - 1]
        self.progress.value = step.fraction
        self.status.value = f"worked out to {step.fraction:.0%}"
        if self._here() is step and not self._fading:  # the reader waits for it
            self._show()

    def _ended(self, steps: list[Step], end: Any) -> None:
        """Say what the work has come to; what another way has come to concerns nobody now."""
        if steps is not self._steps:
            return
        self._job = None
        self.stop.disabled = False
        if steps:
            self._took(len(steps))
        if isinstance(end, StoppedError):
            self.stop.description = "Go on"
        elif isinstance(end, Exception):
            self._say(f"Step {len(steps) + 1} could not be worked out: {said(end)}")
        else:
            self._say("")
            self.fade.disabled = False
            self._show()  # the limit of the colours is known now

    def _say(self, words: str) -> None:
        self.stop.disabled = True
        self.status.value = words

    def _stop_or_go(self) -> None:
        if self._job is None:
            self._go()
        else:
            self.stop.disabled = True  # until the step that is being done is there
            self._job.stop()

    def _halt(self) -> None:
        if self._job is not None:
            self._job.stop()
        self._job = None

    # --- showing ---------------------------------------------------------------------------
    def _look(self, *, fading: bool) -> None:
        if not self._turning:
            self._fading = fading
            self._show()

    def _show(self) -> None:
        """Show the step, or the mixture, that the sliders ask for."""
        name = self._names[self.scan.value]
        if not self._steps:
            self.bars.value = ""
            view: dict[str, Any] = {"volume_hu": self._volumes[self.scan.value], "title": name}
        elif self._fading:
            view = self._faded(name)
        else:
            view = self._step(name, self._here())
        if self.slices.overlay_names:
            self._wanted = self.slices.overlay  # as the reader left it
        self.slices.show(affine=self._affine, **view)
        self.slices.overlay = self._wanted if self.slices.overlay_names else ""

    def _here(self) -> Step:
        asked = self.along.value / self.along.max
        return min(self._steps, key=lambda step: abs(step.fraction - asked))

    def _step(self, name: str, step: Step) -> dict[str, Any]:
        start, picture, end = map(self._picture, (self._steps[0], step, self._steps[-1]))
        self.bars.value = bars(step)
        seen = "" if self.picture.value == CHANGED else f", {DRAWN}"
        title = f"{name} · {step.fraction:.0%} of the way to {self.rival.label}{seen}"
        return self._view(title, start, picture, end)

    def _faded(self, name: str) -> dict[str, Any]:
        """Mix the two ends; no network was asked about a mixture, so there are no bars."""
        start, end, share = self._steps[0].image, self._steps[-1].image, self.fade.value
        # The list above says otherwise where it stands at the decoder.
        of = "" if self.picture.value == CHANGED else OF_SCAN
        self.bars.value = f"<small>A mixture of the two ends: no step of the way.{of}</small>"
        title = f"{name} · {share:.0%} faded to what {self.rival.label} would have"
        return self._view(title, start, (1 - share) * start + share * end, end)

    def _view(self, title: str, start: NDArray, picture: NDArray, end: NDArray) -> dict[str, Any]:
        since = change_since(start, picture, end, mask=self._mask)
        return {"volume_hu": picture, "overlays": {SINCE: since}, "title": title}

    def _picture(self, step: Step) -> NDArray:
        return step.image if self.picture.value == CHANGED else step.drawn

    def _close_all(self) -> None:
        self._halt()
        close_whole(self)


def _checked_names(names: Sequence[str] | None, n_scans: int, soft: NDArray) -> list[str]:
    told = [f"Scan {i + 1}" for i in range(n_scans)] if names is None else [*map(str, names)]
    if soft.shape[1] < 2:
        raise ValueError("one cluster only, and so no way to another: expected 2 clusters or more")
    if not n_scans == len(soft) == len(told):
        raise ValueError(
            f"expected as many scans as probabilities and names, found {n_scans}, {len(soft)} and "
            f"{len(told)}"
        )
    return told
