"""Scans as points: where they lie, who is out of sight, and who is next to whom."""
