"""Form bodies: read whole, bounded, one value a name; nothing that looks like a card number.

Zone: application. Files do not come this way (see uploads): no multipart, no temporary file.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from portal.domain.card_number import refuse_card_number
from portal.domain.errors import InvalidInput, LimitReached

FORM_BYTES_MAX: Final = 16 * 1024
FIELDS_MAX: Final = 60
DIGITS_MAX: Final = 18
"""Digits of a number in a form: what 64 bits surely hold."""

_FORM: Final = "application/x-www-form-urlencoded"


async def read_body(request: Request, at_most: int) -> bytes:
    """The body, at most so many bytes; raises LimitReached ``body_too_large`` past that."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > at_most:
            raise LimitReached("body_too_large", params={"bytes_max": at_most})
    return bytes(body)


async def read_form(request: Request, bytes_max: int = FORM_BYTES_MAX) -> Mapping[str, str]:
    """The fields of a posted form; of a name given twice the first counts.

    Raises InvalidInput ``form_malformed`` for another type or encoding, ``card_number_refused``
    when a value looks like a card number; LimitReached ``body_too_large``.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await read_body(request, bytes_max)
    if media_type != _FORM:
        raise InvalidInput("form_malformed")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as error:
        raise InvalidInput("form_malformed") from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        refuse_card_number(value)
        fields.setdefault(name, value)
    return fields


def read_whole(text: str) -> int | None:
    """A whole number as our own pages write it: a few ASCII digits; None for anything else.

    Python refuses to read numbers of thousands of digits, so their count is looked at first.
    """
    if len(text) > DIGITS_MAX or not (text.isascii() and text.isdigit()):
        return None
    return int(text)
