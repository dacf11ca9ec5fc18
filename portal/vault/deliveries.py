"""Data zone: deliveries as operations move them: many by one statement, by the table only.

Order of locks: deliveries by id, then their bills by id. A bill's message state is what its newest
delivery makes of it; an older delivery's late receipt changes that delivery alone, and that the
bill was told of, or reached: that holds by whichever message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from portal.domain.bill import is_payable
from portal.domain.funnel import SENT
from portal.domain.message import (
    MESSAGE,
    DeliveryEvent,
    DeliveryState,
    MessageState,
    is_lost,
    next_edge,
)
from portal.domain.refund_message import CAMPAIGN as ACCOUNT_MESSAGE
from portal.vault.act import Act
from portal.vault.db import Row
from portal.vault.ladder import look_again
from portal.vault.pause import OpenPauses

# The key stands in these statements twice, joined and as ``any``: so the planner finds it cheap,
# however few it takes the merchant's rows for.
STORE: Final = """
update delivery d set state = m.state, tries = m.tries, code = m.code, not_before = m.not_before,
    provider_ref = m.provider_ref, unclear_at = m.unclear_at, changed_at = $2,
    sent_at = case when m.state in ('accepted', 'delivered', 'undelivered')
                   then coalesce(d.sent_at, $2) else d.sent_at end
from unnest($3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[], $8::timestamptz[],
            $9::timestamptz[])
     as m (id, state, tries, code, provider_ref, not_before, unclear_at)
where d.merchant_id = $1 and d.id = m.id and d.id = any($3::uuid[])
"""
_LOCK_BILLS: Final = """
select id from bill where merchant_id = $1 and id = any($2::uuid[]) order by id for no key update
"""
TELL_BILLS: Final = """
update bill b set message = case when k.is_newest then m.message else b.message end,
    is_told = b.is_told or m.is_told, is_reached = b.is_reached or m.is_reached
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bool[], $6::bool[])
     as m (bill_id, delivery_id, message, is_told, is_reached)
cross join lateral (
    select not exists (select from delivery d where d.merchant_id = $1 and d.bill_id = m.bill_id
                       and d.bill_id = any($2::uuid[]) and d.id > m.delivery_id) as is_newest
    offset 0) k
where b.merchant_id = $1 and b.id = m.bill_id and b.id = any($2::uuid[])
  and ((k.is_newest and b.message <> m.message) or (m.is_told and not b.is_told)
       or (m.is_reached and not b.is_reached))
"""
_BEFORE: Final = """
select distinct on (bill_id) bill_id, state from delivery
where merchant_id = $1 and bill_id = any($2::uuid[]) and state <> 'left_out'
order by bill_id, id desc
"""
_IN_PASSING: Final = frozenset({"handed", "redeemed"})

OPTED_OUT: Final = """
case when d.campaign = 'resent' and d.channel <> 'voice' then false else coalesce((
    select not c.is_wanted and (d.campaign <> 'first' or d.channel = 'voice'
                                or (d.channel = 'email' and c.source = 'mail'))
    from contact_choice c
    where c.merchant_id = $1 and c.channel = d.channel
          and c.contact = case d.channel when 'email' then b.email_blind
                                         when 'push' then b.customer_blind
                                         else b.phone_blind end
          and c.kind = case d.campaign when 'marketing' then 'marketing' else 'transactional' end
    order by c.id desc limit 1), false)
end as is_opted_out
"""
"""Whether the payer of ``b`` has asked for no more messages such as ``d`` by its channel.

A first notice and what somebody asked for come all the same, but not by telephone where calls were
stopped; nor does a first notice come by mail to whom has unsubscribed in one."""

COLUMNS: Final = "d.id, d.bill_id, d.state, d.tries, d.code, d.provider_ref, d.unclear_at"
"""What :meth:`Delivery.of` needs of a row that was locked under the alias ``d``."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One locked delivery while an operation works on it."""

    id: UUID
    bill_id: UUID
    state: DeliveryState
    tries: int
    code: str
    provider_ref: str
    not_before: datetime | None = None
    unclear_at: datetime | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the message surely did not reach the payer: another way may."""
        return is_lost(self.state, self.code)

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row with COLUMNS."""
        return cls(
            id=row["id"],
            bill_id=row["bill_id"],
            state=row["state"],
            tries=row["tries"],
            code=row["code"],
            provider_ref=row["provider_ref"],
            unclear_at=row["unclear_at"],
        )

    def take(self, event: DeliveryEvent) -> bool:
        """Take the event's edge; False, and nothing changes, when the table has none."""
        edge = next_edge(self.state, event, is_unclear=self.unclear_at is not None)
        if edge is None:
            return False
        self.state = edge.state
        return True


def why_left_out(row: Row, pauses: OpenPauses) -> str | None:
    """Why a message has nothing to say any more, or may not be said now; None when it goes out.

    ``row`` has the bill's lifecycle and settlement beside the delivery's campaign, ``bill_id``,
    ``created_at`` and OPTED_OUT. Asked when it is handed out and again when it is redeemed.
    """
    if row["campaign"] == ACCOUNT_MESSAGE:
        return None  # it asks for no money, and nobody may keep the payer from hearing it
    if not is_payable(row["lifecycle"], row["settlement"]):
        return "not_due"
    if pauses.stop(row["bill_id"], row["campaign"], row["created_at"]):
        return "paused"
    if row["is_opted_out"]:
        return "opted_out"
    return None


async def store(act: Act, moved: Sequence[Delivery]) -> None:
    """Write deliveries that moved: one statement for them, one for their bills.

    States that a slice only passes through (``handed``, ``redeemed``) don't touch the bills: a
    bill says ``planned`` until the provider's answer is in, and no message costs two updates more.
    One that is left out tells its bill nothing: it says again what the one before made of it.
    """
    if not moved:
        return
    await act.db.execute(
        STORE,
        act.merchant_id,
        act.business,
        [delivery.id for delivery in moved],
        [delivery.state for delivery in moved],
        [delivery.tries for delivery in moved],
        [delivery.code for delivery in moved],
        [delivery.provider_ref for delivery in moved],
        [delivery.not_before for delivery in moved],
        [delivery.unclear_at for delivery in moved],
    )
    told = [delivery for delivery in moved if delivery.state not in _IN_PASSING]
    if not told:
        return
    left_out = [delivery.bill_id for delivery in told if delivery.state == "left_out"]
    before: dict[UUID, DeliveryState] = {
        row["bill_id"]: row["state"]
        for row in (await act.db.fetch(_BEFORE, act.merchant_id, left_out) if left_out else ())
    }
    by_bill: dict[UUID, _Telling] = {}
    for delivery in sorted(told, key=lambda one: one.id):
        by_bill.setdefault(delivery.bill_id, _Telling()).add(delivery, before)
    await act.db.fetch(_LOCK_BILLS, act.merchant_id, list(by_bill))
    await act.db.execute(
        TELL_BILLS,
        act.merchant_id,
        list(by_bill),
        [telling.delivery_id for telling in by_bill.values()],
        [telling.message for telling in by_bill.values()],
        [telling.is_told for telling in by_bill.values()],
        [telling.is_reached for telling in by_bill.values()],
    )
    await look_again(act, [delivery.bill_id for delivery in told if delivery.is_lost])


@dataclass(slots=True)
class _Telling:
    """What a bill is told of those of its deliveries that moved, from the oldest on."""

    delivery_id: UUID | None = None
    message: MessageState = "none"
    is_told: bool = False
    is_reached: bool = False

    def add(self, delivery: Delivery, before: Mapping[UUID, DeliveryState]) -> None:
        """The newest one says the message's state; that one was sent, or arrived, each may."""
        is_over = delivery.state == "left_out"
        state = before.get(delivery.bill_id, "left_out") if is_over else delivery.state
        self.delivery_id, self.message = delivery.id, MESSAGE[state]
        self.is_told = self.is_told or delivery.state in SENT
        self.is_reached = self.is_reached or delivery.state == "delivered"
