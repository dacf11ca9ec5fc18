"""How GMO Payment Gateway, and who speaks its protocol, tells of card payments. Pure.

An order is there only once its payer has used the page: what a missing one means goes by when the
page was made, which is the payment's name (``gmopg_trade``).

Source: recordings of SearchTrade and TradedCard, t-k/gmo-payment-ruby (MIT).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from portal.domain.payment_word.gmopg_decline import read_secured
from portal.domain.payment_word.gmopg_trade import (
    CHARGE_LIFE,
    FOUND,
    WAITING,
    Trade,
    age_of_charge,
    is_at_bank,
    is_charge_unsent,
    is_page_open,
    is_stale,
    keeps_card,
    read_trade,
)
from portal.domain.payment_word.word import UNREADABLE, PaymentFinding, PaymentKnown
from portal.domain.refund_word.gmopg_body import read_errors, read_pairs, weigh
from portal.domain.refund_word.word import Asked, Said

_SEARCH: Final = "/payment/SearchTrade.idPass"
_SEARCHED: Final = ("OrderID", "ShopID", "ShopPass")
_SECURE: Final = "/payment/SecureTran2.idPass"
_ORDERED: Final = [
    ("AccessID", "{{instrument:order}}"), ("AccessPass", "{{instrument:order_pass}}")
]  # fmt: skip
"""The order that the relay has from the vault, and fills in."""

_KEEP: Final = "/payment/TradedCard.idPass"
_KEPT: Final = "kept"
"""That a card was kept is all that is told: by what it is charged the vault knows."""


class GmoPgPayments:
    """See :class:`portal.domain.payment_word.word.PaymentReader`."""

    def __init__(self, provider: str) -> None:
        """``provider`` names the registration, and with it the credential."""
        self._pass = f"{{{{credential:{provider}}}}}"

    def read(
        self, asked: Asked, said: Said, known: PaymentKnown, at: datetime
    ) -> PaymentFinding | None:
        """The order is searched for by our reference; its card is kept by what the relay fills in.

        That answer tells of the card alone, of a payment that was found before. The last step after
        the payer's bank was asked tells why it was refused, and nothing else.
        """
        fields = parse_qsl(asked.body, keep_blank_values=True)
        told = dict(fields)
        if asked.path == _SECURE:
            is_ours = asked.method == "POST" and fields == _ORDERED and not asked.headers
            return read_secured(read_pairs(said)) if is_ours else None
        if asked.method != "POST" or asked.headers or told.get("ShopPass") != self._pass:
            return None
        if asked.path == _SEARCH:
            is_whole = sorted(name for name, _ in fields) == list(_SEARCHED)
            if not is_whole or told["OrderID"] != known.reference:
                return None
            return read_payment(said, known.reference, known.provider_ref, at)
        if asked.path != _KEEP or told.get("OrderID") != "{{instrument:reference}}":
            return None
        return _read_kept_of(known, read_kept(read_pairs(said)))


def _read_kept_of(known: PaymentKnown, token: str) -> PaymentFinding:
    """That a card was kept of a payment, which this does not make a paid one."""
    if not known.is_paid or not token:
        return UNREADABLE
    return PaymentFinding(state="succeeded", amount_minor=known.amount_minor, saved_token=token)


def read_kept(pairs: Mapping[str, str] | None) -> str:
    """What an answer says of a card that was to be kept; "" unless it surely was."""
    if pairs is None or read_errors(pairs):
        return ""
    return _KEPT if pairs.get("CardSeq", "").isdecimal() else ""


def read_payment(
    said: Said, reference: str, provider_ref: str, now: datetime | None
) -> PaymentFinding:
    """What became of the order. ``now``: when it was asked, None where nobody knows."""
    pairs = read_pairs(said)
    if pairs is None:
        return UNREADABLE
    is_open = is_page_open(provider_ref, now)
    trade = read_trade(pairs, reference)
    if trade is None:
        return _read_absence(pairs, provider_ref, now, is_open=is_open)
    if trade.status in WAITING:
        return _read_waiting(trade, provider_ref, now, is_open=is_open)
    state = FOUND.get(trade.status)
    if state is None:
        return UNREADABLE
    return PaymentFinding(
        state=state,
        amount_minor=trade.amount_minor if state == "succeeded" else 0,
        provider_ref=trade.provider_ref,
        decline_code="declined" if state == "failed" else "",
        approval_no=trade.approval_no,
        instrument_hint=trade.instrument_hint,
        authentication=trade.authentication,
        card_follows=state == "succeeded" and keeps_card(provider_ref),
    )


def _read_waiting(
    trade: Trade, provider_ref: str, now: datetime | None, *, is_open: bool | None
) -> PaymentFinding:
    """An order that nobody has paid: whoever could has time, or the order is given up.

    Where we know neither a page nor a charge of it, its own moment tells how old it is.
    """
    age = age_of_charge(provider_ref, now)
    if is_charge_unsent(provider_ref):
        return PaymentFinding(state="failed", decline_code="never_received")
    at_bank = is_at_bank(provider_ref, now)
    if at_bank is not None:
        is_open = at_bank
    if age is not None:
        is_late = age >= CHARGE_LIFE
        declined = PaymentFinding(state="failed", decline_code="declined")
        return declined if is_late else PaymentFinding(state="pending")
    if is_open is None:
        is_open = not is_stale(trade, now)
    return _on_its_page(is_open=is_open)


def _read_absence(
    pairs: Mapping[str, str], provider_ref: str, now: datetime | None, *, is_open: bool | None
) -> PaymentFinding:
    """No order in the answer: it is not there yet, was given up, was never begun, or who knows."""
    if weigh(read_errors(pairs)) != "not_there":
        return UNREADABLE
    if is_charge_unsent(provider_ref):
        return PaymentFinding(state="failed", decline_code="never_received")
    if is_open is None:
        # Of a charge whose order was registered this says nothing that could be believed.
        is_charge = age_of_charge(provider_ref, now) is not None
        is_charge |= is_at_bank(provider_ref, now) is not None
        return PaymentFinding(state="unclear" if is_charge else "not_found")
    return _on_its_page(is_open=is_open)


def _on_its_page(*, is_open: bool) -> PaymentFinding:
    if is_open:
        return PaymentFinding(state="requires_action")
    return PaymentFinding(state="failed", decline_code="expired")
