"""Contracts of tables: read a table, draft its contract, check it against one.

A contract is a JSON Schema (Draft 2020-12) in which one object is one row of the table. A few
keywords of our own say what a column means in the analysis:

``x-role``       id, demographic, outcome, staging, visual_score or scanner
``x-units``      printed beside every value
``x-transform``  "log", or "log1p" where zeros occur: analysed on that scale
``x-reference``  the level that the others are compared with
``x-source``     external to the image, read from it by a reader, or derived from it

A contract may come from anybody. Its references stay within it, nothing is ever fetched, and its
patterns are those that can be run in bounded time (RE2's: without looking ahead or back).
"""

from clamlab.schema.checking import TableError, check_table
from clamlab.schema.contracts import analysed, load_schema
from clamlab.schema.drafting import draft_schema
from clamlab.schema.joining import join_subjects
from clamlab.schema.reading import read_table

__all__ = [
    "TableError",
    "analysed",
    "check_table",
    "draft_schema",
    "join_subjects",
    "load_schema",
    "read_table",
]
