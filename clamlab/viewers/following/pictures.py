"""Figures as pictures of a page, with words for those who do not see them."""

import base64
import html
import io
from typing import Any

DPI = 150


def picture(figure: Any, words: str, *, width_px: int) -> str:
    """Write a figure into HTML, no wider than asked."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    data = base64.b64encode(buffer.getvalue()).decode()
    said = html.escape(words, quote=True)
    return f'<img alt="{said}" width="{width_px}" src="data:image/png;base64,{data}">'
