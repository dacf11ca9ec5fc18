"""Data zone: what may be stored of the short texts that providers and browsers send along."""

import re
from typing import Final

from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput

_TOKEN: Final = re.compile(r"[!-~]*")
_PAGE_ADDRESS: Final = re.compile(r"https://[!-~]+|http://(?:localhost|127\.0\.0\.1)[:/][!-~]*")
_NUMBER: Final = re.compile(r"[0-9][0-9-]*")
TOKEN_CHARACTERS_MAX: Final = 128
ADDRESS_CHARACTERS_MAX: Final = 2048


def check_tokens(**texts: str) -> None:
    """Let pass only printable ASCII without spaces, short, and no card number.

    A token with letters in it is somebody's opaque id: among thousands of random ones some hold
    digits that pass for a card's by chance, and one refused id would hold up its whole batch.

    Raises: InvalidInput ``text_refused`` (param ``field``); InvalidInput ``card_number_refused``.
    """
    for field, text in texts.items():
        if len(text) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(text):
            raise InvalidInput("text_refused", params={"field": field})
        if _NUMBER.fullmatch(text):
            refuse_card_number(text)


def check_page_address(address: str) -> None:
    """Let pass the address of a provider's page, or none: HTTPS, or plain HTTP on this host.

    Raises: InvalidInput ``text_refused`` (param ``field``); InvalidInput ``card_number_refused``.
    """
    if len(address) > ADDRESS_CHARACTERS_MAX or (address and not _PAGE_ADDRESS.fullmatch(address)):
        raise InvalidInput("text_refused", params={"field": "redirect_url"})
    refuse_card_number(address)
