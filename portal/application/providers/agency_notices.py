"""How a collection agency proves what it tells at once: a signature over the bytes as they came.

Application zone; pure. There is no inquiry at an agency, so what it tells at once is acted on, and
only with a signature: without a key for the merchant's address nothing is taken. What it can do is
little: a till's word is no money until the agency's file confirms it. What the lines mean is read
in the vault, in the file's own form.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

HEADER: Final = "x-agency-signature"
TOLERANCE_S: Final = 300
_SIGNATURE: Final = re.compile(r"t=([0-9]{1,11}),v1=([0-9a-f]{64})")


class AgencySignature:
    """``t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">``: the sandbox's agency's form."""

    def is_genuine(
        self, raw: bytes, headers: Mapping[str, str], keys: Iterable[str], now_s: float
    ) -> bool:
        """Whether one of ``keys`` signed exactly these bytes within TOLERANCE_S of ``now_s``."""
        return is_signed(raw, headers.get(HEADER, ""), keys, now_s)


def is_signed(raw: bytes, header: str, keys: Iterable[str], now_s: float) -> bool:
    """Whether ``header`` is a signature of this form by one of ``keys`` over exactly these bytes.

    Made within TOLERANCE_S of ``now_s``: an old one that somebody kept is none.
    """
    moment, given = _read_signature(header)
    if not moment.isdecimal() or abs(now_s - int(moment)) > TOLERANCE_S:
        return False
    signed = f"{moment}.".encode() + raw
    wanted = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    # Every one is compared, whichever fits: the time tells nothing.
    fits = [hmac.compare_digest(given, want) for want in wanted]
    return any(fits)


def _read_signature(header: str) -> tuple[str, str]:
    """The moment and the signature; '' for what is not there or not written as it should be."""
    found = _SIGNATURE.fullmatch(header)
    return (found[1], found[2]) if found else ("", "")


AT_ONCE: Final[Mapping[str, AgencySignature]] = MappingProxyType(
    {"sandbox_agency": AgencySignature()}
)
"""Agency → who checks its signature, for those that tell at once. What other agencies promise of
their real-time notices is not known here, so theirs are not taken."""
