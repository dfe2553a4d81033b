"""A study made again from its manifest: the same choices, the same seeds, and what came out."""

from clamlab.cli.rerun.command import rerun

__all__ = ["rerun"]
