"""Data zone: a text on its way to a member of staff, by the road that messages take.

A trial is no delivery: it has no bill, so no bill's message state and no timeline can mistake it
for one. It is alone in its chunk, goes by the urgent lane, is redeemed once, and its words go when
it is over. The link in it opens nothing. A call's words are asked for while it goes on, by a secret
of the trial's own (portal.vault.call_trial): until it has ended they stay, without the number.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.message import DeliveryRoute, RedeemedDelivery, SendResult
from portal.domain.ids import DeliveryId, to_public
from portal.domain.message import DELIVERY, Channel, DeliveryState, event_of_result
from portal.kit.crypto import sha256
from portal.vault.act import Act
from portal.vault.channels import roads_to_plan
from portal.vault.contact_faults import return_token
from portal.vault.db import Row
from portal.vault.ladder import is_night
from portal.vault.payer import new_return_token

TABLE: Final = "message_trial"
CALL_LIFE: Final = timedelta(days=1)
"""So long a trial's call may ask for its words."""

TRIES_MAX: Final = 3
"""Hand-outs of one trial before it is given up: somebody stands waiting."""

_OPEN: Final = frozenset({"planned", "handed", "redeemed"})
_INSERT: Final = """
insert into message_trial (merchant_id, id, chunk_id, channel, provider, state, tries, words,
                           asked_by, asked_at, to_blind)
values ($1, $2, $3, $4, $5, 'planned', 0, $6, $7, $8, $9)
"""
_CHUNK: Final = """
insert into delivery_chunk (merchant_id, id, import_id, channel, provider, deliveries, created_at)
values ($1, $2, null, $3, $4, 1, $5)
"""
_OF_CHUNK: Final = """
select id, channel, provider, state, tries, words from message_trial
where merchant_id = $1 and chunk_id = $2 for update
"""
_TAKE: Final = """
select t.id, t.channel, t.provider, t.state, t.words, t.asked_at, m.code as merchant_code, m.name,
       (select c.sender from merchant_channel c where c.merchant_id = $1
        and c.channel = t.channel and c.provider = t.provider) as sender
from message_trial t join merchant m on m.id = $1
where t.merchant_id = $1 and t.id = any($2::uuid[]) order by t.id for update of t
"""
_MOVE: Final = """
update message_trial set state = $3, tries = $4, words = $5 where merchant_id = $1 and id = $2
"""
_REDEEM: Final = """
update message_trial set state = 'redeemed', secret_hash = $3 where merchant_id = $1 and id = $2
"""
_FORGET: Final = """
update message_trial set words = null
where merchant_id = $1 and asked_at < $2 and channel = 'voice' and words is not null
"""
_CALLED: Final[frozenset[DeliveryState]] = frozenset({"accepted", "ambiguous"})
"""A call that was asked for, or may have been: its words may be asked for."""


class TrialWords(msgspec.Struct, frozen=True, array_like=True):
    """To whom, and what it says; a mail has a subject and the same in HTML, a call a language."""

    to: str
    body: str
    subject: str = ""
    html: str = ""
    language: str = ""


async def plan_trial(act: Act, channel: Channel, words: TrialWords, to_blind: bytes) -> None:
    """Send one text, at once, by the merchant's own road; ``to_blind``: keyed hash of whom to."""
    road = (await roads_to_plan(act, channel))[0]
    chunk_id, trial_id = act.new_id(), act.new_id()
    fields = await act.fields()
    sealed = fields.seal(TABLE, "contact", trial_id, 1, words)
    if channel == "voice":  # whose end no company ever told
        await act.db.execute(_FORGET, act.merchant_id, act.now - CALL_LIFE)
    await act.db.execute(_CHUNK, act.merchant_id, chunk_id, channel, road.provider, act.business)
    await act.db.execute(
        _INSERT, act.merchant_id, trial_id, chunk_id, channel, road.provider, sealed, act.actor,
        act.now, to_blind,
    )  # fmt: skip
    await act.plan_task("message.send_chunk", chunk_id, lane="urgent")


async def report_trial(
    act: Act, chunk_id: UUID, results: Sequence[SendResult], take: int
) -> tuple[bool, DeliveryRoute | None]:
    """Book what became of a chunk's trial; whether one is open, and its route if it goes out now.

    As with deliveries: what was redeemed and is not reported may have been sent, and ends.
    """
    row = await act.db.fetchrow(_OF_CHUNK, act.merchant_id, chunk_id)
    if row is None or row["state"] not in _OPEN:
        return False, None
    state: DeliveryState = row["state"]
    tries: int = row["tries"]
    said = next((one for one in results if one.delivery_id == row["id"]), None)
    if said is not None:
        edge = DELIVERY.get((state, event_of_result(state, said.outcome, said.code, tries)))
        state, tries = (edge.state if edge else state), tries + 1
    elif state == "redeemed":
        state = "ambiguous"
    if state in _OPEN and tries >= TRIES_MAX:
        state = "failed"
    route = None
    if state in {"planned", "handed"} and take:
        state, route = "handed", _to_route(row)
    await _move(act, row, state, tries)
    return state in _OPEN, route


async def redeem_trials(act: Act, host: str, ids: Sequence[UUID]) -> dict[UUID, RedeemedDelivery]:
    """Values of those among the ids that are trials, once each and for their own host only."""
    given: dict[UUID, RedeemedDelivery] = {}
    fields = await act.fields()
    for row in await act.db.fetch(_TAKE, act.merchant_id, list(ids)):
        code = _why_not(act, row, host) or await _why_not_rung(act, row)
        is_call, secret = row["channel"] == "voice", new_return_token()
        words = TrialWords(to="", body="")
        if code is None:
            words = fields.open(TABLE, "contact", row["id"], 1, row["words"], TrialWords)
            hashed = sha256(secret.encode()) if is_call else None
            await act.db.execute(_REDEEM, act.merchant_id, row["id"], hashed)
            act.reveal(1)
        is_mail = row["channel"] == "email"
        whose = f"{row['provider']}/{row['merchant_code']}"
        given[row["id"]] = RedeemedDelivery(
            delivery_id=DeliveryId(row["id"]),
            to=words.to,
            body="" if is_call else words.body,
            refused=code,
            subject=words.subject,
            html=words.html,
            sender=(row["sender"] or "") if is_mail else "",
            sender_name=row["name"] if is_mail else "",
            # What comes back to it speaks of no delivery, and moves nothing.
            return_token=return_token(fields, row["id"]) if is_mail else "",
            # What became of a trial is nobody's news: the address names no message. A call asks
            # there for its words.
            callback=f"{act.settings.public_origin}/calls/{whose}/{secret}"
            if is_call
            else f"{act.settings.public_origin}/notices/{whose}",
        )
    return given


def _why_not(act: Act, row: Row, host: str) -> str | None:
    if act.settings.provider_host(row["provider"]) != host:
        act.note_incident("delivery_host", row["id"])
        return "host_wrong"
    if row["state"] != "handed":
        code = "delivery_not_handed" if row["state"] == "planned" else "delivery_redeemed"
        act.note_incident(code, row["id"])
        return code
    return None


async def _why_not_rung(act: Act, row: Row) -> str | None:
    """Why no telephone rings for a trial any more: whoever asked for it stood waiting by day.

    A company may have been away since. Later there would be no words to say, or it is night.
    """
    if row["channel"] != "voice":
        return None
    if row["words"] is None or row["asked_at"] <= act.now - CALL_LIFE:
        return "not_due"
    return "quiet_hours" if await is_night(act) else None


async def _move(act: Act, row: Row, state: DeliveryState, tries: int) -> None:
    kept: bytes | None = row["words"] if state in _OPEN else None
    if row["channel"] == "voice" and state in _CALLED and row["words"] is not None:
        fields = await act.fields()
        words = fields.open(TABLE, "contact", row["id"], 1, row["words"], TrialWords)
        unnumbered = msgspec.structs.replace(words, to="")
        kept = fields.seal(TABLE, "contact", row["id"], 1, unnumbered)
    await act.db.execute(_MOVE, act.merchant_id, row["id"], state, tries, kept)


def _to_route(row: Row) -> DeliveryRoute:
    return DeliveryRoute(
        delivery_id=DeliveryId(row["id"]),
        channel=row["channel"],
        provider=row["provider"],
        key=to_public("delivery", row["id"]),
    )
