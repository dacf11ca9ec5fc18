"""The file for a print shop: its bytes, and the letters that it can't hold."""

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from portal.domain.errors import InvalidInput
from portal.domain.print_batch import (
    COLUMNS,
    PART_BILLS,
    Charset,
    PrintedBill,
    cap_of,
    carries,
    lacking,
    lines_in,
    read_charset,
    write_parts,
)
from portal.domain.slip_number import SlipTerms
from tests.make.slips import SLIP

BILL = PrintedBill(
    postal_code="100-0001",
    address='東京都千代田区1-1 "みどり荘", 2号',
    name="髙橋 太郎",
    customer_no="0012-4821",
    number="E-1",
    amount_minor=8420,
    due_on=date(2026, 12, 10),
    digits=SLIP.digits(),
    lines=SLIP.lines(),
    pay_until=date(2026, 12, 31),
)
CHARSETS: tuple[tuple[Charset, str], ...] = (("utf-8-sig", "utf-8-sig"), ("cp932", "cp932"))


@pytest.mark.parametrize(("charset", "codec"), CHARSETS)
def test_the_file_reads_back_as_what_was_written(charset: Charset, codec: str) -> None:
    [body] = write_parts([BILL], charset)

    rows = list(csv.reader(io.StringIO(body.decode(codec), newline="")))
    assert rows == [list(COLUMNS), list(BILL.cells)]
    assert body.startswith(b"\xef\xbb\xbf") == (charset == "utf-8-sig")
    assert body.endswith(b"\r\n")
    assert body.count(b"\n") == body.count(b"\r\n") == lines_in(body) == 2


def test_a_slip_stands_with_its_digits_lines_and_last_day() -> None:
    said = dict(zip(COLUMNS, BILL.cells, strict=True))

    assert (said["バーコード"], said["請求金額"], said["印紙"]) == (SLIP.digits(), "8420", "0")
    assert (said["印字1"], said["印字2"]) == SLIP.lines()
    assert (said["支払期限"], said["お支払い可能日"]) == ("2026-12-10", "2026-12-31")


def test_what_shift_jis_lacks_stands_as_geta_and_is_named_once() -> None:
    odd = replace(BILL, name="𠮷田 𠮷男😀")

    [body] = write_parts([odd], "cp932")

    assert "〓田 〓男〓" in body.decode("cp932")
    assert lacking(odd, "cp932") == "𠮷😀"
    assert lacking(odd, "utf-8-sig") == lacking(BILL, "cp932") == ""


def test_what_shift_jis_spells_otherwise_is_no_lack() -> None:
    odd = replace(BILL, address="港区1-2 か\u3099ーデン", name="\ufa19田 — 太郎")

    [body] = write_parts([odd], "cp932")

    assert '"港区1-2 がーデン","\ufa19田 ― 太郎"' in body.decode("cp932")
    assert lacking(odd, "cp932") == ""


def test_what_a_spreadsheet_would_run_stands_as_geta_and_is_named() -> None:
    odd = replace(BILL, name='=HYPERLINK("https://x.test")', address="＠千代田区1-1", number="E=1")  # noqa: RUF001

    for charset, codec in CHARSETS:
        [body] = write_parts([odd], charset)
        row = list(csv.reader(io.StringIO(body.decode(codec), newline="")))[1]
        assert row[1:3] == ["〓千代田区1-1", '〓HYPERLINK("https://x.test")']
        assert row[4] == "E=1"
        assert lacking(odd, charset) == "＠="  # noqa: RUF001


def test_a_long_file_comes_in_parts_and_only_the_first_has_the_header() -> None:
    bills = [replace(BILL, number=f"E-{place}") for place in range(2 * PART_BILLS + 1)]

    for charset, codec in CHARSETS:
        parts = write_parts(bills, charset)
        whole = b"".join(parts).decode(codec)

        assert [lines_in(part) for part in parts] == [PART_BILLS + 1, PART_BILLS, 1]
        assert whole.count(COLUMNS[0]) == 1
        rows = list(csv.reader(io.StringIO(whole, newline="")))[1:]
        assert [row[4] for row in rows] == [bill.number for bill in bills]


def test_a_slip_carries_what_its_terms_allow_and_none_is_carried_without_terms() -> None:
    terms = SlipTerms(name="dsk", maker_code="929023", amount_min=200, amount_max=300_000)

    assert [carries(terms, yen) for yen in (199, 200, 300_000, 300_001)] == [
        False, True, True, False
    ]  # fmt: skip
    assert not carries(None, 500)
    assert (cap_of(terms), cap_of(None)) == (300_000, 0)


def test_only_the_two_charsets_are_known() -> None:
    for charset, _ in CHARSETS:
        assert read_charset(charset) == charset
    with pytest.raises(InvalidInput, match="print_charset"):
        read_charset("utf-16")
