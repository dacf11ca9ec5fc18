"""Data zone: what may be stored of the texts that providers, browsers and staff send along."""

import re
from typing import Final

from portal.domain.app_link import is_app_link
from portal.domain.card_number import looks_like_card_number, refuse_card_number
from portal.domain.errors import InvalidInput
from portal.domain.intake.cells import check_control

_TOKEN: Final = re.compile(r"[!-~]*")
_PAGE_ADDRESS: Final = re.compile(r"https://[!-~]+|http://(?:localhost|127\.0\.0\.1)[:/][!-~]*")
_OPAQUE: Final = re.compile(r"[0-9_-]*[A-Za-z][A-Za-z0-9_-]*")
"""A part of a token or an address with letters in it; hyphens and underscores belong to it."""

TOKEN_CHARACTERS_MAX: Final = 128
ADDRESS_CHARACTERS_MAX: Final = 2048


def check_tokens(**texts: str) -> None:
    """Let pass only printable ASCII without spaces, short, and no card number.

    A part with letters in it is somebody's opaque id: among thousands of random ones some hold
    digits that pass for a card's by chance, and one refused id would hold up its whole batch. Ids
    of digits alone get a letter from their adapter.

    Raises: InvalidInput ``text_refused`` (param ``field``); InvalidInput ``card_number_refused``.
    """
    for field, text in texts.items():
        if len(text) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(text):
            raise InvalidInput("text_refused", params={"field": field})
        refuse_card_number(_OPAQUE.sub("x", text))


def check_page_address(address: str) -> None:
    """Let pass the address of a provider's page, or none: HTTPS, or plain HTTP on this host.

    A part with letters in it is an opaque id, as in :func:`check_tokens`: of a provider's random
    hexadecimal ids some 6 in 10,000 hold digits that pass for a card's, and a payment each.

    Raises: InvalidInput ``text_refused`` (param ``field``); InvalidInput ``card_number_refused``.
    """
    if len(address) > ADDRESS_CHARACTERS_MAX or (address and not _PAGE_ADDRESS.fullmatch(address)):
        raise InvalidInput("text_refused", params={"field": "redirect_url"})
    refuse_card_number(_OPAQUE.sub("x", address))


def check_app_link(provider: str, link: str) -> None:
    """Let pass a link into the app of ``provider``, or none.

    Raises: InvalidInput ``text_refused`` (param ``field``).
    """
    if link and not is_app_link(provider, link):
        raise InvalidInput("text_refused", params={"field": "app_url"})


def read_note(text: str, *, field: str, characters_max: int) -> str:
    """What a member of staff wrote, trimmed, line ends alike; '' stays ''. It is stored sealed.

    Raises: InvalidInput ``control_character``, ``text_too_long`` (param ``max``),
    ``card_number_refused``, each with the param ``field``.
    """
    note = "\n".join(line.rstrip() for line in text.splitlines()).strip()
    try:
        check_control(note)
    except InvalidInput as fault:
        raise InvalidInput(fault.code, params={"field": field}) from fault
    if len(note) > characters_max:
        raise InvalidInput("text_too_long", params={"field": field, "max": characters_max})
    if looks_like_card_number(note):
        raise InvalidInput("card_number_refused", params={"field": field})
    return note
