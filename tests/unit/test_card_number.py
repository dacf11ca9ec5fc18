import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.card_number import looks_like_card_number, refuse_card_number
from portal.domain.errors import InvalidInput


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "\uff14\uff12\uff14\uff12 " * 4,
        "paid with 378282246310005, thanks",
        "1 4242 4242 4242 4242 1",
        "ref_4242424242424242x",
    ],
)
def test_a_card_number_in_any_dress_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        refuse_card_number("harmless", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4242",
        "4242424242424241",
        "9242424242424242",
        "20261122033000",
        "1234567890123456789012345678",
        "01KAN8Q0E4M4X9GZ2V7R5T3C1B",
        "2026-11-22T10:00:00Z",
    ],
)
def test_other_texts_pass(text: str) -> None:
    refuse_card_number(text)


@given(st.from_regex(r"[2-6][0-9]{11,17}", fullmatch=True), st.sampled_from(["", " ", "-"]))
def test_every_number_with_a_right_check_digit_is_found(digits: str, gap: str) -> None:
    doubled = [int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits))]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    number = f"{digits}{check}"
    groups = [number[place : place + 4] for place in range(0, len(number), 4)]

    assert looks_like_card_number(gap.join(groups))
