"""What was asked of a company about a payment, and what its answer comes to. Pure.

Requests and answers are those of portal.domain.refund_word.word.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from portal.domain.dispute import DisputeState
from portal.domain.konbini import Store
from portal.domain.payment import Found
from portal.domain.refund_word.word import Asked, Said

MOMENT_MAX_S: Final = 4_102_444_800
"""Seconds since 1970 of the year 2100: a moment past it is none that a company can mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentKnown:
    """What we know of a payment. Units: minor units.

    ``reference`` is ours; ``provider_ref`` is what the company called it in an answer before, as
    its adapter keeps it, '' while none came; until it is paid it may be a name that web made up.
    ``is_paid``: the company has said so. What it tells beside the payment itself (how that is
    contested, that its card is kept) is about a paid one, and no word that it was paid.
    """

    reference: str
    provider_ref: str
    amount_minor: int
    is_paid: bool = False


@dataclass(frozen=True, slots=True)
class PayNumbers:
    """What the payer shows at the counter until ``pay_by``; a store that asks for one has no other.

    Units: ``pay_by`` in UTC.
    """

    store: Store
    receipt_no: str
    confirmation_no: str
    pay_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeWord:
    """The newest dispute of a payment. ``taken_minor``: what the company has taken back by now.

    Units: minor units; ``respond_by`` in UTC.
    """

    reference: str
    state: DisputeState
    amount_minor: int
    taken_minor: int
    reason: str = ""
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFinding:
    """What an answer tells of a payment; ``amount_minor`` matters only for a success.

    ``saved_…``: the instrument that it enrolled. ``disputes_follow``: it is contested, and how is
    told by another question. ``card_follows``: its card is still to be kept, by further calls.
    ``is_of_last_step``: the answer to what is done once; no search says it again.
    """

    state: Found
    amount_minor: int = 0
    provider_ref: str = ""
    decline_code: str = ""
    approval_no: str = ""
    instrument_hint: str = ""
    authentication: str = ""
    saved_token: str = ""
    saved_customer: str = ""
    saved_brand: str = ""
    numbers: PayNumbers | None = None
    dispute: DisputeWord | None = None
    disputes_follow: bool = False
    card_follows: bool = False
    is_of_last_step: bool = False


UNREADABLE: Final = PaymentFinding(state="unclear", decline_code="answer_unreadable")


class PaymentReader(Protocol):
    """How a company speaks of payments. Nothing here raises on anything that can come."""

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """What an answer tells of a payment that was asked about at ``at``.

        None for an answer to any other question than the right one about just this payment: "there
        is none" would be about something else.
        """
        ...
