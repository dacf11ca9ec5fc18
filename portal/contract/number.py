"""A number to pay by at a convenience store: what it is, who makes it, and who it is about.

The relay alone hears of the payer, once for an attempt; pages and workers know the number only.
"""

from datetime import datetime

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import AttemptId


class StoreNumber(Part, frozen=True, kw_only=True):
    """By what the payer pays at ``store``'s till until ``pay_by``; stored sealed.

    ``confirmation_no`` is '' where the store asks for one number only. Units: UTC.
    """

    store: str
    receipt_no: str
    confirmation_no: str
    pay_by: datetime


class NumberTerms(Part, frozen=True, kw_only=True):
    """What a company is to be asked for: the store, for how long, and the merchant's contact."""

    store: str
    days: int
    contact_name: str
    contact_phone: str
    contact_hours: str


class RedeemPayer(Request, frozen=True, kw_only=True):
    """Who pays by a number about to be made at ``host``, once for an attempt. Caller: egress."""

    host: str
    attempt_id: AttemptId


class PayerRedeemed(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when there is nothing to send; the values are empty then.

    ``phone`` as Japan writes it inside the country, digits alone.
    """

    name: str
    kana: str
    phone: str
    refused: str | None


class SetNumber(Request, frozen=True, kw_only=True):
    """Whose numbers for stores a merchant's payers can pay by from now on; "" for none.

    ``hours``: when the merchant's telephone is answered, as ``09:00-17:00``; it is printed on
    receipts, with the merchant's name and telephone. Refused: ``provider_unknown``,
    ``number_contact_unfit``, ``merchant_unknown``.
    """

    merchant_code: str
    provider: str
    hours: str = ""


class NumberSet(Reply, frozen=True, kw_only=True):
    """The provider before; numbers made there are still asked about there."""

    before: str


REDEEM_PAYER = Operation("redeem_payer", RedeemPayer, PayerRedeemed)
SET_NUMBER = Operation("set_number", SetNumber, NumberSet)
