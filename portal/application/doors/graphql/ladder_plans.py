"""Merchant schema, plans of messages: what holds, what was set before, what a plan would do.

Zone: application. A plan goes to the vault whole and is judged there by the rules that the command
line has too. Staff only: everybody looks, an owner sets.
"""

from collections.abc import Sequence
from datetime import time

import strawberry

from portal.application.doors.graphql import ladder_enums as enums
from portal.application.doors.graphql.failures import Outcome, UserError, outcome_of
from portal.application.doors.graphql.schema import (
    VAULT_CALL,
    Date,
    DateTime,
    Info,
    by,
    optional,
    plain,
)
from portal.application.doors.locales import TEXTS
from portal.contract.envelope import Nothing
from portal.contract.ladder import (
    CHANGE_LADDER,
    PREVIEW_LADDER,
    VIEW_LADDER_PLAN,
    ChangeLadder,
    LadderPlanShown,
    LadderPreviewed,
    LadderSet,
    LadderVersion,
    PreviewLadder,
    RungForeseen,
)
from portal.domain.errors import InvalidInput
from portal.domain.ladder import CLASSES_MAX, RUNGS_MAX, Hours, Plan, Rung
from portal.domain.ladder_plan import PlanFault, read_form, write_plan

# A plan as it is shown


@strawberry.type(description="One message of a plan.")
class LadderRung:
    """portal.domain.ladder.Rung."""

    when: enums.LadderWhen = plain("From when its days count.")
    channel: enums.LadderChannel = plain("By what it goes.")
    days: int = plain("How many days from there.")
    unless: enums.LadderUnless = plain("What makes it needless.")
    kind: enums.LadderClass = plain("Whether it advertises.")


def _rungs(ladder: strawberry.Parent[tuple[str, Sequence[Rung]]]) -> Sequence[Rung]:
    return ladder[1]


def _kind(ladder: strawberry.Parent[tuple[str, Sequence[Rung]]]) -> str:
    return ladder[0]


@strawberry.type(description="What bills of one kind are told by.")
class LadderOfKind:
    """One entry of portal.domain.ladder.Plan.ladders."""

    bill_kind: str = by(_kind, "`monthly`, `bimonthly` or `once`; empty: every other bill.")
    rungs: list[LadderRung] = by(_rungs, "In the order in which they were written.", rows=RUNGS_MAX)


def _quiet_from(hours: strawberry.Parent[Hours]) -> str:
    return f"{hours.quiet_from:%H:%M}"


def _quiet_until(hours: strawberry.Parent[Hours]) -> str:
    return f"{hours.quiet_until:%H:%M}"


@strawberry.type(description="When and how often people may be disturbed.")
class LadderHours:
    """portal.domain.ladder.Hours."""

    quiet_from: str = by(_quiet_from, "Nobody is disturbed from then on, `HH:MM`.")
    quiet_until: str = by(_quiet_until, "Until then; as `quietFrom`: there are no quiet hours.")
    rests: bool = plain("Nor on Sundays and national holidays.")
    per_day: int = plain("Reminders to one person a day, over all bills.")
    per_week: int = plain("The same in seven days.")


def _ladders(plan: strawberry.Parent[Plan]) -> list[tuple[str, Sequence[Rung]]]:
    return list(plan.ladders.items())


@strawberry.type(description="Which messages bills get, by their kind, and at which hours.")
class LadderPlan:
    """portal.domain.ladder.Plan."""

    ladders: list[LadderOfKind] = by(_ladders, "One for each kind that has its own.", rows=20)
    hours: LadderHours = plain("They hold for every bill at once.")


def _plan(shown: strawberry.Parent[LadderPlanShown]) -> Plan:
    return read_form(shown.plan)


def _plan_of_version(one: strawberry.Parent[LadderVersion]) -> Plan:
    return read_form(one.plan)


@strawberry.type(description="One version of the plan.")
class LadderPlanVersion:
    """portal.contract.ladder.LadderVersion."""

    version: int = plain("From 1.")
    plan: LadderPlan = by(_plan_of_version, "What it said.")
    set_by: str = plain("`staff:<id>`, or `operator` for the operator's command.")
    set_at: DateTime = plain("When that was.")


def _versions(shown: strawberry.Parent[LadderPlanShown]) -> tuple[LadderVersion, ...]:
    return shown.versions


@strawberry.type(description="The plan that bills are issued by, and those before it.")
class LadderPlanDetail:
    """portal.contract.ladder.LadderPlanShown."""

    version: int = plain("0: the merchant has set none, and everybody's plan holds.")
    plan: LadderPlan = by(_plan, "What it says.")
    versions: list[LadderPlanVersion] = by(_versions, "The newest first, 20 at most.", rows=20)
    roads: list[enums.LadderChannel] = plain("By which channels the merchant can send.")
    today: Date = plain("The merchant's own day now.")


# A plan that is being written


def _message(fault: strawberry.Parent[PlanFault], info: Info) -> str:
    said = TEXTS[info.context.language]
    return said.say(f"ladder.faults.{fault.code}", low=fault.low, high=fault.high)


@strawberry.type(description="One thing that is wrong with a plan, and where.")
class LadderFault:
    """portal.domain.ladder_plan.PlanFault."""

    code: str = plain("Stable, lower_snake; programs decide by it.")
    message: str = by(_message, "For people, in the viewer's language.")
    bill_kind: str = plain("In the ladder of which kind of bill.")
    rung: int | None = plain("Of which rung, from 0; null: of none.")
    field: str = plain("Of which of its fields, or empty.")


@strawberry.type(description="What becomes of one rung of a plan.")
class LadderForeseen:
    """portal.contract.ladder.RungForeseen."""

    rung: int = plain("Which one, from 0.")
    at: DateTime | None = plain("When; null for what only a failed debit begins.")
    skipped: str | None = plain("Why it is not sent; null when it is.")
    held: str = plain("What it waits for before, or empty.")


def _faults(found: strawberry.Parent[LadderPreviewed]) -> tuple[PlanFault, ...]:
    return found.faults


def _foreseen(found: strawberry.Parent[LadderPreviewed]) -> tuple[RungForeseen, ...]:
    return found.foreseen


@strawberry.type(description="What is wrong with a plan, or what a bill would get by it.")
class LadderPreview:
    """portal.contract.ladder.LadderPreviewed."""

    faults: list[LadderFault] = by(_faults, "Empty when it can be set.", rows=RUNGS_MAX)
    foreseen: list[LadderForeseen] = by(
        _foreseen, "In the order in which it happens; empty when there are faults.", rows=RUNGS_MAX
    )


@strawberry.input(description="One message of a plan.")
class LadderRungInput:
    """portal.domain.ladder.Rung."""

    when: enums.LadderWhen = plain("From when its days count.")
    channel: enums.LadderChannel = plain("By what it goes.")
    days: int = optional("How many days from there.", default=0)
    unless: enums.LadderUnless = optional(
        "What makes it needless.", default=enums.LadderUnless.NOTHING
    )
    kind: enums.LadderClass = optional(
        "Whether it advertises.", default=enums.LadderClass.TRANSACTIONAL
    )


@strawberry.input(description="What bills of one kind are told by.")
class LadderOfKindInput:
    """One entry of portal.domain.ladder.Plan.ladders."""

    bill_kind: str = plain("`monthly`, `bimonthly` or `once`; empty: every other bill.")
    rungs: list[LadderRungInput] = plain("At most 12; none: nothing is sent.")


@strawberry.input(description="When and how often people may be disturbed.")
class LadderHoursInput:
    """portal.domain.ladder.Hours."""

    quiet_from: str = plain("Nobody is disturbed from then on, `HH:MM`.")
    quiet_until: str = plain("Until then; as `quietFrom`: there are no quiet hours.")
    rests: bool = plain("Nor on Sundays and national holidays.")
    per_day: int = plain("Reminders to one person a day, over all bills; 1 to 100.")
    per_week: int = plain("The same in seven days.")


@strawberry.input(description="A plan of messages.")
class LadderPlanInput:
    """portal.domain.ladder.Plan."""

    ladders: list[LadderOfKindInput] = plain("One for each kind that has its own, 20 at most.")
    hours: LadderHoursInput = plain("They hold for every bill at once.")


def plan_of(given: LadderPlanInput) -> bytes:
    """The plan as the vault reads it. Raises: InvalidInput ``ladder_plan``, ``time_wrong``."""
    ladders: dict[str, tuple[Rung, ...]] = {}
    for one in given.ladders:
        if one.bill_kind in ladders or len(ladders) >= CLASSES_MAX:
            raise InvalidInput("ladder_plan", params={"field": f"ladders.{one.bill_kind}"})
        ladders[one.bill_kind] = tuple(_rung_of(rung) for rung in one.rungs[: RUNGS_MAX + 1])
    hours = Hours(
        quiet_from=_time_of(given.hours.quiet_from, "quietFrom"),
        quiet_until=_time_of(given.hours.quiet_until, "quietUntil"),
        rests=given.hours.rests,
        per_day=given.hours.per_day,
        per_week=given.hours.per_week,
    )
    return write_plan(Plan(ladders=ladders, hours=hours))


def _rung_of(given: LadderRungInput) -> Rung:
    return Rung(
        when=given.when.value,
        channel=given.channel.value,
        days=given.days,
        unless=given.unless.value,
        kind=given.kind.value,
    )


def _time_of(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text.strip())
    except ValueError as fault:
        raise InvalidInput("time_wrong", params={"field": field}) from fault


async def view_plan(info: Info) -> LadderPlanShown:
    """The plan that holds."""
    return await info.context.call(VIEW_LADDER_PLAN, Nothing())


@strawberry.input(description="A plan, and a bill that is supposed.")
class LadderPreviewInput:
    """portal.contract.ladder.PreviewLadder."""

    plan: LadderPlanInput = plain("The plan.")
    bill_kind: str = plain("The kind of the bill.")
    due_on: Date = plain("Its due date, from today on, at most 366 days away.")
    opens: bool = optional("Whether its payer looks at it with the first message.", default=False)


async def preview_plan(info: Info, input: LadderPreviewInput) -> LadderPreviewed:  # noqa: A002 - the argument's name in the schema
    """What a bill that is issued now would get; nothing is stored."""
    request = PreviewLadder(
        plan=plan_of(input.plan), kind=input.bill_kind, due_on=input.due_on, opens=input.opens
    )
    return await info.context.call(PREVIEW_LADDER, request)


@strawberry.type
class LadderPlansQuery:
    """The plan of messages."""

    ladder_plan: LadderPlanDetail = by(
        view_plan, "By which messages bills are told of; staff only.", cost=VAULT_CALL
    )
    ladder_preview: LadderPreview = by(
        preview_plan, "What a plan would do to a bill; staff only.", cost=VAULT_CALL
    )


def _version(outcome: strawberry.Parent[Outcome[LadderSet]]) -> int | None:
    return outcome.entity.version if outcome.entity else None


@strawberry.input(description="Set the plan of messages.")
class LadderPlanSetInput:
    """portal.contract.ladder.ChangeLadder."""

    plan: LadderPlanInput = plain("The plan; the one that holds again changes nothing.")
    seen: int = plain("The version that was looked at; another one meanwhile is refused.")


@strawberry.type(description="The version that holds, or why it was not set.")
class LadderPlanSetPayload:
    """Outcome of ladderPlanSet."""

    version: int | None = by(_version, "Bills issued from now on go by it.")
    errors: list[UserError] = plain("Why it was not done; empty when it was.")


async def set_plan(info: Info, input: LadderPlanSetInput) -> Outcome[LadderSet]:  # noqa: A002 - the argument's name in the schema
    """Set; whether the plan is right, and who may, is the vault's to say."""

    async def act() -> LadderSet:
        request = ChangeLadder(plan=plan_of(input.plan), seen=input.seen)
        return await info.context.call(CHANGE_LADDER, request)

    return await outcome_of(info, act())


@strawberry.type
class LadderPlansMutation:
    """The plan of messages, set."""

    ladder_plan_set: LadderPlanSetPayload = by(
        set_plan, "Set the plan of messages; an owner's act.", cost=VAULT_CALL
    )
