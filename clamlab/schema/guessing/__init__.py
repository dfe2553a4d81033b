"""What a column of a new table most likely is, and why: a guess for a person to correct.

``column`` chooses between what is tried: ``numbers`` (measured, coded, with units or bounds) and
``words`` (dates, yes and no, levels, free text). ``guess`` is what each of them tells; ``twins``
are two columns that tell the same.
"""
