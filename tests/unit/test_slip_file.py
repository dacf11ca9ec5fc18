"""Files of notices; tests/make/konbini holds a real one (MIT licence, see its README)."""

from collections import Counter as Tally
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.slip_file import COLUMNS, LINE_BYTES_MAX, REMEDIES, NoticeLine, read_notices
from portal.domain.slip_notice import SlipNotice
from portal.domain.slip_number import needs_stamp, parse, read_fields
from tests.make.slips import Counter, mend

REAL = Path(__file__).parents[1] / "make" / "konbini" / "notices.csv"
GOOD = (
    "01,20261210,0826,EAN91929023252070000001234567890261231000842,067890,12345678900,0,8420,010,"
    '"セブン，イレブン",458762,0,20261211'  # noqa: RUF001 - full width as they write
)


def row(**changed: str) -> str:
    """The good line with some cells changed, and the barcode's check digit as it should be."""
    names = (
        "kind day clock barcode use1 use2 stamp amount company name store paid_out made".split()  # noqa: SIM905
    )
    barcode = mend("91929023252070000001234567890" + "0" + "261231" + "0" + "008420" + "0")
    cells = dict(zip(names, GOOD.split(","), strict=True)) | {"barcode": f"EAN{barcode}"}
    return ",".join((cells | changed).values())


def read(text: str, encoding: str = "cp932") -> list[NoticeLine]:
    return list(read_notices([text.encode(encoding)], "agency"))


def reason_of(line: str) -> str:
    verdict = read(line)[0]
    assert verdict.notice is None
    assert verdict.remedy == REMEDIES[verdict.reason]
    return verdict.reason


def mended() -> list[SlipNotice]:
    """The real notices, with check digits that fit their numbers."""
    lines = REAL.read_text(encoding="utf-8").splitlines()
    whole = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        cells[3] = f"EAN{mend(cells[3].removeprefix('EAN'))}"
        whole.append(",".join(cells))
    read_back = read("\r\n".join(whole))
    assert [verdict.reason for verdict in read_back] == [""] * 59
    return [verdict.notice for verdict in read_back if verdict.notice]


def test_a_line_is_read_with_its_header_quotes_and_any_line_end() -> None:
    for text in (row(), f"{row()}\r\n", f"種別,収納日\n{row()}\n\n{row(kind='02')}"):
        verdicts = read(text)

        notice = verdicts[0].notice
        assert notice is not None
        assert (notice.kind, notice.amount_minor) == ("provisional", 8420)
        assert parse(notice.digits).free == "252070000001234567890"
    assert [verdict.line_no for verdict in verdicts] == [2, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(kind="81"), "kind_unknown"),
        (row(kind="1"), "kind_unknown"),
        (row(day="20261301"), "day_malformed"),
        (row(day="2026-12-10"), "day_malformed"),
        (row(clock="2400"), "time_malformed"),
        (row(clock="9:15"), "time_malformed"),
        (row(clock="915"), "time_malformed"),
        (row(clock="９１５0"), "time_malformed"),  # noqa: RUF001 - full width on purpose
        (row(day="２０２６1210"), "day_malformed"),  # noqa: RUF001 - full width on purpose
        (row(amount="8421"), "amount_differs"),
        (row(amount="8,420"), "line_columns"),
        (row(amount="-8420"), "amount_malformed"),
        (row(stamp="1"), "stamp_differs"),
        (row(barcode="91929023"), "barcode_prefix"),
        (row(barcode="EAN919290"), "slip_length"),
        (row(barcode="EAN" + "9" * 44), "slip_check_digit"),
        (row(barcode="EAN" + mend("92" + "9" * 42)), "slip_application"),
        (row(barcode="EAN" + mend("91" + "8" * 28 + "999999" + "0" * 8)), "slip_maker_code"),
        (row(paid_out="1"), "day_malformed"),
        (row(made=""), "day_malformed"),
        ("01," * 5, "line_columns"),
        (row() + ",", "line_columns"),
        (row(name='"open'), "line_columns"),
        (row(name="x" * LINE_BYTES_MAX), "line_too_long"),
    ],
)
def test_a_faulty_line_says_why_and_what_to_do(line: str, reason: str) -> None:
    assert reason_of(line) == reason


def test_a_faulty_line_stops_none_of_the_others() -> None:
    verdicts = read("\n".join([row(), row(kind="99"), row(clock="1200")]))

    assert [bool(verdict.notice) for verdict in verdicts] == [True, False, True]
    assert [verdict.line_no for verdict in verdicts] == [1, 2, 3]


def test_another_encoding_is_told_line_by_line() -> None:
    verdicts = read(f"{row()}\n{row(name='plain')}", "utf-8")

    assert verdicts[1].notice is not None
    assert verdicts[0].notice is None or verdicts[0].notice == verdicts[1].notice
    broken = list(read_notices([b"01,\x81"], "agency"))
    assert (broken[0].reason, broken[0].remedy) == ("line_encoding", "convert_cp932")


def test_the_post_gives_no_time_and_no_deadline() -> None:
    barcode = mend("91929023252070000001234567890" + "0" + "999999" + "0" + "008420" + "0")
    notice = read(row(kind="12", clock="0000", barcode=f"EAN{barcode}"))[0].notice

    assert notice is not None
    assert (notice.received_at, read_fields(notice.digits).pay_until) == (None, None)


@given(size=st.integers(1, 400))
def test_parts_may_be_cut_anywhere(size: int) -> None:
    whole = f"{row()}\r\n{row(kind='02')}\n{row(kind='77')}".encode("cp932")
    parts = [whole[place : place + size] for place in range(0, len(whole), size)]

    assert list(read_notices(parts, "agency")) == list(read_notices([whole], "agency"))


@given(junk=st.binary(max_size=300))
def test_no_bytes_break_the_reader_and_every_reason_has_a_remedy(junk: bytes) -> None:
    for verdict in read_notices([b"01,", junk], "agency"):
        assert (verdict.notice is None) == (verdict.reason in REMEDIES)


def test_a_line_without_end_does_not_fill_memory() -> None:
    endless = (b"9" * 65_536 for _ in range(200))

    assert [verdict.reason for verdict in read_notices(endless, "agency")] == ["line_too_long"]


def test_the_real_file_is_refused_as_it_is_because_its_check_digits_were_broken() -> None:
    verdicts = read(REAL.read_text(encoding="utf-8"))
    reasons = Tally(verdict.reason for verdict in verdicts)

    # The post's six lines are compared with the slip itself later.
    assert reasons == {"slip_check_digit": 53, "": 6}


def test_real_slips_come_provisional_then_confirmed_or_by_post() -> None:
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for notice in mended():
        kinds[notice.digits].append(notice.kind)

    assert Tally(map(tuple, kinds.values())) == {
        ("provisional", "confirmed"): 26,
        ("postal",): 6,
        ("provisional",): 1,
    }


def test_real_sequences_end_in_the_money_that_the_agency_confirmed() -> None:
    slips: dict[str, Counter] = {}
    for notice in mended():
        counter = slips.setdefault(notice.digits, Counter(read_fields(notice.digits)))
        counter.take(notice)

    states = Tally(counter.facts.state for counter in slips.values())
    posted = sum(
        counter.facts.number.amount_minor
        for counter in slips.values()
        if list(counter.money().values()) == ["posted"]
    )
    assert states == {"confirmed": 32, "provisional": 1}
    assert posted == sum(n.amount_minor for n in mended() if n.kind in {"confirmed", "postal"})
    assert not [case for counter in slips.values() for case in counter.cases]


def test_real_stamps_follow_the_rule_for_amounts_that_contain_a_tenth_of_tax() -> None:
    for notice in mended():
        tax = notice.amount_minor * 10 // 110
        assert read_fields(notice.digits).needs_stamp == needs_stamp(notice.amount_minor, tax)


def test_the_format_has_thirteen_columns() -> None:
    assert row().count(",") + 1 == COLUMNS
