from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.slip_number import (
    SlipNumber,
    SlipTerms,
    check_digit,
    free_of_company,
    needs_stamp,
    parse,
)

# Numbers printed elsewhere: a school's billing system (its comments say "should be 3"), the
# tests of a register's parser, two samples of a barcode library.
REAL = [
    "91912345012345678901234567890101033101230003",
    "91942386178953917853935692730103073110312903",
    "91959919833262024010101043480024071000395003",
    "91959919833262024010101043470024071000435007",
    "91908081030210019970070917530110083100050009",
    "91912345000000000000004520875004013100295004",
]
SLIP = SlipNumber(
    maker_code="929023",
    free=free_of_company("25207", "6789012345678901"),
    issue=0,
    pay_until=date(2026, 12, 31),
    needs_stamp=False,
    amount_minor=8420,
)


def code_of(digits: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        parse(digits)
    return refused.value.code


def with_check(first: str) -> str:
    return f"{first}{check_digit(first)}"


@pytest.mark.parametrize("digits", REAL)
def test_numbers_that_others_printed_are_read_and_written_the_same(digits: str) -> None:
    assert parse(digits).digits() == digits


def test_the_fields_are_where_registers_look_for_them() -> None:
    assert parse(REAL[2]) == SlipNumber(
        maker_code="959919",
        free="833262024010101043480",
        issue=0,
        pay_until=date(2024, 7, 10),
        needs_stamp=False,
        amount_minor=39_500,
    )


def test_a_number_is_printed_in_the_two_lines_that_clerks_know() -> None:
    assert parse(REAL[4]).lines() == ("(91)908081-0302100199700709175301", "100831-0-005000-9")


@given(
    maker=st.from_regex(r"9[0-9]{5}", fullmatch=True),
    free=st.from_regex(r"[0-9]{21}", fullmatch=True),
    issue=st.integers(0, 9),
    pay_until=st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    stamp=st.booleans(),
    amount=st.integers(1, 999_999),
)
def test_every_slip_survives_its_own_number(
    *, maker: str, free: str, issue: int, pay_until: date | None, stamp: bool, amount: int
) -> None:
    slip = SlipNumber(
        maker_code=maker,
        free=free,
        issue=issue,
        pay_until=pay_until,
        needs_stamp=stamp,
        amount_minor=amount,
    )

    assert len(slip.digits()) == 44
    assert parse(slip.digits()) == slip


@given(place=st.integers(0, 43), other=st.integers(1, 9), real=st.sampled_from(REAL))
def test_no_single_wrong_digit_passes(place: int, other: int, real: str) -> None:
    wrong = (int(real[place]) + other) % 10
    typed = f"{real[:place]}{wrong}{real[place + 1 :]}"

    assert code_of(typed) == "slip_check_digit"


def test_a_wrong_check_digit_says_which_it_should_be() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(f"{REAL[0][:-1]}4")

    assert refused.value.params == {"expected": 3, "found": 4}


@pytest.mark.parametrize(
    "digits", ["", REAL[0][:-1], f"{REAL[0]}0", f"{REAL[0][:-1]}x", f"{REAL[0][:-1]}٣"]
)
def test_what_is_not_44_digits_is_no_number(digits: str) -> None:
    assert code_of(digits) == "slip_length"


def test_each_field_is_held_to_its_rule() -> None:
    first = SLIP.digits()[:-1]

    assert code_of(with_check(f"92{first[2:]}")) == "slip_application"
    assert code_of(with_check(f"91829023{first[8:]}")) == "slip_maker_code"
    assert code_of(with_check(f"{first[:36]}2{first[37:]}")) == "slip_stamp"
    assert code_of(with_check(f"{first[:30]}260230{first[36:]}")) == "slip_deadline"
    assert code_of(with_check(f"{first[:37]}000000")) == "slip_amount"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"maker_code": "92902"}, "slip_maker_code"),
        ({"maker_code": "829023"}, "slip_maker_code"),
        ({"free": "1" * 20}, "slip_free"),
        ({"free": "1" * 20 + "x"}, "slip_free"),
        ({"issue": 10}, "slip_issue"),
        ({"issue": -1}, "slip_issue"),
        ({"pay_until": date(2100, 1, 1)}, "slip_deadline"),
        ({"amount_minor": 0}, "slip_amount"),
        ({"amount_minor": 1_000_000}, "slip_amount"),
    ],
)
def test_a_slip_that_no_register_could_read_cannot_be_made(
    changed: dict[str, object], code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        replace(SLIP, **changed)  # type: ignore[arg-type]

    assert refused.value.code == code


def test_the_largest_amount_and_a_slip_without_deadline_fit() -> None:
    widest = replace(SLIP, amount_minor=999_999, pay_until=None, issue=9)

    assert widest.digits()[29:43] == "99999990999999"


def test_an_agency_takes_amounts_up_to_its_own_cap_and_no_further() -> None:
    terms = SlipTerms(name="agency", maker_code="929023", amount_min=200, amount_max=299_999)

    terms.check_amount(200)
    terms.check_amount(299_999)
    for amount in (199, 300_000):
        with pytest.raises(InvalidInput) as refused:
            terms.check_amount(amount)
        assert refused.value.params == {"min": 200, "max": 299_999}


def test_no_terms_lift_the_cap_of_six_digits() -> None:
    terms = SlipTerms(name="agency", maker_code="929023", amount_max=5_000_000)

    with pytest.raises(InvalidInput) as refused:
        terms.check_amount(1_000_000)
    assert refused.value.params["max"] == 999_999


@pytest.mark.parametrize(
    ("amount", "tax", "stamped"),
    [
        (49_999, 0, False),
        (50_000, 0, True),
        (54_999, 4_999, True),
        (54_998, 4_999, False),
        (51_244, 4_658, False),  # the largest without and the smallest with one of a real file
        (63_650, 5_786, True),
    ],
)
def test_a_stamp_is_due_from_50000_yen_without_tax(amount: int, tax: int, *, stamped: bool) -> None:
    assert needs_stamp(amount, tax) is stamped


def test_public_money_needs_no_stamp() -> None:
    assert not needs_stamp(300_000, 0, is_public_money=True)


def test_the_free_field_of_an_agency_holds_company_and_customer() -> None:
    assert free_of_company("25207", "12") == "252070000000000000012"
    for company, customer in (("2520", "1"), ("25207", "x"), ("25207", "1" * 17)):
        with pytest.raises(InvalidInput):
            free_of_company(company, customer)
