"""Merchant schema, funnel: how far bills and messages came, and telling who never looked.

Zone: application. The time left is reckoned from what each company takes a second.
"""

import strawberry

from portal.application.doors.graphql import enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import VAULT_CALL, Info, Int64, by, optional, plain
from portal.application.providers.registry import CAPABILITIES
from portal.contract.funnel import (
    SWITCH_UNOPENED,
    VIEW_FUNNEL,
    VIEW_SWITCH,
    FunnelView,
    SwitchBegun,
    SwitchUnopened,
    SwitchView,
    ViewFunnel,
    ViewSwitch,
)
from portal.contract.funnel import ChannelFunnel as ChannelFunnelPart
from portal.contract.sending import RoadLoad
from portal.domain.ids import ImportId, from_public
from portal.domain.sending import seconds_left


@strawberry.type(description="One channel's part of the funnel. Units: messages.")
class ChannelFunnel:
    """portal.contract.funnel.ChannelFunnel."""

    channel: str = plain("`sms`, `email`, …; empty for what no message led to.")
    planned: int = plain("All that were ever planned.")
    waiting: int = plain("Of those, what no company has yet.")
    sent: int = plain("Of those, what a company took.")
    delivered: int = plain("Of those, what arrived.")
    ambiguous: int = plain("Of which nobody knows whether they were sent.")
    failed: int = plain("That were refused, or given up.")
    left_out: int = plain("That were not wanted any more: paid, withdrawn, no contact.")
    opened: int = plain("Bills that were first opened after a message of this channel.")
    paid: int = plain("Bills that were first paid after one.")
    cost_hundredths: Int64 | None = plain(
        "What was sent costs, in hundredths of a yen; null where no price is known."
    )
    doubtful_hundredths: Int64 | None = plain("What those in doubt may cost beside it, likewise.")


def _channels(view: strawberry.Parent[FunnelView]) -> tuple[ChannelFunnelPart, ...]:
    return view.channels


@strawberry.type(description="How far issued bills have come, and their messages by channel.")
class BillFunnel:
    """portal.contract.funnel.FunnelView."""

    issued: int = plain("Bills that were issued and not withdrawn.")
    unopened: int = plain("Of those, what is owed and nobody has looked at.")
    sent: int = plain("Of those, about what a company took a message, any.")
    delivered: int = plain("Of those, about what a message arrived, any.")
    opened: int = plain("Of those, what somebody has looked at.")
    paid: int = plain("Of those, what was paid.")
    ambiguous: int = plain("Messages of which nobody knows whether they were sent.")
    channels: list[ChannelFunnel] = by(_channels, "By channel.", rows=10)
    reachable: list[enums.MessageChannel] = plain("By what who never looked can be told.")


def _rate_of(road: RoadLoad) -> float:
    able = CAPABILITIES.get(road.provider)
    return able.rate.per_s / able.rate.units_per_message if able else 1.0


def _seconds(view: strawberry.Parent[SwitchView]) -> int:
    return seconds_left([(road.left, _rate_of(road)) for road in view.roads])


@strawberry.type(description="What telling all who never looked by a channel would mean at most.")
class SwitchPlan:
    """portal.contract.funnel.SwitchView."""

    bills: int = plain("Bills that would be told at most.")
    seconds: int = by(_seconds, "How long sending them all takes.")
    cost_hundredths: Int64 | None = plain(
        "What it costs at most, in hundredths of a yen; null where no price is known."
    )


def _import_of(import_id: strawberry.ID | None) -> ImportId | None:
    return None if import_id is None else ImportId(from_public("import", import_id))


async def view_funnel(info: Info, import_id: strawberry.ID | None = None) -> FunnelView:
    """The funnel of an import or of all."""
    return await info.context.look(VIEW_FUNNEL, ViewFunnel(import_id=_import_of(import_id)))


async def view_switch(
    info: Info, channel: enums.MessageChannel, import_id: strawberry.ID | None = None
) -> SwitchView:
    """What a switch would mean."""
    request = ViewSwitch(import_id=_import_of(import_id), channel=channel.value)
    return await info.context.look(VIEW_SWITCH, request)


@strawberry.type
class FunnelQuery:
    """How far bills have come."""

    funnel: BillFunnel = by(
        view_funnel, "How far bills and messages have come, by channel.", cost=VAULT_CALL
    )
    switch_plan: SwitchPlan = by(
        view_switch, "What telling all who never looked would mean.", cost=VAULT_CALL
    )


@strawberry.input(description="Tell all who never looked by a channel.")
class UnopenedSwitchInput:
    """portal.contract.funnel.SwitchUnopened."""

    channel: enums.MessageChannel = plain("By what they are told.")
    import_id: strawberry.ID | None = optional("`imp_…`: only those of this import.")
    idempotency_key: str = plain("Yours; the same key and arguments tell once.")


def _bills(outcome: strawberry.Parent[Outcome[SwitchBegun]]) -> int:
    return outcome.entity.bills if outcome.entity else 0


@strawberry.type(description="How many bills are gone through, or why none.")
class UnopenedSwitchPayload:
    """Outcome of unopenedSwitch."""

    bills: int = by(_bills, "Bills that nobody had looked at.")
    errors: list[UserError] = plain("Why it was not begun; empty when it was.")


async def switch_unopened(info: Info, input: UnopenedSwitchInput) -> Outcome[SwitchBegun]:  # noqa: A002 - the argument's name in the schema
    """Begin it; a task plans the messages."""

    async def act() -> SwitchBegun:
        request = SwitchUnopened(
            import_id=_import_of(input.import_id),
            channel=input.channel.value,
            idempotency_key=input.idempotency_key,
        )
        return await info.context.call(SWITCH_UNOPENED, request)

    return await outcome_of(info, act())


@strawberry.type
class FunnelMutation:
    """What is done about who never looked."""

    unopened_switch: UnopenedSwitchPayload = by(
        switch_unopened, "Tell all who never looked by another channel.", cost=VAULT_CALL
    )
