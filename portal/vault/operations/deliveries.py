"""Data zone, stage "message": results of a slice booked, the next slice handed out.

The worker learns ids and routes. A chunk is sent by one lease at a time (the fence is checked
before any operation runs), and a lease reports each slice whole; so whatever is still ``handed``
when it reports was never sent and is handed out again, and whatever is still ``redeemed`` may have
been sent: that goes again under its key where its provider takes a key once, and is ambiguous
elsewhere (portal.vault.unclear).

What waited longest is handed out first. So after an outage each probe takes another message of the
chunk, and one that its provider never takes can't stand before all the others.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from portal.contract.message import (
    REPORT_AND_NEXT,
    SLICE_MAX,
    DeliveryRoute,
    ReportAndNext,
    SendResult,
    Slice,
)
from portal.domain import sender_hold as rules
from portal.domain.errors import InvalidInput
from portal.domain.ids import DeliveryId, to_public
from portal.domain.message import (
    REDEEM_GRACE_S,
    REJECTED_FAULTS,
    DeliveryEvent,
    event_of_result,
)
from portal.vault import sender_hold
from portal.vault.act import Act
from portal.vault.channels import account_of
from portal.vault.contact_faults import note_faults
from portal.vault.db import Row
from portal.vault.deliveries import COLUMNS, OPTED_OUT, Delivery, store, why_left_out
from portal.vault.failover import AFTER_S, leave_road, other_roads
from portal.vault.ladder import is_chunk_held, quiet_s
from portal.vault.pause import read_open
from portal.vault.registry import operation
from portal.vault.sending import CANCELED, stopped_chunks
from portal.vault.template_trial import report_trial
from portal.vault.texts import check_tokens
from portal.vault.unclear import lose, why_not_again

_IN_HAND: Final = f"""
select {COLUMNS} from delivery d
where d.merchant_id = $1 and d.chunk_id = $2 and d.state in ('handed', 'redeemed')
order by d.id for update
"""  # noqa: S608  # constant columns
_UNSENT: Final = f"""
select {COLUMNS}, d.channel, d.campaign, d.created_at, b.lifecycle, b.settlement, {OPTED_OUT}
from delivery d
join bill b on b.merchant_id = $1 and b.id = d.bill_id
where d.merchant_id = $1 and d.chunk_id = $2 and d.state in ('planned', 'handed')
order by d.id for update of d
"""  # noqa: S608  # constant columns
_NEXT: Final = f"""
with longest as (
    select id from delivery
    where merchant_id = $1 and chunk_id = $2 and state in ('planned', 'handed')
          and (changed_at, id) > ($3::timestamptz, $4::uuid)
          and (not_before is null or not_before <= $5)
    order by changed_at, id limit $6
)
select {COLUMNS}, d.channel, d.provider, d.changed_at, d.campaign, d.created_at, b.lifecycle,
       b.settlement, {OPTED_OUT}
from longest l
join delivery d on d.merchant_id = $1 and d.id = l.id
join bill b on b.merchant_id = $1 and b.id = d.bill_id
order by d.id for update of d
"""  # noqa: S608  # constant columns
_IS_OPEN: Final = """
select exists (select from delivery where merchant_id = $1 and chunk_id = $2
               and state in ('planned', 'handed', 'redeemed'))
"""
_CHUNK_DONE: Final = """
update delivery_chunk set done_at = $3 where merchant_id = $1 and id = $2 and done_at is null
"""
_FIRST: Final = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


@operation(
    REPORT_AND_NEXT, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect"
)  # fmt: skip
async def report_and_next(act: Act, request: ReportAndNext) -> Slice:
    """Book a slice's results and hand out up to ``take`` deliveries that are still due.

    Booking the same results twice changes nothing. Bills that were paid, canceled or paused since
    are left out; in quiet hours nothing is handed out that nobody has asked for, and on a road that
    refuses the merchant's sender one message at a time (portal.domain.sender_hold).

    Raises: InvalidInput ``slice_size`` (param ``max``), ``text_refused``.
    """
    act.require_scope(request.chunk_id)
    if len(request.results) > SLICE_MAX or not 0 <= request.take <= SLICE_MAX:
        raise InvalidInput("slice_size", params={"max": SLICE_MAX})
    for result in request.results:
        check_tokens(provider_ref=result.provider_ref, code=result.code)
    stopped = (await stopped_chunks(act, [request.chunk_id])).get(request.chunk_id)
    is_quiet = await is_chunk_held(act, request.chunk_id)
    is_held = stopped == "paused" or is_quiet
    road = await sender_hold.learn(act, request.chunk_id, request.results)
    uses_try = not is_held and road is None
    await _book(act, request.chunk_id, request.results, uses_try=uses_try)
    if request.away_s >= AFTER_S:
        await leave_road(act, request.chunk_id)
    if stopped == "canceled":
        await _end_unsent(act, request.chunk_id, "leave_out", CANCELED)
    take = 0 if stopped or is_held else request.take
    if road is None or stopped:
        routes = await _hand_out(act, request.chunk_id, take)
    else:
        routes = await _pass_stop(act, request.chunk_id, road, take)
    if not await act.db.fetchval(_IS_OPEN, act.merchant_id, request.chunk_id):
        is_open, trial = await report_trial(act, request.chunk_id, request.results, request.take)
        if is_open:
            return await _slice(act, [] if trial is None else [trial], is_paused=False)
        await act.db.execute(_CHUNK_DONE, act.merchant_id, request.chunk_id, act.now)
        await act.close_task(rows=len(request.results))
        return Slice(deliveries=(), done=True)
    if is_quiet and not stopped:
        return Slice(deliveries=(), done=False, quiet_s=await quiet_s(act))
    if road is not None and not routes and not stopped:
        return Slice(deliveries=(), done=False, quiet_s=await _wait_s(act, road))
    return await _slice(act, routes, is_paused=stopped == "paused")


async def _slice(act: Act, routes: Sequence[DeliveryRoute], *, is_paused: bool) -> Slice:
    if not routes:
        return Slice(deliveries=(), done=False, paused=is_paused)
    account, sender = await account_of(act, routes[0].channel, routes[0].provider)
    return Slice(deliveries=tuple(routes), done=False, account=account, sender=sender)


async def _pass_stop(
    act: Act, chunk_id: UUID, road: sender_hold.RoadHold, take: int
) -> list[DeliveryRoute]:
    """What goes by a road on which the merchant's sender is refused: one message that asks.

    The others leave it by another road of the channel, wait, or are given up after WAIT_MAX.
    """
    if take and rules.may_probe(road.hold, act.now):
        routes = await _hand_out(act, chunk_id, 1)
        if routes:
            await sender_hold.probe(act, road, chunk_id)
        return routes
    since = road.hold.since or act.business
    if act.business - since >= rules.LEAVE_AFTER and await leave_road(act, chunk_id):
        return []
    if act.business - max(since, road.planned_at) >= rules.WAIT_MAX:
        await _end_unsent(act, chunk_id, "give_up", road.hold.code)
    return []


async def _wait_s(act: Act, road: sender_hold.RoadHold) -> float:
    """For how long what the stop held back sleeps; what may leave the road looks for room sooner.

    Units: seconds.
    """
    until_probe = rules.wait_s(road.hold, act.now)
    if until_probe > rules.PAUSE_FIRST_S and await other_roads(act, road.channel, road.provider):
        return rules.PAUSE_FIRST_S
    return until_probe


async def _end_unsent(act: Act, chunk_id: UUID, event: DeliveryEvent, code: str) -> None:
    """What is not in a company's hands yet ends: staff ended the sending, or nothing takes it.

    What has nothing to say any more is left out: of a paid bill no message has failed.
    """
    rows = await act.db.fetch(_UNSENT, act.merchant_id, chunk_id)
    pauses = await read_open(act, [row["bill_id"] for row in rows])
    unsent: list[Delivery] = []
    for row in rows:
        delivery = Delivery.of(row)
        idle = why_left_out(row, pauses) if event == "give_up" else None
        delivery.take(event if idle is None else "leave_out")
        delivery.code = idle or code
        unsent.append(delivery)
    await store(act, unsent)


async def _book(act: Act, chunk_id: UUID, results: Sequence[SendResult], *, uses_try: bool) -> None:
    """Move what was in the worker's hands by what it reports, or by its silence.

    ``uses_try`` is False while the messages are held or their road is stopped.
    """
    rows = await act.db.fetch(_IN_HAND, act.merchant_id, chunk_id)
    reported = {result.delivery_id: result for result in results}
    moved: list[Delivery] = []
    lost: list[Delivery] = []
    for row in rows:
        delivery = Delivery.of(row)
        result = reported.get(DeliveryId(delivery.id))
        if result is None:
            has_moved = False
            if delivery.state == "redeemed":
                lost.append(delivery)
        elif _is_lost(delivery, result):
            delivery.code = result.code
            delivery.provider_ref = result.provider_ref or delivery.provider_ref
            has_moved = False
            lost.append(delivery)
        else:
            has_moved = _apply(act, delivery, result, may_use_try=uses_try)
        if has_moved:
            moved.append(delivery)
    await lose(act, chunk_id, lost)
    await store(act, moved + lost)
    # Of what was never redeemed no company can have heard, and a worker's word would end a contact.
    sent = {row["id"] for row in rows if row["state"] == "redeemed"}
    refused = [
        one
        for one in moved
        if one.id in sent and one.state == "failed" and one.code in REJECTED_FAULTS
    ]
    await note_faults(act, {one.id: REJECTED_FAULTS[one.code] for one in refused})


def _is_lost(delivery: Delivery, result: SendResult) -> bool:
    """Whether it was redeemed, and nobody knows what came of it."""
    if delivery.state != "redeemed":
        return False
    event = event_of_result("redeemed", result.outcome, result.code, delivery.tries)
    return event == "lose"


def _apply(act: Act, delivery: Delivery, result: SendResult, *, may_use_try: bool) -> bool:
    """Take the edge of one result; False when it changes nothing.

    What came back because it is held uses up no try. What is said of the sender does until that has
    stopped the road: else one that is refused alone would go round for ever.
    """
    before = delivery.state
    uses_try = may_use_try and (result.is_about_message or result.is_about_sender)
    event = event_of_result(before, result.outcome, result.code, delivery.tries, uses_try=uses_try)
    if not delivery.take(event):
        if event == "accept":  # nobody can have sent what was never redeemed
            act.note_incident("result_without_redemption", delivery.id)
        return False
    delivery.code = result.code
    delivery.provider_ref = result.provider_ref or delivery.provider_ref
    if delivery.state == "planned":
        delivery.tries += uses_try
        if event == "lose":
            delivery.not_before = act.now + timedelta(seconds=REDEEM_GRACE_S)
    return True


async def _hand_out(act: Act, chunk_id: UUID, take: int) -> list[DeliveryRoute]:
    """The next deliveries whose bills can be paid and are not paused; the others end here."""
    routes: list[DeliveryRoute] = []
    moved: list[Delivery] = []
    after = _FIRST
    while len(routes) < take:
        wanted = take - len(routes)
        found = await act.db.fetch(_NEXT, act.merchant_id, chunk_id, *after, act.now, wanted)
        rows = sorted(found, key=_waits_since)
        pauses = await read_open(act, [row["bill_id"] for row in rows])
        for row in rows:
            delivery = Delivery.of(row)
            refused = why_left_out(row, pauses) or why_not_again(act, row)
            if refused is None:
                delivery.take("hand_out")
                routes.append(_to_route(row))
            else:
                delivery.take("leave_out")
                delivery.code = refused
            moved.append(delivery)
        if len(rows) < wanted:
            break
        after = _waits_since(rows[-1])
    await store(act, moved)
    return routes


def _waits_since(row: Row) -> tuple[datetime, UUID]:
    """When the delivery was last touched; those touched together go by id."""
    return row["changed_at"], row["id"]


def _to_route(row: Row) -> DeliveryRoute:
    return DeliveryRoute(
        delivery_id=DeliveryId(row["id"]),
        channel=row["channel"],
        provider=row["provider"],
        key=to_public("delivery", row["id"]),
    )
