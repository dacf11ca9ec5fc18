"""A payment by the card on file while its payer is there: the bank may ask them who they are. Pure.

The money moves by an ordinary attempt, so all that is true of one is true of it. What is different
is that nobody types a card: which card it is, how much and under which reference are the vault's to
say, and the relay's to send. At some companies the last step, after the bank has asked, is ours as
well; it is taken once, and only while the attempt may still bring its money.
"""

from datetime import timedelta
from typing import Final, Literal

CardPaymentState = Literal["begun", "redeemed", "returned", "secured"]
"""``redeemed``: the relay had the card, so the company may have it. ``returned``: the payer is back
from their bank, with what the company calls the order. ``secured``: the last step was taken."""

Secures = Literal["", "returned", "left"]
"""Whether the last step is to be taken now: the payer came back, or ``left`` and surely stays away.
"""

PAYS: Final = frozenset({"gmopg", "sandbox_card", "smbc_gp", "stripe"})
"""Companies at which a payer who is there can pay by the card that they keep."""

SECURED_BY_US: Final = frozenset({"gmopg", "smbc_gp"})
"""Of these the companies that take no money before we have asked for it once more, after the bank.

Source: SecureTran2 of GMO Payment Gateway, docs/decisions/0004."""

AWAY_AFTER: Final = timedelta(minutes=10)
"""Who is not back by then is not at their bank any more.

Source: EMV 3-D Secure 2.2 §5.5 (a challenge ends within ten minutes)."""

SECURED_WITHIN: Final = timedelta(minutes=50)
"""So long after it began the last step may be taken: well before an order that nobody has paid is
given up, so that nothing comes of it behind the back of who gave it up."""

LIFE: Final = timedelta(hours=1)
"""So long somebody may be at their bank's page, where no company says how long."""


TRIES_MAX: Final = 5
"""By the card on file, of one bill, within TRIES_WITHIN: whoever speaks for payers could else have
it charged again and again, and say each time that it was declined."""

TRIES_WITHIN: Final = timedelta(days=1)

ASK_SOON_S: Final = 10.0
"""A decline that web alone tells of is asked about after so long: by then the company shows it."""


def secures(provider: str, state: CardPaymentState | None, age: timedelta) -> Secures:
    """Whether the last step of a live attempt is to be taken now. ``age``: since it was made."""
    if provider not in SECURED_BY_US or age >= SECURED_WITHIN:
        return ""
    if state == "returned":
        return "returned"
    return "left" if state == "redeemed" and age >= AWAY_AFTER else ""


def may_begin_anew(provider: str, state: CardPaymentState | None) -> bool:
    """Whether a payer who has not finished at their bank may give the try up for another one.

    Only where no money moves without our last step, and before it was taken.
    """
    return provider in SECURED_BY_US and state in {"begun", "redeemed", "returned"}


def may_be_taken(*, is_led: bool, waited: timedelta) -> bool:
    """Whether a company that has the card may be charging it though it says that it waits.

    Some banks ask nobody, and then naming the card is all that it takes. So until the payer was
    led to their bank it counts only what the company said when nothing can be under way any more.
    ``waited``: from the beginning until it was asked what it said last.
    """
    return not is_led and waited < AWAY_AFTER


def is_at_company(state: CardPaymentState | None) -> bool:
    """Whether the company may have the card, whatever web or a worker says."""
    return state not in {None, "begun"}


def is_left_behind(provider: str, state: CardPaymentState | None, age: timedelta) -> bool:
    """Whether a payment that its company would leave open for good is to be closed there now."""
    return state is not None and provider not in SECURED_BY_US and age >= LIFE
