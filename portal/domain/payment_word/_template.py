"""How COMPANY speaks of payments. Pure.

Copied with ``portal/application/providers/_template``, which asks. Read nothing that this page does
not need, and let nothing raise: what can't be read is ``UNREADABLE``.
"""

from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from portal.domain.payment import Found
from portal.domain.payment_word.word import UNREADABLE, PaymentFinding, PaymentKnown
from portal.domain.refund_word.word import Asked, Said, read_json

_OK: Final = 200
_NOT_FOUND: Final = 404
_HEADERS: Final = frozenset({"authorization"})
"""All that a question may have: a header of COMPANY's own could ask about another's payments."""

_States = Literal["waiting", "paid", "refused"]
_FOUND: Final[dict[_States, Found]] = {
    "waiting": "requires_action",
    "paid": "succeeded",
    "refused": "failed",
}


class _Payment(msgspec.Struct, frozen=True):
    reference: str
    status: _States
    amount: int


class TemplatePayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`; a line in ``readers``."""

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """A payment is asked for by our reference, which the company always finds."""
        del at
        is_right = (asked.method, asked.path) == ("GET", path_of(known.reference))
        if not is_right or not asked.headers <= _HEADERS or asked.body:
            return None
        return read_payment(said, known.reference)


def path_of(reference: str) -> str:
    """Where the company tells of the payment under our reference."""
    return f"/payments/{quote(reference, safe='')}"


def read_payment(said: Said, reference: str) -> PaymentFinding:
    """The payment, or the company's own word that there is none."""
    if said.status == _NOT_FOUND:
        return PaymentFinding(state="not_found")
    payment = read_json(said.body, _Payment) if said.status == _OK else None
    if payment is None or payment.reference != reference:
        return UNREADABLE
    return PaymentFinding(state=_FOUND[payment.status], amount_minor=payment.amount)
