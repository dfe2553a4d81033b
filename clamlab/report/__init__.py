"""One page, one draft and one manifest of a study, made of what was read of it."""

from clamlab.report.document import to_document
from clamlab.report.found import Found
from clamlab.report.manifest import manifest_of
from clamlab.report.page import to_page
from clamlab.report.references import bibliography
from clamlab.report.report import Report, report_of

__all__ = [
    "Found",
    "Report",
    "bibliography",
    "manifest_of",
    "report_of",
    "to_document",
    "to_page",
]
