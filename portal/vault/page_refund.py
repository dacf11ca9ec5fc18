"""Data zone: what a payer's page says of refunds that are transferred, and what it asks before.

Who holds a link may be anybody that found it, so it alone sends no money anywhere: the page asks
for what the payer knows and the page does not show. Wrong answers are counted for the bill, and a
right one takes none of them back.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from portal.contract.refund_account import GIVE_PAYER_ACCOUNT, PageRefund, PageRefunds, Proof
from portal.domain.contact import customer_hint, normalise_customer_no
from portal.domain.errors import InvalidInput
from portal.domain.refund_account import (
    PHONE_DIGITS,
    TRIES_MAX,
    is_open_for_account,
    plain_digits,
)
from portal.kit.crypto import same
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.refund import COLUMNS, Refund, open_row
from portal.vault.refund_account import known_accounts, view_account
from portal.vault.sealed import BillContact
from portal.vault.transfer import transfer_days

HAS_TRANSFERS: Final = """
exists (select from refund o
        where o.merchant_id = $1 and o.bill_id = b.id and o.way = 'bank_transfer'
              and o.state not in ('requested', 'reserved', 'failed', 'withdrawn', 'transferred'))
    as has_transfers
"""
"""A column of a bill ``b``: whether any of it is being transferred back."""

_TRANSFERS: Final = f"""
select {COLUMNS} from refund r
where r.merchant_id = $1 and r.bill_id = $2 and r.way = 'bank_transfer'
      and r.state not in ('requested', 'reserved', 'failed', 'withdrawn', 'transferred')
order by r.id limit $3
"""  # noqa: S608  constant columns
_TRANSFERS_MAX: Final = 50
CUSTOMER_NO_LEAST: Final = 8
"""Letters of a customer number that proves something: twice as many as the page shows."""

_FAILED: Final = """
select failed from refund_account_try where merchant_id = $1 and bill_id = $2
"""
_COUNT: Final = """
insert into refund_account_try (merchant_id, bill_id, failed, failed_at) values ($1, $2, 1, $3)
on conflict (merchant_id, bill_id) do update
set failed = refund_account_try.failed + 1, failed_at = excluded.failed_at
returning failed
"""


async def transfers_of(act: Act, bill_id: UUID) -> list[Refund]:
    """Refunds of a bill that are being transferred, the oldest first."""
    rows = await act.db.fetch(_TRANSFERS, act.merchant_id, bill_id, _TRANSFERS_MAX)
    return [await open_row(act, row) for row in rows]


async def read_transfers(act: Act, row: Row, contact: BillContact) -> PageRefunds:
    """What the page of a bill says of them; most bills have none, and nothing is read then."""
    if not row["has_transfers"]:
        return PageRefunds()
    refunds = await transfers_of(act, row["id"])
    known = await known_accounts(act, refunds)
    days = await transfer_days(act, [one.id for one in refunds])
    shown = tuple(
        PageRefund(
            amount_minor=one.amount_minor,
            is_open=is_open_for_account(one.state),
            account=view_account(known[one.id], is_payer=True) if one.id in known else None,
            transfer_on=days.get(one.id),
        )
        for one in refunds
    )
    left, proof = await tries_left(act, row["id"]), proof_of(contact)
    may_give = proof != "staff" and left > 0 and act.capability.covers(GIVE_PAYER_ACCOUNT.name)
    return PageRefunds(
        refunds=shown,
        may_give=may_give and _some_open(refunds),
        proof=proof,
        tries_left=left,
    )


def _some_open(refunds: Sequence[Refund]) -> bool:
    return any(is_open_for_account(one.state) for one in refunds)


def proof_of(contact: BillContact) -> Proof:
    """What the page asks for: the vault must know it, and the page must not show it.

    The page shows the customer number's last four. So no telephone number that ends so, and no
    customer number of which less than four more letters are to be known.
    """
    if contact.phone and contact.phone[-PHONE_DIGITS:] != customer_hint(contact.customer_no):
        return "phone"
    return "customer_no" if len(_customer_no(contact.customer_no)) >= CUSTOMER_NO_LEAST else "staff"


def _customer_no(text: str) -> str:
    """A customer number as it is compared; empty for what is none."""
    try:
        return normalise_customer_no(text)
    except InvalidInput:
        return ""


def is_proved(contact: BillContact, answer: str) -> bool:
    """Whether the answer is the telephone number's last digits, or the customer number."""
    match proof_of(contact):
        case "phone":
            return same(plain_digits(answer).encode(), contact.phone[-PHONE_DIGITS:].encode())
        case "customer_no":
            known = _customer_no(contact.customer_no)
            return same(_customer_no(answer).encode(), known.encode())
        case "staff":
            return False


async def tries_left(act: Act, bill_id: UUID) -> int:
    """How many answers the bill's page still takes."""
    failed: int | None = await act.db.fetchval(_FAILED, act.merchant_id, bill_id)
    return max(TRIES_MAX - (failed or 0), 0)


async def count_wrong(act: Act, bill_id: UUID) -> int:
    """Count a wrong answer, the bill being locked; how many are left."""
    failed: int = await act.db.fetchval(_COUNT, act.merchant_id, bill_id, act.now)
    return max(TRIES_MAX - failed, 0)
