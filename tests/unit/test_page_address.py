"""Which addresses of providers' pages may be stored."""

import pytest

from portal.domain.errors import InvalidInput
from portal.vault.texts import ADDRESS_CHARACTERS_MAX, check_page_address

CARD = "4242424242424242"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://pay.example/session/abc",
        "http://localhost:8090/card/cs_00ff",
        f"https://pay.example/card/cs_{CARD}ab",
        f"https://pay.example/s/{CARD}cafe?id=f{CARD}",
        "https://pay.example/" + "a" * (ADDRESS_CHARACTERS_MAX - 20),
    ],
)
def test_an_address_with_opaque_ids_may_be_stored(address: str) -> None:
    check_page_address(address)


@pytest.mark.parametrize(
    "address",
    [
        f"https://pay.example/{CARD}",
        f"https://pay.example/s?card={CARD}&x=1",
        "https://pay.example/s/4242-4242-4242-4242/end",
        f"https://pay.example/s#{CARD}",
    ],
)
def test_an_address_that_holds_a_card_number_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        check_page_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://pay.example/s",
        "javascript:alert(1)",
        "https://pay.example/a b",
        "https://pay.example/" + "a" * (ADDRESS_CHARACTERS_MAX - 19),
    ],
)
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="text_refused"):
        check_page_address(address)
