import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from barcode.codex import Code128, Gs1_128
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.barcode import MODULES, WIDTH_MODULES, draw_svg, encode, fit_module_px
from portal.domain.errors import InvalidInput
from portal.domain.slip_number import SlipNumber
from tests.make.symbol import modules_of, read, resample, row_of

DIGITS = "91959919833262024010101043480024071000395003"
NUMBERS = st.from_regex(r"91[0-9]{42}", fullmatch=True)


@given(digits=NUMBERS)
@settings(max_examples=200)
def test_every_symbol_is_288_modules_and_equals_a_second_encoders(digits: str) -> None:
    drawn = modules_of(encode(digits))

    assert len(drawn) == MODULES == 288
    assert drawn == Gs1_128(digits).build()[0]


@given(digits=NUMBERS, px=st.integers(1, 6))
@settings(max_examples=60)
def test_the_oracle_reads_every_number_back_as_gs1(digits: str, px: int) -> None:
    assert read(row_of(modules_of(encode(digits)), px)) == [(digits, "]C1")]


def test_a_symbol_without_the_function_character_is_not_a_slip() -> None:
    plain = Code128(DIGITS).build()[0]

    assert read(row_of(plain, 3)) == [(DIGITS, "]C0")]
    assert plain != modules_of(encode(DIGITS))


@pytest.mark.parametrize("factor", [0.9, 1.3, 1.5, 2.4])
@pytest.mark.parametrize("px", [2, 3, 4])
def test_two_pixels_a_module_survive_a_browser_that_rescales(px: int, factor: float) -> None:
    scaled = resample(row_of(modules_of(encode(DIGITS)), px), factor)

    assert read(scaled) == [(DIGITS, "]C1")]


@pytest.mark.parametrize("factor", [0.6, 0.75])
def test_one_pixel_a_module_dies_of_rescaling_which_is_why_two_are_the_least(factor: float) -> None:
    scaled = resample(row_of(modules_of(encode(DIGITS)), 1), factor)

    assert read(scaled) == []


def test_a_damaged_symbol_is_not_read_as_another_number() -> None:
    drawn = modules_of(encode(DIGITS))
    damaged = f"{drawn[:140]}{'1' * 6}{drawn[146:]}"

    assert read(row_of(damaged, 3)) == []


@pytest.mark.parametrize("digits", ["", DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "a", "٣" * 44])
def test_only_44_digits_can_be_drawn(digits: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode(digits)

    assert refused.value.code == "slip_length"


@pytest.mark.parametrize(
    ("room", "ratio", "px"),
    [
        (616, 1, 2), (615, 1, None), (308, 2, 2), (360, 3, 3), (307, 2, None), (393, 2.625, 3),
        (360, 1, None), (100_000, 3, 40),
    ],
)  # fmt: skip
def test_a_module_takes_whole_pixels_or_the_telephone_has_to_be_turned(
    room: float, ratio: float, px: int | None
) -> None:
    assert fit_module_px(room, ratio) == px


@pytest.mark.parametrize(("px", "ratio"), [(1, 1), (0, 1), (41, 1), (2, 0), (2, -1)])
def test_a_scale_that_no_scanner_could_read_is_refused(px: int, ratio: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        draw_svg(encode(DIGITS), "slip", module_px=px, ratio=ratio)

    assert refused.value.code == "barcode_scale"


def bars_of(svg: str) -> str:
    """The modules that the path paints, by walking it as a renderer does."""
    path = ET.fromstring(svg)[1].attrib["d"]  # noqa: S314 - our own drawing
    painted = ["0"] * WIDTH_MODULES
    left = 0
    for moved, dx, bar in re.findall(r"([mM])(\d+) \d+h(\d+)v\d+h-\d+z", path):
        left = int(dx) if moved == "M" else left + int(dx)
        painted[left : left + int(bar)] = "1" * int(bar)
    return "".join(painted)


def test_the_drawing_paints_the_modules_between_its_quiet_zones() -> None:
    svg = draw_svg(encode(DIGITS), "slip")

    assert bars_of(svg) == f"{'0' * 10}{modules_of(encode(DIGITS))}{'0' * 10}"


def test_the_drawing_is_small_and_passes_the_strictest_policy() -> None:
    svg = draw_svg(encode(DIGITS), 'a "label" & <more>', module_px=3, ratio=3)
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing

    assert len(svg.encode()) <= 1_400
    assert root.attrib["aria-label"] == 'a "label" & <more>'
    assert (root.attrib["width"], root.attrib["viewBox"]) == ("308", "0 0 308 86")
    assert root.attrib["shape-rendering"] == "crispEdges"
    assert root[0].attrib["fill"] == "#fff"
    assert not re.search(r"style|script|href|url\(|\bon[a-z]+=|class=|id=", svg)


def test_a_slip_made_of_fields_is_read_back_from_its_bars() -> None:
    slip = SlipNumber(
        maker_code="929023",
        free="252070000001234567890",
        issue=1,
        pay_until=date(2026, 12, 31),
        needs_stamp=True,
        amount_minor=299_999,
    )

    assert read(row_of(modules_of(encode(slip.digits())), 3)) == [(slip.digits(), "]C1")]
