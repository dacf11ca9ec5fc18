"""What errors of the protocol type say when a card is named: that it was declined, and why. Pure.

Source: error-codes.json of npm gmopg 6.0.0 (MIT).
"""

from collections.abc import Mapping
from typing import Final

from portal.domain.payment import DeclineCode
from portal.domain.payment_word.word import PaymentFinding
from portal.domain.refund_word.gmopg_body import REFUSALS, read_errors, weigh

_CARD_DECLINED: Final = "42G"
_WRONG_STATE: Final = "E11"
_DECLINES: Final[dict[str, DeclineCode]] = {
    "42G020000": "insufficient_funds",
    "42G040000": "insufficient_funds",
    "42G830000": "card_expired",
    # The member or the card under it is not there any more.
    "E01390002": "card_stopped",
    "E01240002": "card_stopped",
    # The shop or the card's company wants the payer there.
    "E01080101": "authentication_failed",
    "E21010001": "authentication_failed",
    "E21020001": "authentication_failed",
    "E21020002": "authentication_failed",
}
"""Of declines what is known by itself; any other ``42G`` is a card that was declined."""


def is_wrong_state(codes: tuple[str, ...]) -> bool:
    """Whether the order is not as a charge would find it: it may be paid, who knows by whom."""
    return any(code.startswith(_WRONG_STATE) for code in codes)


def decline_of(codes: tuple[str, ...]) -> DeclineCode | None:
    """Why nothing was taken; None where that is not what these errors say, or there are none."""
    refusal = REFUSALS.get(weigh(codes)) if codes else None
    if refusal is None:
        return None
    for code in codes:
        if code in _DECLINES:
            return _DECLINES[code]
        if code.startswith(_CARD_DECLINED):
            return "card_declined"
    return refusal


def read_secured(pairs: Mapping[str, str] | None) -> PaymentFinding | None:
    """What the last step of a payment with 3-D Secure was refused for.

    None for anything else: whether money was taken a search tells.
    """
    codes = read_errors(pairs) if pairs is not None else ()
    decline = None if is_wrong_state(codes) else decline_of(codes)
    if decline is None:
        return None
    return PaymentFinding(state="failed", decline_code=decline, is_of_last_step=True)
