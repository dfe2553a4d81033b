"""Tables and figures that follow a hand: without the unsure scans, without sex, for three outcomes.

What is moved here was not planned. It is marked as exploratory wherever it appears, counted, and
kept beside the planned results, never in their place.
"""

from clamlab.viewers.following.outcomes import OutcomeExplorer
from clamlab.viewers.following.tables import TableExplorer

__all__ = ["OutcomeExplorer", "TableExplorer"]
