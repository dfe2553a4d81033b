"""Clusters that needed no network: what deep clustering must be held against.

Where a baseline finds the same clusters, nobody needed a network to find them.
"""

from clamlab.baselines.agreement import agreement, agreement_sentence
from clamlab.baselines.linear import linear_features
from clamlab.baselines.method import Baseline
from clamlab.baselines.partitions import baseline_partitions, baseline_title
from clamlab.baselines.recorded import recorded_of_scans
from clamlab.baselines.texture import texture_features

__all__ = [
    "Baseline",
    "agreement",
    "agreement_sentence",
    "baseline_partitions",
    "baseline_title",
    "linear_features",
    "recorded_of_scans",
    "texture_features",
]
