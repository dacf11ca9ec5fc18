"""Data zone: an attempt and its company: what that is asked by, and what its word does here.

The word comes from the relay, which heard it (portal.vault.operations.payment_relay). It is read by
portal.domain.payment_word and judged by portal.domain.payment; portal.vault.finding books it. What
a company tells by a further question waits for that.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.finding import finding_of
from portal.contract.payment import Finding
from portal.domain.doubt import BACKOFF_S, SUBMIT_GRACE
from portal.domain.errors import InvalidInput
from portal.domain.payment_word.word import PaymentFinding, PaymentKnown
from portal.vault.act import Act
from portal.vault.attempt import Attempt, LockedBill, plan_inquiry
from portal.vault.dispute import book_dispute
from portal.vault.finding import book_finding
from portal.vault.number import check_number
from portal.vault.texts import check_tokens
from portal.vault.unwanted import ask_about_numbers

_TEXTS: Final = (
    "provider_ref", "approval_no", "instrument_hint", "authentication", "decline_code",
    "saved_token", "saved_customer", "saved_brand",
)  # fmt: skip
_ASK: Final = "update attempt set ask_at = $3 where merchant_id = $1 and id = $2"
_IS_AWAITED: Final = """
select exists (select from card_on_file
               where merchant_id = $1 and attempt_id = $2 and state = 'awaited')
"""


def known_of(attempt: Attempt) -> PaymentKnown:
    """What its company's words are held to."""
    return PaymentKnown(
        reference=attempt.reference,
        provider_ref=attempt.provider_ref,
        amount_minor=attempt.amount_minor,
        is_paid=attempt.state == "succeeded",
    )


def is_overtaken(attempt: Attempt, word: PaymentFinding, asked_at: datetime) -> bool:
    """Whether its company has said something since that it was asked later.

    That it was paid is believed whenever it comes. So is, while it is open, why its last step was
    refused: who searched meanwhile was told that the order waits.
    """
    is_news = word.state == "succeeded" and attempt.state != "succeeded"
    is_news |= word.is_of_last_step and attempt.is_live
    return attempt.heard_at is not None and asked_at < attempt.heard_at and not is_news


async def book_word(
    act: Act,
    bills: Mapping[UUID, LockedBill],
    attempt: Attempt,
    word: PaymentFinding,
    finding: Finding,
    asked_at: datetime,
) -> None:
    """Do what its company's word of ``asked_at`` means, all in this transaction.

    ``finding`` is that word as it may be stored. ``bills`` are all that the attempt pays, locked,
    and ``attempt`` was read under these locks.
    """
    is_paid = attempt.state == "succeeded"
    is_ours = finding.amount_minor == attempt.amount_minor
    if word.disputes_follow and is_paid and is_ours:
        # How it is contested is another question's to tell; until that is answered nothing is.
        finding = msgspec.structs.replace(finding, state="unclear")
    awaits_card = word.card_follows and await act.db.fetchval(
        _IS_AWAITED, act.merchant_id, attempt.id
    )
    if awaits_card:
        # By its page's name whoever asks next knows that the card is still to be kept.
        finding = msgspec.structs.replace(finding, provider_ref="")
    if finding.saved_token and not finding.instrument_hint:
        finding = msgspec.structs.replace(finding, instrument_hint=attempt.instrument.hint)
    stored = await book_finding(act, bills, attempt, finding, asked_at)
    if stored.state != "succeeded":
        return
    if not is_paid and not attempt.is_live:
        # It came late: somebody may hold a number for the same bill by now.
        await ask_about_numbers(act, bills)
    if finding.dispute is not None or (is_paid and finding.state != "unclear"):
        await book_dispute(act, stored, finding.dispute)
    elif not is_paid and (word.disputes_follow or awaits_card):
        wait_s = BACKOFF_S[0] if word.disputes_follow else SUBMIT_GRACE.total_seconds()
        ask_at = await plan_inquiry(act, stored, wait_s)
        await act.db.execute(_ASK, act.merchant_id, stored.id, ask_at)


def fit_finding(word: PaymentFinding) -> Finding:
    """A company's word as it may be stored: what it writes strangely is left out.

    Raises: InvalidInput where that is a number to pay by, or the name of a dispute.
    """
    finding = finding_of(word)
    check_number(finding.number)
    if finding.dispute is not None:
        check_tokens(dispute=finding.dispute.reference, reason=finding.dispute.reason)
    texts: dict[str, str] = {name: getattr(finding, name) for name in _TEXTS}
    unfit = {name: "" for name, text in texts.items() if not _is_fit(text)}
    if "saved_customer" in unfit:
        unfit["saved_token"] = ""  # by half a name no card can be charged
    return msgspec.structs.replace(finding, **unfit) if unfit else finding


def _is_fit(text: str) -> bool:
    try:
        check_tokens(text=text)
    except InvalidInput:
        return False
    return True
