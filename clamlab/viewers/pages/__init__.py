"""Viewers as pages for somebody without Python."""
