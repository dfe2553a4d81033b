"""What readers saw: how well they agree, and one value per scan for the other tables."""

from clamlab.stats.readers.agreement import reader_agreement
from clamlab.stats.readers.choices import choice_result
from clamlab.stats.readers.consensus import as_outcomes, join_readings, reader_means
from clamlab.stats.readers.scores import scores_of

__all__ = [
    "as_outcomes",
    "choice_result",
    "join_readings",
    "reader_agreement",
    "reader_means",
    "scores_of",
]
