"""Ladders: which message a payer gets next, moved on by workers, planned by the merchant."""

from datetime import datetime

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.ids import BillId
from portal.domain.ladder import ChoiceSource, Class
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


class StopReminders(Request, frozen=True, kw_only=True):
    """The payer wants no more reminders by this channel, or wants them again.

    It holds for the number or address of the bill, over all bills of the merchant. The first notice
    of a bill still comes. Refused: ``no_channel`` (the bill has no such contact).
    """

    channel: Channel
    is_wanted: bool = False


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
STOP_REMINDERS = Operation("stop_reminders", StopReminders, Choices)
SET_CONTACT_CHOICE = Operation("set_contact_choice", SetContactChoice, Choices)
