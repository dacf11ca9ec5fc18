"""Merchant schema, billing: contracts on paper, beside it and without it, and what that saves.

Zone: application. What a contract may become is decided in the vault; here a refusal becomes data.
"""

from typing import TYPE_CHECKING, cast

import strawberry

from portal.application.doors.graphql import digital_enums as words
from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    Money,
    MoneyValue,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.contract.digital import (
    LIST_BILLINGS,
    STEER_BILLING,
    VIEW_PAPER,
    BillingPage,
    BillingSet,
    BillingView,
    ListBillings,
    PaperFigures,
    SteerBilling,
)
from portal.contract.digital import ContractCount as CountPart
from portal.contract.envelope import Nothing
from portal.domain.ids import BillId, from_public, to_public

if TYPE_CHECKING:
    from portal.domain.ladder import ChoiceSource


def _bill_id(view: strawberry.Parent[BillingView]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", view.bill_id))


def _billing(view: strawberry.Parent[BillingView]) -> words.Billing:
    return words.Billing(view.billing)


@strawberry.type(description="A contract by one of its bills, and how it is billed.")
class ContractBilling:
    """portal.contract.digital.BillingView."""

    bill_id: strawberry.ID = by(_bill_id, "`bill_…`: a bill of the contract.")
    bill_number: str = plain("The merchant's number of that bill.")
    billing: words.Billing = by(_billing, "How the contract is billed.")
    reason: str = plain("Why it is billed on paper again, a code; empty otherwise.")
    seen: int = plain("Bills that were read by message beside their paper.")
    since: DateTime = plain("Since when it is billed so.")
    is_verified: bool = plain("Whether its payer has opened a link that went to its contact.")


def _nodes(page: strawberry.Parent[BillingPage]) -> tuple[BillingView, ...]:
    return page.contracts


def _page_end(page: strawberry.Parent[BillingPage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of contracts, those that came to it last first.")
class ContractBillingConnection:
    """portal.contract.digital.BillingPage."""

    nodes: list[ContractBilling] = by(_nodes, "The contracts.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_billings(
    info: Info, billing: words.Billing, first: int, after: str | None = None
) -> BillingPage:
    """A page of contracts; the cursor is the vault's own, sealed there."""
    request = ListBillings(billing=billing.value, first=page_size(first), after=after)
    return await info.context.call(LIST_BILLINGS, request)


def _count_billing(count: strawberry.Parent[CountPart]) -> words.Billing:
    return words.Billing(count.billing)


@strawberry.type(description="How many contracts are billed so.")
class ContractCount:
    """portal.contract.digital.ContractCount."""

    billing: words.Billing = by(_count_billing, "How.")
    contracts: int = plain("How many, counted up to 100,000.")


def _saved(figures: PaperFigures, sheets: int) -> MoneyValue | None:
    price = figures.letter_price
    return None if price is None else MoneyValue(sheets * price // 100)


def _saved_month(figures: strawberry.Parent[PaperFigures]) -> MoneyValue | None:
    return _saved(figures, figures.saved_month)


def _saved_year(figures: strawberry.Parent[PaperFigures]) -> MoneyValue | None:
    return _saved(figures, figures.saved_year)


@strawberry.type(description="Paper saved by billing digitally, and how contracts are billed.")
class PaperSaved:
    """portal.contract.digital.PaperFigures."""

    saved_month: int = plain("Bills not printed this month.")
    unsaid_month: int = plain(
        "Bills of digital contracts printed this month as the plan has no message for them."
    )
    saved_year: int = plain("Bills not printed this year.")
    saved_month_amount: Money | None = by(
        _saved_month, "What their letters would have cost, if the price of a letter is known."
    )
    saved_year_amount: Money | None = by(_saved_year, "The same of this year.")
    printed_month: int = plain("Bills put into files for a print shop this month.")
    contracts: list[ContractCount] = plain("How many contracts are billed how.")


async def view_paper(info: Info) -> PaperFigures:
    """The figures."""
    return await info.context.look(VIEW_PAPER, Nothing())


@strawberry.type
class BillingsQuery:
    """How contracts are billed."""

    contract_billings: ContractBillingConnection = by(
        list_billings, "Contracts that are billed so.", cost=VAULT_CALL
    )
    paper_saved: PaperSaved = by(view_paper, "Paper saved by billing digitally.", cost=VAULT_CALL)


@strawberry.input(description="What is to become of the billing of a bill's contract.")
class ContractBillingSetInput:
    """portal.contract.digital.SteerBilling."""

    id: strawberry.ID = plain("`bill_…`; it holds for its contract.")
    act: words.BillingAct = plain("What is done.")
    source: enums.ChoiceSource | None = optional("Where the payer agreed, for `AGREE`.")
    reason: words.BillingReason | None = optional("Why, for `TAKE_BACK`.")


def _now(outcome: strawberry.Parent[Outcome[BillingSet]]) -> words.Billing | None:
    return words.Billing(outcome.entity.billing) if outcome.entity else None


@strawberry.type(description="How the contract is billed now, or why it stays as it is.")
class ContractBillingSetPayload:
    """Outcome of contractBillingSet."""

    billing: words.Billing | None = by(_now, "How it is billed from now on.")
    errors: list[UserError] = plain("Why it was not changed; empty when it was.")


async def set_billing(info: Info, input: ContractBillingSetInput) -> Outcome[BillingSet]:  # noqa: A002 - the argument's name in the schema
    """Staff's act."""

    async def act() -> BillingSet:
        request = SteerBilling(
            bill_id=BillId(from_public("bill", input.id)),
            act=input.act.value,
            source=cast("ChoiceSource", input.source.value if input.source else "contract"),
            reason=input.reason.value if input.reason else None,
        )
        return await info.context.call(STEER_BILLING, request)

    return await outcome_of(info, act())


@strawberry.type
class BillingsMutation:
    """What staff do about how contracts are billed."""

    contract_billing_set: ContractBillingSetPayload = by(
        set_billing, "Note consent, end the parallel run, or bill on paper again.", cost=VAULT_CALL
    )
