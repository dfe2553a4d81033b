"""What can be wrong with a scan, in words: what was expected, what was found, what to do."""


class IngestError(ValueError):
    """A scan cannot be used: the message says what was expected, what was found and what to do."""


class UnusableFile(ValueError):
    """One of a scan's files cannot be used; the message ends the sentence "file 7 ...".

    Attributes
    ----------
    series_uid : str or None
        Of the series that misses it; None where that was not read.
    """

    def __init__(self, problem: str, series_uid: str | None = None) -> None:
        super().__init__(problem)
        self.series_uid = series_uid
