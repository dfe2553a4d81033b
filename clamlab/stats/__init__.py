"""Who is in each cluster, and what the clusters mean clinically: tables ready for a paper.

Every function takes the clinical table with its column of clusters and the table's contract,
which says what each column is (``x-role``), how it is printed and transformed, and whether it
comes from outside the image, from a reader of the image, or from the image itself
(``x-source``). What is derived from the clustered images is described and never tested.
"""

from clamlab.stats.associations import adjusted_means, outcome_associations
from clamlab.stats.characteristics import table_one
from clamlab.stats.crosscheck import check_with_tableone
from clamlab.stats.diagnostics import model_diagnostics
from clamlab.stats.export import export_table
from clamlab.stats.imputation import imputed_associations
from clamlab.stats.measures import map_measures, measures_by_cluster
from clamlab.stats.missingness import missing_by_cluster
from clamlab.stats.model_comparison import compare_models
from clamlab.stats.outcome_maps import OutcomeMap, outcome_map
from clamlab.stats.rendering import render_table_one, table_notes
from clamlab.stats.shortcuts import shortcut_alarm
from clamlab.stats.showing import show_table
from clamlab.stats.summary import summary_sentence
from clamlab.stats.uncertainty import associations_across
from clamlab.stats.voxelwise import voxelwise_association
from clamlab.stats.zones import outside_shares, zone_shares

__all__ = [
    "OutcomeMap",
    "adjusted_means",
    "associations_across",
    "check_with_tableone",
    "compare_models",
    "export_table",
    "imputed_associations",
    "map_measures",
    "measures_by_cluster",
    "missing_by_cluster",
    "model_diagnostics",
    "outcome_associations",
    "outcome_map",
    "outside_shares",
    "render_table_one",
    "shortcut_alarm",
    "show_table",
    "summary_sentence",
    "table_notes",
    "table_one",
    "voxelwise_association",
    "zone_shares",
]
