"""The guard is for the start of Python, not for a test's import."""

collect_ignore = ["sitecustomize.py"]
