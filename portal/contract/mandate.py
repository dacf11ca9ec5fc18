"""A mandate by redirect: the payer chooses a bank, leaves for its page, and the bank is asked.

No type here holds an account: the bank's word goes from the relay into the vault.
"""

from typing import Literal

from portal.contract.envelope import Authority, Operation, Part, Reply, Request
from portal.domain.ids import DeliveryId, MandateId
from portal.domain.mandate import MandateState
from portal.domain.mandate_word import Asked


class StartMandate(Request, frozen=True, kw_only=True):
    """A payer's intent to pay from a bank account from now on.

    ``reachable``: the providers that the caller can reach. Conflict ``mandate_not_offered``,
    ``mandate_exists``, ``mandate_running``; NotFound ``bank_unknown``, ``branch_unknown``.
    """

    bank_code: str
    branch_code: str
    idempotency_key: str
    reachable: tuple[str, ...] = ()


class MandateStarted(Reply, frozen=True, kw_only=True):
    """``fresh``: open it at the provider, once. Else look where it stands.

    ``reference`` is ours, unique there; ``return_token`` goes into the return address.
    """

    mandate_id: MandateId
    state: MandateState
    fresh: bool
    provider: str
    reference: str
    collector: str
    bank_code: str
    branch_code: str
    return_token: str
    merchant_code: str


class RecordMandateOpening(Request, frozen=True, kw_only=True):
    """What the provider said to the first call. ``page_url`` is stored sealed."""

    mandate_id: MandateId
    outcome: Literal["accepted", "refused", "unknown"]
    page_url: str
    code: str


class MandateNow(Reply, frozen=True, kw_only=True):
    """``page_url`` only while the payer has to act there."""

    mandate_id: MandateId
    state: MandateState
    page_url: str | None = None


class ViewMandateDeparture(Request, frozen=True, kw_only=True):
    """Where a payer's own mandate goes on. NotFound ``not_found``."""

    mandate_id: MandateId


class ViewMandateReturn(Request, frozen=True, kw_only=True):
    """The mandate behind a return token.

    NotFound ``return_unknown``, Expired ``return_expired``.
    """

    merchant_code: str
    return_token: str


class MandateReturned(Reply, frozen=True, kw_only=True):
    """A short authority over this one mandate's bill, and what to ask; ``ended``: nothing."""

    authority: Authority
    mandate_id: MandateId
    page_ref: str
    provider: str
    reference: str
    word_id: DeliveryId
    ended: bool


class BeginMandateAsking(Request, frozen=True, kw_only=True):
    """What to ask about a mandate. Authority: the task's lease."""

    mandate_id: MandateId


class MandateAsking(Reply, frozen=True, kw_only=True):
    """Ask the provider about ``reference``; the relay puts its word under ``word_id``."""

    provider: str
    reference: str
    word_id: DeliveryId
    ended: bool


class DepositMandateWord(Request, frozen=True, kw_only=True):
    """A bank's word about a mandate, as it came from ``host``. Caller: the relay.

    ``status`` 404: it knows nothing of ``asked_for``, the last part of the path that was asked.
    """

    host: str
    word_id: DeliveryId
    body: bytes
    status: int = 200
    asked_for: str = ""


class MandateWordDeposited(Reply, frozen=True, kw_only=True):
    """``refused``: nothing was taken, and why."""

    refused: str | None


class RecordMandateAsking(Request, frozen=True, kw_only=True):
    """What came of asking. Authority: the payer's who is back, or the task's lease."""

    mandate_id: MandateId
    asked: Asked


class PageMandate(Part, frozen=True, kw_only=True):
    """The payer's latest mandate, masked. ``code`` says why it ended, where it did.

    ``account_hint`` is the account's last digits, empty while the bank has not named it.
    """

    id: MandateId
    state: MandateState
    code: str | None
    bank_name: str
    account_hint: str


START_MANDATE = Operation("start_mandate", StartMandate, MandateStarted)
RECORD_MANDATE_OPENING = Operation("record_mandate_opening", RecordMandateOpening, MandateNow)
VIEW_MANDATE_DEPARTURE = Operation("view_mandate_departure", ViewMandateDeparture, MandateNow)
VIEW_MANDATE_RETURN = Operation("view_mandate_return", ViewMandateReturn, MandateReturned)
BEGIN_MANDATE_ASKING = Operation("begin_mandate_asking", BeginMandateAsking, MandateAsking)
DEPOSIT_MANDATE_WORD = Operation("deposit_mandate_word", DepositMandateWord, MandateWordDeposited)
RECORD_MANDATE_ASKING = Operation("record_mandate_asking", RecordMandateAsking, MandateNow)
