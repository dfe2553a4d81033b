"""The order in which a reader meets scans: random, the same again, and no other reader's."""

from collections.abc import Sequence
from hashlib import sha256

MOST_REPEATED = 1 / 3  # a scan that is shown again was among the first third
FIRST, SECOND = 1, 2


def blind_order(
    ids: Sequence[str], *, reader: str, seed: int, repeated: float
) -> list[tuple[int, int]]:
    """Draw which scan comes when, and which come twice; nothing but the draw decides.

    Each scan's place is drawn from its own id, so that a scan that is withdrawn or added leaves the
    order of the others as it was. A scan that comes twice is one of the first third and comes again
    in the second half.

    Parameters
    ----------
    ids : sequence of str
    reader : str
    seed : int
    repeated : float
        Share of scans that come twice, up to a third.

    Returns
    -------
    list of (int, int)
        Position in ``ids``, and 1, or 2 where the scan comes again.

    Examples
    --------
    >>> blind_order(["S1", "S2", "S3"], reader="AB", seed=1, repeated=1 / 3)
    [(1, 1), (2, 1), (1, 2), (0, 1)]
    """
    if not 0 <= repeated <= MOST_REPEATED:
        raise ValueError(f"expected a share of scans that come twice in [0, 1/3], found {repeated}")

    def drawn(what: str, i: int) -> float:
        return draw(what, seed, reader, ids[i])

    n = len(ids)
    first = sorted(range(n), key=lambda i: drawn("first", i))
    early = sorted(first[: -(-n // 3)], key=lambda i: drawn("twice", i))
    times = {(i, FIRST): place / n for place, i in enumerate(first)}
    times |= {(i, SECOND): (1 + drawn("second", i)) / 2 for i in early[: round(repeated * n)]}
    return sorted(times, key=lambda showing: times[showing])


def draw(*told: object) -> float:
    """Draw a number in [0, 1) from some words: the same again, and no other words'.

    Examples
    --------
    >>> round(draw("first", 1, "AB", "S1"), 3)
    0.748
    """
    words = "\x1f".join(map(str, told)).encode()
    return int.from_bytes(sha256(words).digest()[:8], "big") / 2**64
