"""Contracts of tables: read a table, draft its contract, check it against one.

A contract is a JSON Schema (Draft 2020-12) in which one object is one row of the table. A few
keywords of our own say what a column means in the analysis:

``x-role``       id, demographic, outcome, staging, visual_score or scanner
``x-units``      printed beside every value
``x-transform``  "log", or "log1p" where zeros occur: analysed on that scale
``x-reference``  the level that the others are compared with
``x-source``     external to the image, read from it by a reader, or derived from it
``x-missing``    cells that stand for a missing value: ["-999", "unknown"]

A contract may come from anybody. Its references stay within it, nothing is ever fetched, and its
patterns are those that can be run in bounded time (RE2's: without looking ahead or back).
"""

from clamlab.schema.checking import TableError, check_table
from clamlab.schema.contracts import analysed, load_schema
from clamlab.schema.describing import describe_contract, save_contract
from clamlab.schema.drafting import draft_schema
from clamlab.schema.joining import join_subjects
from clamlab.schema.reading.read import read_table
from clamlab.schema.visits import one_visit

__all__ = [
    "TableError",
    "analysed",
    "check_table",
    "describe_contract",
    "draft_schema",
    "join_subjects",
    "load_schema",
    "one_visit",
    "read_table",
    "save_contract",
]
