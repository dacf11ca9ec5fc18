"""What Twilio tells of a text message, at the address that went with it. Application zone; pure.

The form names the company's own id alone: whom it speaks of, the token in the address says.
Source: Twilio, "Track outbound message status" and "Error and warning dictionary".
"""

from collections.abc import Iterable, Mapping
from typing import Final

from portal.application.providers.twilio.signature import HEADER, is_genuine, read_fields
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

_DELIVERED: Final = frozenset({"delivered", "read"})
_ENDED: Final[Mapping[str, str]] = {
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
"""The company's word → ours, where it gives no reason that we know."""
_REASONS: Final[Mapping[str, str]] = {
    "30003": "undelivered",
    "30004": "bounced",
    "30005": "bounced",
    "30006": "bounced",
    "30007": "failed",
    "30008": "undelivered",
    "21610": "bounced",
}
"""Why a message ended → our claim. No such number (30005), one that takes no text messages (30006),
one that takes none of ours (30004, 21610): nothing goes there any more. A telephone that is off
(30003), a filter that disliked this text (30007) and an unknown reason (30008) say nothing of the
number."""


class MessageNotices:
    """Notice reader that proves its sender; see portal.application.providers.registry."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The one claim of a callback, without our reference. Raises ``notice_malformed``."""
        del headers
        fields = dict(read_fields(raw) or ())
        sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
        if not sid or not status:
            raise InvalidInput("notice_malformed")
        claim = NoticeClaim(
            notice_id=f"{sid}.{status}",
            subject="delivery",
            reference="",
            claim=_claim(status, fields.get("ErrorCode", "")),
            at=None,
            provider_ref=sid,
        )
        return (claim,)

    def is_genuine_at(
        self, address: str, raw: bytes, headers: Mapping[str, str], keys: Iterable[str]
    ) -> bool:
        """Whether one of ``keys`` signed these bytes for this address of ours."""
        return is_genuine(address, raw, headers.get(HEADER, ""), keys)


NOTICES: Final = MessageNotices()


def _claim(status: str, reason: str) -> str:
    if status in _DELIVERED:
        return "delivered"
    if status in _ENDED:
        return _REASONS.get(reason, _ENDED[status])
    return status
