"""Data zone: payers say by which channels they want no more reminders; staff note what they say.

Each word is a row with its time and source, and the newest holds. The first notice of a bill comes
all the same, as it tells of the bill at all; only who unsubscribes in a mail gets no mail any more.
"""

from typing import Final
from uuid import UUID

from portal.contract.envelope import Done
from portal.contract.ladder import (
    SET_CONTACT_CHOICE,
    STOP_BY_MAIL,
    STOP_REMINDERS,
    Choices,
    ChoiceShown,
    SetContactChoice,
    StopByMail,
    StopReminders,
)
from portal.domain.errors import Conflict, NotFound
from portal.domain.ladder import MARKETING, ChoiceSource, Class
from portal.domain.message import Channel
from portal.vault.act import Act
from portal.vault.ladder import look_again
from portal.vault.payer import bill_of, enter_merchant
from portal.vault.registry import operation
from portal.vault.stop_token import delivery_in, is_stop_token

_CONTACTS: Final = """
select phone_blind, email_blind, customer_blind from bill
where merchant_id = $1 and id = $2 for no key update
"""
_ALONE: Final = "select pg_advisory_xact_lock(hashtextextended($1, 8261))"
"""A contact's words one after another, whichever of its bills they are said at."""
_NEWEST: Final = """
select distinct on (channel, kind) channel, kind, is_wanted, source, at from contact_choice
where merchant_id = $1 and contact = any($2::bytea[]) order by channel, kind, id desc
"""
_SAY: Final = """
insert into contact_choice (merchant_id, id, contact, channel, kind, is_wanted, source, actor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_MAILED: Final = """
select d.id, d.bill_id, d.campaign, b.email_blind from delivery d
join bill b on b.merchant_id = $1 and b.id = d.bill_id
where d.merchant_id = $1 and d.id = $2 and d.channel = 'email'
"""
_CONTACT: Final[dict[Channel, str]] = {"email": "email_blind", "push": "customer_blind"}
"""What a word about a channel is bound to, where that is not the telephone number."""
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


@operation(STOP_BY_MAIL, callers=frozenset({"web"}), kinds=frozenset({"caller"}), audit="effect")
async def stop_by_mail(act: Act, request: StopByMail) -> Done:
    """Note that the reader of a mail wants no more of its class by mail, at all; said once.

    Bills go on along their ladders by the channels that are left. Raises: NotFound
    ``link_unknown``.
    """
    known = await enter_merchant(act, request.merchant_code)
    delivery_id = delivery_in(request.token)
    row = await act.db.fetchrow(_MAILED, act.merchant_id, delivery_id or act.merchant_id)
    if not known or row is None or row["email_blind"] is None:
        raise NotFound("link_unknown")
    if not is_stop_token(await act.fields(), request.token, row["id"], row["email_blind"]):
        raise NotFound("link_unknown")
    kind: Class = "marketing" if row["campaign"] == MARKETING else "transactional"
    await _say(act, row["bill_id"], ("email", kind), "mail", is_wanted=False)
    return Done()


async def want_again(act: Act, bill_id: UUID, channel: Channel) -> None:
    """A payer asks on the page for what they, or staff for them, had stopped."""
    row = await act.db.fetchrow(_CONTACTS, act.merchant_id, bill_id)
    contacts = [] if row is None else [one for one in row.values() if one is not None]
    key = (channel, "transactional", False)
    if any((one.channel, one.kind, one.is_wanted) == key for one in await _newest(act, contacts)):
        await _say(act, bill_id, (channel, "transactional"), "page", is_wanted=True)


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
    contact: bytes | None = row[_CONTACT.get(channel, "phone_blind")]
    if contact is None:
        raise Conflict("no_channel")
    await act.db.execute(_ALONE, f"{act.merchant_id} {contact.hex()}")
    contacts = [one for one in row.values() if one is not None]
    known = await _newest(act, contacts)
    # Unsubscribing says more than stopping reminders: it is noted over that.
    if any(
        (one.channel, one.kind, one.is_wanted) == (*key, is_wanted)
        and (source != "mail" or one.source == source)
        for one in known
    ):
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
