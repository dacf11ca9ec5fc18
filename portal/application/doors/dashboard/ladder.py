"""The staff's screen of the plan of messages: what holds, a plan being written, what it would do.

Zone: application. The form works without script: each press of a button posts the whole plan, and
it comes back with what is wrong beside its field, or with what a bill would get by it. The address
can name an earlier version and the bill that is supposed. Judging is the vault's.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response

from portal.application.doors.answers import remember_choice, see_other
from portal.application.doors.context import RequestContext, staff_context
from portal.application.doors.dashboard.flash import Flash, leave_flash
from portal.application.doors.dashboard.screens import Screen, answer_screen
from portal.application.doors.forms import read_form, read_whole
from portal.application.doors.graphql.execute import Data, run_operation
from portal.application.doors.graphql.ladder_enums import (
    LadderChannel,
    LadderClass,
    LadderUnless,
    LadderWhen,
)
from portal.application.doors.locales import TEXTS
from portal.domain.errors import InvalidInput
from portal.domain.ladder import CLASSES_MAX, RUNGS_MAX
from portal.domain.period import BillKind

PATH: Final = "/d/ladder"
KINDS: Final = ("", *get_args(BillKind))
WHENS: Final = tuple(one.name for one in LadderWhen)
CHANNELS: Final = tuple(one.name for one in LadderChannel)
UNLESS: Final = tuple(one.name for one in LadderUnless)
CLASSES: Final = tuple(one.name for one in LadderClass)
HOURS: Final = {"quietFrom": "21:00", "quietUntil": "08:00", "perDay": "2", "perWeek": "5"}
BLANKS: Final = 2
DUE_DAYS: Final = 28
"""How far away the due date of a supposed bill is, unless another one is named."""

Form = Mapping[str, str]
Rung = dict[str, str]


async def show_ladder(request: Request) -> Response:
    """``GET /d/ladder``: the plan that holds, or an earlier ``?version=`` to go on from."""
    chosen = remember_choice(request)
    if chosen is not None:
        return chosen
    context = staff_context(request)
    data = await run_operation(context, "Ladder", {})
    plan = plan_shown(data["ladderPlan"], request.query_params.get("version", ""))
    return await _answer(request, context, data, draft_of(plan))


async def write_ladder(request: Request) -> Response:
    """``POST /d/ladder/write``: judge a plan and foretell what it does, or set it.

    Raises InvalidInput ``form_malformed``; NotAllowed ``form_foreign``, ``form_stale``.
    """
    context = staff_context(request)
    form = await read_form(request)
    context.check_form(request, form)
    draft = read_draft(form)
    if form.get("do") == "save":
        wanted = {"plan": plan_of(draft), "seen": read_whole(form.get("seen", "")) or 0}
        outcome = (await run_operation(context, "LadderPlanSet", {"input": wanted}))[
            "ladderPlanSet"
        ]
        if not outcome["errors"]:
            response = see_other(PATH)
            done = TEXTS[context.language].say("done.LadderPlanSet", n=outcome["version"])
            leave_flash(context, response, Flash(kind="done", text=done))
            return response
        trouble = outcome["errors"][0]
    else:
        trouble = None
    data = await run_operation(context.renewed(), "Ladder", {})
    # What its owner looked at stays what was looked at: a version set meanwhile is told of.
    seen = read_whole(form.get("seen", ""))
    return await _answer(request, context, data, draft, trouble=trouble, seen=seen)


async def _answer(
    request: Request,
    context: RequestContext,
    data: Data,
    draft: Data,
    *,
    trouble: Data | None = None,
    seen: int | None = None,
) -> Response:
    """The screen with the draft's faults, or what it would do to the supposed bill."""
    supposed = suppose(
        request.query_params if request.method == "GET" else draft["supposed"],
        data["ladderPlan"]["today"],
    )
    wanted = {
        "plan": plan_of(draft),
        "billKind": supposed["kind"],
        "dueOn": supposed["due_on"],
        "opens": bool(supposed["opens"]),
    }
    found: Data = {"faults": [], "foreseen": []}
    try:
        asked = await run_operation(context.renewed(), "LadderPreview", {"input": wanted})
        found = asked["ladderPreview"]
    except InvalidInput as fault:
        texts = TEXTS[context.language]
        known = {"code": fault.code, "message": texts.code(fault.code, fault.params)}
        trouble = known | {"path": [str(fault.params.get("field", ""))]}
    screen = ladder_screen(data, draft, found, supposed, trouble=trouble, seen=seen)
    return answer_screen(request, context, screen, data)


# From the form and the address, leniently: what is wrong is judged by the rules, not here


def read_draft(form: Form) -> Data:
    """The plan as a form says it; a kind that is ticked off and a row without a word are left out.

    Rows are ``r.<kind>.<row>.<field>``, kinds ``k.<kind>``, both counted from 0.
    """
    ladders: list[Data] = []
    for place in range(CLASSES_MAX):
        kind = form.get(f"k.{place}")
        if kind is None:
            break
        if not form.get(f"drop.{place}"):
            ladders.append({"billKind": kind, "rungs": _read_rungs(form, place)})
    added = form.get("add", "")
    known = {one["billKind"] for one in ladders}
    if form.get("do") == "add" and added in KINDS and added not in known:
        first: list[Rung] = ladders[0]["rungs"] if ladders else []
        ladders.append({"billKind": added, "rungs": [dict(rung) for rung in first]})
    hours: Data = {name: form.get(name, usual).strip() for name, usual in HOURS.items()}
    supposed = {"kind": form.get("kind", ""), "due_on": form.get("due_on", "")}
    return {
        "ladders": ladders,
        "hours": hours | {"rests": bool(form.get("rests"))},
        "supposed": supposed | {"opens": form.get("opens", "")},
    }


def _read_rungs(form: Form, place: int) -> list[Rung]:
    found: list[Rung] = []
    for row in range(RUNGS_MAX):
        given = {
            name: form.get(f"r.{place}.{row}.{name}", "").strip()
            for name in ("when", "days", "channel", "unless", "kind")
        }
        if given["when"] in WHENS:
            found.append({
                **given,
                "channel": _one_of(given["channel"], CHANNELS),
                "unless": _one_of(given["unless"], UNLESS),
                "kind": _one_of(given["kind"], CLASSES),
            })  # fmt: skip
    return found


def draft_of(plan: Data) -> Data:
    """A plan as GraphQL says it, as a form holds it."""
    return {
        "ladders": [
            {
                "billKind": one["billKind"],
                "rungs": [
                    {name: str(value) for name, value in rung.items()} for rung in one["rungs"]
                ],
            }
            for one in plan["ladders"]
        ],
        "hours": {name: plan["hours"][name] for name in (*HOURS, "rests")},
        "supposed": {},
    }


def plan_of(draft: Data) -> Data:
    """The draft as GraphQL takes it; what is no number becomes one that the rules refuse."""
    hours = draft["hours"]
    return {
        "ladders": [
            {
                "billKind": one["billKind"],
                "rungs": [
                    {**rung, "days": _whole(rung["days"] or "0", -1)} for rung in one["rungs"]
                ],
            }
            for one in draft["ladders"]
        ],
        "hours": hours | {name: _whole(str(hours[name]), 0) for name in ("perDay", "perWeek")},
    }


def plan_shown(known: Data, version: str) -> Data:
    """The plan of that version, or the one that holds."""
    wanted = read_whole(version)
    for one in known["versions"]:
        if one["version"] == wanted:
            plan: Data = one["plan"]
            return plan
    held: Data = known["plan"]
    return held


def suppose(given: Mapping[str, str], today: str) -> dict[str, str]:
    """The bill that is supposed: its kind, its due date, whether its payer looks at it."""
    due_on = given.get("due_on", "")
    try:
        due = date.fromisoformat(due_on)
    except ValueError:
        due = date.fromisoformat(today) + timedelta(days=DUE_DAYS)
    kind = given.get("kind", "")
    return {
        "kind": _one_of(kind, KINDS),
        "due_on": due.isoformat(),
        "opens": "1" if given.get("opens") else "",
    }


def _one_of(text: str, words: tuple[str, ...]) -> str:
    return text if text in words else words[0]


def _whole(text: str, otherwise: int) -> int:
    number = read_whole(text)
    return otherwise if number is None else min(number, 10**6)


# What the template is given


def ladder_screen(
    data: Data,
    draft: Data,
    found: Data,
    supposed: Mapping[str, str],
    *,
    trouble: Data | None = None,
    seen: int | None = None,
) -> Screen:
    """Values of the screen; ``found`` is what was judged, ``trouble`` why it was not set."""
    known = data["ladderPlan"]
    faults = {
        f"{one['billKind']}/{'' if one['rung'] is None else one['rung']}/{one['field']}": one
        for one in reversed(found["faults"])
    }
    kinds = {one["billKind"] for one in draft["ladders"]}
    kind = supposed["kind"] if supposed["kind"] in kinds else ""
    rungs: list[Rung] = []
    for one in draft["ladders"]:
        if one["billKind"] == kind:
            rungs = one["rungs"]
    return Screen(
        template="dashboard/ladder.html",
        here="templates",
        values={
            "plan": known,
            "draft": draft,
            "faults": faults,
            "foreseen": [one | {"message": rungs[one["rung"]]} for one in found["foreseen"]],
            "supposed": supposed,
            "trouble": trouble,
            "seen": known["version"] if seen is None else seen,
            "words": {
                "whens": WHENS, "channels": CHANNELS, "unless": UNLESS, "classes": CLASSES,
                "kinds": KINDS, "free": tuple(one for one in KINDS if one not in kinds),
            },
            "rows": tuple(
                range(min(len(one["rungs"]) + BLANKS, RUNGS_MAX)) for one in draft["ladders"]
            ),
        },
    )  # fmt: skip
