"""Data zone: a payer gives a mandate at the bank's page; the bank's word comes past everybody else.

The mandate, its reference and the question that will find out about it whatever happens commit
together; only then may anyone open it at the bank. What the bank says comes in by mandate_word:
neither the web process nor a worker sees an account.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.contract.mandate import (
    RECORD_MANDATE_ASKING,
    RECORD_MANDATE_OPENING,
    START_MANDATE,
    VIEW_MANDATE_DEPARTURE,
    VIEW_MANDATE_RETURN,
    MandateNow,
    MandateReturned,
    MandateStarted,
    RecordMandateOpening,
    StartMandate,
    ViewMandateDeparture,
    ViewMandateReturn,
)
from portal.contract.page import VIEW_PAGE
from portal.domain import mandate as rules
from portal.domain.card_number import refuse_card_number
from portal.domain.doubt import SUBMIT_GRACE
from portal.domain.errors import Conflict, Expired, NotFound
from portal.domain.ids import DeliveryId, MandateId
from portal.domain.mandate_word import ON_THE_WAY
from portal.domain.methods import TAKES_MANDATES
from portal.domain.reference import ORDER_ID, reference_for
from portal.kit.banks import banks
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.attempt import lock_bill
from portal.vault.debit import (
    MANDATE_TABLE,
    SEALED_VERSION,
    Contract,
    Mandate,
    lock_mandate,
    move_mandate,
    read_contracts,
    tell_mandate,
)
from portal.vault.mandate_redirect import (
    Redirect,
    ask_in,
    find_by_token,
    insert_redirect,
    latest_of_bill,
    lock_own,
    now_of,
    read_redirect,
    store_redirect,
)
from portal.vault.payer import bill_of, enter_merchant, new_return_token, page_ref_of
from portal.vault.registry import operation
from portal.vault.sealed import open_contact
from portal.vault.texts import check_page_address, check_tokens

RETURN_TOKEN_LIFE: Final = timedelta(hours=24)
RETURN_AUTHORITY_S: Final = 15 * 60
RETURN_VIEWS_MAX: Final = 60

_RETURN_OPS: Final = (VIEW_PAGE.name, RECORD_MANDATE_ASKING.name)
_ONCE: Final = "start_mandate"
_WEB: Final = frozenset({"web"})
_PAYER: Final = frozenset({"payer"})
_CUSTOMER: Final = """
select b.customer_blind, b.contact, b.sealed_version, m.code
from bill b join merchant m on m.id = b.merchant_id where b.merchant_id = $1 and b.id = $2
"""
_INSERT: Final = """
insert into mandate (merchant_id, id, contract_id, customer_blind, state, details, is_new, way,
    created_by, created_at, state_at)
values ($1, $2, $3, $4, 'draft', $5, true, 'redirect', $6, $7, $8)
on conflict do nothing returning true
"""


@operation(START_MANDATE, callers=_WEB, kinds=_PAYER, audit="effect")
async def start_mandate(act: Act, request: StartMandate) -> MandateStarted:
    """Begin a mandate of the payer of this authority: one that has not ended per customer.

    A second intent for the same bank leads back to the page that was opened; the reply then, and
    for a key seen before, is not ``fresh``.

    Raises: Conflict ``mandate_not_offered``, ``mandate_exists``, ``mandate_running``,
    ``idempotency_mismatch``; NotFound ``bank_unknown``, ``branch_unknown``.
    """
    check_tokens(idempotency_key=request.idempotency_key)
    refuse_card_number(request.idempotency_key)
    bill = await lock_bill(act, bill_of(act))
    key = f"{bill.id.hex}:{request.idempotency_key}"
    arguments = f"{request.bank_code}|{request.branch_code}".encode()
    seen = await act.once(_ONCE, key, arguments)
    if seen is not None:
        mandate = await lock_mandate(act, UUID(bytes=seen))
        return _started(mandate, await read_redirect(act, mandate.id))
    contract = await _offered(act, request.reachable)
    mandate = await latest_of_bill(act, bill.id)
    if mandate is not None and mandate.state not in rules.ENDED:
        _check_same(mandate, request)
        await act.answer_once(_ONCE, key, mandate.id.bytes)
        return _started(mandate, await read_redirect(act, mandate.id))
    started = await _create(act, bill.id, contract, request)
    await act.answer_once(_ONCE, key, started.mandate_id.bytes)
    return started


async def _offered(act: Act, reachable: tuple[str, ...]) -> Contract:
    for contract in await read_contracts(act):
        if contract.line in TAKES_MANDATES and contract.line in reachable:
            return contract
    raise Conflict("mandate_not_offered")


def _check_same(mandate: Mandate, request: StartMandate) -> None:
    """Let a payer go on only with what they began."""
    if mandate.way != "redirect" or mandate.state not in {"draft", "redirected"}:
        raise Conflict("mandate_exists")
    account = mandate.details.account
    if (account.bank_code, account.branch_code) != (request.bank_code, request.branch_code):
        raise Conflict("mandate_running")


async def _create(
    act: Act, bill_id: UUID, contract: Contract, request: StartMandate
) -> MandateStarted:
    row = await act.db.fetchrow(_CUSTOMER, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    fields = await act.fields()
    contact = open_contact(fields, bill_id, row["sealed_version"], row["contact"])
    details = rules.begin_details(
        banks(),
        customer_no=contact.customer_no,
        bank_code=request.bank_code,
        branch_code=request.branch_code,
    )
    mandate_id = act.new_id()
    sealed = fields.seal(MANDATE_TABLE, "instrument", mandate_id, SEALED_VERSION, details)
    added = await act.db.fetchval(
        _INSERT, act.merchant_id, mandate_id, contract.id, row["customer_blind"], sealed,
        act.actor, act.business, act.now,
    )  # fmt: skip
    if not added:  # staff took a form down a moment before
        raise Conflict("mandate_exists")
    await tell_mandate(act, mandate_id, "mandate.begun")
    token = new_return_token()
    redirect = Redirect(
        mandate_id=mandate_id,
        bill_id=bill_id,
        id=act.new_id(),
        provider=contract.line,
        reference=reference_for(ORDER_ID, mandate_id),
        version=1,
        page="",
        token_hash=sha256(token.encode()),
        token_until=act.now + RETURN_TOKEN_LIFE,
        asked=0,
        ask_at=None,
        doubt_at=act.now,
        missing_at=None,
    )
    # Whoever was to open it may die before or after: this question finds out, whatever happened.
    redirect = await ask_in(act, redirect, SUBMIT_GRACE.total_seconds())
    await insert_redirect(act, redirect)
    return MandateStarted(
        mandate_id=MandateId(mandate_id),
        state="draft",
        fresh=True,
        provider=redirect.provider,
        reference=redirect.reference,
        collector=contract.collector_code,
        bank_code=details.account.bank_code,
        branch_code=details.account.branch_code,
        return_token=token,
        merchant_code=row["code"],
    )


def _started(mandate: Mandate, redirect: Redirect) -> MandateStarted:
    account = mandate.details.account
    return MandateStarted(
        mandate_id=MandateId(mandate.id),
        state=mandate.state,
        fresh=False,
        provider=redirect.provider,
        reference=redirect.reference,
        collector="",
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        return_token="",  # there is none to give
        merchant_code="",
    )


@operation(RECORD_MANDATE_OPENING, callers=_WEB, kinds=_PAYER, audit="effect")
async def record_mandate_opening(act: Act, request: RecordMandateOpening) -> MandateNow:
    """Record what the bank said to the first call; once, however often it is repeated.

    Raises: NotFound for another customer's mandate; InvalidInput for a text that may not be stored.
    """
    check_tokens(code=request.code)
    check_page_address(request.page_url)
    mandate = await lock_own(act, request.mandate_id)
    redirect = await read_redirect(act, mandate.id)
    if mandate.state != "draft":
        return now_of(mandate.id, mandate.state, redirect)
    if request.outcome == "refused":
        edge = rules.advance(mandate.state, "abandon")
        await move_mandate(act, mandate.id, edge, "mandate_lost")
        return now_of(mandate.id, edge.state, redirect)
    if request.outcome == "unknown" or not request.page_url:
        return now_of(mandate.id, mandate.state, redirect)
    edge = rules.advance(mandate.state, "redirect")
    await move_mandate(act, mandate.id, edge)
    redirect = await store_redirect(act, replace(redirect, page=request.page_url))
    return now_of(mandate.id, edge.state, redirect)


@operation(
    VIEW_MANDATE_DEPARTURE, callers=_WEB, kinds=_PAYER, reveals=("bank's page",), audit="reveal"
)
async def view_mandate_departure(act: Act, request: ViewMandateDeparture) -> MandateNow:
    """Show a payer where their own mandate goes on. Raises: NotFound ``not_found``."""
    mandate = await lock_own(act, request.mandate_id)
    act.reveal(1)
    return now_of(mandate.id, mandate.state, await read_redirect(act, mandate.id))


@operation(VIEW_MANDATE_RETURN, callers=_WEB, kinds=frozenset({"caller"}), audit="effect")
async def view_mandate_return(act: Act, request: ViewMandateReturn) -> MandateReturned:
    """Exchange a return address' token for a short authority over the bill's page.

    Works in any browser, as often as the address is opened while the token lives.

    Raises: NotFound ``return_unknown``; Expired ``return_expired``.
    """
    known = await enter_merchant(act, request.merchant_code)
    redirect = await find_by_token(act, sha256(request.return_token.encode()))
    if redirect is None or not known:
        raise NotFound("return_unknown")
    if redirect.token_until <= act.now:
        raise Expired("return_expired")
    mandate = await lock_mandate(act, redirect.mandate_id)
    authority = await act.mint(
        kind="payer",
        subject=mandate.id,
        scope_id=redirect.bill_id,
        ops=_RETURN_OPS,
        life_s=RETURN_AUTHORITY_S,
        budget_rows=RETURN_VIEWS_MAX,
    )
    return MandateReturned(
        authority=authority,
        mandate_id=MandateId(mandate.id),
        page_ref=page_ref_of(await act.fields(), redirect.bill_id),
        provider=redirect.provider,
        reference=redirect.reference,
        word_id=DeliveryId(redirect.id),
        ended=mandate.state not in ON_THE_WAY,
    )
