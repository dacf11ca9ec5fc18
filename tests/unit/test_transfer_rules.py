"""Files of transfers: their records, their days, and what may be decided about them."""

from datetime import UTC, date, datetime, time
from typing import get_args

import pytest

from portal.domain import transfer as rules
from portal.domain.days import BankCalendar, cut_off
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.transfer import FILES, LINES, TransferEvent, TransferState, TransferTerms
from portal.domain.zengin.record import TRANSFERS, Account, FileForm, Header
from portal.domain.zengin.transfer import TransferLine, TransferWriter, read_transfers
from tests.make.debits import HEADER

CALENDAR = BankCalendar(holidays=frozenset(), since=date(2026, 1, 1), until=date(2027, 12, 31))
TERMS = TransferTerms(submit_days=1, submit_by=time(15))
FRIDAY = date(2026, 11, 27)
MONDAY = date(2026, 11, 30)


def line(**more: object) -> TransferLine:
    account = Account(bank_code="0005", branch_code="002", kind="4", number="1234567")
    values: dict[str, object] = {
        "account": account, "holder": "ﾔﾏﾀﾞ ﾊﾅｺ", "amount_minor": 8_420,
        "instruction_no": "01781234567890000001", "bank_name": "ﾐﾂﾋﾞｼUFJ", "branch_name": "ﾎﾝﾃﾝ",
    }  # fmt: skip
    return TransferLine(**(values | more))  # type: ignore[arg-type]


def written(*lines: TransferLine, form: FileForm | None = None) -> bytes:
    writer = TransferWriter(form or FileForm())
    values = {name: getattr(HEADER, name) for name in Header.__struct_fields__}
    header = Header(**(values | {"kind": TRANSFERS}))
    return writer.begin(header) + writer.add(lines) + writer.finish()


def test_each_field_stands_in_its_place() -> None:
    body = written(line(), line(amount_minor=1_000, instruction_no="2"))

    head, first, second, trailer, end, rest = body.decode("cp932").split("\r\n")
    assert {len(record) for record in (head, first, second, trailer, end)} == {120}
    assert rest == ""
    assert head[:4] == "1210"
    assert (head[4:14], head[54:58], head[95:96], head[96:103]) == (
        "0000012345", "1228", "1", "7654321",
    )  # fmt: skip
    assert (first[1:5], first[20:23], first[38:42], first[42]) == ("0005", "002", "0000", "4")
    assert (first[5:20], first[23:38]) == (f"{'ﾐﾂﾋﾞｼUFJ':15}", f"{'ﾎﾝﾃﾝ':15}")
    assert (first[43:50], first[50:80]) == ("1234567", f"{'ﾔﾏﾀﾞ ﾊﾅｺ':30}")
    assert (first[80:90], first[90], first[91:111]) == ("0000008420", "0", "01781234567890000001")
    assert (first[111], first[112:]) == ("7", " " * 8)
    assert second[91:111] == f"{2:020d}"
    assert (trailer[:7], trailer[7:19], trailer[19:]) == ("8000002", "000000009420", " " * 101)
    assert end == f"9{'':119}"


def test_what_we_wrote_reads_as_it_was_with_and_without_line_ends() -> None:
    lines = [line(), line(amount_minor=1, instruction_no="00000000000000000002")]
    for separator in ("\r\n", ""):
        body = written(*lines, form=FileForm(separator=separator))  # type: ignore[arg-type]
        assert read_transfers([body[:130], body[130:]]) == lines


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"holder": "山田"}, "holder"),
        ({"holder": " "}, "holder"),
        ({"holder": "ｱ" * 31}, "holder"),
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": 10**10}, "amount"),
        ({"instruction_no": "x"}, "number"),
        (
            {"account": Account(bank_code="5", branch_code="002", kind="1", number="1234567")},
            "bank_code",
        ),
        (
            {"account": Account(bank_code="0005", branch_code="002", kind="3", number="1234567")},
            "account_kind",
        ),
    ],
)
def test_what_no_record_can_hold_is_refused_by_field(more: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput, match="zengin_field") as refused:
        written(line(**more))
    assert refused.value.params == {"field": field}


def test_a_day_is_one_on_which_banks_work_and_not_far() -> None:
    now = datetime(2026, 11, 27, 1, tzinfo=UTC)
    rules.check_day(CALENDAR, MONDAY, now)
    for day in (date(2026, 11, 28), date(2027, 3, 1)):
        with pytest.raises(InvalidInput, match="transfer_day_wrong"):
            rules.check_day(CALENDAR, day, now)
    assert rules.next_day(CALENDAR, TERMS, now) == (MONDAY, cut_off(CALENDAR, TERMS, MONDAY))
    late = datetime(2026, 11, 27, 6, 0, 1, tzinfo=UTC)
    found = rules.next_day(CALENDAR, TERMS, late)
    assert found is not None
    assert found[0] == date(2026, 12, 1), "past Friday's hour it is Tuesday"
    same_day = TransferTerms(submit_days=0, submit_by=time(12))
    assert rules.next_day(CALENDAR, same_day, now) == (FRIDAY, cut_off(CALENDAR, same_day, FRIDAY))
    assert rules.next_day(CALENDAR, TERMS, datetime(2028, 1, 1, tzinfo=UTC)) is None


def test_money_counts_as_gone_from_its_day_in_japan() -> None:
    assert not rules.is_gone(MONDAY, datetime(2026, 11, 29, 14, 59, tzinfo=UTC))
    assert rules.is_gone(MONDAY, datetime(2026, 11, 29, 15, tzinfo=UTC))


def test_only_the_banks_word_leads_out_of_unknown_and_nothing_leads_back() -> None:
    out = {event for state, event in FILES if state == "unknown"}
    assert out == {"accept", "reject"}
    for state in get_args(TransferState):
        for event in get_args(TransferEvent):
            if state in {"accepted", "rejected", "discarded"}:
                with pytest.raises(Conflict, match="transfer_file_state"):
                    rules.advance_file(state, event)
    over = {"released", "returned"}
    assert not over & {state for state, _ in LINES}
    with pytest.raises(Conflict, match="transfer_state"):
        rules.advance_line("returned", "send_back")


def test_who_may_decide_what() -> None:
    def may(state: TransferState, role: str | None, *, builder: bool, late: bool = False) -> str:
        found = rules.choices_of(
            state,
            role,  # type: ignore[arg-type]
            is_builder=builder,
            is_late=late,
        )
        return " ".join(found)

    assert may("sealed", "owner", builder=False) == "approve discard"
    assert may("sealed", "owner", builder=True) == "discard"
    assert may("sealed", "owner", builder=False, late=True) == "discard"
    assert may("sealed", "clerk", builder=False) == ""
    assert may("building", "clerk", builder=True) == "discard"
    assert may("sending", "owner", builder=False) == ""
    assert may("sealed", None, builder=False) == ""
