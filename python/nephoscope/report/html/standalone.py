"""Pictures of a page as files of their own, with the styles that a page would give them."""

import re
from pathlib import Path

_STYLE = Path(__file__).parent / "templates" / "report.css"


def standalone(drawn: str, ground: str = "") -> str:
    """A picture as an SVG file, on a ground of its own if one is named."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert size is not None
    sheet = _STYLE.read_text(encoding="utf-8")
    style = f"<style>{sheet}{f'svg {{ background: {ground}; }}' if ground else ''}</style>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[1]}" height="{size[2]}" '
    # A minimum width is of pages that scroll.
    drawn = re.sub(r' style="min-width:[^"]*"', "", drawn, count=1)
    body = drawn.removeprefix("<svg ").replace(">", f">{style}", 1)
    return f"{head}{body}\n"
