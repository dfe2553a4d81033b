"""How many decimals a number deserves: a unit may be so large that two of them show nothing."""

import pandas as pd


def decimals_for(spread: float, *, least: int = 2) -> int:
    """Return the decimals that show two digits of a spread: of an interval's width, or an SD.

    Parameters
    ----------
    spread : float
        In the units of the number that is printed; missing where none is known.
    least : int

    Returns
    -------
    int

    Examples
    --------
    >>> decimals_for(3.2), decimals_for(0.45), decimals_for(0.0010), decimals_for(float("nan"))
    (2, 2, 4, 2)
    """
    if pd.isna(spread) or spread <= 0:
        return least
    # As it is printed: 0.00099999 is 0.0010.
    exponent = int(f"{spread:.1e}".partition("e")[2])
    return max(least, 1 - exponent)


def decimals_left(value: float, decimals: int, digits: float | None) -> int:
    """Return how many of the wanted decimals a number has that was rounded to so many digits.

    Parameters
    ----------
    value : float
    decimals : int
        As many as would be printed of an exact number.
    digits : int or None
        Significant ones; None, or missing, for an exact number.

    Returns
    -------
    int

    Examples
    --------
    >>> [decimals_left(value, 2, 3) for value in (171.0, 53.6, 0.45)], decimals_left(171.0, 2, None)
    ([0, 1, 2], 2)
    """
    if digits is None or pd.isna(digits) or pd.isna(value):
        return decimals
    exponent = int(f"{value:e}".partition("e")[2])
    return max(0, min(decimals, int(digits) - 1 - exponent))
