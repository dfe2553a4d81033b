"""The covariance of a fit's coefficients as asked for, or the reason why there is none."""

from typing import Any

import numpy as np
from scipy.linalg import eigh

COVARIANCES = ("classical", "HC3")
ALONE = 1 - 1e-8  # leverage of a row that fits itself


def with_covariance(fit: Any, covariance: str) -> tuple[Any, list[str]]:
    """Give a fit the covariance asked for, or say why it does not exist.

    HC3 comes with t tests. It needs that no row, and no whole group of rows, fits itself.
    """
    if covariance == "classical":
        return fit, []
    leverage = fit.get_influence().hat_matrix_diag
    if leverage.max() > ALONE:
        row = fit.model.data.row_labels[int(np.argmax(leverage))]
        return None, [f"leverage 1 at index {row!r}: HC3 does not exist, no model"]
    robust = fit.get_robustcov_results("HC3", use_t=True)
    smallest = eigh(robust.cov_params(), fit.cov_params(), eigvals_only=True)[0]
    if smallest < 1e-8:  # a difference that would have no error at all
        return None, [
            "rows of one kind have one value: HC3 does not exist, no model (use classical)"
        ]
    return robust, []
