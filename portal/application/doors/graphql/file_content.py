"""A small file inside a call: its bytes as they came, in base64. Zone: application."""

import binascii
from base64 import b64decode

from portal.domain.errors import InvalidInput


def read_content(content: str) -> bytes:
    """The file's bytes. Raises: InvalidInput ``file_malformed`` for what is no base64."""
    try:
        return b64decode(content, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise InvalidInput("file_malformed", params={"field": "content"}) from fault
