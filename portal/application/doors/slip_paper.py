"""A slip on a sheet of paper: words, digits and bars as a PDF of a few kilobytes.

Zone: application. Draws what it is given and knows neither bill nor language. Bars are rectangles
at whole dots of the printer, no picture, so nothing is left to smooth on the way to the paper.
Japanese is written in a font that every reader brings along (Adobe-Japan1); none is embedded.
What the library would read as markup, or fetch, is not used: text is drawn letter by letter.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, cast

from reportlab.lib import textsplit, utils
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from portal.domain.slip_print import PrintedBars

_JAPANESE: Final = "HeiseiKakuGo-W5"
_LATIN: Final = "Helvetica"
_DIGITS: Final = "Courier"
_POINTS: Final = 72
"""A PDF's units to the inch."""

_EDGE_PT: Final = 56.0
_LABEL_PT: Final = 130.0
_LEADING: Final = 1.5
_TRACE_PT: Final = 0.001
_INSET: Final = 0.1
"""Dots by which a bar is drawn narrower on either side. Many printers blacken every dot that a
shape touches, so one that ends exactly at a dot's edge would get another dot from mere rounding.
Source: ISO 32000-1 §10.6.4 (scan conversion rules)."""
_MISSING: Final = "〓"
"""Printed for a letter that the fonts for Adobe-Japan1's two-byte codes don't have."""

_SPLIT: Final = cast("Any", textsplit)
_UTILS: Final = cast("Any", utils)
_METRICS: Final = cast("Any", pdfmetrics)
"""What the library's stubs leave without types."""

_METRICS.registerFont(UnicodeCIDFont(_JAPANESE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What stands on it, in order: ``rows`` are labels with their values, ``lines`` the digits."""

    language: str
    title: str
    merchant: str
    amount: str
    rows: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    notes: tuple[str, ...]


def draw_sheet(sheet: Sheet, bars: PrintedBars) -> bytes:
    """One page of PDF; the same for the same slip, whenever it is asked for."""
    dot = _POINTS / bars.dpi
    # A trace less than whole dots, or rounding makes one dot more and readers stretch the page.
    page = (bars.page[0] * dot - _TRACE_PT, bars.page[1] * dot - _TRACE_PT)
    kept = BytesIO()
    canvas = Canvas(kept, pagesize=page, invariant=1, pageCompression=1, lang=sheet.language)
    canvas.setTitle(sheet.title)
    room = page[0] - 2 * _EDGE_PT
    pen = _Pen(canvas, page[1] - _EDGE_PT)
    pen.write(sheet.merchant, 14, room)
    pen.write(sheet.title, 20, room)
    pen.write(sheet.amount, 28, room)
    for label, value in sheet.rows:
        top = pen.y
        pen.write(label, 11, _LABEL_PT)
        after_label, pen.y = pen.y, top
        pen.write(value, 11, room - _LABEL_PT, left=_EDGE_PT + _LABEL_PT)
        pen.y = min(pen.y, after_label)
    pen.y = _draw_bars(canvas, bars, pen.y - 12)
    for line in sheet.lines:
        pen.write(line, 10, room, font=_DIGITS)
    pen.y -= 12
    for note in sheet.notes:
        pen.write(note, 11, room)
    canvas.showPage()
    canvas.save()
    return kept.getvalue()


def _draw_bars(canvas: Canvas, bars: PrintedBars, top_pt: float) -> float:
    """Rectangles in dots; gives how far down they reach, in points."""
    dot = _POINTS / bars.dpi
    left, bottom = round(_EDGE_PT / dot), round(top_pt / dot) - bars.height
    canvas.saveState()
    canvas.scale(dot, dot)
    canvas.setFillGray(0)
    for place, width in bars.bars:
        within = (width - 2 * _INSET, bars.height - 2 * _INSET)
        canvas.rect(left + place + _INSET, bottom + _INSET, *within, stroke=0, fill=1)
    canvas.restoreState()
    return bottom * dot - 4


class _Pen:
    """Writes from the top down. Units: points."""

    def __init__(self, canvas: Canvas, y: float) -> None:
        self._canvas = canvas
        self.y = y

    def write(
        self, text: str, size: float, room: float, *, left: float = _EDGE_PT, font: str = ""
    ) -> None:
        """As many lines as it takes."""
        font = font or (_LATIN if _is_latin(text) else _JAPANESE)
        self._canvas.setFont(font, size)
        for line in _split(text, font, size, room):
            self.y -= size
            self._canvas.drawString(left, self.y, line)
            self.y -= size * (_LEADING - 1)


def _split(text: str, font: str, size: float, room: float) -> list[str]:
    if font != _JAPANESE:
        return cast("list[str]", _UTILS.simpleSplit(text, font, size, room))
    shown = "".join(letter if ord(letter) <= 0xFFFF else _MISSING for letter in text)  # noqa: PLR2004 - two bytes a letter
    pieces = cast("list[tuple[float, str]]", _SPLIT.wordSplit(shown, [room], font, size))
    return [line for _, line in pieces]


def _is_latin(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
