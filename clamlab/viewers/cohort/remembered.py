"""What of a cohort viewer comes back when its cell runs again."""

from typing import Any

from clamlab.viewers.clusters.number_slider import NumberSlider
from clamlab.viewers.cohort.choices import CohortChoices
from clamlab.viewers.cohort.rooms import Rooms
from clamlab.viewers.groups import GroupPanel
from clamlab.viewers.memory import Memory
from clamlab.viewers.points.filters import Filters
from clamlab.viewers.points.latent_scatter import LatentScatter

CHOICES = ("scan", "map", "cluster", "color")


def recall_choices(memory: Memory, choose: CohortChoices, numbers: NumberSlider | None) -> None:
    """Set, before anything is drawn, what the first picture depends on."""
    for name in CHOICES:
        memory.tie(getattr(choose, name), "value", name)
    if numbers is not None:
        memory.tie(numbers, "value", "number")


def recall_view(
    memory: Memory,
    choose: CohortChoices,
    scatter: LatentScatter,
    *,
    filters: Filters,
    groups: GroupPanel,
    rooms: Rooms,
) -> None:
    """Set what follows from it: points, filters, groups, and what stands beside."""
    memory.tie(choose.projection, "value", "projection")
    memory.tie(scatter, "axes", "axes")
    memory.tie(scatter, "faint", "faint")
    memory.tie(filters, "conditions", "filters", written=without_words)
    memory.tie(scatter, "group", "group")
    memory.tie(choose.search, "value", "search")
    memory.tie(choose.beside, "value", "beside")
    memory.tie(groups, "chosen", "groups")
    memory.tie(groups.controls.map, "value", "map of groups")
    for name, door in zip(("filters open", "groups open"), rooms.doors, strict=True):
        memory.tie(door, "value", name)


def without_words(conditions: dict[str, Any]) -> dict[str, Any]:
    """Return the filters that hold nothing a person typed, which might be a name.

    Examples
    --------
    >>> without_words({"age": {"low": 50}, "name": {"text": "smith"}})
    {'age': {'low': 50}}
    """
    return {name: told for name, told in conditions.items() if "text" not in told}
