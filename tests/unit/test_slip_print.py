"""A slip on paper: its bars in whole dots, and what the oracle reads on the printed sheet."""

from collections import Counter
from datetime import date

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.application.doors.locales import LANGUAGES
from portal.application.doors.slip_paper import draw_sheet
from portal.application.doors.slip_pdf import sheet_of
from portal.domain.barcode import encode
from portal.domain.errors import InvalidInput
from portal.domain.slip_number import SlipNumber
from portal.domain.slip_print import MODULE_DOTS, REGISTER_MM_MAX, lay_out
from tests.make.symbol import dots_of, modules_of, read_picture

NUMBER = SlipNumber(
    maker_code="929023",
    free="252070000001234567890",
    issue=0,
    pay_until=date(2026, 12, 31),
    needs_stamp=False,
    amount_minor=8420,
)
DIGITS = NUMBER.digits()
NUMBERS = st.integers(0, 10**42 - 1).map(lambda rest: f"91{rest:042}")


def sheet(
    language: str = "ja", dpi: int = 300, name: str = "あおぞら電力", **slip: object
) -> bytes:
    bars = lay_out(encode(DIGITS), dpi)
    bill = {
        "payee": {"name": name, "phone": "0120-000-000"},
        "payerHint": "佐藤",
        "period": "2026-11",
        "number": "E-2026-11-0048-21",
    }
    shown = {
        "digits": DIGITS, "lines": NUMBER.lines(), "amount": {"amount": 8420},
        "payUntil": "2026-12-31", "atRegisters": True, "needsStamp": False,
    }  # fmt: skip
    return draw_sheet(sheet_of(language, bill, shown | slip, bars), bars)


def words(pdf: bytes) -> str:
    return pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


@given(digits=NUMBERS, dpi=st.sampled_from(sorted(MODULE_DOTS)))
@settings(max_examples=20)
def test_every_bar_stands_at_whole_dots_and_is_the_symbol(digits: str, dpi: int) -> None:
    bars, module = lay_out(encode(digits), dpi), MODULE_DOTS[dpi]
    row = bytearray(b"0" * bars.width)
    for place, width in bars.bars:
        row[place : place + width] = b"1" * width

    assert row.decode().strip("0")[::module] == modules_of(encode(digits))
    assert len(row.decode().strip("0")) == len(modules_of(encode(digits))) * module
    assert min(bars.bars[0][0], bars.width - sum(bars.bars[-1])) * 25.4 / dpi >= 2.54


def test_registers_take_in_what_is_printed_for_300_and_no_label_of_203() -> None:
    wide = {dpi: lay_out(encode(DIGITS), dpi) for dpi in MODULE_DOTS}

    assert {dpi: one.fits_registers for dpi, one in wide.items()} == {203: False, 300: True}
    assert wide[300].width * 25.4 / 300 <= REGISTER_MM_MAX
    assert all(one.height * 25.4 / dpi >= 10 for dpi, one in wide.items())
    with pytest.raises(InvalidInput) as fault:
        lay_out(encode(DIGITS), 360)
    assert fault.value.code == "barcode_scale"


@pytest.mark.parametrize(("made_for", "printer"), [(203, 203), (300, 300), (300, 600)])
def test_a_printer_makes_every_bar_sharp_and_the_oracle_reads_the_very_digits(
    made_for: int, printer: int
) -> None:
    dots = dots_of(sheet(dpi=made_for), printer)

    assert read_picture(dots) == [(DIGITS, "]C1")]
    white = b"\xff" * len(dots[0])
    [(row, tall)] = Counter(line for line in dots if line != white).most_common(1)
    bars, scale = lay_out(encode(DIGITS), made_for), printer // made_for
    assert tall == bars.height * scale
    dark = modules_of(encode(DIGITS)).replace("1", "\0").replace("0", "\xff")
    module = MODULE_DOTS[made_for] * scale
    assert row.strip(b"\xff") == b"".join(bytes([ord(dot)]) * module for dot in dark)


def test_a_sheet_for_300_can_not_be_read_from_a_printer_of_203_so_there_are_two() -> None:
    assert read_picture(dots_of(sheet(dpi=300), 203)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_says_what_is_to_pay_until_when_and_to_whom_but_not_by_whom(language: str) -> None:
    said = words(sheet(language))

    day, amount = {"ja": ("2026/12/31", "8,420円"), "en": ("31 Dec 2026", "¥8,420")}[language]
    for written in ("あおぞら電力", "0120-000-000", day, amount, "E-2026-11-0048-21"):
        assert written in said
    assert all(line in said for line in NUMBER.lines())
    assert "佐藤" not in said


def test_a_sheet_promises_a_register_only_where_one_can_take_it() -> None:
    at_a_register = "レジに出してください"

    assert at_a_register in words(sheet())
    assert at_a_register not in words(sheet(dpi=203))
    assert at_a_register not in words(sheet(atRegisters=False))
    assert "収入印紙" in words(sheet(needsStamp=True))


def test_a_long_name_is_broken_within_the_page_and_a_rare_letter_does_not_break_it() -> None:
    dots = dots_of(sheet(name="𠮷" + "野" * 90), 100)

    assert "〓野" in words(sheet(name="𠮷" + "野" * 90))
    margin = int(0.7 * 100)
    assert {*b"".join(row[-margin:] for row in dots)} == {255}


def test_the_same_slip_gives_the_same_bytes() -> None:
    assert sheet() == sheet()
