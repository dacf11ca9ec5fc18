"""Merchant schema, bank debits: payers' mandates, registered from their forms.

Zone: application. Staff only; of an account no more is shown than its last digits.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    DateTime,
    Info,
    PageEnd,
    PageInfo,
    by,
    optional,
    page_size,
    plain,
)
from portal.contract.debit import (
    DECIDE_MANDATE,
    LIST_MANDATES,
    REGISTER_MANDATE,
    VIEW_MANDATE,
    DecideMandate,
    ListMandates,
    MandateChanged,
    MandateEventView,
    MandatePage,
    MandateSeen,
    MandateView,
    RegisterMandate,
    ViewMandate,
)
from portal.domain.errors import NotFound
from portal.domain.ids import DebitContractId, MandateId, from_public, to_public


def _mandate_id(mandate: strawberry.Parent[MandateView]) -> strawberry.ID:
    return strawberry.ID(to_public("mandate", mandate.id))


def _mandate_contract(mandate: strawberry.Parent[MandateView]) -> strawberry.ID:
    return strawberry.ID(to_public("debit_contract", mandate.contract_id))


@strawberry.type(description="A payer's word that their account may be debited.")
class Mandate:
    """portal.contract.debit.MandateView."""

    id: strawberry.ID = by(_mandate_id, "`mdt_…`")
    contract_id: strawberry.ID = by(_mandate_contract, "`dct_…`")
    state: enums.MandateState = plain("Whether it may be used.")
    code: str | None = plain("Why it is so, where a bank or staff said it.")
    way: enums.MandateWay = plain("How it was given.")
    customer_hint: str = plain("Last 4 of the customer number.")
    bank_code: str = plain("The payer's bank.")
    bank_name: str = plain("What it is called.")
    branch_name: str = plain("The branch, in kana.")
    account_hint: str = plain("Last 3 of the account number; empty while only the bank is known.")
    created_by: str = plain("Who registered or began it.")
    created_at: DateTime | None = plain("When that was.")
    state_at: DateTime = plain("Since when it is so.")
    choices: list[enums.MandateDecision] = plain("What can be said of it now.")


@strawberry.type(description="What happened to a mandate.")
class MandateEvent:
    """portal.contract.debit.MandateEventView."""

    at: DateTime = plain("When.")
    actor: str = plain("Who did it.")
    code: str = plain("What happened.")
    reason: str | None = plain("Why, where a bank or staff said it.")


def _seen_mandate(seen: strawberry.Parent[MandateSeen]) -> MandateView:
    return seen.mandate


def _history(seen: strawberry.Parent[MandateSeen]) -> tuple[MandateEventView, ...]:
    return seen.history


@strawberry.type(description="One mandate with what happened to it.")
class MandateRecord:
    """portal.contract.debit.MandateSeen."""

    mandate: Mandate = by(_seen_mandate, "The mandate.")
    history: list[MandateEvent] = by(_history, "What happened, newest first.", rows=100)


def _mandate_nodes(page: strawberry.Parent[MandatePage]) -> tuple[MandateView, ...]:
    return page.mandates


def _page_end(page: strawberry.Parent[MandatePage]) -> PageEnd:
    return PageEnd(has_next_page=page.has_next, end_cursor=page.end_cursor)


@strawberry.type(description="A page of mandates, newest first.")
class MandateConnection:
    """portal.contract.debit.MandatePage."""

    nodes: list[Mandate] = by(_mandate_nodes, "The mandates.")
    page_info: PageInfo = by(_page_end, "Where this page ends.")


async def list_mandates(
    info: Info,
    first: int,
    after: str | None = None,
    customer_no: str = "",
    states: list[enums.MandateState] | None = None,
    contract_id: strawberry.ID | None = None,
) -> MandatePage:
    """A page of mandates; the cursor is the vault's own, sealed there."""
    contract = None
    if contract_id is not None:
        contract = DebitContractId(from_public("debit_contract", contract_id))
    request = ListMandates(
        customer_no=customer_no,
        first=page_size(first),
        after=after,
        states=tuple(state.value for state in states or ()),
        contract_id=contract,
    )
    return await info.context.call(LIST_MANDATES, request)


async def view_mandate(info: Info, id: strawberry.ID) -> MandateSeen | None:  # noqa: A002 - the argument's name in the schema
    """One mandate, or None for an unknown or a foreign id alike."""
    try:
        request = ViewMandate(mandate_id=MandateId(from_public("mandate", id)))
        return await info.context.look(VIEW_MANDATE, request)
    except NotFound:
        return None


@strawberry.type
class MandatesQuery:
    """Mandates."""

    mandates: MandateConnection = by(
        list_mandates,
        "Payers' mandates, by state or contract, or one customer's; staff only.",
        cost=VAULT_CALL,
    )
    mandate: MandateRecord | None = by(view_mandate, "One mandate; staff only.", cost=VAULT_CALL)


# What is done


def _mandate(outcome: strawberry.Parent[Outcome[MandateChanged]]) -> MandateView | None:
    return outcome.entity.mandate if outcome.entity else None


@strawberry.type
class _MandateOutcome:
    mandate: Mandate | None = by(_mandate, "The mandate as it is now.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


@strawberry.type(description="The mandate that was registered, or why it was not.")
class MandateRegisterPayload(_MandateOutcome):
    """Outcome of mandateRegister."""


@strawberry.type(description="The mandate as it was decided, or why it was not.")
class MandateDecidePayload(_MandateOutcome):
    """Outcome of mandateDecide."""


@strawberry.input(description="Take a payer's account down from their form.")
class MandateRegisterInput:
    """portal.contract.debit.RegisterMandate."""

    contract_id: strawberry.ID = plain("`dct_…`")
    customer_no: str = plain("Whose bills are debited.")
    bank_code: str = plain("4 digits.")
    branch_code: str = plain("3 digits.")
    account_kind: str = optional("1 ordinary, 2 current, 3 tax savings, 9 other.", default="1")
    account_number: str = plain("Up to 7 digits; stored sealed.")
    holder_name: str = plain("The account's name in kana; stored sealed.")
    idempotency_key: str = plain("Yours; the same key and arguments register once.")


async def register_mandate(info: Info, input: MandateRegisterInput) -> Outcome[MandateChanged]:  # noqa: A002 - the argument's name in the schema
    """Register; the bank's answer makes it usable."""

    async def act() -> MandateChanged:
        request = RegisterMandate(
            contract_id=DebitContractId(from_public("debit_contract", input.contract_id)),
            customer_no=input.customer_no,
            bank_code=input.bank_code,
            branch_code=input.branch_code,
            account_kind=input.account_kind,
            account_number=input.account_number,
            payer_name=input.holder_name,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(REGISTER_MANDATE, request)

    return await outcome_of(info, act())


@strawberry.input(description="Record the bank's answer to a mandate, or the payer's will.")
class MandateDecideInput:
    """portal.contract.debit.DecideMandate."""

    id: strawberry.ID = plain("`mdt_…`")
    decision: enums.MandateDecision = plain("What was said.")
    reason: enums.MandateReason | None = optional("Why, where there is a word for it.")
    idempotency_key: str = plain("Yours; the same key and arguments decide once.")


async def decide_mandate(info: Info, input: MandateDecideInput) -> Outcome[MandateChanged]:  # noqa: A002 - the argument's name in the schema
    """Decide; what is possible is the vault's to say."""

    async def act() -> MandateChanged:
        request = DecideMandate(
            mandate_id=MandateId(from_public("mandate", input.id)),
            decision=input.decision.value,
            reason=input.reason.value if input.reason else "",
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(DECIDE_MANDATE, request)

    return await outcome_of(info, act())


@strawberry.type
class MandatesMutation:
    """What is done about mandates."""

    mandate_register: MandateRegisterPayload = by(
        register_mandate, "Register a mandate; staff only.", cost=VAULT_CALL
    )
    mandate_decide: MandateDecidePayload = by(
        decide_mandate, "Record an answer to a mandate; staff only.", cost=VAULT_CALL
    )
