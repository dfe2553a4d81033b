"""Which p-values between clusters may be printed: false alarms where there are no clusters.

    make bench false_positives     about twenty minutes

Separation 0 is one cloud: a p-value should be below .05 in one cohort of twenty. The others tell
what the calibrated p finds when there are two clusters. Results stay in false_positives.csv beside
this file.
"""

from pathlib import Path

from studies.false_positives import false_positive_rates

RESULT = Path(__file__).with_suffix(".csv")
REPETITIONS, SEED = 2000, 100_000


def main() -> None:
    """Count false alarms, and discoveries."""
    rates = false_positive_rates(
        separations=(0.0, 3.0, 5.0), repetitions=REPETITIONS, seed=SEED, n_jobs=2
    )
    rates.to_csv(RESULT, index=False, float_format="%.4f")
    print(rates.to_string(index=False))


if __name__ == "__main__":
    main()
