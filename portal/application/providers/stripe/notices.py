"""What Stripe says in its notices, and who proves to have said it.

Application zone; pure. A notice is one event about one object. Objects that do not name a
reference of ours (another integration on the same account) make no claim: the notice is kept,
answered, and nobody is asked.

Source: docs.stripe.com/api/events (The Event object, Types of events), docs.stripe.com/webhooks
(Verify webhook signatures manually; the tolerance of the official libraries is 300 s).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

TOLERANCE_S: Final = 300
SIGNATURES_MAX: Final = 20
"""More than a rotation of keys could explain."""

_Token = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[!-~]+\Z")]
_LATEST_S: Final = 4_102_444_800
"""The year 2100."""

_CLAIMS: Final[dict[str, str]] = {
    "checkout.session.expired": "expired",
    "payment_intent.succeeded": "succeeded",
    "payment_intent.processing": "processing",
    "payment_intent.requires_action": "requires_action",
}
"""What a type of event says in our words; any other type stands for itself and is asked about."""


_DISPUTE: Final = "dispute"
"""An object that carries nothing of ours, but names the payment by Stripe's own name."""


class _Named(msgspec.Struct, frozen=True):
    object: _Token
    payment_intent: str | dict[str, Any] | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None

    @property
    def reference(self) -> str:
        ours = (self.metadata or {}).get("reference", "")
        return self.client_reference_id or ours

    @property
    def contested(self) -> str:
        """The payment that a dispute is about, by Stripe's name of it, or ''."""
        named = self.payment_intent
        return named if self.object == _DISPUTE and isinstance(named, str) else ""


class _Data(msgspec.Struct, frozen=True):
    object: _Named


class _Event(msgspec.Struct, frozen=True):
    id: _Token
    type: _Token
    created: Annotated[int, msgspec.Meta(ge=0, lt=_LATEST_S)]
    data: _Data


class StripeNotices:
    """Notice reader: see :class:`portal.application.providers.registry.ReadsNotices`."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """At most one claim. Raises InvalidInput ``notice_malformed``."""
        del headers
        try:
            event = msgspec.json.decode(raw, type=_Event)
            named = event.data.object
            contested = msgspec.convert(named.contested or "-", _Token)
            reference = msgspec.convert(named.reference or "-", _Token)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            raise InvalidInput("notice_malformed") from None
        if reference == contested == "-":
            return ()
        claim = NoticeClaim(
            notice_id=event.id,
            subject="attempt",
            reference="" if reference == "-" else reference,
            provider_ref="" if contested == "-" else contested,
            claim=_CLAIMS.get(event.type, event.type),
            at=datetime.fromtimestamp(event.created, UTC),
        )
        return (claim,)

    def is_genuine(
        self, raw: bytes, headers: Mapping[str, str], keys: Iterable[str], now_s: float
    ) -> bool:
        """Whether one of ``keys`` signed exactly these bytes within TOLERANCE_S of ``now_s``.

        Units: ``now_s`` seconds since 1970. Header names in lower case.
        """
        moment, signatures = _read_signature(headers.get("stripe-signature", ""))
        if not moment.isdecimal() or abs(now_s - int(moment)) > TOLERANCE_S:
            return False
        signed = f"{moment}.".encode() + raw
        wanted = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
        # Every pair is compared, whichever fits: the time tells nothing.
        fits = [hmac.compare_digest(given, want) for given in signatures for want in wanted]
        return any(fits)


def _read_signature(header: str) -> tuple[str, list[str]]:
    """The moment and the ``v1`` signatures; other schemes (``v0`` of test events) are left out."""
    moment = ""
    signatures: list[str] = []
    for item in header.split(",")[: SIGNATURES_MAX + 1]:
        name, _, text = item.strip().partition("=")
        if name == "t" and text.isascii() and len(text) <= len(str(_LATEST_S)):
            moment = text
        elif name == "v1" and text.isascii():
            signatures.append(text)
    return moment, signatures


NOTICES: Final = StripeNotices()
