"""How a slip's number becomes bars: GS1-128 in code set C, as run lengths and as SVG. Pure.

Drawn by code of our own because a page, a message and millions of printed slips need the same few
bytes and no picture library; zxing-cpp and python-barcode check it in the tests. What the digits
mean is portal.domain.slip_number's.
"""

from collections.abc import Sequence
from html import escape
from typing import Final

from portal.domain.errors import InvalidInput
from portal.domain.slip_number import DIGITS

MODULES: Final = 288
QUIET_MODULES: Final = 10
"""White on either side, without which no scanner finds the bars."""

WIDTH_MODULES: Final = MODULES + 2 * QUIET_MODULES
BAR_HEIGHT_MODULES: Final = 66
"""At 0.169 mm a module (600 dpi, 4 dots) a little over the 10 mm that a register wants."""

MODULE_PX_MIN: Final = 2
"""Device pixels a module: with one, any rescaling by a browser makes the bars unreadable."""

MODULE_PX_MAX: Final = 40

_FNC1: Final = 102
_START_C: Final = 105
_STOP: Final = 106
_CHECK_MODULUS: Final = 103

_WIDTHS: Final = (  # noqa: SIM905  107 literals are harder to compare with the table
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 "
    "112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 "
    "311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 "
    "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 "
    "122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
).split()
"""Widths of bar, space, bar … by symbol value. Source: ISO/IEC 15417, table 1."""


def encode(digits: str) -> tuple[int, ...]:
    """Widths of bar, space, bar … in modules, first and last a bar; 288 modules in all.

    Raises: InvalidInput ``slip_length`` for anything but 44 digits.
    """
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        raise InvalidInput("slip_length", params={"digits": DIGITS})
    pairs = (int(digits[place : place + 2]) for place in range(0, DIGITS, 2))
    # FNC1 right after the start is what makes a Code 128 symbol one of GS1's.
    values = [_START_C, _FNC1, *pairs]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % _CHECK_MODULUS
    return tuple(int(width) for value in (*values, check, _STOP) for width in _WIDTHS[value])


def fit_module_px(room_px: float, ratio: float) -> int | None:
    """Whole device pixels a module for a room of ``room_px`` CSS pixels; None when it is too small.

    Units: CSS pixels; ``ratio`` is device pixels per CSS pixel. None means: turn the telephone.
    """
    fitting = min(int(room_px * ratio / WIDTH_MODULES), MODULE_PX_MAX)
    return fitting if fitting >= MODULE_PX_MIN else None


def draw_svg(widths: Sequence[int], label: str, *, module_px: int = 2, ratio: float = 1) -> str:
    """The symbol on a white card, quiet zones included, as an SVG element of about 1 KB.

    Attributes only: no style, no script, no reference, so the strictest policy lets it pass, and
    no theme colours it. ``label`` names it for who can't see it.

    Units: ``module_px`` device pixels a module, at ``ratio`` device pixels per CSS pixel.
    Raises: InvalidInput ``barcode_scale`` (params ``min``, ``max``).
    """
    if not MODULE_PX_MIN <= module_px <= MODULE_PX_MAX or ratio <= 0:
        raise InvalidInput("barcode_scale", params={"min": MODULE_PX_MIN, "max": MODULE_PX_MAX})
    height = BAR_HEIGHT_MODULES + 2 * QUIET_MODULES
    scale = module_px / ratio
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}"'
        f' width="{_short(WIDTH_MODULES * scale)}" height="{_short(height * scale)}"'
        f' viewBox="0 0 {WIDTH_MODULES} {height}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{WIDTH_MODULES}v{height}H0z"/>'
        f'<path fill="#000" d="{_bars(widths)}"/></svg>'
    )


def _bars(widths: Sequence[int]) -> str:
    """Closed rectangles; each begins where the one before began, so numbers stay small."""
    drawn, step = [f"M{QUIET_MODULES} {QUIET_MODULES}"], 0
    for bar, space in zip(widths[::2], (*widths[1::2], 0), strict=True):
        moved = f"m{step} 0" if step else ""
        drawn.append(f"{moved}h{bar}v{BAR_HEIGHT_MODULES}h-{bar}z")
        step = bar + space
    return "".join(drawn)


def _short(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")
