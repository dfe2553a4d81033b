"""What of a study's tables may leave it: counts that are single persons are masked."""

from clamlab.stats.disclosure.masking import mask_flow, mask_outcomes, mask_table_one, mask_trust
from clamlab.stats.disclosure.partitions import mask_agreement, mask_partitions
from clamlab.stats.disclosure.small_counts import SMALLEST, hidden_cells

__all__ = [
    "SMALLEST",
    "hidden_cells",
    "mask_agreement",
    "mask_flow",
    "mask_outcomes",
    "mask_partitions",
    "mask_table_one",
    "mask_trust",
]
