"""The site of these pages: `make docs` builds it into site/, and nothing is fetched for it."""

import re
from typing import Any

project = "clamlab"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "clamlab"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
html_static_path, html_css_files = ["assets"], ["site.css"]
html_extra_path = ["made/pages"]  # viewers that are pages of their own
myst_heading_anchors = 3
# Names are listed room by room as the rooms offer them, with one page a room.
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # numpydoc says types and shapes together
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False


def setup(app: Any) -> None:
    """Read docstrings as they are written for `help`."""
    # In front of napoleon, which listens with priority 500.
    app.connect("autodoc-process-docstring", _escape, priority=400)


def _escape(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Let a shape such as (n, *grid) begin no emphasis, and |a - b| be no name of a text."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"(?<=[(, ])\*(?=[a-z_]+[),\s])|\|", r"\\\g<0>", line)
