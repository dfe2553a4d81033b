"""A study made again from its manifest: the same choices, the same seeds, and what came out."""
