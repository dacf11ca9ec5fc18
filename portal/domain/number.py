"""Paying by a number at a convenience store (コンビニ払い): for whom, by whom, how long. Pure.

A company makes the number and the store's terminal shows its clerk who pays, so a bill without the
reading of the payer's name or without a telephone can't be paid so. Stores: portal.domain.konbini.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from portal.domain.bill import WITHDRAWN, Lifecycle, Settlement
from portal.domain.konbini import STORES

METHOD: Final = "number"

COUNTERS: Final = frozenset({"gmopg", "sandbox_counter", "smbc_gp"})
"""Companies that make numbers: what a merchant may name as one."""

DAYS: Final = 10
"""A number is asked for so many days; its company may say less."""

GRACE: Final = timedelta(days=1)
"""After a number's last moment its company may still be closing its books."""

WITHDRAW_AGAIN: Final = timedelta(minutes=10)
"""A number that should be withdrawn and still stands is withdrawn again after this."""

AT_ONCE: Final = 10
"""So many unwanted numbers are asked about at once, whatever is planned; more are spread out."""

ASKED_PER_S: Final = 5.0
"""How many of a merchant's unwanted numbers a company hears of in a second, when many are.

Two requests each, beside those of payers; no company says how many it takes. Units: 1/s."""

PAYER_UNFIT: Final = "payer_unfit"
"""Why a bill's payer is offered no number: name, reading or telephone is not what a store shows."""

_CHARSET: Final = "cp932"
_NAME_BYTES_MAX: Final = 40
_CONTACT_BYTES_MAX: Final = 42
_KANA: Final = re.compile(r"[ァ-ヶー・\u3000]+")
_MOBILE: Final = re.compile(r"\+81[1-9][0-9]{8,11}", re.ASCII)
_CONTACT_PHONE: Final = re.compile(r"0[0-9]{1,3}-?[0-9]{1,4}-?[0-9]{3,4}", re.ASCII)
_HOURS: Final = re.compile(r"[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9A-Za-z-]{1,13}", re.ASCII)


def is_unwanted(lifecycle: Lifecycle, settlement: Settlement) -> bool:
    """Whether nobody should pay a bill by a number that they hold: it is asked for no more.

    One that only lapsed is still owed, and a number that its payer holds is how it may come.
    """
    return lifecycle in WITHDRAWN or settlement != "unpaid"


def ask_unwanted_in_s(planned_s: float | None) -> float | None:
    """When to ask again about a number that should be withdrawn and still stands. Units: seconds.

    ``planned_s``: when one that counts would be asked about. This takes its place and is not added
    to it: each question plans one more, so two of them would go on side by side. None is an end of
    asking, and a person's work by then.
    """
    return None if planned_s is None else min(planned_s, WITHDRAW_AGAIN.total_seconds())


def spread(free_at: datetime, now: datetime, count: int) -> tuple[list[float], datetime]:
    """When to ask about many unwanted numbers: how long each waits, and when the next one may be.

    ``free_at``: when those that were planned before are asked about. Units: seconds.
    """
    begins_in_s = max(0.0, (free_at - now).total_seconds())
    waits = [begins_in_s + place / ASKED_PER_S for place in range(count)]
    return waits, now + timedelta(seconds=begins_in_s + count / ASKED_PER_S)


def is_payer_fit(name: str, kana: str, phone: str) -> bool:
    """Whether a store's terminal can show this payer. ``phone`` is E.164 or ''.

    Source: lengths and charset of ExecTranCvs as public clients of GMO-PG have them.
    """
    return (
        _fits(name, _NAME_BYTES_MAX)
        and _fits(kana, _NAME_BYTES_MAX)
        and _KANA.fullmatch(kana) is not None
        and _MOBILE.fullmatch(phone) is not None
    )


def is_contact_fit(name: str, phone: str, hours: str) -> bool:
    """Whether a merchant's name, telephone and hours can be printed on a store's receipt."""
    return (
        _fits(name, _CONTACT_BYTES_MAX)
        and _CONTACT_PHONE.fullmatch(phone) is not None
        and _HOURS.fullmatch(hours) is not None
    )


def national(phone: str) -> str:
    """``09012345678`` for ``+819012345678``: as a store's terminal has telephones."""
    return "0" + phone.removeprefix("+81")


def is_number(store: str, receipt_no: str, confirmation_no: str) -> bool:
    """Whether that is a number of a store, and short enough to be no payment card's.

    Cards in use have 14 digits or more; a store's number of 13 passes the check digit of cards one
    time in ten by chance, so that is not asked. Source: ISO/IEC 7812-1.
    """
    return (
        store in STORES
        and _NUMBER.fullmatch(receipt_no) is not None
        and (not confirmation_no or _NUMBER.fullmatch(confirmation_no) is not None)
    )


def _fits(text: str, bytes_max: int) -> bool:
    try:
        return 0 < len(text.strip().encode(_CHARSET)) <= bytes_max
    except UnicodeEncodeError:
        return False
