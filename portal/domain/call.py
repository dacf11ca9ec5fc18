"""A call by which a payer is told of a bill: its menu as a table, and what became of it. Pure.

Who picks up hears whose automatic call it is, and nothing of the bill. Who then types the last
digits of the customer number hears month, sum and due date, and can have the link sent by text
message. A call is a row of numbered prompts: a key belongs to the prompt that it answers, so a
repeated, late or forged answer to another one changes nothing.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from portal.domain.message import DeliveryEvent

Stage = Literal["greeting", "identity", "menu", "ended"]
Saying = Literal[
    "greeting", "identity", "wrong", "facts", "link_sent", "link_not", "contact", "unheard",
    "stopped", "barred", "goodbye", "over", "machine",
]  # fmt: skip
Effect = Literal["", "send_link", "stop"]
"""What a key asks for beside the next words: the link by text message; no more calls."""
CallStatus = Literal["ringing", "busy", "no_answer", "failed", "number_wrong", "canceled", "over"]
"""What a company tells of a call. ``over``: it was answered and is over, however it went."""
Outcome = Literal[
    "told", "stopped", "unproven", "unheard", "machine", "busy", "no_answer", "failed",
    "number_wrong", "canceled",
]  # fmt: skip

KEY_DIGITS: Final = 4
"""How many digits of the customer number prove who is there."""
WRONG_MAX: Final = 3
"""Wrong proofs in one call; after the last one nothing of the bill can be heard in it."""
WRONG_PER_BILL_MAX: Final = 6
"""Wrong proofs over all calls about a bill: then no call asks for a proof any more."""
SILENT_MAX: Final = 2
"""Prompts in a row to which nobody pressed anything."""
STEPS_MAX: Final = 20
"""Prompts in one call, whatever is pressed."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a key leads: the stage from then on, what is said there, what happens beside it."""

    stage: Stage
    saying: Saying
    effect: Effect = ""


MENU: Final[Mapping[tuple[Stage, str], Step]] = MappingProxyType(
    {
        ("greeting", "1"): Step("identity", "identity"),
        ("greeting", "3"): Step("greeting", "contact"),
        ("greeting", "9"): Step("ended", "stopped", "stop"),
        ("menu", "1"): Step("menu", "link_sent", "send_link"),
        ("menu", "2"): Step("menu", "facts"),
        ("menu", "3"): Step("menu", "contact"),
        ("menu", "9"): Step("ended", "stopped", "stop"),
    }
)
"""Stage and key → where it leads. Any other key says the same again."""

HOME: Final[Mapping[Stage, Saying]] = MappingProxyType(
    {"greeting": "greeting", "identity": "identity", "menu": "facts", "ended": "goodbye"}
)
"""What a stage says when there is nothing special to say."""

DIGITS: Final[Mapping[Stage, int]] = MappingProxyType(
    {"greeting": 1, "identity": KEY_DIGITS, "menu": 1, "ended": 0}
)
"""How many keys a stage waits for; 0 hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as far as it has come.

    ``step`` numbers the prompt that is being said; ``wrong`` counts wrong proofs, ``silent``
    prompts in a row without a key. ``has_pressed``: somebody is there. ``is_told``: the facts were
    said. ``is_link_asked``: the link by text message was asked for, once and for all.
    """

    stage: Stage = "greeting"
    saying: Saying = "greeting"
    step: int = 0
    wrong: int = 0
    silent: int = 0
    has_pressed: bool = False
    is_told: bool = False
    is_link_asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the bill's side says to a call. ``key``: the digits that prove the payer, or none.

    ``wrong_before``: wrong proofs in earlier calls about the bill. ``can_link``: a text message
    reaches the number, and may be sent now.
    """

    key: str
    wrong_before: int
    can_link: bool


def proof_of(customer_no: str) -> str:
    """The last digits of a customer number; none when it has too few to prove anything."""
    plain = unicodedata.normalize("NFKC", customer_no)
    digits = "".join(sign for sign in plain if sign.isascii() and sign.isdigit())
    return digits[-KEY_DIGITS:] if len(digits) >= KEY_DIGITS else ""


def begin(*, is_machine: bool) -> Call:
    """A call that was just picked up, by somebody or by a machine."""
    return Call(stage="ended", saying="machine") if is_machine else Call()


def close(call: Call) -> Call:
    """The bill was paid or withdrawn meanwhile: there is nothing to say any more."""
    return replace(call, stage="ended", saying="over", step=call.step + 1)


def answer(call: Call, keys: str, known: Known) -> tuple[Call, Effect]:
    """The call after the keys that answered its prompt; ``keys`` empty: nobody pressed one."""
    if call.stage == "ended":
        return call, ""
    going = replace(call, step=call.step + 1, has_pressed=call.has_pressed or bool(keys))
    if going.step >= STEPS_MAX and not _stops(call, keys):
        return _at(going, "ended", "goodbye"), ""
    if not keys:
        return _unanswered(going), ""
    return _pressed(replace(going, silent=0), keys, known)


def _stops(call: Call, keys: str) -> bool:
    """Whether these keys say that no more calls are wanted: that ends one too, and is obeyed."""
    step = MENU.get((call.stage, keys))
    return step is not None and step.effect == "stop"


def _pressed(going: Call, keys: str, known: Known) -> tuple[Call, Effect]:
    if going.stage == "identity":
        return _prove(going, keys, known), ""
    step = MENU.get((going.stage, keys), Step(going.stage, HOME[going.stage]))
    if step.effect == "send_link":
        return _send_link(going, step, known)
    if step.stage == "identity" and _is_barred(known):
        return _at(going, "ended", "barred"), ""
    return _at(going, step.stage, step.saying), step.effect


def _is_barred(known: Known) -> bool:
    return not known.key or known.wrong_before >= WRONG_PER_BILL_MAX


def _at(call: Call, stage: Stage, saying: Saying) -> Call:
    return replace(call, stage=stage, saying=saying)


def _unanswered(call: Call) -> Call:
    silent = call.silent + 1
    if silent >= SILENT_MAX:
        return replace(call, stage="ended", saying="unheard", silent=silent)
    return replace(call, saying=HOME[call.stage], silent=silent)


def _prove(call: Call, keys: str, known: Known) -> Call:
    if not _is_barred(known) and keys == known.key:
        return replace(call, stage="menu", saying="facts", is_told=True)
    wrong = call.wrong + 1
    is_over = wrong >= WRONG_MAX or wrong + known.wrong_before >= WRONG_PER_BILL_MAX
    over = ("ended", "barred") if is_over else ("identity", "wrong")
    return replace(call, stage=over[0], saying=over[1], wrong=wrong)


def _send_link(call: Call, step: Step, known: Known) -> tuple[Call, Effect]:
    """Once in a call; pressed again it says that it is on its way."""
    if call.is_link_asked:
        return _at(call, step.stage, "link_sent"), ""
    if not known.can_link:
        return _at(call, step.stage, "link_not"), ""
    return replace(call, stage=step.stage, saying="link_sent", is_link_asked=True), step.effect


def outcome_of(call: Call | None, status: CallStatus) -> Outcome | None:
    """What became of a call that a company says this of; None while it goes on.

    ``call`` None: it was never picked up, as far as we know.
    """
    if status == "ringing":
        return None
    if status != "over":
        return status
    return "unheard" if call is None else _how_it_went(call)


def _how_it_went(call: Call) -> Outcome:
    if call.saying == "machine":
        return "machine"
    if call.is_told:
        return "told"
    if call.saying == "stopped":
        return "stopped"
    return "unproven" if call.has_pressed else "unheard"


EVENTS: Final[Mapping[Outcome, DeliveryEvent]] = MappingProxyType(
    {
        "told": "receipt_delivered",
        "stopped": "receipt_delivered",
        "unproven": "receipt_undelivered",
        "unheard": "receipt_undelivered",
        "machine": "receipt_undelivered",
        "busy": "receipt_undelivered",
        "no_answer": "receipt_undelivered",
        "failed": "receipt_undelivered",
        "number_wrong": "receipt_failed",
        "canceled": "receipt_failed",
    }
)
"""What became of a call → what it is for its delivery. Who only hung up was not told."""

PREFIX: Final = "call_"
"""Before an outcome as the code of a delivery."""

_HOUR: Final = timedelta(hours=1)
AGAIN: Final[Mapping[str, tuple[timedelta, ...]]] = MappingProxyType(
    {
        f"{PREFIX}busy": (timedelta(minutes=20), 3 * _HOUR, 26 * _HOUR),
        f"{PREFIX}no_answer": (3 * _HOUR, 26 * _HOUR),
        f"{PREFIX}unheard": (26 * _HOUR,),
        f"{PREFIX}machine": (5 * _HOUR, 26 * _HOUR),
        f"{PREFIX}failed": (3 * _HOUR, 26 * _HOUR),
    }
)
"""Outcome of a rung's last call → how long after its first, second, … call the next one comes.

No gap is a whole day: who never is there at one hour may be at another. After the last the rung is
over and the next one takes its place.
"""


def again_at(code: str, calls: int, last: datetime) -> datetime | None:
    """When a rung is called again whose ``calls``-th call began at ``last`` and ended so.

    None: not any more. ``code`` is its delivery's.
    """
    gaps = AGAIN.get(code, ())
    return last + gaps[calls - 1] if 0 < calls <= len(gaps) else None
