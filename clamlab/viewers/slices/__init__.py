"""Slices of scans with maps on top: drawn in the browser, by the mouse and by keys."""
