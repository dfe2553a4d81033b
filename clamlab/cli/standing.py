"""Stages that no longer stand: found and told in one way, whoever asks."""

import pandas as pd

UNSOUND = ("stale", "altered", "partial")


def unsound(states: pd.DataFrame) -> pd.DataFrame:
    """Pick the stages that were made and no longer stand, of those that ``status`` told."""
    return states[states["status"].isin(UNSOUND)]


def listed(states: pd.DataFrame) -> str:
    """Say of each stage how it is, and why."""
    return "\n".join(f"  {row.stage} is {row.status}: {row.why}" for row in states.itertuples())


def allowing(states: pd.DataFrame) -> str:
    """Write the option that allows stages by name."""
    return f"--stale {','.join(states['stage'].str[:2])}"
