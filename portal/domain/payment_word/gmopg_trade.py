"""One order of the protocol type: what it is, how old, and what its page or charge is named. Pure.

Source: recordings of SearchTrade, AlterTran and ChangeTran, t-k/gmo-payment-ruby (MIT).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from portal.domain.payment import Found
from portal.domain.reference import made_at_s
from portal.domain.refund_word.gmopg import read_order

PAGE_LIFE: Final = timedelta(hours=23)
"""A page that nobody has paid on for so long is taken for given up, an hour before it would be a
person's work; the company's own limit is a setting there. Money that comes later is a late success.
"""

CHARGE_LIFE: Final = timedelta(hours=1)
"""An order that was registered for a charge and not taken up for so long is not any more: between
the two calls there is one answer, and nobody has what a later one would take."""

_PAGE_MARK: Final = "page-"
_KEEP_MARK: Final = "keep-"
"""Of a page whose payer leaves the card."""

_CHARGE_MARK: Final = "charge-"
_BANK_MARK: Final = "bank-"
"""Of a payment by a kept card whose payer was led to their bank."""

_ORDER_MARK: Final = "order-"
"""Of a charge that ended before its card was named: nobody can have it paid any more."""
_MOMENT: Final = "%Y%m%d%H%M%S"
JAPAN: Final = ZoneInfo("Asia/Tokyo")
_MASKED: Final = re.compile(r"\*{4,}([0-9]{4})")
_APPROVAL: Final = re.compile(r"[0-9A-Za-z]{1,16}")

FOUND: Final[dict[str, Found]] = {
    "UNPROCESSED": "requires_action",
    "AUTHENTICATED": "requires_action",
    "AUTHPROCESS": "requires_action",
    # We always ask for CAPTURE: the set-up says otherwise, and no money came.
    "AUTH": "pending",
    "SAUTH": "pending",
    "CAPTURE": "succeeded",
    "SALES": "succeeded",
    # Money that went back, or was never taken: none of it is here.
    "VOID": "failed",
    "RETURN": "failed",
    "RETURNX": "failed",
    "CANCEL": "failed",
}

AUTHENTICATED: Final = "AUTHENTICATED"
WAITING: Final = frozenset({"UNPROCESSED", AUTHENTICATED, "AUTHPROCESS"})


@dataclass(frozen=True, slots=True)
class Trade:
    """One card payment as the company has it. ``access_pass`` acts on this order alone.

    Units: yen.
    """

    status: str
    amount_minor: int
    access_id: str
    access_pass: str
    processed_at: datetime | None
    provider_ref: str
    approval_no: str
    instrument_hint: str
    authentication: str


def read_trade(pairs: Mapping[str, str], reference: str) -> Trade | None:
    """The order of exactly this reference, in yen; None for anything else, a cut body too."""
    order = read_order(pairs, reference)
    if order is None:
        return None
    masked = _MASKED.fullmatch(pairs.get("CardNo", ""))
    approval = pairs.get("Approve", "").strip()
    result = pairs.get("Tds2TransResult", "")
    return Trade(
        status=order.status,
        amount_minor=order.amount_minor,
        access_id=order.access_id,
        access_pass=order.access_pass,
        processed_at=read_moment(pairs.get("ProcessDate", "")),
        provider_ref=order.provider_ref,
        approval_no=approval if _APPROVAL.fullmatch(approval) else "",
        instrument_hint=masked[1] if masked else "",
        authentication=result if result in {"Y", "A", "N", "U", "R", "I", "C"} else "",
    )


def name_page(made: datetime | None, *, keeps_card: bool = False) -> str:
    """The page that was made then, named by when: an inquiry has nothing else of it to go by.

    Empty where nobody knows when.
    """
    mark = _KEEP_MARK if keeps_card else _PAGE_MARK
    return "" if made is None else f"{mark}{made.astimezone(JAPAN):{_MOMENT}}"


def name_charge(reference: str, *, is_sent: bool) -> str:
    """A charge, named by when its attempt was made; ``is_sent``: its card may have been named."""
    made = datetime.fromtimestamp(made_at_s(reference), JAPAN)
    return f"{_CHARGE_MARK if is_sent else _ORDER_MARK}{made:{_MOMENT}}"


def name_at_bank(reference: str) -> str:
    """A payment whose payer is at their bank, named by when its attempt was made."""
    made = datetime.fromtimestamp(made_at_s(reference), JAPAN)
    return f"{_BANK_MARK}{made:{_MOMENT}}"


def is_at_bank(provider_ref: str, now: datetime | None) -> bool | None:
    """Whether the payer of that payment may still be at their bank; None for anything else.

    Where nobody knows when it is, they may.
    """
    mark, _, text = provider_ref.rpartition("-")
    made = read_moment(text)
    if f"{mark}-" != _BANK_MARK or made is None:
        return None
    return now is None or now - made < CHARGE_LIFE


def is_charge_unsent(provider_ref: str) -> bool:
    """Whether that charge ended before its card was named."""
    return provider_ref.startswith(_ORDER_MARK)


def keeps_card(provider_ref: str) -> bool:
    """Whether the payer of that page leaves the card."""
    return provider_ref.startswith(_KEEP_MARK)


def age_of_charge(provider_ref: str, now: datetime | None) -> timedelta | None:
    """How old a charge is whose card may have been named; None for anything else."""
    mark, _, text = provider_ref.rpartition("-")
    made = read_moment(text)
    if f"{mark}-" != _CHARGE_MARK or made is None:
        return None
    return timedelta(0) if now is None else now - made


def is_page_open(provider_ref: str, now: datetime | None) -> bool | None:
    """Whether the page of that name may still be used; None when no page is known of.

    Where nobody knows when it is, it is open.
    """
    mark, _, text = provider_ref.rpartition("-")
    made = read_moment(text)
    if made is None or f"{mark}-" not in {_PAGE_MARK, _KEEP_MARK}:
        return None
    return now is None or now - made < PAGE_LIFE


def is_stale(trade: Trade, now: datetime | None) -> bool:
    """Whether an order that is named by nothing else was left alone for longer than CHARGE_LIFE.

    A charge is, whose worker died; of a page it would be one that came without a date.
    """
    if now is None or trade.processed_at is None:
        return False
    return now - trade.processed_at >= CHARGE_LIFE


def read_moment(text: str) -> datetime | None:
    """A moment as the company writes one: 14 digits, in Japan's time."""
    try:
        return datetime.strptime(text, _MOMENT).replace(tzinfo=JAPAN)
    except ValueError:
        return None
