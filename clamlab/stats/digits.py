"""How many significant digits a number keeps that leaves the study; a column ``digits`` says it."""

FEW = 3  # where a count beside it is masked
# Of an estimate where no count is masked: three would make 171.3 and 170.6 cm the same, and a
# share that is rounded again as it is printed another.
PLAIN = 6
