"""Data zone, stage "message": the funnel by channel, and telling who never looked by another."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.funnel import (
    STEP_SWITCH,
    SWITCH_UNOPENED,
    VIEW_FUNNEL,
    VIEW_SWITCH,
    ChannelFunnel,
    FunnelView,
    StepSwitch,
    SwitchBegun,
    SwitchStepped,
    SwitchUnopened,
    SwitchView,
    ViewFunnel,
    ViewSwitch,
)
from portal.contract.sending import RoadLoad
from portal.domain.errors import Conflict
from portal.domain.funnel import SENT, ChannelSums, bills_of, by_channel, cost_of, prices_of
from portal.domain.ids import ImportId
from portal.domain.message import Channel, split_by_share
from portal.vault.act import Act
from portal.vault.channels import roads
from portal.vault.contact_faults import WRITTEN
from portal.vault.funnel import read_counts, read_unit_prices
from portal.vault.imports import read_import
from portal.vault.registry import operation
from portal.vault.switch import FIRST, step

_WEB: Final = frozenset({"web"})
_MERCHANT: Final = frozenset({"staff", "api_key"})

_LOCK: Final = "select from merchant where id = $1 for update"
_RUNS: Final = """
select exists (select from message_switch where merchant_id = $1 and state = 'running')
"""
_BEGIN: Final = """
insert into message_switch (merchant_id, id, number, import_id, channel, state, after_id, bills,
                            looked, planned, made_by, made_at)
select $1, $2, coalesce(max(number), 0) + 1, $3, $4, 'running', $5, $6, 0, 0, $7, $8
from message_switch where merchant_id = $1
"""

Prices = Mapping[tuple[str, str], int | None]


@operation(VIEW_FUNNEL, callers=_WEB, kinds=_MERCHANT, scope="bills:read", audit="none")
async def view_funnel(act: Act, request: ViewFunnel) -> FunnelView:
    """How far bills and messages have come by channel, of an import or of all, and the cost.

    Raises: NotFound ``not_found``.
    """
    await _check_import(act, request.import_id)
    found = by_channel(await read_counts(act, request.import_id))
    prices = await read_unit_prices(act)
    bills = bills_of(found)
    return FunnelView(
        issued=bills.issued,
        unopened=bills.unopened,
        sent=bills.sent,
        delivered=bills.delivered,
        opened=bills.opened,
        paid=bills.paid,
        ambiguous=sum(sums.at("ambiguous") for sums in found.values()),
        channels=tuple(_channel(name, found[name], prices) for name in sorted(found)),
        reachable=tuple([channel for channel in WRITTEN if await roads(act, channel)]),
    )


def _channel(name: str, sums: ChannelSums, prices: Prices) -> ChannelFunnel:
    unit = prices_of(name, {*sums.sent_by, *sums.doubtful_by}, prices)
    return ChannelFunnel(
        channel=name,
        planned=sums.planned,
        waiting=sums.at("waiting"),
        sent=sums.at(*SENT),
        delivered=sums.at("delivered"),
        ambiguous=sums.at("ambiguous"),
        failed=sums.at("failed"),
        left_out=sums.at("left_out"),
        opened=sums.at("opened"),
        paid=sums.at("paid"),
        cost_hundredths=cost_of(sums.sent_by, unit),
        doubtful_hundredths=cost_of(sums.doubtful_by, unit),
    )


@operation(VIEW_SWITCH, callers=_WEB, kinds=_MERCHANT, scope="bills:read", audit="none")
async def view_switch(act: Act, request: ViewSwitch) -> SwitchView:
    """What telling all who never looked by this channel would mean: at most so many, at most that.

    Raises: NotFound ``not_found``; Conflict ``channel_unreachable``.
    """
    await _check_import(act, request.import_id)
    bills = await _unopened(act, request.import_id)
    load = await _load(act, request.channel, bills)
    prices = await read_unit_prices(act)
    unit = prices_of(request.channel, load, prices)
    return SwitchView(
        bills=bills,
        roads=tuple(RoadLoad(provider=name, left=count) for name, count in load.items() if count),
        cost_hundredths=cost_of(load, unit),
    )


@operation(SWITCH_UNOPENED, callers=_WEB, kinds=_MERCHANT, scope="bills:write", audit="effect")
async def switch_unopened(act: Act, request: SwitchUnopened) -> SwitchBegun:
    """Begin to tell all who never looked by this channel; a task plans the messages.

    Raises: Conflict ``channel_unreachable``, ``nothing_unopened``, ``switch_running``,
    ``idempotency_mismatch``; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.import_id, request.channel])
    known = await act.once("switch_unopened", request.idempotency_key, arguments)
    if known is not None:
        return SwitchBegun(bills=int.from_bytes(known, "big"))
    await _check_import(act, request.import_id)
    await act.db.execute(_LOCK, act.merchant_id)
    if await act.db.fetchval(_RUNS, act.merchant_id):
        raise Conflict("switch_running")
    bills = await _unopened(act, request.import_id)
    await _load(act, request.channel, bills)
    if not bills:
        raise Conflict("nothing_unopened")
    await act.db.execute(
        _BEGIN, act.merchant_id, act.new_id(), request.import_id, request.channel, FIRST, bills,
        act.actor, act.business,
    )  # fmt: skip
    await act.plan_task("message.switch_unopened", act.merchant_id)
    await act.answer_once("switch_unopened", request.idempotency_key, bills.to_bytes(8, "big"))
    return SwitchBegun(bills=bills)


@operation(
    STEP_SWITCH, callers=frozenset({"work"}), kinds=frozenset({"lease"}), audit="effect",
    is_heavy=True,
)  # fmt: skip
async def step_switch(act: Act, request: StepSwitch) -> SwitchStepped:
    """Plan the messages of the next bills; the step after the last one ends the task."""
    del request
    act.require_scope(act.merchant_id)
    done = await step(act)
    if done.remaining:
        act.rows_done = done.planned
    else:
        await act.close_task(rows=done.planned)
    return SwitchStepped(looked=done.looked, planned=done.planned, remaining=done.remaining)


async def _check_import(act: Act, import_id: ImportId | None) -> None:
    if import_id is not None:
        await read_import(act, import_id)


async def _unopened(act: Act, import_id: UUID | None) -> int:
    counts = await read_counts(act, import_id)
    return sum(count.number for count in counts if count.stage == "unopened")


async def _load(act: Act, channel: Channel, bills: int) -> dict[str, int]:
    """How many messages each road would carry. Raises: Conflict ``channel_unreachable``."""
    found = await roads(act, channel) if channel in WRITTEN else []
    if not found:
        raise Conflict("channel_unreachable")
    return split_by_share({road.provider: road.share for road in found}, bills)
