"""Figures as pictures of a page, with words for those who do not see them."""

import base64
import html
import io
from typing import Any

DPI = 150


def picture(figure: Any, words: str, *, width_px: int | None = None, dpi: int = DPI) -> str:
    """Write a figure into HTML, as wide as asked, or as there is room for."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    data = base64.b64encode(buffer.getvalue()).decode()
    said = html.escape(words, quote=True)
    wide = 'style="max-width: 100%"' if width_px is None else f'width="{width_px}"'
    return f'<img alt="{said}" {wide} src="data:image/png;base64,{data}">'
