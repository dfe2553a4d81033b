"""The command line: make a study, run its notebooks without a person, see where it stands."""

from clamlab.cli.main import main

__all__ = ["main"]
