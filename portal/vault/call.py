"""Data zone: what a call needs of its bill, and what its keys ask for.

``make_calls`` notes the calls that the relay is just about to ask a company for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.domain.errors import Conflict
from portal.vault.act import Act
from portal.vault.ladder import is_night, look_again
from portal.vault.messages import RESENT_MESSAGE, plan_resent_message

_MAKE: Final = """
insert into phone_call
    (merchant_id, made_at, id, secret_hash, delivery_id, bill_id, provider, template_id)
select $1, $2, c.* from unnest($3::uuid[], $4::bytea[], $5::uuid[], $6::uuid[], $7::text[],
                               $8::uuid[]) as c
"""
_WRONG: Final = """
select coalesce(sum(wrong), 0) from phone_call
where merchant_id = $1 and bill_id = $2 and id <> $3
"""
_LOCK: Final = """
select id from bill where merchant_id = $1 and id = $2 for update
"""
_RESENT: Final = """
select count(*) as resent, count(*) filter (where created_at > $4) as lately
from delivery where merchant_id = $1 and bill_id = $2 and campaign = $3
"""
_PLANNED: Final = "update bill set message = 'planned' where merchant_id = $1 and id = $2"
_PHONE: Final = "select phone_blind from bill where merchant_id = $1 and id = $2"
_NEWEST: Final = """
select is_wanted from contact_choice
where merchant_id = $1 and contact = $2 and channel = 'voice' and kind = 'transactional'
order by id desc limit 1
"""
_STOP: Final = """
insert into contact_choice (merchant_id, id, contact, channel, kind, is_wanted, source, actor, at)
values ($1, $2, $3, 'voice', 'transactional', false, 'telephone', $4, $5)
"""
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call about to be asked for: by its secret's hash, for which delivery, at which company.

    ``template_id``: the version of the merchant's own words that it says to its end, if any.
    """

    secret_hash: bytes
    delivery_id: UUID
    bill_id: UUID
    provider: str
    template_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Resent:
    """How often the link was sent again: in all, and within a day."""

    count: int
    lately: int


async def make_calls(act: Act, calls: Sequence[NewCall]) -> None:
    """Note calls whose addresses are about to leave."""
    if not calls:
        return
    await act.db.execute(
        _MAKE,
        act.merchant_id,
        act.now,
        sorted(act.new_id() for _ in calls),
        [call.secret_hash for call in calls],
        [call.delivery_id for call in calls],
        [call.bill_id for call in calls],
        [call.provider for call in calls],
        [call.template_id for call in calls],
    )


async def wrong_before(act: Act, bill_id: UUID, call_id: UUID) -> int:
    """Wrong proofs in all other calls about a bill, whose lock is held until the act ends.

    So two calls at once count one after the other, and neither has the other's last try too.
    """
    await act.db.fetchval(_LOCK, act.merchant_id, bill_id)
    return int(await act.db.fetchval(_WRONG, act.merchant_id, bill_id, call_id))


async def count_resent(act: Act, bill_id: UUID) -> Resent:
    """How often somebody had the bill's link sent again."""
    row = await act.db.fetchrow(
        _RESENT, act.merchant_id, bill_id, RESENT_MESSAGE, act.business - _DAY
    )
    return Resent(0, 0) if row is None else Resent(row["resent"], row["lately"])


async def plan_link(act: Act, bill_id: UUID) -> None:
    """The link by text message, as if staff had it sent again: whoever is called waits for it."""
    await act.db.fetchval(_LOCK, act.merchant_id, bill_id)
    step = (await count_resent(act, bill_id)).count
    await plan_resent_message(act, bill_id, step)
    await act.db.execute(_PLANNED, act.merchant_id, bill_id)
    await act.emit(bill_id, "voice.link_asked")


async def check_call(act: Act, bill_id: UUID) -> None:
    """Refuse a call that staff ask for when nobody's telephone may ring, or not this one.

    Raises: Conflict ``call_at_night``, ``calls_stopped``.
    """
    if await is_night(act):
        raise Conflict("call_at_night")
    contact = await act.db.fetchval(_PHONE, act.merchant_id, bill_id)
    if await act.db.fetchval(_NEWEST, act.merchant_id, contact) is False:
        raise Conflict("calls_stopped")


async def stop_calls(act: Act, bill_id: UUID, contact: bytes | None) -> None:
    """No more calls to the number of a bill, whatever bill they would be about; said once."""
    if contact is None or await act.db.fetchval(_NEWEST, act.merchant_id, contact) is False:
        return
    await act.db.execute(
        _STOP, act.merchant_id, act.new_id(), contact, act.actor, act.business
    )  # fmt: skip
    await act.emit(bill_id, "reminders.stopped", channel="voice", kind="transactional")
    await act.db.fetchval(_LOCK, act.merchant_id, bill_id)
    await look_again(act, [bill_id])
