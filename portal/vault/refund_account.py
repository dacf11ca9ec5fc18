"""Data zone: the payer's account for a refund: kept sealed, given anew, found for a transfer.

What was given for the refund comes first; of money that a bank's debit brought the account is
known without asking. Whoever gives one has locked the refund's bill, so it can't be withdrawn,
recorded or put into a file meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from portal.contract.refund_account import GivenAccount
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

__all__ = [
    "GivenAccount", "KnownAccount", "account_of", "debited_account", "give_account",
    "keep_debited_account", "known_account", "known_accounts", "view_account",
]  # fmt: skip

_GIVEN: Final = """
select refund_id, version, details, source, given_at, given_by, changes from refund_account
where merchant_id = $1 and refund_id = any($2::uuid[])
"""
_DEBITED: Final = """
select d.id as attempt_id, m.id, m.contract_id, m.state, m.code, m.details, m.sealed_version,
       m.way, m.created_by, m.created_at, m.state_at
from debit d join mandate m on m.merchant_id = $1 and m.id = d.mandate_id
where d.merchant_id = $1 and d.id = any($2::uuid[])
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


async def account_of(act: Act, refund: Refund) -> RefundAccount | None:
    """Where a refund is transferred to: the account given for it, else the one that was debited.

    None: it has to be asked for.
    """
    known = await known_account(act, refund)
    return None if known is None else known.account


async def known_account(act: Act, refund: Refund) -> KnownAccount | None:
    """The same with where it is known from."""
    return (await known_accounts(act, [refund])).get(refund.id)


async def known_accounts(act: Act, refunds: Sequence[Refund]) -> dict[UUID, KnownAccount]:
    """The accounts of several refunds, as far as they are known: refund → account."""
    known = await _given(act, [one.id for one in refunds])
    # What came back from the debited account once goes there again only if somebody says so.
    rest = [one for one in refunds if one.id not in known and one.returned_at is None]
    debited = await _debited(act, [one.attempt_id for one in rest]) if rest else {}
    return known | {one.id: debited[one.attempt_id] for one in rest if one.attempt_id in debited}


async def debited_account(act: Act, refund: Refund) -> KnownAccount | None:
    """The account from which a debit brought the refund's money; None for any other payment."""
    return (await _debited(act, [refund.attempt_id])).get(refund.attempt_id)


async def _given(act: Act, refund_ids: Sequence[UUID]) -> dict[UUID, KnownAccount]:
    """Refund → the account that was given for it."""
    rows = await act.db.fetch(_GIVEN, act.merchant_id, refund_ids)
    fields = await act.fields()
    given: dict[UUID, KnownAccount] = {}
    for row in rows:
        values = dict(row)
        refund_id: UUID = values.pop("refund_id")
        blob: bytes = values.pop("details")
        account = fields.open(
            REFUND_ACCOUNT_TABLE, "instrument", refund_id, row["version"], blob, RefundAccount
        )
        given[refund_id] = KnownAccount(account=account, **values)
    return given


async def _debited(act: Act, attempt_ids: Sequence[UUID]) -> dict[UUID, KnownAccount]:
    """Attempt → the account of the mandate by which its debit, whose id is the same, was made.

    A mandate's account never changes: another one is another mandate. Where a transfer can't surely
    go there, it is not known.
    """
    known: dict[UUID, KnownAccount] = {}
    for row in await act.db.fetch(_DEBITED, act.merchant_id, attempt_ids):
        values = dict(row)
        attempt_id: UUID = values.pop("attempt_id")
        details = (await open_mandate(act, values)).details
        account = account_of_mandate(banks(), details.account, details.payer_name)
        if account is not None:
            known[attempt_id] = KnownAccount(account=account, source="mandate")
    return known


async def keep_debited_account(act: Act, refund: Refund) -> None:
    """Keep where a refund goes whose money a debit brought: nobody has to be asked then."""
    debited = await debited_account(act, refund)
    if debited is not None:
        await _keep(act, refund, debited.account, "mandate", None)


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
    before = (await _given(act, [refund.id])).get(refund.id)
    if before is not None and before.account == account and before.source == source:
        return False
    await _keep(act, refund, account, source, before)
    code = "refund.account_given" if before is None else "refund.account_changed"
    await act.emit(refund.bill_id, code, amount_minor=refund.amount_minor)
    return True


async def _keep(
    act: Act,
    refund: Refund,
    account: RefundAccount,
    source: AccountSource,
    before: KnownAccount | None,
) -> None:
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


def view_account(known: KnownAccount, *, is_payer: bool = False) -> GivenAccount:
    """An account as people see it; who gave it is nothing for the payer's page."""
    account = known.account
    bank_name, branch_name = _names(account)
    return GivenAccount(
        bank_name=bank_name,
        branch_name=branch_name,
        account_hint=number_hint(account),
        holder_hint=holder_hint(account.holder),
        source=known.source,
        given_at=known.given_at,
        given_by="" if is_payer else known.given_by,
        changes=known.changes,
    )


def _names(account: RefundAccount) -> tuple[str, str]:
    """What bank and branch are called; their codes where the list does not know them any more."""
    try:
        bank = banks().bank(account.bank_code)
        return bank.name, banks().branch(account.bank_code, account.branch_code).name
    except NotFound:
        return account.bank_code, account.branch_code
