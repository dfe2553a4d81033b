"""Who is in each cluster: the paper's Table 2, shown, exported and checked."""

from clamlab.stats.tables.beforehand import columns_named, known_beforehand
from clamlab.stats.tables.characteristics import table_one
from clamlab.stats.tables.crosscheck import check_with_tableone
from clamlab.stats.tables.export import export_table
from clamlab.stats.tables.groups import describe_groups
from clamlab.stats.tables.missingness import missing_by_cluster
from clamlab.stats.tables.rendering import render_table_one, table_notes
from clamlab.stats.tables.scan_facts import scan_facts
from clamlab.stats.tables.shortcuts import shortcut_alarm
from clamlab.stats.tables.showing import show_table

__all__ = [
    "check_with_tableone",
    "columns_named",
    "describe_groups",
    "export_table",
    "known_beforehand",
    "missing_by_cluster",
    "render_table_one",
    "scan_facts",
    "shortcut_alarm",
    "show_table",
    "table_notes",
    "table_one",
]
