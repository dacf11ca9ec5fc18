"""Data zone: refunds as people see them, with what the one who asks may do about each.

Notes are sealed and count as revealed.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.refund import BillRefunds, Refundable, RefundView
from portal.domain.errors import NotFound
from portal.domain.ids import AttemptId, BillId, RefundId
from portal.domain.methods import METHODS
from portal.domain.refund import HOLDING, choices_of
from portal.domain.refund_account import is_open_for_account
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ledger import sums_of
from portal.vault.refund import COLUMNS, Refund, open_row
from portal.vault.refund_account import KnownAccount, known_accounts, view_account
from portal.vault.transfer import transfer_days

REFUNDS_MAX: Final = 50

REFUNDS: Final = f"""
select {COLUMNS}, b.number from refund r
join bill b on b.merchant_id = $1 and b.id = r.bill_id
where r.merchant_id = $1"""  # noqa: S608  constant columns
"""Refunds with their bill's number; conditions of a constant text follow."""

_ONE: Final = REFUNDS + " and r.id = $2"
_OF_BILL: Final = REFUNDS + " and r.bill_id = $2 order by r.id desc limit $3"
_ROOM: Final = """
select a.id, a.method, a.finished_at, a.part_minor - coalesce((
    select sum(r.amount_minor) from refund r
    where r.merchant_id = $1 and r.attempt_id = a.id and r.bill_id = $2
          and r.state = any($3::text[])
), 0)::bigint as room
from (
    select a.id, a.method, a.finished_at, coalesce(s.amount_minor, a.amount_minor) as part_minor
    from attempt a left join attempt_share s
         on s.merchant_id = $1 and s.attempt_id = a.id and s.bill_id = $2
    where a.merchant_id = $1 and a.bill_id = $2 and a.state = 'succeeded'
    union all
    select a.id, a.method, a.finished_at, s.amount_minor
    from attempt_share s join attempt a on a.merchant_id = $1 and a.id = s.attempt_id
    where s.merchant_id = $1 and s.bill_id = $2 and a.bill_id <> $2 and a.state = 'succeeded'
) a order by a.id desc
"""
_IS_BILL: Final = "select exists (select from bill where merchant_id = $1 and id = $2)"
_LIMIT: Final = "select refund_limit_minor from merchant where id = $1"


async def limit_of(act: Act) -> int:
    """What goes back of one payment of the act's merchant without a second person. Units: yen."""
    limit: int | None = await act.db.fetchval(_LIMIT, act.merchant_id)
    if limit is None:
        raise NotFound("not_found", params={"kind": "merchant"})
    return limit


async def view_refund(act: Act, refund_id: UUID) -> RefundView:
    """One refund as it is now. Raises: NotFound ``not_found``."""
    row = await act.db.fetchrow(_ONE, act.merchant_id, refund_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "refund"})
    return (await to_views(act, [row]))[0]


async def to_views(act: Act, rows: Sequence[Row]) -> tuple[RefundView, ...]:
    """Rows of REFUNDS as their reader may see them."""
    refunds = [await open_row(act, row) for row in rows]
    transfers = [one for one in refunds if one.way == "bank_transfer"]
    known = await known_accounts(act, transfers) if transfers else {}
    act.reveal(sum(one.id in known or row["words"] is not None
                   for one, row in zip(refunds, rows, strict=True)))  # fmt: skip
    in_files = [one.id for one in transfers if one.state == "in_transfer"]
    days = await transfer_days(act, in_files) if in_files else {}
    return tuple(
        msgspec.structs.replace(
            _to_view(act, one, row["number"], known.get(one.id)), transfer_on=days.get(one.id)
        )
        for one, row in zip(refunds, rows, strict=True)
    )


async def view_bill_refunds(act: Act, bill_id: UUID) -> BillRefunds:
    """The refunds of a bill, and what of each payment nothing holds yet.

    Raises: NotFound ``not_found``.
    """
    if not await act.db.fetchval(_IS_BILL, act.merchant_id, bill_id):
        raise NotFound("not_found", params={"kind": "bill"})
    rows = await act.db.fetch(_OF_BILL, act.merchant_id, bill_id, REFUNDS_MAX)
    rooms = await act.db.fetch(_ROOM, act.merchant_id, bill_id, list(HOLDING))
    return BillRefunds(
        refunds=await to_views(act, rows),
        refundable=tuple(
            Refundable(
                attempt_id=AttemptId(row["id"]),
                amount_minor=row["room"],
                by_provider=METHODS[row["method"]].can_refund,
                paid_at=row["finished_at"],
            )
            for row in rooms
            if row["room"] > 0
        ),
        owed_minor=-(await sums_of(act, bill_id)).overpayment,
        limit_minor=await limit_of(act),
    )


def _to_view(act: Act, refund: Refund, number: str, known: KnownAccount | None) -> RefundView:
    until = refund.approve_until
    return RefundView(
        id=RefundId(refund.id),
        bill_id=BillId(refund.bill_id),
        bill_number=number,
        attempt_id=AttemptId(refund.attempt_id),
        state=refund.state,
        amount_minor=refund.amount_minor,
        way=refund.way,
        reason=refund.reason,
        note="\n".join(filter(None, (refund.words.note, refund.words.transfer))),
        provider=refund.provider,
        reference=refund.reference,
        code=refund.code,
        asked_by=refund.asked_by,
        asked_at=refund.asked_at,
        approve_until=until,
        decided_by=refund.decided_by,
        decided_at=refund.decided_at,
        finished_at=refund.finished_at,
        transferred_on=refund.transferred_on,
        choices=choices_of(
            refund.state,
            act.capability.role,
            is_asker=refund.asked_by == act.actor,
            is_late=until is not None and until <= act.now,
        ),
        account=None if known is None else view_account(known),
        takes_account=act.capability.kind == "staff" and is_open_for_account(refund.state),
    )
