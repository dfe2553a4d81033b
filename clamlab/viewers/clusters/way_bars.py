"""One step of a way, and how likely every cluster is there."""

from typing import Protocol

from numpy.typing import NDArray

HEAD = (
    "<tr><th></th><th style='text-align: left'>likely here</th><th></th>"
    "<th>picture read again</th></tr>"
)
FOOT = (
    "<small>Likely here: at this point between scan and cluster. Read again: what the network<br>"
    "says of the changed scan. Where they differ, the picture does not hold what was asked.</small>"
)


class Step(Protocol):
    """What `contrast.ways_hu` gives for each step."""

    @property
    def fraction(self) -> float:
        """How far along: 0 at the scan, 1 at the rival's centre."""

    @property
    def image(self) -> NDArray:
        """The scan, changed; HU."""

    @property
    def drawn(self) -> NDArray:
        """What the decoder draws here; HU."""

    @property
    def soft_assignment(self) -> NDArray:
        """Probabilities of the clusters at this point of the feature space."""

    @property
    def read_again(self) -> NDArray:
        """Probabilities that the network gives the changed scan."""


def bars(step: Step) -> str:
    """Draw how likely every cluster is at a step, and what the network says of its picture.

    Examples
    --------
    >>> class Here:
    ...     soft_assignment, read_again = [0.25, 0.75], [0.3, 0.7]
    >>> "cluster 2" in bars(Here()) and "width: 75.0%" in bars(Here())
    True
    """
    rows = []
    for k, (here, read) in enumerate(zip(step.soft_assignment, step.read_again, strict=True)):
        bar = f"background: #0072B2; height: 12px; width: {100 * here:.1f}%"
        rows.append(
            f"<tr><td>cluster {k + 1}</td>"
            f"<td style='width: 160px; background: #8883'><div style='{bar}'></div></td>"
            f"<td style='text-align: right'>{here:.2f}</td>"
            f"<td style='text-align: right'>{read:.2f}</td></tr>"
        )
    table = f"<table style='line-height: 1.5; border-spacing: 8px 0'>{HEAD}{''.join(rows)}</table>"
    return table + FOOT
