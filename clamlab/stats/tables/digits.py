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
