"""Ladders: which message a payer gets next, moved on by workers, planned by the merchant."""

from datetime import date, datetime

from portal.contract.envelope import Done, Nothing, Operation, Part, Reply, Request
from portal.domain.ids import BillId
from portal.domain.ladder import ChoiceSource, Class, HeldReason, SkipReason
from portal.domain.ladder_plan import PlanFault
from portal.domain.message import Channel


class AdvanceLadders(Request, frozen=True, kw_only=True):
    """Look at the next bills of the lease's merchant that are due to be looked at."""


class LaddersAdvanced(Reply, frozen=True, kw_only=True):
    """Bills looked at, messages planned, rungs skipped, bills held and ladders ended.

    ``remaining``: call again.
    """

    looked: int
    planned: int
    skipped: int
    held: int
    ended: int
    remaining: bool


class SetLadder(Request, frozen=True, kw_only=True):
    """A merchant's plan as JSON; see portal.domain.ladder. Holds for bills issued from now on.

    Quiet hours and caps hold at once, for every bill. Refused: ``ladder_plan`` (param ``field``),
    ``merchant_unknown``.
    """

    merchant_code: str
    plan: bytes


class LadderSet(Reply, frozen=True, kw_only=True):
    """The version that holds from now on; one that is the same as before makes no new one."""

    version: int


class LadderVersion(Part, frozen=True, kw_only=True):
    """One version of a plan. ``set_by``: ``staff:<id>``, or ``operator`` for the command line.

    ``plan`` is JSON; see portal.domain.ladder.
    """

    version: int
    plan: bytes
    set_by: str
    set_at: datetime


class LadderPlanShown(Reply, frozen=True, kw_only=True):
    """The plan by which bills are issued now, and the versions that were set, newest first, 20.

    ``version`` 0: the merchant has set none and ``plan`` is the one of everybody. ``roads``: by
    which channels the merchant can send; rungs of others are skipped. ``today``: its own day now.
    """

    version: int
    plan: bytes
    versions: tuple[LadderVersion, ...]
    roads: tuple[Channel, ...]
    today: date


class PreviewLadder(Request, frozen=True, kw_only=True):
    """Judge a plan, and see what a bill of that kind, issued now, would get by it.

    ``opens``: suppose that the payer looks at the bill with the first message. Nothing is stored.
    Refused: ``ladder_plan`` for what is no plan at all, ``due_on_wrong`` for a due date that is
    over or more than a year away.
    """

    plan: bytes
    kind: str
    due_on: date
    opens: bool = False


class RungForeseen(Part, frozen=True, kw_only=True):
    """What becomes of one rung, by its place; ``at`` is None for what only a failed debit begins.

    ``held``: what it would have waited for before it is sent.
    """

    rung: int
    at: datetime | None
    skipped: SkipReason | None
    held: HeldReason


class LadderPreviewed(Reply, frozen=True, kw_only=True):
    """What is wrong, or what would be sent, in its order; nothing is foreseen of a faulty plan."""

    faults: tuple[PlanFault, ...]
    foreseen: tuple[RungForeseen, ...]


class ChangeLadder(Request, frozen=True, kw_only=True):
    """An owner sets the plan; as SetLadder. ``seen``: the version that was looked at.

    The same plan as the one in force changes nothing, so a repeat is harmless. Refused:
    ``ladder_plan``; Conflict ``ladder_changed`` when another version was set meanwhile.
    """

    plan: bytes
    seen: int


class StopReminders(Request, frozen=True, kw_only=True):
    """The payer wants no more reminders by this channel, or wants them again.

    It holds for the number or address of the bill, over all bills of the merchant. The first notice
    of a bill still comes. Refused: ``no_channel`` (the bill has no such contact).
    """

    channel: Channel
    is_wanted: bool = False


class StopByMail(Request, frozen=True, kw_only=True):
    """The reader of a mail wants no more of its class by mail; ``token`` stood in that mail.

    It holds for the address that the mail went to, as StopReminders does. NotFound
    ``link_unknown`` for a token of nobody, and for one whose bill has another address now.
    """

    merchant_code: str
    token: str


class SetContactChoice(Request, frozen=True, kw_only=True):
    """What the payer of a bill said to staff; ``kind`` marketing needs a yes before any is sent.

    Refused: ``no_channel``, ``not_found``.
    """

    bill_id: BillId
    channel: Channel
    kind: Class = "transactional"
    is_wanted: bool
    source: ChoiceSource


class ChoiceShown(Part, frozen=True, kw_only=True):
    """What holds for a contact: since when, and where it was said."""

    channel: Channel
    kind: Class
    is_wanted: bool
    source: ChoiceSource
    at: datetime


class Choices(Reply, frozen=True, kw_only=True):
    """What the payer of the bill has said; what is missing was never asked."""

    choices: tuple[ChoiceShown, ...]


ADVANCE_LADDERS = Operation("advance_ladders", AdvanceLadders, LaddersAdvanced)
SET_LADDER = Operation("set_ladder", SetLadder, LadderSet)
VIEW_LADDER_PLAN = Operation("view_ladder_plan", Nothing, LadderPlanShown)
PREVIEW_LADDER = Operation("preview_ladder", PreviewLadder, LadderPreviewed)
CHANGE_LADDER = Operation("change_ladder", ChangeLadder, LadderSet)
STOP_REMINDERS = Operation("stop_reminders", StopReminders, Choices)
STOP_BY_MAIL = Operation("stop_by_mail", StopByMail, Done)
SET_CONTACT_CHOICE = Operation("set_contact_choice", SetContactChoice, Choices)
