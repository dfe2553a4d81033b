"""What goes wrong with a study folder."""


class StudyError(RuntimeError):
    """The study folder cannot do what was asked; the message says what to do. Nothing was lost."""


class RecordError(StudyError):
    """What the study wrote down about one stage is damaged; the other stages are not."""
