"""Kinds of map held against each other where the truth is known: on slices and in volumes."""
