"""A merchant's plan of messages: read, written, and judged field by field. Pure.

The file of the command line and the form of the dashboard are judged by the same rules; each fault
says where it stands, so that a form can show it beside its field.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from portal.domain.errors import InvalidInput
from portal.domain.ladder import CAP_MAX, CLASSES_MAX, DAYS_MAX, RUNGS_MAX, Plan, Rung, When

FaultCode = Literal[
    "classes", "cap", "own_zone", "rungs", "days", "issue_alone", "issue_by_paper",
    "first_advertises", "paper_advertises", "twice",
]  # fmt: skip
"""What may be wrong with a plan whose form is right."""

_FROM_ONE: Final[frozenset[When]] = frozenset({"after_issue", "after_due"})
_COUNTED: Final[frozenset[When]] = frozenset(
    {"after_issue", "before_due", "after_due", "after_failure"}
)
_SAID: Final[dict[FaultCode, str]] = {
    "classes": "{low} to {high} classes",
    "cap": "{low} to {high}",
    "own_zone": "times of the merchant's own zone, such as 21:00:00",
    "rungs": "at most {high} rungs",
    "days": "days {low} to {high}",
    "issue_alone": "a rung on issue comes first, once, with neither days nor unless",
    "issue_by_paper": "a rung on issue is a message",
    "first_advertises": "the first notice is transactional",
    "paper_advertises": "paper is transactional",
    "twice": "the same rung twice",
}


class PlanFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, and where.

    ``rung`` counts from 0 within ``bill_kind``; None: it is no rung's. ``field`` is the name of the
    rung's or the hours' field, or empty. ``low`` and ``high`` bound what may stand there.
    """

    code: FaultCode
    bill_kind: str = ""
    rung: int | None = None
    field: str = ""
    low: int = 0
    high: int = 0

    def say(self) -> str:
        """The place and the fault, for whoever mends a file."""
        said = _SAID[self.code].format(low=self.low, high=self.high)
        if self.code == "classes":
            return f"ladders: {said}"
        if self.code in {"cap", "own_zone"}:
            return f"hours{'.' if self.field else ''}{self.field}: {said}"
        place = "" if self.rung is None else f"[{self.rung}]"
        return f"ladders.{self.bill_kind}{place}: {said}"


def read_plan(raw: bytes) -> Plan:
    """A plan from its JSON, checked.

    Raises: InvalidInput ``ladder_plan`` (param ``field``: where and what is wrong).
    """
    plan = read_form(raw)
    for fault in faults_of(plan):
        raise _wrong(fault.say())
    return plan


def read_form(raw: bytes) -> Plan:
    """A plan from its JSON, whatever it may say; its faults are still to be looked for.

    Raises: InvalidInput ``ladder_plan`` (param ``field``) where it is no plan at all.
    """
    try:
        return msgspec.json.decode(raw, type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise _wrong(str(fault)) from fault


def write_plan(plan: Plan) -> bytes:
    """The plan as JSON that :func:`read_plan` reads."""
    return msgspec.json.encode(plan)


def _wrong(field: str) -> InvalidInput:
    return InvalidInput("ladder_plan", params={"field": field})


def faults_of(plan: Plan) -> Iterator[PlanFault]:
    """What is wrong with a plan, place by place; nothing when it can be set."""
    if not 0 < len(plan.ladders) <= CLASSES_MAX:
        yield PlanFault(code="classes", low=1, high=CLASSES_MAX)
    hours = plan.hours
    for name, most in (("per_day", hours.per_day), ("per_week", hours.per_week)):
        if not 1 <= most <= CAP_MAX:
            yield PlanFault(code="cap", field=name, low=1, high=CAP_MAX)
    if hours.quiet_from.tzinfo or hours.quiet_until.tzinfo:
        yield PlanFault(code="own_zone")
    for kind, rungs in plan.ladders.items():
        if len(rungs) > RUNGS_MAX:
            yield PlanFault(code="rungs", bill_kind=kind, high=RUNGS_MAX)
        for place, rung in enumerate(rungs):
            fault = _fault_of(rung, place, rungs)
            if fault is not None:
                yield msgspec.structs.replace(fault, bill_kind=kind, rung=place)


def _fault_of(rung: Rung, place: int, rungs: Sequence[Rung]) -> PlanFault | None:
    """What is wrong with one rung; None when nothing is."""
    least = 1 if rung.when in _FROM_ONE else 0
    if rung.when in _COUNTED and not least <= rung.days <= DAYS_MAX:
        return PlanFault(code="days", field="days", low=least, high=DAYS_MAX)
    if rung.when == "issue" and (place or rung.days or rung.unless):
        return PlanFault(code="issue_alone", field="when")
    return _fault_of_kind(rung) or _fault_of_place(rung, place, rungs)


def _fault_of_kind(rung: Rung) -> PlanFault | None:
    if rung.when == "issue" and rung.channel == "paper":
        return PlanFault(code="issue_by_paper", field="channel")
    if rung.kind != "transactional" and rung.when == "issue":
        return PlanFault(code="first_advertises", field="kind")
    if rung.kind != "transactional" and rung.channel == "paper":
        return PlanFault(code="paper_advertises", field="kind")
    return None


def _fault_of_place(rung: Rung, place: int, rungs: Sequence[Rung]) -> PlanFault | None:
    if rung in rungs[:place]:
        return PlanFault(code="twice", field="when")
    return None
