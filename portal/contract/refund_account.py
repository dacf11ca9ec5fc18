"""The payer's account for a refund by bank transfer: given by staff or at the bill's page.

No reply holds an account: bank and branch, its last digits and its holder masked are all that
leaves the vault.
"""

from datetime import date, datetime
from typing import Literal

from portal.contract.envelope import Done, Operation, Part, Reply, Request
from portal.domain.ids import RefundId
from portal.domain.refund_account import AccountSource

Proof = Literal["phone", "customer_no", "staff"]
"""What the page asks for before it takes an account; ``staff``: it takes none, staff do."""


class GivenAccount(Part, frozen=True, kw_only=True):
    """An account as people see it: by bank and branch, its last digits, its holder masked.

    ``given_at`` (business time) is None for the account that was debited, which nobody gave.
    ``given_by`` is empty on the payer's page. ``changes``: how often it was given anew.
    """

    bank_name: str
    branch_name: str
    account_hint: str
    holder_hint: str
    source: AccountSource
    given_at: datetime | None
    given_by: str
    changes: int


class GiveRefundAccount(Request, frozen=True, kw_only=True):
    """Staff take down where a refund goes; ``is_debited``: to the account that was debited.

    InvalidInput at a field (portal.domain.refund_account.read_account); Conflict
    ``refund_account_closed``, ``refund_account_unknown``, ``idempotency_mismatch``; NotFound.
    """

    refund_id: RefundId
    is_debited: bool
    bank_code: str
    branch_code: str
    account_kind: str
    account_number: str
    holder_name: str
    idempotency_key: str


class RefundAccountGiven(Reply, frozen=True, kw_only=True):
    """The account as it is now."""

    account: GivenAccount


class PageRefund(Part, frozen=True, kw_only=True):
    """A refund of the bill that is transferred, and where to; None: nobody knows yet.

    ``is_open``: its account can still be given or corrected. ``transfer_on``: the day on which a
    file that holds it goes. Units: minor units.
    """

    amount_minor: int
    is_open: bool
    account: GivenAccount | None
    transfer_on: date | None = None


class PageRefunds(Part, frozen=True, kw_only=True):
    """Refunds of the bill that are transferred, those not over; ``may_give``: here and now.

    ``tries_left`` are answers to the question ``proof``.
    """

    refunds: tuple[PageRefund, ...] = ()
    may_give: bool = False
    proof: Proof = "staff"
    tries_left: int = 0


class GivePayerAccount(Request, frozen=True, kw_only=True):
    """A payer gives the account for all refunds of the bill that wait for their transfer.

    ``proof``: last four digits of the telephone number, or the customer number. InvalidInput at a
    field; Conflict ``refund_account_closed``; NotAllowed ``refund_proof_wrong`` (params ``field``,
    ``left``); LimitReached ``refund_proof_over``, ``refund_account_often``.
    """

    bank_code: str
    branch_code: str
    account_kind: str
    account_number: str
    holder_name: str
    proof: str


GIVE_REFUND_ACCOUNT = Operation("give_refund_account", GiveRefundAccount, RefundAccountGiven)
GIVE_PAYER_ACCOUNT = Operation("give_payer_account", GivePayerAccount, Done)
