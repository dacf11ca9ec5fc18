"""Line charts as plain numbers: where the marks of an SVG go. Pure; no markup, no colours.

Zone: application. The template draws it and always prints the same values as a table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 640
WIDTH_SMALL: Final = 340
HEIGHT: Final = 220
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 30
_TICK_ROOM: Final = 84


@dataclass(frozen=True, slots=True)
class Mark:
    """One value at its place. Units: SVG user units from the top left."""

    index: int
    value: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class LineChart:
    """What the template draws: ``line`` and ``area`` are SVG path data."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    line: str
    area: str
    marks: tuple[Mark, ...]
    ticks_y: tuple[Mark, ...]
    ticks_x: tuple[Mark, ...]


def nice_step(highest: int, steps: int = 4) -> int:
    """The smallest 1, 2 or 5 times a power of ten that reaches ``highest`` in ``steps`` steps."""
    wanted = max(1, -(-highest // steps))
    power = 10 ** (len(str(wanted)) - 1)
    for factor in (1, 2, 5, 10):
        if factor * power >= wanted:
            return factor * power
    return 10 * power


def line_chart(values: Sequence[int], width: int = WIDTH) -> LineChart:
    """A chart of values at equal distances, from zero up; an empty sequence draws only axes.

    Units: ``width`` in SVG user units; the height is HEIGHT.
    """
    step = nice_step(max(values, default=0))
    top_value = step * max(1, -(-max(values, default=0) // step))
    right, bottom = width - _RIGHT, HEIGHT - _BOTTOM
    span = (right - _LEFT) / max(1, len(values) - 1)

    def height_of(value: int) -> float:
        return round(bottom - (bottom - _TOP) * value / top_value, 1)

    marks = tuple(
        Mark(index, value, round(_LEFT + span * index, 1), height_of(value))
        for index, value in enumerate(values)
    )
    ticks_y = tuple(
        Mark(number, value, _LEFT, height_of(value))
        for number, value in enumerate(range(0, top_value + 1, step))
    )
    every = max(1, -(-len(marks) * _TICK_ROOM // (right - _LEFT)))
    ticks_x = tuple(mark for mark in marks if (len(marks) - 1 - mark.index) % every == 0)
    line = "".join(f"{'L' if mark.index else 'M'}{mark.x} {mark.y}" for mark in marks)
    area = f"{line}L{marks[-1].x} {bottom}L{marks[0].x} {bottom}Z" if marks else ""
    return LineChart(width, HEIGHT, _LEFT, right, bottom, line, area, marks, ticks_y, ticks_x)
