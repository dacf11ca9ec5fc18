from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput, InvariantBroken, LimitReached
from portal.domain.zengin.kana import LETTERS, is_kana, to_kana
from portal.domain.zengin.record import (
    Account,
    FileForm,
    Trailer,
    infer_date,
    write_debit,
    write_header,
    write_trailer,
)
from portal.domain.zengin.write import DebitWriter
from tests.make.debits import HEADER, debit, write

FORM = FileForm()


def account(**other: str) -> Account:
    return msgspec.structs.replace(debit(1).account, **other)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ジュウショ　ガス(カ", "ｼﾞﾕｳｼﾖ ｶﾞｽ(ｶ"),
        ("キュウヨ", "ｷﾕｳﾖ"),
        ("やまだ　はなこ", "ﾔﾏﾀﾞ ﾊﾅｺ"),
        ("ﾔﾏﾀﾞ ﾊﾅｺ", "ﾔﾏﾀﾞ ﾊﾅｺ"),
        ("スーパー", "ｽ-ﾊﾟ-"),
        ("ヲヴァヵヶッ", "ｵｳﾞｱｶｹﾂ"),
        ("ａｂｃ－１２．３／４", "ABC-12.3/4"),  # noqa: RUF001 - full width on purpose
        ("  ヤマダ \t ハナコ ", "ﾔﾏﾀﾞ ﾊﾅｺ"),
        ("ハ゛", "ﾊﾞ"),
        ("A–B−C‐D", "A-B-C-D"),  # noqa: RUF001 - the hyphens of keyboards
        ("", ""),
    ],
)
def test_names_are_written_in_the_letters_of_bank_files(name: str, written: str) -> None:
    assert to_kana(name) == written
    assert is_kana(written)


@pytest.mark.parametrize(
    ("name", "character"),
    [
        ("山田花子", "山"),
        ("ヤマダ・ハナコ", "・"),
        ("ガス,カ", ","),
        ("ヰ", "ヰ"),
        ("é", "é"),
        ("🙂", "🙂"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_with_the_character(
    name: str, character: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        to_kana(name)

    assert refused.value.code == "kana_unwritable"
    assert refused.value.params == {"character": character}


def test_a_bank_may_take_more_letters_than_others() -> None:
    assert to_kana("ガス,カ「ア」", ",｢｣") == "ｶﾞｽ,ｶ｢ｱ｣"


@given(text=st.text(max_size=30))
def test_whatever_is_written_stays_as_it_is_and_has_one_byte_a_letter(text: str) -> None:
    try:
        written = to_kana(text)
    except InvalidInput:
        return

    assert to_kana(written) == written
    assert len(written.encode("cp932")) == len(written)
    assert set(written) <= set(LETTERS)


def test_every_record_is_120_bytes_with_its_fields_in_their_places() -> None:
    header, line = write_header(HEADER, FORM), write_debit(debit(42, newness="1"), FORM)
    trailer = write_trailer(Trailer(count=1, total_minor=8420))

    assert {len(r.encode("cp932")) for r in (header, line, trailer)} == {120}
    assert (header[:4], header[4:14], header[54:58]) == ("1910", "0000012345", "1228")
    assert (header[58:62], header[77:80], header[95:103]) == ("0001", "001", "17654321")
    assert (line[:5], line[20:23], line[38:42]) == ("20005", "002", "    ")
    assert (line[42:50], line[50:80].rstrip()) == ("10000042", "ﾔﾏﾀﾞ ﾊﾅｺ")
    assert (line[80:90], line[90], line[91:111]) == ("0000008420", "1", f"{42:020d}")
    assert line[111:] == "0        "
    assert trailer[:55] == "8000001000000008420" + "0" * 36


def test_both_variants_of_the_header_are_120_bytes() -> None:
    plain = msgspec.structs.replace(HEADER, account=None)
    written = write_header(plain, FileForm(has_account=False))

    assert len(written.encode("cp932")) == 120
    assert written[95:] == " " * 25


@pytest.mark.parametrize("separator", ["", "\r\n"])
def test_a_file_is_header_debits_trailer_and_end(separator: str) -> None:
    form = FileForm(separator=separator)  # type: ignore[arg-type]
    whole = write([debit(1), debit(2, 580)], form)

    step = 120 + len(separator)
    kinds = [whole[place : place + 1] for place in range(0, len(whole), step)]
    assert kinds == [b"1", b"2", b"2", b"8", b"9"]
    assert len(whole) == 5 * step
    assert whole[3 * step :][1:19] == b"000002000000009000"


def test_a_bank_may_want_the_result_blank() -> None:
    assert write_debit(debit(1), FileForm(has_blank_result=True))[111] == " "


def test_a_file_made_over_several_transactions_is_the_same_file() -> None:
    lines = [debit(number) for number in range(1, 8)]
    first = DebitWriter(FORM)
    whole = first.begin(HEADER) + first.add(lines[:3])
    then = DebitWriter(FORM, first.count, first.total_minor)
    whole += then.add(lines[3:]) + then.finish()

    assert whole == write(lines)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": -1}, "amount"),
        ({"amount_minor": 10_000_000_000}, "amount"),
        ({"payer_name": ""}, "payer_name"),
        ({"payer_name": "ｱ" * 31}, "payer_name"),
        ({"payer_name": "山田"}, "payer_name"),
        ({"payer_name": "ｷｭｳ"}, "payer_name"),
        ({"instruction_no": "1" * 21}, "instruction_no"),
        ({"instruction_no": ""}, "instruction_no"),
        ({"instruction_no": "A1"}, "instruction_no"),
        ({"newness": "3"}, "newness"),
        ({"bank_name": "ｱ" * 16}, "bank_name"),
        ({"branch_name": "ｱ" * 16}, "branch_name"),
        ({"account": account(bank_code="1")}, "bank_code"),
        ({"account": account(bank_code="00050", branch_code="02")}, "bank_code"),
        ({"account": account(branch_code="1")}, "branch_code"),
        ({"account": account(kind="4")}, "account_kind"),
        ({"account": account(kind="", number="11234567")}, "account_kind"),
        ({"account": account(number="123")}, "account_number"),
        ({"account": account(number="１２３４５６７")}, "account_number"),  # noqa: RUF001 - full width on purpose
    ],
)
def test_a_debit_that_no_bank_could_read_says_which_field(
    other: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        write_debit(debit(1, **other), FORM)  # type: ignore[arg-type]

    assert refused.value.code == "zengin_field"
    assert refused.value.params == {"field": field}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"collector_code": "12345"}, "collector_code"),
        ({"collector_name": "港電力"}, "collector_name"),
        ({"month": 2, "day": 30}, "debit_on"),
        ({"month": 13}, "debit_on"),
        ({"account": None}, "account"),
        ({"branch_name": "ｱ" * 16}, "branch_name"),
    ],
)
def test_a_header_that_no_bank_could_read_says_which_field(
    other: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        write_header(msgspec.structs.replace(HEADER, **other), FORM)

    assert refused.value.params == {"field": field}


@pytest.mark.parametrize("amount", [1, 9_999_999_999])
def test_letters_that_only_this_bank_takes_pass_for_it_alone(amount: int) -> None:
    line = debit(1, amount, payer_name="ｶﾞｽ,ｶ", bank_name="ｱ" * 15, branch_name="ｱ" * 15)

    assert len(write_debit(line, FileForm(more_letters=","))) == 120
    with pytest.raises(InvalidInput):
        write_debit(line, FORM)


def test_a_contract_that_allows_letters_of_two_bytes_makes_no_file() -> None:
    writer = DebitWriter(FileForm(more_letters="山"))

    with pytest.raises(InvariantBroken):
        writer.add([debit(1, payer_name="山")])


def test_a_bank_takes_its_own_number_of_lines_and_not_one_more() -> None:
    form = FileForm(lines_max=3)
    writer = DebitWriter(form)
    writer.add(debit(number) for number in range(3))

    with pytest.raises(LimitReached) as refused:
        writer.add([debit(3)])
    assert (refused.value.code, refused.value.params) == ("zengin_lines", {"max": 3})


def test_no_contract_lifts_the_999999_lines_and_the_twelve_digits_of_the_sum() -> None:
    full = DebitWriter(FileForm(lines_max=5_000_000), count=999_998)
    full.add([debit(1)])
    with pytest.raises(LimitReached) as lines:
        full.add([debit(2)])
    rich = DebitWriter(FORM, count=1, total_minor=999_999_991_579)
    rich.add([debit(1)])
    with pytest.raises(LimitReached) as total:
        rich.add([debit(2, 2)])

    assert lines.value.code == "zengin_lines"
    assert total.value.code == "zengin_total"


def test_a_file_without_a_debit_is_not_finished() -> None:
    with pytest.raises(InvalidInput) as refused:
        DebitWriter(FORM).finish()

    assert refused.value.code == "zengin_empty"


@pytest.mark.parametrize(
    ("month", "day", "near", "expected"),
    [
        (1, 6, date(2026, 12, 24), date(2027, 1, 6)),
        (12, 28, date(2027, 1, 8), date(2026, 12, 28)),
        (12, 28, date(2026, 12, 10), date(2026, 12, 28)),
        (2, 29, date(2028, 2, 20), date(2028, 2, 29)),
        (2, 29, date(2027, 9, 1), date(2028, 2, 29)),
        (6, 30, date(2026, 12, 1), date(2026, 6, 30)),
    ],
)
def test_a_day_without_year_is_the_nearest_one(
    month: int, day: int, near: date, expected: date
) -> None:
    assert infer_date(month, day, near) == expected


@pytest.mark.parametrize(("month", "day"), [(2, 30), (13, 1), (0, 1), (1, 0)])
def test_a_day_that_no_year_has_is_refused(month: int, day: int) -> None:
    with pytest.raises(InvalidInput):
        infer_date(month, day, date(2026, 11, 27))
