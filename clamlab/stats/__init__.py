"""Who is in each cluster, and what the clusters mean clinically: tables ready for a paper.

Five rooms, by what they are about: ``tables`` (Table 2), ``outcomes`` (Figure 10), ``maps``
(maps as numbers), ``readers`` (what readers saw) and ``disclosure`` (what of them may leave a
study). Every function of the first three takes the clinical table with its column of clusters and
the table's contract, which says what each column is (``x-role``), how it is printed and
transformed, and whether it comes from outside the image, from a reader of the image, or from the
image itself (``x-source``). What is derived from the clustered images is described and never
tested.
"""

from clamlab.stats import disclosure, maps, outcomes, readers, tables

__all__ = ["disclosure", "maps", "outcomes", "readers", "tables"]
