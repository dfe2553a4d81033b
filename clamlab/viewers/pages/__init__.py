"""Viewers as pages for somebody without Python: what a page of the cohort tells, and of whom."""

from clamlab.viewers.pages.about import About
from clamlab.viewers.pages.persons import Persons

__all__ = ["About", "Persons"]
