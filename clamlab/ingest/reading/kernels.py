"""Which reconstruction kernels are soft, by maker.

Makers name kernels in ways of their own. The order of sharpness is that of Solomon et al. (Med Phys
2012;39:6048) and Mackin et al. (Invest Radiol 2019;54:288), who measured kernels of four makers on
one phantom; makers' numbers are read as their DICOM conformance statements explain them.
"""

import re

# Siemens: a family's letters, then sharpness from 10 (smooth) to 90: B31f, Br40d, Bl57d, I50f.
SIEMENS = re.compile(r"^[BDHIJQTU][A-Z]?(\d\d)[A-Z]?\b")
SIEMENS_SHARP = 46
# Canon and Toshiba: FC01-FC19 body, 20-29 head, 30-39 bone and inner ear, 50-59 lung, 80-89 fine.
CANON = re.compile(r"^FC(\d\d)")
CANON_SOFT = range(1, 30)
SOFT = {"STANDARD", "STND", "SOFT", "DETAIL", "CHST", "CHEST", "A", "B", "C", "SA", "SB", "SC"}
SHARP = {
    "LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "HD LUNG", "HD BONE", "HD EDGE", "D", "E", "L",
    "EB", "EC", "YA", "YB", "YC", "YD", "YE", "YL",
}  # fmt: skip


def is_soft(kernel: str) -> bool | None:
    r"""Tell a soft kernel from a sharp one; None where the name is not known.

    Examples
    --------
    >>> [is_soft(name) for name in ("Br36d\\3", "Bl57", "FC08", "FC30", "LUNG", "XYZ")]
    [True, False, True, False, False, None]
    """
    name = kernel.upper().strip()
    if found := CANON.match(name):
        return int(found[1]) in CANON_SOFT
    if found := SIEMENS.match(name):
        return int(found[1]) < SIEMENS_SHARP
    if name in SOFT | SHARP:
        return name in SOFT
    return None
