"""Payer schema, page: the one bill that the link names. No field takes an id.

Zone: application. Everything is masked in the vault already; nothing here may add a value to it.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.bills import BillLine
from portal.application.doors.graphql.cards import CardOnFile
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.payer_billing import PageBilling
from portal.application.doors.graphql.payer_mandate import PayerMandate
from portal.application.doors.graphql.payer_refund import PageRefunds
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    Int64,
    Money,
    MoneyValue,
    by,
    plain,
)
from portal.application.doors.locales import TEXTS
from portal.application.payment.reach import narrow
from portal.contract.envelope import Done, Nothing
from portal.contract.page import (
    MARK_OPENED,
    VIEW_PAGE,
    AttemptView,
    PageReminder,
    PageView,
)
from portal.contract.page import (
    MethodOffer as MethodOfferPart,
)
from portal.contract.share import OtherBill as OtherBillPart
from portal.contract.share import PaidShare as PaidSharePart
from portal.contract.share import PartRange as PartRangePart
from portal.contract.share import ViewPage
from portal.domain.ids import to_public


@strawberry.type(description="Who asks for the money, and how to check that it is true.")
class Payee:
    """portal.contract.login.MerchantFacts, without its id."""

    code: str = plain("Short public code.")
    name: str = plain("The merchant's name.")
    zone: str = plain("IANA time zone of its dates.")
    sms_sender: str = plain("Number that its text messages come from.")
    phone: str = plain("Call centre.")
    website: str = plain("Own website.")


def _offer_code(offer: strawberry.Parent[MethodOfferPart]) -> str | None:
    return offer.reason


def _pays_kept(offer: strawberry.Parent[MethodOfferPart]) -> bool:
    return bool(offer.kept_at)


def _offer_reason(offer: strawberry.Parent[MethodOfferPart], info: Info) -> str | None:
    if offer.reason is None:
        return None
    return TEXTS[info.context.language].code(offer.reason)


def _channel(reminder: strawberry.Parent[PageReminder]) -> str:
    return reminder.channel


@strawberry.type(description="A channel by which reminders come.")
class Reminder:
    """portal.contract.page.PageReminder."""

    channel: enums.MessageChannel = by(_channel, "By what.")
    is_wanted: bool = plain("Whether the payer wants them so.")


@strawberry.type(description="A way to pay.")
class MethodOffer:
    """portal.contract.page.MethodOffer."""

    method: str = plain("Its name.")
    available: bool = plain("Whether it can be chosen now.")
    charge_days_before: int | None = plain(
        "The card may be kept, and is charged so many days before later bills are due."
    )
    pays_kept: bool = by(
        _pays_kept, "The card on file of the contract can be chosen too, with its payer there."
    )
    reason_code: str | None = by(_offer_code, "Why not, if it can't be.")
    reason: str | None = by(_offer_reason, "That reason in the viewer's language.")


def _attempt_id(attempt: strawberry.Parent[AttemptView]) -> strawberry.ID:
    return strawberry.ID(to_public("attempt", attempt.id))


def _attempt_amount(attempt: strawberry.Parent[AttemptView]) -> MoneyValue:
    return MoneyValue(attempt.amount_minor)


def _decline_text(attempt: strawberry.Parent[AttemptView], info: Info) -> str | None:
    code = attempt.decline_code
    return TEXTS[info.context.language].code(code) if code is not None else None


@strawberry.type(description="A number to pay by at a convenience store.")
class StoreNumber:
    """portal.contract.number.StoreNumber."""

    store: str = plain("At which.")
    receipt_no: str = plain("The number, as its terminal asks for it.")
    confirmation_no: str = plain("The second one; empty where there is none.")
    pay_by: DateTime = plain("Until when it counts.")


@strawberry.type(description="The payer's latest try to pay.")
class Attempt:
    """portal.contract.page.AttemptView."""

    id: strawberry.ID = by(_attempt_id, "`att_…`")
    method: str = plain("How the payer chose to pay.")
    state: str = plain("How far it has come.")
    amount: Money = by(_attempt_amount, "What was to be paid.")
    decline_code: str | None = plain("Why it was declined, if it was.")
    decline_reason: str | None = by(_decline_text, "That reason in the viewer's language.")
    approval_no: str | None = plain("Approval number of a payment.")
    instrument_hint: str | None = plain("Last letters of what was paid with.")
    finished_at: DateTime | None = plain("When it was over.")
    number: StoreNumber | None = plain("By what it can be paid at a store, while it can.")


def _amount(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.amount_minor)


def _tax(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.tax_minor)


def _given_back(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.given_back_minor)


def _owed_back(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.owed_back_minor)


def _on_its_way_back(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.on_its_way_back_minor)


def _methods(page: strawberry.Parent[PageView], info: Info) -> tuple[MethodOfferPart, ...]:
    return narrow(info.context.doors.pay_desk, page.methods)


def _left(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.left_minor)


def _pay(page: strawberry.Parent[PageView]) -> MoneyValue:
    return MoneyValue(page.pay_minor)


def _chosen_part(page: strawberry.Parent[PageView]) -> MoneyValue | None:
    return None if page.part_minor is None else MoneyValue(page.part_minor)


def _share(part: strawberry.Parent[OtherBillPart | PaidSharePart]) -> MoneyValue:
    return MoneyValue(part.amount_minor)


@strawberry.type(description="Another open bill of the contract; nothing personal is said of it.")
class OtherBill:
    """portal.contract.share.OtherBill."""

    ref: str = plain("Public name of its page, to choose it by; it grants nothing.")
    period: str = plain("What it is for, e.g. `2026-11`.")
    due_on: Date = plain("Last day to pay.")
    amount: Money = by(_share, "What is left to pay of it.")
    is_chosen: bool = plain("Whether it is to be paid with this one.")


@strawberry.type(description="What one bill gets of a payment for several.")
class PaidShare:
    """portal.contract.share.PaidShare."""

    period: str = plain("What the bill is for, e.g. `2026-11`.")
    due_on: Date = plain("Its last day to pay.")
    amount: Money = by(_share, "What it gets.")
    is_this: bool = plain("Whether it is the bill of this page.")


def _least(part: strawberry.Parent[PartRangePart]) -> MoneyValue:
    return MoneyValue(part.least_minor)


def _most(part: strawberry.Parent[PartRangePart]) -> MoneyValue:
    return MoneyValue(part.most_minor)


@strawberry.type(description="What may be paid of the bill if not all of it, both ends included.")
class PartRange:
    """portal.contract.share.PartRange."""

    least: Money = by(_least, "The least.")
    most: Money = by(_most, "The most.")


def _takes_mandates(page: strawberry.Parent[PageView], info: Info) -> bool:
    return page.mandates_by in info.context.doors.pay_desk.endpoints


def _payee(page: strawberry.Parent[PageView]) -> object:
    return page.merchant


@strawberry.type(description="What was agreed or decided about reminders; in force today.")
class PayablePause:
    """portal.contract.page.PagePause."""

    kind: enums.PauseKind = plain("What it is.")
    until: Date | None = plain("Its last day; a hold may have none.")


@strawberry.type(description="What is owed, as the holder of its link may see it.")
class PayableBill:
    """portal.contract.page.PageView."""

    page_ref: str = plain("Public name of this page in addresses; it grants nothing.")
    payee: Payee = by(_payee, "Who asks for the money.")
    state: enums.PageState = plain("What the page has to say.")
    number: str = plain("The merchant's number of the bill.")
    period: str = plain("What it is for, e.g. `2026-11`.")
    kind: str = plain("What it is about.")
    payer_hint: str = plain("The payer's name with all but its ends hidden.")
    customer_hint: str = plain("Last 4 of the customer number.")
    amount: Money = by(_amount, "What is owed, tax included.")
    tax: Money = by(_tax, "Consumption tax contained.")
    lines: list[BillLine] = plain("Line items.")
    due_on: Date = plain("Last day to pay.")
    days_left: int = plain("Days until then; negative when past.")
    check_code: str = plain("What the call centre can look up.")
    language: str = plain("Language that the merchant asked for.")
    methods: list[MethodOffer] = by(_methods, "Ways to pay.")
    attempt: Attempt | None = plain("The latest try, if any.")
    paid_at: DateTime | None = plain("When it was paid.")
    given_back: Money = by(_given_back, "What has been given back of what was paid.")
    on_its_way_back: Money = by(_on_its_way_back, "What is being given back and not there yet.")
    owed_back: Money = by(_owed_back, "What is owed back to the payer, and not on its way yet.")
    pauses: list[PayablePause] = plain("What stops reminders today.")
    left: Money = by(_left, "What is still to be paid of the bill.")
    pay: Money = by(_pay, "What a payment of what was chosen comes to.")
    chosen_part: Money | None = by(_chosen_part, "What was chosen of the bill, if not all of it.")
    others: list[OtherBill] = plain("Other open bills of the contract, which can be paid with it.")
    part: PartRange | None = plain("What may be paid of the bill, if not all of it may be.")
    choice_refused: str | None = plain("Why what was chosen can't be paid, if it can't; a code.")
    shares: list[PaidShare] = plain("What each bill gets of the attempt, where it pays several.")
    debit_on: Date | None = plain("The day on which its bank is to debit the payer's account.")
    card: CardOnFile | None = plain("The card on file of its contract.")
    reminders: list[Reminder] = plain("By what reminders come, and whether they are wanted.")
    billing: PageBilling = plain("How its contract is billed, and what may be said here.")
    refunds: PageRefunds = plain("What is transferred back to the payer, and where to.")
    may_remove_card: bool = plain("Whether this page may take the card back.")
    mandate: PayerMandate | None = plain("The payer's latest mandate, if any.")
    takes_mandates: bool = by(_takes_mandates, "Whether one can be begun now.")
    attempt_key: str = plain("A fresh idempotency key for the form of this view.")


async def view_page(
    info: Info, also: list[str] | None = None, part: Int64 | None = None
) -> PageView:
    """The bill behind the link, with what its payer would pay beside it or of it."""
    request = ViewPage(also=tuple(also or ()), part_minor=part)
    return await info.context.look(VIEW_PAGE, request)


def _was_done(outcome: strawberry.Parent[Outcome[Done]]) -> bool:
    return outcome.entity is not None


@strawberry.type(description="Whether it was noted, or why not.")
class BillOpenedPayload:
    """Outcome of billOpened."""

    noted: bool = by(_was_done, "True when it was noted.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def mark_opened(info: Info) -> Outcome[Done]:
    """A person is looking, not a prefetcher."""
    return await outcome_of(info, info.context.call(MARK_OPENED, Nothing()))


@strawberry.type
class PageQuery:
    """The page."""

    bill: PayableBill = by(view_page, "The bill behind the link.", cost=VAULT_CALL)


@strawberry.type
class PageMutation:
    """Looking."""

    bill_opened: BillOpenedPayload = by(
        mark_opened, "Say that a person is looking at the page.", cost=VAULT_CALL
    )
