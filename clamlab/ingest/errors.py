"""The one error of ingestion: a scan that cannot be used, and why."""


class IngestError(ValueError):
    """A scan cannot be used: the message says what was expected, what was found and what to do."""
