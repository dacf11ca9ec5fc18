"""Merchant schema, bills: the list with filter and search, one bill with all that happened to it.

Zone: application. A list costs one call; what only the detail view knows (lines, attempts, the
timeline) costs one call a bill, shared by all such fields of that bill.
"""

import msgspec
import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.bill_messages import BillMessage, BillMessagePart
from portal.application.doors.graphql.cards import CardOnFile
from portal.application.doors.graphql.pauses import BillPausing, Pause, pauses_of, pausing_of
from portal.application.doors.graphql.refunds import (
    BillRefundable,
    Refund,
    refundable_of,
    refunds_of,
)
from portal.application.doors.graphql.schema import (
    CURSOR_DESCRIPTION,
    JSON,
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    Money,
    MoneyValue,
    Paged,
    PageEnd,
    PageInfo,
    by,
    edges_of,
    optional,
    page_size,
    plain,
)
from portal.application.doors.locales import TEXTS
from portal.contract.bills import (
    LIST_BILLS,
    VIEW_BILL,
    AttemptRow,
    AttemptShareRow,
    BillDetail,
    BillFilter,
    BillRow,
    BillSearch,
    ListBills,
    ViewBill,
)
from portal.contract.bills import (
    BillEvent as BillEventPart,
)
from portal.contract.bills import (
    BillLine as BillLinePart,
)
from portal.contract.card_on_file import CardShown
from portal.domain.call import PREFIX as CALL_PREFIX
from portal.domain.errors import NotFound
from portal.domain.ids import BillId, ImportId, from_public, to_public


async def _detail(row: BillRow, info: Info) -> BillDetail:
    return await info.context.look(VIEW_BILL, ViewBill(bill_id=row.id))


# What only the detail view knows


def _line_amount(line: strawberry.Parent[BillLinePart]) -> MoneyValue:
    return MoneyValue(line.amount_minor)


@strawberry.type(description="One line item; its amount contains its tax.")
class BillLine:
    """portal.contract.bills.BillLine; both schemas have it."""

    label: str = plain("What it is for.")
    amount: Money = by(_line_amount, "Tax included.")
    tax_rate_percent: int = plain("Rate of the consumption tax contained, in percent.")


def _attempt_id(attempt: strawberry.Parent[AttemptRow]) -> strawberry.ID:
    return strawberry.ID(to_public("attempt", attempt.id))


def _attempt_amount(attempt: strawberry.Parent[AttemptRow]) -> MoneyValue:
    return MoneyValue(attempt.amount_minor)


def _decline_text(attempt: strawberry.Parent[AttemptRow], info: Info) -> str | None:
    code = attempt.decline_code
    return TEXTS[info.context.language].code(code) if code is not None else None


def _payment(attempt: strawberry.Parent[AttemptRow]) -> MoneyValue:
    return MoneyValue(attempt.payment_minor)


def _share_bill_id(share: strawberry.Parent[AttemptShareRow]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", share.bill_id))


def _share_amount(share: strawberry.Parent[AttemptShareRow]) -> MoneyValue:
    return MoneyValue(share.amount_minor)


@strawberry.type(description="What one of several bills gets of a payment.")
class AttemptShare:
    """portal.contract.bills.AttemptShareRow."""

    bill_id: strawberry.ID = by(_share_bill_id, "`bill_…`")
    bill_number: str = plain("The merchant's number of the bill.")
    amount: Money = by(_share_amount, "What it gets.")


@strawberry.type(description="One try of the payer to pay.")
class BillAttempt:
    """portal.contract.bills.AttemptRow."""

    id: strawberry.ID = by(_attempt_id, "`att_…`")
    method: str = plain("How the payer chose to pay.")
    provider: str = plain("Who carries the payment out.")
    state: str = plain("How far it has come.")
    amount: Money = by(_attempt_amount, "What was to be paid of this bill.")
    payment: Money = by(_payment, "What its provider was asked for, for all its bills.")
    shares: list[AttemptShare] = plain("What each bill gets, where it pays several; else empty.")
    reference: str = plain("Our reference at the provider.")
    decline_code: str | None = plain("Why it was declined, if it was.")
    decline_reason: str | None = by(_decline_text, "That reason in the viewer's language.")
    created_at: DateTime = plain("When the payer began.")


def _event_text(event: strawberry.Parent[BillEventPart], info: Info) -> str:
    return TEXTS[info.context.language].code(said_by_channel(event), event.params)


def said_by_channel(event: BillEventPart) -> str:
    """The code under which an event is told: of a message that is no SMS, its channel's own.

    Of a call it is what became of it: that nobody was there says more than that it did not arrive.
    """
    channel = event.params.get("channel", "sms")
    if not event.code.startswith("message.") or channel == "sms":
        return event.code
    why = str(event.params.get("code", ""))
    if channel == "voice" and why.startswith(CALL_PREFIX):
        return f"{channel}.{why}"
    return f"{channel}.{event.code.removeprefix('message.')}"


@strawberry.type(description="One fact in a bill's life.")
class BillEvent:
    """portal.contract.bills.BillEvent."""

    at: DateTime = plain("When.")
    code: str = plain("Stable code of what happened.")
    actor: str = plain("Who or what did it.")
    params: JSON = plain("What fills the text.")
    text: str = by(_event_text, "What happened, in the viewer's language.")


# A bill


def _bill_id(row: strawberry.Parent[BillRow]) -> strawberry.ID:
    return strawberry.ID(to_public("bill", row.id))


def _bill_amount(row: strawberry.Parent[BillRow]) -> MoneyValue:
    return MoneyValue(row.amount_minor)


def _given_back(row: strawberry.Parent[BillRow]) -> MoneyValue:
    return MoneyValue(row.given_back_minor)


async def _contract_no(row: strawberry.Parent[BillRow], info: Info) -> str:
    return (await _detail(row, info)).contract_no


async def _email_hint(row: strawberry.Parent[BillRow], info: Info) -> str:
    return (await _detail(row, info)).email_hint


async def _check_code(row: strawberry.Parent[BillRow], info: Info) -> str:
    return (await _detail(row, info)).check_code


async def _lines(row: strawberry.Parent[BillRow], info: Info) -> tuple[BillLinePart, ...]:
    return (await _detail(row, info)).lines


async def _tax(row: strawberry.Parent[BillRow], info: Info) -> MoneyValue:
    return MoneyValue((await _detail(row, info)).tax_minor)


async def _attempts(row: strawberry.Parent[BillRow], info: Info) -> tuple[AttemptRow, ...]:
    return (await _detail(row, info)).attempts


async def _events(row: strawberry.Parent[BillRow], info: Info) -> tuple[BillEventPart, ...]:
    return (await _detail(row, info)).events


async def _messages(row: strawberry.Parent[BillRow], info: Info) -> tuple[BillMessagePart, ...]:
    return (await _detail(row, info)).messages


async def _card(row: strawberry.Parent[BillRow], info: Info) -> CardShown | None:
    return (await _detail(row, info)).card


async def _resend_channels(row: strawberry.Parent[BillRow], info: Info) -> tuple[str, ...]:
    return (await _detail(row, info)).resend_channels


def _part_paid(row: strawberry.Parent[BillRow]) -> MoneyValue:
    return MoneyValue(row.part_paid_minor)


def _left(row: strawberry.Parent[BillRow]) -> MoneyValue:
    return MoneyValue(row.left_minor)


@strawberry.type(description="What a payer owes for a contract and a period.")
class Bill:
    """portal.contract.bills.BillRow and, one call more, BillDetail."""

    id: strawberry.ID = by(_bill_id, "`bill_…`")
    number: str = plain("The merchant's number of the bill.")
    customer_no: str = plain("The merchant's number for the payer.")
    payer_name: str = plain("The payer.")
    phone_hint: str = plain("Telephone with its middle hidden.")
    period: str = plain("What it is for, e.g. `2026-11`.")
    kind: str = plain("What it is about.")
    amount: Money = by(_bill_amount, "What is owed, tax included.")
    due_on: Date = plain("Last day to pay.")
    lifecycle: enums.Lifecycle = plain("What the merchant wants.")
    settlement: enums.Settlement = plain("What money did.")
    message: enums.MessageState = plain("How far the latest message has come.")
    opened_at: DateTime | None = plain("When the payer first looked.")
    paid_at: DateTime | None = plain("When it was paid.")
    created_at: DateTime = plain("When it came in.")
    version: int = plain("Give it back when changing the bill.")
    given_back: Money = by(_given_back, "What has gone back to the payer.")
    part_paid: Money = by(_part_paid, "What is paid of a bill that still owes the rest.")
    left: Money = by(_left, "What is still to be paid.")
    pause: enums.PauseShown | None = plain("What stops dunning, or that a promise was missed.")
    pause_until: Date | None = plain("The last day of that, if it has one.")
    contract_no: str = by(_contract_no, "The merchant's number of the contract.", cost=VAULT_CALL)
    email_hint: str = by(_email_hint, "Mail address, mostly hidden.", cost=VAULT_CALL)
    check_code: str = by(_check_code, "What the payer's page shows too.", cost=VAULT_CALL)
    lines: list[BillLine] = by(_lines, "Line items.", cost=VAULT_CALL)
    tax: Money = by(_tax, "Consumption tax contained.", cost=VAULT_CALL)
    attempts: list[BillAttempt] = by(
        _attempts, "Tries to pay, newest first.", cost=VAULT_CALL, rows=20
    )
    events: list[BillEvent] = by(
        _events, "What happened, newest first, at most 200.", cost=VAULT_CALL, rows=200
    )
    messages: list[BillMessage] = by(
        _messages, "What was sent, newest first, at most 50.", cost=VAULT_CALL, rows=50
    )
    card: CardOnFile | None = by(_card, "The card on file of its contract.", cost=VAULT_CALL)
    refunds: list[Refund] = by(
        refunds_of, "What went or goes back, newest first, at most 50.", cost=VAULT_CALL, rows=50
    )
    refundable: BillRefundable = by(
        refundable_of, "What can still go back to the payer.", cost=VAULT_CALL
    )
    pauses: list[Pause] = by(
        pauses_of, "What stopped or stops dunning, newest first.", cost=VAULT_CALL, rows=50
    )
    resend_channels: list[enums.MessageChannel] = by(
        _resend_channels, "By what its payer can be told once more.", cost=VAULT_CALL
    )
    pausing: BillPausing = by(pausing_of, "What can be agreed about dunning now.", cost=VAULT_CALL)


# The list


@strawberry.type(description="A bill and where it stands.")
class BillEdge:
    """Relay edge."""

    node: Bill = plain("The bill.")
    cursor: str | None = plain(CURSOR_DESCRIPTION)


@strawberry.type(description="How many there are; counted up to 10,000.")
class CappedCount:
    """A count that never scans millions of rows."""

    value: int = plain("How many.")
    exact: bool = plain("False when there are more than that.")


class CountValue(msgspec.Struct, frozen=True):
    """A count on its way out."""

    value: int
    exact: bool


def _count(page: strawberry.Parent[Paged[BillRow]]) -> CountValue:
    return CountValue(page.count, page.count_exact)


@strawberry.type(description="A page of bills.")
class BillConnection:
    """Relay connection."""

    edges: list[BillEdge] = by(edges_of, "The bills with their places.")
    nodes: list[Bill] = plain("The bills.")
    page_info: PageInfo = plain("Where this page ends.")
    count: CappedCount = by(_count, "How many match in all.")


@strawberry.input(description="All given conditions hold together; a missing one means any.")
class BillFilterInput:
    """portal.contract.bills.BillFilter."""

    lifecycle: list[enums.Lifecycle] | None = optional("Any of these.")
    settlement: list[enums.Settlement] | None = optional("Any of these.")
    message: list[enums.MessageState] | None = optional("Any of these.")
    due_from: Date | None = optional("Due on or after.")
    due_to: Date | None = optional("Due on or before.")
    import_id: strawberry.ID | None = optional("Came in with this import.")
    never_opened: bool = optional("Only those whose payer never looked.", default=False)
    pause: list[enums.PauseShown] | None = optional("Any of these; only what is still owed.")


@strawberry.input(description="Find by an exact number, telephone, mail address or check code.")
class BillSearchInput:
    """portal.contract.bills.BillSearch."""

    field: enums.SearchField = plain("What to compare with.")
    text: str = plain("Width, case, +81 and hyphens don't matter.")


def _filter(given: BillFilterInput | None) -> BillFilter:
    if given is None:
        return BillFilter()
    import_id = from_public("import", given.import_id) if given.import_id is not None else None
    return BillFilter(
        lifecycle=tuple(word.value for word in given.lifecycle or ()),
        settlement=tuple(word.value for word in given.settlement or ()),
        message=tuple(word.value for word in given.message or ()),
        due_from=given.due_from,
        due_to=given.due_to,
        import_id=ImportId(import_id) if import_id is not None else None,
        never_opened=given.never_opened,
        pause=tuple(word.value for word in given.pause or ()),
    )


async def list_bills(
    info: Info,
    first: int,
    after: str | None = None,
    filter: BillFilterInput | None = None,  # noqa: A002 - the argument's name in the schema
    search: BillSearchInput | None = None,
    order: enums.BillOrder = enums.BillOrder.CREATED_DESC,
) -> Paged[BillRow]:
    """A page of bills; the cursor is the vault's own, sealed there."""
    request = ListBills(
        filter=_filter(filter),
        search=BillSearch(field=search.field.value, text=search.text) if search else None,
        order=order.value,
        first=page_size(first),
        after=after,
    )
    page = await info.context.call(LIST_BILLS, request)
    return Paged(
        nodes=page.bills,
        page_info=PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor),
        count=page.count,
        count_exact=page.count_exact,
    )


async def view_bill(info: Info, id: strawberry.ID) -> BillRow | None:  # noqa: A002 - the argument's name in the schema
    """One bill, or None for an unknown or a foreign id alike."""
    try:
        bill_id = BillId(from_public("bill", id))
        return (await info.context.look(VIEW_BILL, ViewBill(bill_id=bill_id))).row
    except NotFound:
        return None


@strawberry.type
class BillsQuery:
    """Bills."""

    bills: BillConnection = by(list_bills, "Bills by filter or search.", cost=VAULT_CALL)
    bill: Bill | None = by(view_bill, "One bill.", cost=VAULT_CALL)
