"""Whose a scan is: what lies in a folder, the rule by which rows find it, what contradicts it."""
