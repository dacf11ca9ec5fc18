from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.period import normalise_period, read_period
from portal.domain.sms import (
    SEGMENTS_PREFERRED,
    UNITS_MAX,
    BillText,
    for_cp932,
    measure,
    render_bill,
    utf16_units,
)

LINK = "http://localhost:8080/p/minato/" + "x" * 22


def text_of(name: str = "みなと電力", period: str = "2026-11", amount: int = 8420) -> BillText:
    return BillText(
        merchant_name=name,
        period=period,
        amount_minor=amount,
        customer_hint="4821",
        due_on=date(2026, 12, 1),
        link=LINK,
    )


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("あ" * 70, 1), ("あ" * 71, 2), ("あ" * 134, 2), ("あ" * 135, 3), ("あ" * 660, 10),
        ("あ" * 670, 10), ("\U0001f600" * 35, 1), ("\U0001f600" * 36, 2), ("a" * 160, 1),
        ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("", 1),
    ],
)  # fmt: skip
def test_segments_are_counted_as_carriers_do(text: str, segments: int) -> None:
    assert measure(text).segments == segments


@pytest.mark.parametrize("language", ["ja", "en", "ja-easy"])
def test_a_message_says_who_which_month_how_much_and_whose(language: str) -> None:
    text = render_bill(language, text_of())

    assert "みなと電力" in text
    assert "8,420" in text
    assert "4821" in text
    assert ("Nov 2026" if language == "en" else "2026年11月") in text
    assert text.endswith(LINK)
    assert measure(text).segments <= SEGMENTS_PREFERRED


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=120
)


@given(names, st.integers(1, 9_999_999_999), st.sampled_from(["ja", "en", "ja-easy"]))
def test_whatever_the_name_the_link_is_whole_and_japanese_fits_old_telephones(
    name: str, amount: int, language: str
) -> None:
    text = render_bill(language, text_of(name, "2026-10/2026-11", amount))

    assert text.endswith(LINK)
    assert f"{amount:,}" in text
    assert "4821" in text
    assert utf16_units(text) <= UNITS_MAX
    if language != "en":
        text.encode("cp932")


def test_only_characters_that_a_telephone_lacks_are_replaced() -> None:
    assert for_cp932("髙﨑 𠮷田•") == "髙﨑 吉田・"
    assert for_cp932("\U0001f600") == "〓"


@pytest.mark.parametrize(
    ("kind", "written", "canonical", "japanese", "english"),
    [
        ("monthly", "202611", "2026-11", "2026年11月分", "Nov 2026"),
        ("monthly", "2026年1月分", "2026-01", "2026年1月分", "Jan 2026"),
        ("bimonthly", "2026-12", "2026-12/2027-01", "2026年12月・1月分", "Dec-Jan 2026"),
        ("bimonthly", "2026/10~2026/11", "2026-10/2026-11", "2026年10月・11月分", "Oct-Nov 2026"),
        ("once", "20261115", "2026-11-15", "2026年11月15日分", "15 Nov 2026"),
        ("once", "2026-11", "2026-11", "2026年11月分", "Nov 2026"),
    ],
)
def test_periods_have_one_form_and_one_name(
    kind: str, written: str, canonical: str, japanese: str, english: str
) -> None:
    assert normalise_period(kind, written) == canonical
    period = read_period(canonical)
    assert (period.japanese, period.english) == (japanese, english)


@pytest.mark.parametrize(
    ("kind", "written"),
    [("monthly", "2026-13"), ("monthly", "2026-11-15"), ("monthly", "1999-12"),
     ("once", "2026-02-30"), ("bimonthly", "2026-10/2026-12"), ("monthly", ""),
     ("monthly", "2026-10/2026-11")],
)  # fmt: skip
def test_what_is_no_period_is_refused(kind: str, written: str) -> None:
    with pytest.raises(Exception, match="period_malformed"):
        normalise_period(kind, written)
