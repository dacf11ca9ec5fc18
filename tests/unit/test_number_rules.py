"""Numbers for convenience stores: who can be shown at a till, and what is no store's number."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.number import (
    ASKED_PER_S,
    ask_unwanted_in_s,
    is_contact_fit,
    is_number,
    is_payer_fit,
    national,
    spread,
)

NAME, KANA, PHONE = "髙橋 花", "タカハシ\u3000ハナ", "+819012345678"


@pytest.mark.parametrize(
    ("name", "kana", "phone", "fits"),
    [
        (NAME, KANA, PHONE, True),
        ("橋" * 20, "ア" * 20, PHONE, True),
        (NAME, KANA, "+81312345678", True),
        ("橋" * 21, KANA, PHONE, False),
        ("𠮷野", KANA, PHONE, False),
        ("  ", KANA, PHONE, False),
        (NAME, "", PHONE, False),
        (NAME, "たかはし", PHONE, False),
        (NAME, "ア" * 21, PHONE, False),
        (NAME, KANA, "", False),
        (NAME, KANA, "090-1234-5678", False),
        (NAME, KANA, "+14155550123", False),
    ],
)
def test_a_payer_whom_no_till_can_show_is_offered_no_number(
    name: str, kana: str, phone: str, *, fits: bool
) -> None:
    assert is_payer_fit(name, kana, phone) is fits


def test_a_telephone_is_told_as_japan_writes_it() -> None:
    assert national(PHONE) == "09012345678"


@pytest.mark.parametrize(
    ("name", "phone", "hours", "fits"),
    [
        ("みず水道局", "0120-000-000", "09:00-17:00", True),
        ("", "0120-000-000", "09:00-17:00", False),
        ("あ" * 22, "0120-000-000", "09:00-17:00", False),
        ("みず水道局", "call us", "09:00-17:00", False),
        ("みず水道局", "0120-000-000", "always", False),
    ],
)
def test_a_receipt_names_somebody_whom_one_can_call(
    name: str, phone: str, hours: str, *, fits: bool
) -> None:
    assert is_contact_fit(name, phone, hours) is fits


@pytest.mark.parametrize(
    ("store", "receipt", "confirmation", "is_one"),
    [
        ("lawson", "20153671234", "580512", True),
        ("seven_eleven", "4222222222222", "", True),  # passes for a card's by chance, and is none
        ("family_mart", "20020", "123456789012", True),
        ("lawson", "42424242424242", "", False),
        ("lawson", "123", "42424242424242", False),
        ("lawson", "", "1", False),
        ("lawson", "<b>", "", False),
        ("corner_shop", "123", "", False),
    ],
)
def test_what_could_be_a_payment_cards_number_is_no_stores(
    store: str, receipt: str, confirmation: str, *, is_one: bool
) -> None:
    assert is_number(store, receipt, confirmation) is is_one


@pytest.mark.parametrize(
    ("planned_s", "asked_in_s"),
    [
        (10.0, 10.0),
        (599.0, 599.0),
        (600.0, 600.0),
        (3600.0, 600.0),
        (86_400.0, 600.0),
        (None, None),
    ],
)
def test_an_unwanted_number_is_asked_about_soon_and_at_no_second_moment(
    planned_s: float | None, asked_in_s: float | None
) -> None:
    assert ask_unwanted_in_s(planned_s) == asked_in_s


@pytest.mark.parametrize("planned_s", [-600.0, 0.0, 40.0])
def test_many_numbers_are_asked_about_behind_those_that_were_planned_before(
    planned_s: float,
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)

    waits, free_at = spread(now + timedelta(seconds=planned_s), now, 3)

    first = max(planned_s, 0.0)
    assert waits == [first, first + 1 / ASKED_PER_S, first + 2 / ASKED_PER_S]
    assert free_at == now + timedelta(seconds=first + 3 / ASKED_PER_S)
