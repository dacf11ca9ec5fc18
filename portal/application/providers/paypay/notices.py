"""What PayPay says in its notices: hints about attempts, never believed.

Application zone; pure. They carry no signature and no id of their own, so a notice is known by a
digest of its bytes: the same one sent again is the same, whatever differs is another. Notices about
other things than payments, and about payments without our reference, make no claim.

Source: PayPay Open Payment API, "Webhook", notification type Transaction.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

import msgspec

from portal.application.providers.exchange import in_utc
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

_DIGEST_LETTERS: Final = 40
_PAYMENTS: Final = "Transaction"
_CLAIMS: Final = {
    "AUTHORIZED": "processing",
    "COMPLETED": "succeeded",
    "CANCELED": "failed",
    "FAILED": "failed",
    "EXPIRED": "expired",
}
"""PayPay's states in the words of an attempt; any other word is passed on and asked about."""

_Text = Annotated[str, msgspec.Meta(max_length=64, pattern="^[!-~]+$")]
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


class _Notice(msgspec.Struct, frozen=True):
    notification_type: Annotated[str, msgspec.Meta(max_length=64)]
    merchant_order_id: str | None = None


class _Transaction(msgspec.Struct, frozen=True):
    merchant_order_id: _Text
    state: _Text
    paid_at: _Aware | None = None


class PayPayNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """The one claim, or none. Raises InvalidInput ``notice_malformed``."""
        del headers
        try:
            about = msgspec.json.decode(raw, type=_Notice)
            if about.notification_type != _PAYMENTS or not about.merchant_order_id:
                return ()
            notice = msgspec.json.decode(raw, type=_Transaction)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("notice_malformed") from None
        digest = hashlib.sha256(raw).hexdigest()[:_DIGEST_LETTERS]
        return (
            NoticeClaim(
                notice_id=f"n-{digest}",
                subject="attempt",
                reference=notice.merchant_order_id,
                claim=_CLAIMS.get(notice.state, notice.state.lower()),
                at=in_utc(notice.paid_at),
            ),
        )


NOTICES: Final = PayPayNotices()
