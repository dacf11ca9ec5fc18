"""Data zone: payers say by which channels they want no more reminders; staff note what they say.

Each word is a row with its time and source, and the newest holds. The first notice of a bill is
never stopped: it tells of the bill at all.
"""

from typing import Final
from uuid import UUID

from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    STOP_REMINDERS,
    Choices,
    ChoiceShown,
    SetContactChoice,
    StopReminders,
)
from portal.domain.errors import Conflict, NotFound
from portal.domain.ladder import ChoiceSource, Class
from portal.domain.message import Channel
from portal.vault.act import Act
from portal.vault.ladder import look_again
from portal.vault.payer import bill_of
from portal.vault.registry import operation

_CONTACTS: Final = """
select phone_blind, email_blind from bill where merchant_id = $1 and id = $2 for no key update
"""
_NEWEST: Final = """
select distinct on (channel, kind) channel, kind, is_wanted, source, at from contact_choice
where merchant_id = $1 and contact = any($2::bytea[]) order by channel, kind, id desc
"""
_SAY: Final = """
insert into contact_choice (merchant_id, id, contact, channel, kind, is_wanted, source, actor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_EVENTS: Final = {True: "reminders.wanted", False: "reminders.stopped"}


@operation(
    STOP_REMINDERS, callers=frozenset({"web"}), kinds=frozenset({"payer"}), audit="effect"
)  # fmt: skip
async def stop_reminders(act: Act, request: StopReminders) -> Choices:
    """Note that the payer wants no reminders by a channel, or wants them again; said once.

    Raises: Conflict ``no_channel`` when the bill has no such contact.
    """
    bill_id = bill_of(act)
    return await _say(
        act, bill_id, (request.channel, "transactional"), "page", is_wanted=request.is_wanted
    )


@operation(
    SET_CONTACT_CHOICE,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:write",
    audit="effect",
)
async def set_contact_choice(act: Act, request: SetContactChoice) -> Choices:
    """Note what the payer of a bill said of a channel and a class, and where; said once.

    Raises: Conflict ``no_channel``; NotFound ``not_found``.
    """
    key = (request.channel, request.kind)
    return await _say(act, request.bill_id, key, request.source, is_wanted=request.is_wanted)


async def _say(
    act: Act,
    bill_id: UUID,
    key: tuple[Channel, Class],
    source: ChoiceSource,
    *,
    is_wanted: bool,
) -> Choices:
    row = await act.db.fetchrow(_CONTACTS, act.merchant_id, bill_id)
    if row is None:
        raise NotFound("not_found", params={"kind": "bill"})
    channel, kind = key
    contact: bytes | None = row["email_blind" if channel == "email" else "phone_blind"]
    if contact is None:
        raise Conflict("no_channel")
    contacts = [one for one in (row["phone_blind"], row["email_blind"]) if one is not None]
    known = await _newest(act, contacts)
    if any((one.channel, one.kind, one.is_wanted) == (*key, is_wanted) for one in known):
        return Choices(choices=known)
    await act.db.execute(
        _SAY, act.merchant_id, act.new_id(), contact, channel, kind, is_wanted, source, act.actor,
        act.business,
    )  # fmt: skip
    await act.emit(bill_id, _EVENTS[is_wanted], channel=channel, kind=kind)
    await look_again(act, [bill_id])
    return Choices(choices=await _newest(act, contacts))


async def _newest(act: Act, contacts: list[bytes]) -> tuple[ChoiceShown, ...]:
    return tuple(
        ChoiceShown(
            channel=row["channel"], kind=row["kind"], is_wanted=row["is_wanted"],
            source=row["source"], at=row["at"],
        )
        for row in await act.db.fetch(_NEWEST, act.merchant_id, contacts)
    )  # fmt: skip
