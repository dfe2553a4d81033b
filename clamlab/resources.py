"""Where notebooks and contracts lie: beside the code in a clone, inside it when installed."""

from pathlib import Path

PACKAGE = Path(__file__).parent


def notebooks() -> Path:
    """Return the folder of the numbered notebooks."""
    return _find("_notebooks", "notebooks")


def schemas() -> Path:
    """Return the folder of the JSON contracts."""
    return _find("_schemas", "data_schemas")


def _find(installed: str, cloned: str) -> Path:
    inside = PACKAGE / installed
    return inside if inside.is_dir() else PACKAGE.parent / cloned
