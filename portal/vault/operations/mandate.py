"""Data zone: what a bank agreed to with a merchant, and whose accounts may be debited by it.

What a bank's file can't hold is refused here, where somebody enters it.
"""

from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.debit import (
    DECIDE_MANDATE,
    LIST_MANDATES,
    OPEN_DEBIT_CONTRACT,
    REGISTER_MANDATE,
    VIEW_MANDATE,
    DebitContractOpened,
    DecideMandate,
    ListMandates,
    MandateChanged,
    MandateEventView,
    MandatePage,
    MandateSeen,
    OpenDebitContract,
    RegisterMandate,
    ViewMandate,
)
from portal.domain import mandate as rules
from portal.domain.card_number import refuse_card_number
from portal.domain.contact import normalise_customer_no
from portal.domain.days import DebitTerms
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.fetch import RESULT_DAYS_MAX
from portal.domain.ids import DebitContractId
from portal.domain.mandate import BANK_CHARACTERS_MAX, MandateDetails, read_details, read_kana
from portal.domain.zengin.kana import to_kana
from portal.domain.zengin.record import LINES_MAX, write_header
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.bank_file import ContractDetails
from portal.vault.cursor import Place, read_cursor, write_cursor
from portal.vault.debit import (
    CONTRACT_TABLE,
    MANDATE_TABLE,
    MANDATES,
    SEALED_VERSION,
    Contract,
    lock_mandate,
    move_mandate,
    open_mandate,
    read_contract,
    tell_mandate,
)
from portal.vault.debit_view import view_mandate
from portal.vault.operations.intake_view import check_page_size
from portal.vault.payer import enter_merchant
from portal.vault.registry import operation

COLLECTOR_CHARACTERS_MAX: Final = 40
"""Lines of one file, at most: a result is checked in one transaction, so it has to end in time."""

PAGE_MAX: Final = 100

_ANY_DAY: Final = date(2026, 1, 1)
MORE_LETTERS: Final = frozenset("\\｢｣,")
"""Letters that some banks take beyond those that all do."""

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})
_REVEALS: Final = ("customer number (last 4)", "account (last 3)")

_INSERT_CONTRACT: Final = """
insert into debit_contract (merchant_id, id, bank_code, collector_code, details, record_end,
    has_blank_result, more_letters, lines_max, day_of_month, submit_days, submit_by,
    presents_again, line, created_at, result_days)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict do nothing returning true
"""
_INSERT_MANDATE: Final = """
insert into mandate (merchant_id, id, contract_id, customer_blind, state, details, is_new,
    created_by, created_at, state_at)
values ($1, $2, $3, $4, $5, $6, true, $7, $8, $9) on conflict do nothing returning true
"""
_PAGE: Final = (
    MANDATES + " and ($2::bytea is null or customer_blind = $2) and ($3::uuid is null or id < $3)"
    " and (cardinality($5::text[]) = 0 or state = any($5))"
    " and ($6::uuid is null or contract_id = $6) order by id desc limit $4"
)
_HISTORY: Final = """
select at, actor, code, reason from mandate_event
where merchant_id = $1 and mandate_id = $2 order by id desc limit $3
"""
HISTORY_MAX: Final = 100


@operation(
    OPEN_DEBIT_CONTRACT,
    callers=frozenset({"operator"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def open_debit_contract(act: Act, request: OpenDebitContract) -> DebitContractOpened:
    """Write down what a bank agreed to with a merchant; it is never changed afterwards.

    Raises: NotFound ``merchant_unknown``, ``bank_unknown``, ``branch_unknown``; InvalidInput
    ``debit_terms``, ``debit_contract``, ``zengin_field``, ``kana_unwritable`` (param ``field``);
    Conflict ``debit_contract_exists``.
    """
    if not await enter_merchant(act, request.merchant_code):
        raise NotFound("merchant_unknown")
    if request.line and act.settings.provider_host(request.line) is None:
        raise InvalidInput("debit_contract", params={"field": "line"})
    contract = _to_contract(act.new_id(), request)
    fields = await act.fields()
    sealed = fields.seal(
        CONTRACT_TABLE, "instrument", contract.id, SEALED_VERSION, contract.details
    )
    added = await act.db.fetchval(
        _INSERT_CONTRACT,
        act.merchant_id,
        contract.id,
        contract.bank_code,
        contract.collector_code,
        sealed,
        contract.record_end,
        contract.has_blank_result,
        contract.more_letters,
        contract.lines_max,
        contract.day_of_month,
        contract.submit_days,
        contract.submit_by,
        contract.presents_again,
        contract.line,
        act.now,
        contract.result_days,
    )
    if not added:
        raise Conflict("debit_contract_exists")
    return DebitContractOpened(contract_id=DebitContractId(contract.id))


def _to_contract(contract_id: UUID, request: OpenDebitContract) -> Contract:
    """The contract, if a header can be written by it."""
    if not set(request.more_letters) <= MORE_LETTERS:
        raise InvalidInput("debit_contract", params={"field": "more_letters"})
    if not 1 <= request.lines_max <= LINES_MAX:
        raise InvalidInput("debit_contract", params={"field": "lines_max"})
    if not 0 <= request.result_days <= RESULT_DAYS_MAX:
        raise InvalidInput("debit_contract", params={"field": "result_days"})
    bank = banks().bank(request.bank_code)
    branch = banks().branch(request.bank_code, request.branch_code)
    contract = Contract(
        id=contract_id,
        bank_code=bank.code,
        collector_code=request.collector_code,
        details=ContractDetails(
            collector_name=read_kana(
                request.collector_name, "collector_name", COLLECTOR_CHARACTERS_MAX
            ),
            branch_code=branch.code,
            bank_name=to_kana(bank.kana)[:BANK_CHARACTERS_MAX].rstrip(),
            branch_name=to_kana(branch.kana)[:BANK_CHARACTERS_MAX].rstrip(),
            account_kind=request.account_kind,
            account_number=request.account_number,
        ),
        record_end=request.record_end,
        has_blank_result=request.has_blank_result,
        more_letters=request.more_letters,
        lines_max=request.lines_max,
        day_of_month=request.day_of_month,
        submit_days=request.submit_days,
        submit_by=request.submit_by,
        presents_again=request.presents_again,
        line=request.line,
        result_days=request.result_days,
    )
    _check_terms(contract.terms)
    write_header(contract.header(_ANY_DAY), contract.form)
    return contract


def _check_terms(terms: DebitTerms) -> None:
    """Reading them is the check; ``submit_days`` of a whole month would be a slip of the pen."""
    if terms.submit_days > 31:  # noqa: PLR2004  no bank asks for a month of business days
        raise InvalidInput("debit_terms", params={"field": "submit_days"})


@operation(
    REGISTER_MANDATE, callers=_WEB, kinds=_STAFF, reveals=_REVEALS, audit="effect"
)  # fmt: skip
async def register_mandate(act: Act, request: RegisterMandate) -> MandateChanged:
    """Take down a payer's account from their form; it is debited once its bank has agreed.

    Raises: NotFound ``bank_unknown``, ``branch_unknown``, ``not_found``; InvalidInput
    ``kana_unwritable``, ``kana_length``, ``account_kind``, ``account_number`` (param ``field``),
    ``card_number_refused``, or what is wrong with the customer number; Conflict ``mandate_exists``,
    ``idempotency_mismatch``.
    """
    arguments = msgspec.msgpack.encode(request)
    known = await act.once("register_mandate", request.idempotency_key, arguments)
    if known is not None:
        return await _changed(act, UUID(bytes=known))
    refuse_card_number(request.customer_no, request.payer_name)
    contract = await read_contract(act, request.contract_id)
    details = read_details(
        banks(),
        customer_no=normalise_customer_no(request.customer_no),
        bank_code=request.bank_code,
        branch_code=request.branch_code,
        account_kind=request.account_kind,
        account_number=request.account_number,
        payer_name=request.payer_name,
    )
    mandate_id = act.new_id()
    if not await _insert(act, mandate_id, contract.id, details):
        raise Conflict("mandate_exists", params={"field": "customerNo"})
    await act.answer_once("register_mandate", request.idempotency_key, mandate_id.bytes)
    return await _changed(act, mandate_id)


async def _insert(act: Act, mandate_id: UUID, contract_id: UUID, details: MandateDetails) -> bool:
    fields = await act.fields()
    edge = rules.advance("draft", "hand_in")
    added = bool(
        await act.db.fetchval(
            _INSERT_MANDATE,
            act.merchant_id,
            mandate_id,
            contract_id,
            fields.blind("customer_no", details.customer_no),
            edge.state,
            fields.seal(MANDATE_TABLE, "instrument", mandate_id, SEALED_VERSION, details),
            act.actor,
            act.business,
            act.now,
        )
    )
    if added:
        await tell_mandate(act, mandate_id, edge.code)
    return added


@operation(DECIDE_MANDATE, callers=_WEB, kinds=_STAFF, reveals=_REVEALS, audit="effect")
async def decide_mandate(act: Act, request: DecideMandate) -> MandateChanged:
    """Record the bank's answer to a mandate, or that it is to be used no more, or again.

    Raises: NotFound ``not_found``; Conflict ``mandate_state``, ``idempotency_mismatch``;
    InvalidInput ``mandate_reason`` (param ``field``).
    """
    arguments = msgspec.msgpack.encode(request)
    known = await act.once("decide_mandate", request.idempotency_key, arguments)
    if known is not None:
        return await _changed(act, request.mandate_id)
    mandate = await lock_mandate(act, request.mandate_id)
    edge = rules.decide(
        mandate.state, request.decision, request.reason, has_account=mandate.details.has_account
    )
    await move_mandate(act, mandate.id, edge, request.reason or None)
    await act.answer_once("decide_mandate", request.idempotency_key, mandate.id.bytes)
    return await _changed(act, mandate.id)


async def _changed(act: Act, mandate_id: UUID) -> MandateChanged:
    mandate = await lock_mandate(act, mandate_id)
    act.reveal(1)
    return MandateChanged(mandate=view_mandate(mandate))


@operation(VIEW_MANDATE, callers=_WEB, kinds=_STAFF, reveals=_REVEALS, audit="reveal")
async def view_one_mandate(act: Act, request: ViewMandate) -> MandateSeen:
    """One mandate and what happened to it. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(MANDATES + " and id = $2", act.merchant_id, request.mandate_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "mandate"})
    act.reveal(1)
    history = await act.db.fetch(_HISTORY, act.merchant_id, request.mandate_id, HISTORY_MAX)
    return MandateSeen(
        mandate=view_mandate(await open_mandate(act, row)),
        history=tuple(MandateEventView(**row) for row in history),
    )


@operation(
    LIST_MANDATES,
    callers=_WEB,
    kinds=_STAFF,
    reveals=_REVEALS,
    rows_max=PAGE_MAX,
    audit="reveal",
)
async def list_mandates(act: Act, request: ListMandates) -> MandatePage:
    """One page of the merchant's mandates, newest first, or those of one customer.

    Raises: InvalidInput ``page_size`` (param ``max``), ``cursor_invalid``.
    """
    check_page_size(request.first, PAGE_MAX)
    fields = await act.fields()
    blind = None
    if request.customer_no.strip():
        blind = fields.blind("customer_no", normalise_customer_no(request.customer_no))
    scope = msgspec.msgpack.encode(["mandates", blind, request.states, request.contract_id])
    after = None if request.after is None else read_cursor(fields, scope, request.after).id
    rows = await act.db.fetch(
        _PAGE,
        act.merchant_id,
        blind,
        after,
        request.first + 1,
        list(request.states),
        request.contract_id,
    )
    shown = rows[: request.first]
    act.reveal(len(shown))
    return MandatePage(
        mandates=tuple([view_mandate(await open_mandate(act, row)) for row in shown]),
        end_cursor=write_cursor(fields, scope, Place(id=shown[-1]["id"])) if shown else None,
        has_next=len(rows) > len(shown),
    )
