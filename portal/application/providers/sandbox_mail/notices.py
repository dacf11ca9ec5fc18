"""What the sandbox's mail company says of its mails: arrived, came back, or complained about.

Application zone; pure. It signs: ``x-sandbox-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of
"t.body">``, with a key that it made for one address of ours.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from portal.application.providers.agency_notices import is_signed
from portal.application.providers.sandbox_notices import SandboxNotices
from portal.contract.payment import NoticeClaim

HEADER: Final = "x-sandbox-signature"
_CLAIMS: Final[Mapping[str, str]] = {"bounced_hard": "bounced", "bounced_soft": "undelivered"}
"""The company's words → ours, where they differ."""


class MailNotices:
    """Notice reader that proves its sender; see portal.application.providers.registry."""

    def __init__(self) -> None:
        """Of one form with the sandbox's other companies."""
        self._form = SandboxNotices("message")

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The claims in order of arrival. Raises InvalidInput ``notice_malformed``."""
        return tuple(
            msgspec.structs.replace(claim, claim=_CLAIMS.get(claim.claim, claim.claim))
            for claim in self._form.parse(raw, headers)
        )

    def is_genuine(
        self, raw: bytes, headers: Mapping[str, str], keys: Iterable[str], now_s: float
    ) -> bool:
        """Whether one of ``keys`` signed exactly these bytes within five minutes of ``now_s``."""
        return is_signed(raw, headers.get(HEADER, ""), keys, now_s)


NOTICES: Final = MailNotices()
