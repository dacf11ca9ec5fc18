"""Named places where a process may be made to die, so that a drill can prove what survives.

Zone-less. A crash point does nothing unless ``HARAI_CRASH_POINT`` names it; then the process ends
at once, without clean-up, as after a kill. ``HARAI_CRASH_OPERATION`` narrows a point that many
operations or kinds of task pass to one of them, ``HARAI_CRASH_SKIP`` lets the first hits pass. The
variables are read once, when the process starts; set outside a drill they only stop the process,
they can open nothing, and in production a zone refuses to start with them.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CRASH_POINTS: Final[dict[str, str]] = {
    "vault.before_commit": "an operation that dies before its commit leaves nothing behind",
    "vault.after_commit": "an operation that dies after its commit happened once, whatever the"
    " caller does next",
    "vault.before_upkeep": "housekeeping that dies before its commit is done by the next vault",
    "vault.after_upkeep": "housekeeping that dies after its commit is not done again",
    "caller.before_call": "a caller of the vault that dies before its call changed nothing",
    "caller.after_call": "a caller that dies with the vault's answer in hand finds what happened"
    " when it, or another, comes back",
    "worker.after_lease": "a leased task whose worker dies is leased again by another",
    "worker.before_send": "messages taken but not sent come back in a later slice",
    "worker.before_report": "messages sent but not reported are asked about, never sent twice",
    "worker.before_refund": "a refund that was begun and not sent is left to an inquiry; nobody"
    " sends it",
    "worker.after_refund": "a worker that dies with the answer to a refund in hand leaves it to an"
    " inquiry, and nobody sends it again",
    "worker.after_refund_inquiry": "a finding about a refund that was not booked is asked for"
    " again",
    "worker.before_fetch": "an answer that was not asked for is fetched by the next try",
    "worker.after_fetch": "an answer that lies in the vault unread is fetched again",
    "worker.before_handover": "a debit file that was begun and not sent is sent once, by"
    " another try",
    "worker.after_handover": "a worker that dies with a bank's answer in hand leaves it to a"
    " question, and nobody sends the file again",
    "worker.before_charge": "a charge of a card on file that was begun and not sent is left to an"
    " inquiry; nobody sends it",
    "worker.after_charge": "a worker that dies with the answer to a charge in hand leaves it to an"
    " inquiry, and nobody charges again",
    "worker.after_inquiry": "a finding that was not booked is asked for again",
    "web.before_submission": "an attempt that was never submitted is found out by inquiry",
    "web.after_submission": "an attempt submitted but not recorded is found out by inquiry",
    "web.after_inquiry": "a finding that the return page did not book is asked for again",
    "web.after_withdrawal": "a store's number that was withdrawn and not asked about is found out"
    " by inquiry",
    "worker.after_withdrawal": "a number that a worker withdrew and did not ask about is"
    " withdrawn and asked about again",
    "web.before_mandate": "a mandate that was never opened at its bank is found out by asking",
    "web.after_mandate": "a mandate opened and not recorded is found out by asking",
    "web.after_mandate_question": "what the return page did not record the bank is asked again",
    "worker.after_mandate_question": "what a worker did not record the bank is asked again",
    "web.after_store_part": "an upload whose parts were stored goes on after them",
    "web.before_finish_upload": "a file that arrived whole but was not finished is finished again",
    "web.before_notice": "a notice that was not stored was not acknowledged and comes again",
    "egress.after_redeem": "a delivery redeemed but not sent is ambiguous, not lost",
    "egress.after_send": "a request sent whose answer was lost is unclear, not repeated",
    "egress.after_deposit": "an answer that the vault has counts, though its asker heard nothing",
}
"""Name of a crash point → what its drill proves. A test walks all names."""

EXIT_CODE: Final = 137
"""What a killed process leaves: 128 + SIGKILL."""

_PRODUCTION: Final = re.compile(r"PORTAL_[A-Z]+_PRODUCTION")
_OFF: Final = frozenset({"", "0", "false", "f", "no", "n", "off"})


@dataclass(slots=True)
class _Armed:
    """What the environment asked for; ``passes`` hits are let by before the one that kills."""

    point: str
    operation: str | None
    passes: int


def _read(environ: Mapping[str, str]) -> _Armed | None:
    point = environ.get("HARAI_CRASH_POINT")
    if not point or is_production(environ):
        return None
    passes = int(environ.get("HARAI_CRASH_SKIP", "0"))
    return _Armed(point, environ.get("HARAI_CRASH_OPERATION"), passes)


def is_production(environ: Mapping[str, str]) -> bool:
    """Whether a zone's own variables say that this is production."""
    return any(
        _PRODUCTION.fullmatch(name) and value.strip().lower() not in _OFF
        for name, value in environ.items()
    )


def check_allowed(environ: Mapping[str, str]) -> None:
    """Raises ValueError where crash points are asked for in production: a zone must not start."""
    if environ.get("HARAI_CRASH_POINT") and is_production(environ):
        msg = "HARAI_CRASH_POINT is for drills alone; unset it in production"
        raise ValueError(msg)


_armed: Final = _read(os.environ)


def crash_point(name: str, operation: str | None = None) -> None:
    """Die here if the environment said so when the process started.

    Raises: KeyError for a name that is not in CRASH_POINTS, so that no point escapes the test.
    """
    if name not in CRASH_POINTS:
        raise KeyError(name)
    if _armed is None or _armed.point != name:
        return
    if _armed.operation is not None and operation is not None and _armed.operation != operation:
        return
    if _armed.passes:
        _armed.passes -= 1
        return
    os._exit(EXIT_CODE)
