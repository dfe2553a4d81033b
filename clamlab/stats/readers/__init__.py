"""What readers saw: how well they agree, and one value per scan for the other tables."""

from clamlab.stats.readers.agreement import reader_agreement
from clamlab.stats.readers.choices import choice_result
from clamlab.stats.readers.consensus import join_readings, reader_means
from clamlab.stats.readers.scores import scores_of
from clamlab.stats.readers.to_read import reading_progress, scores_to_read

__all__ = [
    "choice_result",
    "join_readings",
    "reader_agreement",
    "reader_means",
    "reading_progress",
    "scores_of",
    "scores_to_read",
]
