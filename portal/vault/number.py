"""Data zone: a number for a store as payments, pages and inquiries need it."""

from uuid import UUID

from portal.contract.number import NumberTerms, StoreNumber
from portal.domain.errors import Conflict, InvalidInput, InvariantBroken
from portal.domain.konbini import STORES
from portal.domain.number import DAYS, PAYER_UNFIT, is_number, is_payer_fit
from portal.vault.act import Act
from portal.vault.sealed import BillContact, open_contact
from portal.vault.texts import check_tokens


async def order_number(act: Act, attempt_id: UUID, bill_id: UUID, store: str) -> None:
    """Note what a company is to be asked for, before anybody is; the bill is locked.

    Raises: InvalidInput ``store_unknown``; Conflict ``payer_unfit`` where a store's terminal can't
    show who pays.
    """
    if store not in STORES:
        raise InvalidInput("store_unknown")
    row = await act.db.fetchrow(
        "select sealed_version, contact from bill where merchant_id = $1 and id = $2",
        act.merchant_id,
        bill_id,
    )
    if row is None:
        raise InvariantBroken("bill_missing", context=str(bill_id))
    contact = open_contact(await act.fields(), bill_id, row["sealed_version"], row["contact"])
    if not is_named(contact):
        raise Conflict(PAYER_UNFIT)
    await act.db.execute(
        "insert into store_order (merchant_id, id, store) values ($1, $2, $3)",
        act.merchant_id,
        attempt_id,
        store,
    )


async def terms_of(act: Act, attempt_id: UUID) -> NumberTerms:
    """What the company of an attempt by number is to be asked for."""
    row = await act.db.fetchrow(
        "select o.store, m.name, m.phone, m.number_hours from store_order o"
        " join merchant m on m.id = $1 where o.merchant_id = $1 and o.id = $2",
        act.merchant_id,
        attempt_id,
    )
    if row is None:
        raise InvariantBroken("order_missing", context=str(attempt_id))
    return NumberTerms(
        store=row["store"],
        days=DAYS,
        contact_name=row["name"],
        contact_phone=row["phone"],
        contact_hours=row["number_hours"],
    )


def is_named(contact: BillContact) -> bool:
    """Whether a store's terminal can show who pays."""
    return is_payer_fit(contact.payer_name, contact.payer_kana, contact.phone)


def check_number(number: StoreNumber | None) -> None:
    """Let pass only what is a store's number, or none.

    Raises: InvalidInput ``text_refused`` (param ``field``).
    """
    if number is None:
        return
    check_tokens(store=number.store)
    if not is_number(number.store, number.receipt_no, number.confirmation_no):
        raise InvalidInput("text_refused", params={"field": "number"})
