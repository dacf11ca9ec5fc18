"""The one-time parameter: what every call must carry, made by callers and checked by the vault.

It proves that whoever calls holds the capability's key, and ties the call to one channel (its
nonce), one place in it (the sequence), one operation, one body and a few seconds. Both sides
compute it here, over a canonical msgpack array, so no two different calls share an input.
"""

import hashlib
import hmac

import msgspec


def one_time_parameter(  # noqa: PLR0913, PLR0917  # each argument is an input of the code
    key: bytes,
    nonce: bytes,
    sequence: int,
    operation: str,
    version: int,
    expires_at: int,
    body: bytes,
) -> bytes:
    """HMAC-SHA256 under the capability's key over everything that makes the call this call.

    Units: ``expires_at`` in unix seconds.
    """
    place = (nonce, sequence, operation, version, expires_at, hashlib.sha256(body).digest())
    return hmac.digest(key, msgspec.msgpack.encode(place), "sha256")
