"""Where a slip's bars stand on paper, in whole dots of the printer that will print them. Pure.

A bar that is a dot and a half wide comes out as one dot or two, and the next one otherwise: that is
what makes printed bars unreadable. So everything here is counted in dots, page included; a drawing
only scales dots to its own units. Which modules are dark is portal.domain.barcode's.

Source: GS1 Japan's guideline for payment slips as print shops and makers of scanners cite it: 60 mm
at most with 2.54 mm white on either side, 10 mm high, 2 dots a module at 300 dpi.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.domain.barcode import MODULES
from portal.domain.errors import InvalidInput

MODULE_DOTS: Final = {203: 2, 300: 2}
"""Dots a module by dots per inch. 300 fits printers of 600 and 1,200 too. Those of 203 (labels,
receipts) can't make a module of one dot that apps read from worn paper, and two are too wide for a
register."""

DPI: Final = 300
"""What a printer is taken for unless its owner says otherwise."""

REGISTER_MM_MAX: Final = 60.0
"""What a register's scanner takes in at once, the white on either side included."""

_QUIET_MM: Final = 2.54
_HEIGHT_MM: Final = 12.0
"""A little more than the 10 mm that are asked for: paper is cut and creased."""

_PAGE_MM: Final = (210.0, 297.0)
_INCH_MM: Final = 25.4


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedBars:
    """The symbol for one kind of printer. Units: dots.

    ``bars``: place from the symbol's left edge and width of every dark bar, the white before the
    first one counted. ``page``: width and height of the sheet (ISO 216, A4).
    """

    dpi: int
    bars: tuple[tuple[int, int], ...]
    width: int
    height: int
    page: tuple[int, int]

    @property
    def fits_registers(self) -> bool:
        """Whether a register's scanner takes it in."""
        return self.width * _INCH_MM / self.dpi <= REGISTER_MM_MAX


def lay_out(widths: Sequence[int], dpi: int = DPI) -> PrintedBars:
    """Bars of a symbol as portal.domain.barcode encodes it, for a printer of ``dpi``.

    Units: modules in, dots out. Raises: InvalidInput ``barcode_scale`` (params ``min``, ``max``)
    for a printer that is not in MODULE_DOTS.
    """
    if dpi not in MODULE_DOTS:
        raise InvalidInput(
            "barcode_scale", params={"min": min(MODULE_DOTS), "max": max(MODULE_DOTS)}
        )
    module, quiet = MODULE_DOTS[dpi], _at_least(_QUIET_MM, dpi)
    place, bars = quiet, list[tuple[int, int]]()
    for bar, space in zip(widths[::2], (*widths[1::2], 0), strict=True):
        bars.append((place, bar * module))
        place += (bar + space) * module
    return PrintedBars(
        dpi=dpi,
        bars=tuple(bars),
        width=MODULES * module + 2 * quiet,
        height=_at_least(_HEIGHT_MM, dpi),
        page=(round(_PAGE_MM[0] * dpi / _INCH_MM), round(_PAGE_MM[1] * dpi / _INCH_MM)),
    )


def _at_least(mm: float, dpi: int) -> int:
    return -int(-mm * dpi // _INCH_MM)
