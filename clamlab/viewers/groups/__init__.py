"""Groups of scans that a person draws: kept by name, described, compared, taken into a paper."""

from clamlab.viewers.groups.kept import Groups
from clamlab.viewers.groups.panel import GroupPanel

__all__ = ["GroupPanel", "Groups"]
