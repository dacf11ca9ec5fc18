"""Data zone: the payer's account for a refund: kept sealed, given anew, found for a transfer.

What was given for the refund comes first; of money that a bank's debit brought the account is
known without asking. Whoever gives one has locked the refund's bill, so it can't be withdrawn,
recorded or put into a file meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from portal.domain.errors import NotFound
from portal.domain.refund_account import (
    AccountSource,
    RefundAccount,
    account_of_mandate,
    check_open,
    holder_hint,
    number_hint,
)
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.debit import open_mandate
from portal.vault.refund import Refund

REFUND_ACCOUNT_TABLE: Final = "refund_account"

_GIVEN: Final = """
select version, details, source, given_at, given_by, changes from refund_account
where merchant_id = $1 and refund_id = $2
"""
_DEBITED: Final = """
select m.id, m.contract_id, m.state, m.code, m.details, m.sealed_version, m.way, m.created_by,
       m.created_at, m.state_at
from debit d join mandate m on m.merchant_id = $1 and m.id = d.mandate_id
where d.merchant_id = $1 and d.id = $2
"""
_STORE: Final = """
insert into refund_account (merchant_id, refund_id, version, details, source, given_at, given_by,
    changes)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (merchant_id, refund_id) do update set version = excluded.version,
    details = excluded.details, source = excluded.source, given_at = excluded.given_at,
    given_by = excluded.given_by, changes = excluded.changes
"""
_FORGET: Final = "delete from refund_account where merchant_id = $1 and refund_id = $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """An account with where it is known from; one known from the mandate was given by nobody."""

    account: RefundAccount
    source: AccountSource
    version: int = 0
    given_at: datetime | None = None
    given_by: str = ""
    changes: int = 0


class GivenAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as people see it: by bank and branch, its last digits, its holder masked."""

    bank_name: str
    branch_name: str
    account_hint: str
    holder_hint: str
    source: AccountSource
    given_at: datetime | None
    given_by: str
    changes: int


async def account_of(act: Act, refund: Refund) -> RefundAccount | None:
    """Where a refund is transferred to: the account given for it, else the one that was debited.

    None: it has to be asked for.
    """
    known = await known_account(act, refund)
    return None if known is None else known.account


async def known_account(act: Act, refund: Refund) -> KnownAccount | None:
    """The same with where it is known from."""
    return await _given(act, refund) or await debited_account(act, refund)


async def _given(act: Act, refund: Refund) -> KnownAccount | None:
    row = await act.db.fetchrow(_GIVEN, act.merchant_id, refund.id)
    if row is None:
        return None
    values = dict(row)
    blob: bytes = values.pop("details")
    fields = await act.fields()
    account = fields.open(
        REFUND_ACCOUNT_TABLE, "instrument", refund.id, row["version"], blob, RefundAccount
    )
    return KnownAccount(account=account, **values)


async def debited_account(act: Act, refund: Refund) -> KnownAccount | None:
    """The mandate's account from which a debit, whose id is its attempt's, brought the money.

    A mandate's account never changes: another one is another mandate. None for any other payment,
    or where a transfer can't go there, or came back once.
    """
    if refund.returned_at is not None:
        return None
    row = await act.db.fetchrow(_DEBITED, act.merchant_id, refund.attempt_id)
    if row is None:
        return None
    details = (await open_mandate(act, row)).details
    account = account_of_mandate(banks(), details.account, details.payer_name)
    return None if account is None else KnownAccount(account=account, source="mandate")


async def forget_account(act: Act, refund: Refund) -> None:
    """The bank sent a transfer to it back: the account has to be given anew."""
    await act.db.execute(_FORGET, act.merchant_id, refund.id)


async def give_account(
    act: Act, refund: Refund, account: RefundAccount, source: AccountSource
) -> bool:
    """Keep where a refund goes, its bill being locked; told on the bill's timeline, without it.

    False when the very same was given already: nothing changes then.

    Raises: Conflict ``refund_account_closed`` for a refund that takes none (any more).
    """
    check_open(refund.state)
    before = await _given(act, refund)
    if before is not None and before.account == account and before.source == source:
        return False
    version = 1 if before is None else before.version + 1
    changes = 0 if before is None else before.changes + 1
    fields = await act.fields()
    await act.db.execute(
        _STORE,
        act.merchant_id,
        refund.id,
        version,
        fields.seal(REFUND_ACCOUNT_TABLE, "instrument", refund.id, version, account),
        source,
        act.business,
        act.actor,
        changes,
    )
    code = "refund.account_given" if before is None else "refund.account_changed"
    await act.emit(refund.bill_id, code, amount_minor=refund.amount_minor)
    return True


def view_account(known: KnownAccount) -> GivenAccount:
    """An account as people see it."""
    account = known.account
    bank_name, branch_name = _names(account)
    return GivenAccount(
        bank_name=bank_name,
        branch_name=branch_name,
        account_hint=number_hint(account),
        holder_hint=holder_hint(account.holder),
        source=known.source,
        given_at=known.given_at,
        given_by=known.given_by,
        changes=known.changes,
    )


def _names(account: RefundAccount) -> tuple[str, str]:
    """What bank and branch are called; their codes where the list does not know them any more."""
    try:
        bank = banks().bank(account.bank_code)
        return bank.name, banks().branch(account.bank_code, account.branch_code).name
    except NotFound:
        return account.bank_code, account.branch_code
