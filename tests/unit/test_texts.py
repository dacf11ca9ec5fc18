"""Which short texts of providers and browsers may be stored, and which free ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvalidInput
from portal.domain.intake.cells import read_number, read_text
from portal.domain.intake.row import shown
from portal.vault.texts import TOKEN_CHARACTERS_MAX, check_tokens, read_note

CARD = "4242424242424242"
GAPS = st.sampled_from(["", "-", ".", "/", "_", "--"])


def grouped(gap: str, size: int) -> str:
    return gap.join(CARD[place : place + size] for place in range(0, len(CARD), size))


@given(GAPS, st.integers(1, 16))
def test_no_token_of_digits_is_a_card_number_however_it_is_split(gap: str, size: int) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        check_tokens(provider_ref=grouped(gap, size))


@pytest.mark.parametrize("text", [f"ref:{CARD}", f"({CARD})", f"a.{CARD}", f"{CARD}/x"])
def test_nor_is_a_part_of_a_token_without_letters(text: str) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        check_tokens(code=text)


@pytest.mark.parametrize(
    "text", ["4242 4242 4242 4242", "\uff14\uff12" * 8, "\u30c6\u30b9\u30c8", "a\nb", "\0"]
)
def test_what_is_no_token_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="text_refused") as refused:
        check_tokens(provider_ref=text)
    assert refused.value.params == {"field": "provider_ref"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"p-{CARD}",
        f"cs_{CARD}ab",
        f"{CARD}cafe",
        "4242424242424241",
        "a" * TOKEN_CHARACTERS_MAX,
    ],
)
def test_opaque_ids_and_other_numbers_pass(text: str) -> None:
    check_tokens(provider_ref=text)


@pytest.mark.parametrize("gap", ["", " ", "-", ".", "/", "_", "\u30fc", "\n", "\u3000"])
def test_no_note_and_no_cell_holds_a_card_number(gap: str) -> None:
    text = f"\u5099\u8003 {grouped(gap, 4)}"

    with pytest.raises(InvalidInput, match="card_number_refused"):
        read_note(text, field="note", characters_max=500)
    with pytest.raises(InvalidInput, match="card_number_refused"):
        read_text(text)


@pytest.mark.parametrize("gap", ["", " ", "-", ".", "/", "_"])
def test_a_merchants_own_number_is_no_brands_number_and_a_letter_is_the_way_out(gap: str) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        read_number(grouped(gap, 4))

    assert read_number("9242424242424242") == "9242424242424242"
    assert read_number("4242K424242424242") == "4242K424242424242"


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        (CARD, "************4242"),
        ("4242.4242/4242_4242", "***************4242"),
        ("\uff14\uff12\uff14\uff12" * 4, "************\uff14\uff12\uff14\uff12"),
        (f"1 {CARD} 9", "****************42 9"),
        (CARD * 2, "*" * 28 + "4242"),
        ("090-1234-5678", "090-1234-5678"),
    ],
)
def test_a_fault_shows_no_long_number(cell: str, kept: str) -> None:
    assert shown(cell) == kept
