"""Twilio's signature over a callback: its address, then every field of its form by name.

Pure. Source: Twilio, "Webhooks security", with the vectors of its documentation in the tests.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

HEADER: Final = "x-twilio-signature"
FIELDS_MAX: Final = 200

_PORTS: Final = {"https": 443, "http": 80}

Fields = Sequence[tuple[str, str]]


def read_fields(raw: bytes) -> Fields | None:
    """The form's fields in order; None for what is no form of ours to read."""
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        # Both decoders raise leaves of it, whose text quotes the body.
        return None


def sign(address: str, fields: Fields, key: str) -> str:
    """What stands in the header for a callback to ``address``.

    A name that comes several times counts with each of its values once, in order.
    """
    text = address + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def is_genuine(address: str, raw: bytes, said: str, keys: Iterable[str]) -> bool:
    """Whether one of ``keys`` signed this form for ``address``, the one that its sender was given.

    With or without the scheme's own port in it: which of both is signed has changed over time.
    """
    fields = read_fields(raw)
    if fields is None:
        return False
    texts = [sign(one, fields, key) for one in (address, _with_port(address)) for key in keys]
    return any([hmac.compare_digest(text.encode(), said.encode()) for text in texts])  # noqa: C419  all are compared


def _with_port(address: str) -> str:
    parts = urlsplit(address)
    if parts.port is not None or parts.scheme not in _PORTS:
        return address
    return parts._replace(netloc=f"{parts.netloc}:{_PORTS[parts.scheme]}").geturl()
