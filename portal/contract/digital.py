"""Billing digitally: what payers and staff say of a contract, and how contracts are billed now."""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.domain.digital import Billing, ReturnReason
from portal.domain.ids import BillId
from portal.domain.ladder import ChoiceSource

BillingAct = Literal["agree", "convert", "take_back"]
"""What staff do: note that the payer agreed, end the parallel run, bill on paper again."""


class ChooseBilling(Request, frozen=True, kw_only=True):
    """The payer's own press: no more paper, or paper again; ``words``: the version they saw.

    Refused: ``words_unknown``.
    """

    is_digital: bool
    words: str


class BillingSet(Reply, frozen=True, kw_only=True):
    """How the contract is billed from now on."""

    billing: Billing


class SteerBilling(Request, frozen=True, kw_only=True):
    """What staff say of a bill's contract. ``reason`` of ``take_back``; ``source`` of ``agree``.

    Refused: ``billing_state`` (params ``state``, ``event``), ``billing_unverified``, ``not_found``,
    ``reason_needed``.
    """

    bill_id: BillId
    act: BillingAct
    source: ChoiceSource = "contract"
    reason: ReturnReason | None = None


class ListBillings(Request, frozen=True, kw_only=True):
    """A page of contracts that are billed so, those that came to it last first."""

    billing: Billing
    first: int
    after: str | None = None


class BillingView(Part, frozen=True, kw_only=True):
    """A contract, by one of its bills. ``seen``: bills of the parallel run that were read."""

    bill_id: BillId
    bill_number: str
    billing: Billing
    reason: str
    seen: int
    since: datetime
    is_verified: bool


class ContractCount(Part, frozen=True, kw_only=True):
    """How many contracts are billed so."""

    billing: Billing
    contracts: int


class BillingPage(Reply, frozen=True, kw_only=True):
    """One page of them."""

    contracts: tuple[BillingView, ...]
    end_cursor: str | None
    has_next: bool


class PaperFigures(Reply, frozen=True, kw_only=True):
    """Paper saved, by the merchant's own days, and how contracts are billed.

    ``saved_*``: bills that were not printed because their contracts are billed digitally.
    ``letter_price``: what the merchant pays for a letter, None if nobody said. Units: hundredths of
    a yen. ``printed_month``: bills put into batches. ``contracts``: how many are billed so, counted
    up to 100,000 each. ``unsaid_month``: bills of contracts that are billed digitally that went to
    paper because the plan has no message for them, counted up to 10,000.
    """

    saved_month: int
    saved_year: int
    letter_price: int | None
    printed_month: int
    contracts: tuple[ContractCount, ...]
    unsaid_month: int = 0


CHOOSE_BILLING = Operation("choose_billing", ChooseBilling, BillingSet)
STEER_BILLING = Operation("steer_billing", SteerBilling, BillingSet)
LIST_BILLINGS = Operation("list_billings", ListBillings, BillingPage)
VIEW_PAPER = Operation("view_paper", Nothing, PaperFigures)
