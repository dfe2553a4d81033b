"""What goes wrong with a study folder."""


class StudyError(RuntimeError):
    """The study folder cannot do what was asked; the message says what to do. Nothing was lost."""
