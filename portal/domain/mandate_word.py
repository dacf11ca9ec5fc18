"""A bank's word about a mandate that a payer gives at its page: what it says, what follows. Pure.

The word comes from the bank into the vault past everybody else: it names the account. What a
merchant's file can't hold is refused here, so that no file fails of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from portal.domain.bank import Banks
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.mandate import MandateDetails, MandateEvent, MandateState, read_details

WORD_BYTES_MAX: Final = 4_096
ON_THE_WAY: Final[frozenset[MandateState]] = frozenset({"draft", "redirected", "pending_bank"})
"""States in which the bank is asked."""

NOT_FOUND_AFTER: Final = timedelta(minutes=15)
"""Only past this after the opening does a bank's "I don't know it" count, and only a second time:
banks may be slow to know what they took."""

NOT_FOUND_AGAIN: Final = timedelta(minutes=1)
"""So much later the second time has to be: whoever asks twice at once asks one and the same fault
in front of the bank twice."""

TIME_LIMITS: Final[Mapping[str, timedelta]] = MappingProxyType({"sandbox_bank": timedelta(days=14)})
"""Line to a bank → how long after its opening a registration can still come to something there.
What the bank calls open or pending past that has run out; the bank's own document says how long."""

TIME_LIMIT: Final = timedelta(days=60)
"""The same for a line of which nobody has said."""

_ASK_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 3_600.0)
_PENDING_ASK_S: Final = (60.0, 3_600.0, 6 * 3_600.0)

Asked = Literal["told", "not_found", "unknown"]
"""What a caller says came of asking: the bank's word, or that it knows nothing, is in the vault;
or nobody can say. Only what the relay has put there counts: of this nothing follows but that the
bank is asked again."""

WordStatus = Literal["open", "pending", "confirmed", "refused", "left", "expired"]
_REASONS: Final[dict[str, str]] = {
    "name": "name_differs",
    "seal": "seal_differs",
    "no_account": "no_account",
    "payer": "payer_refused",
}
"""A bank's reason → ours; any other is ``bank_other``."""


class WordAccount(msgspec.Struct, frozen=True):
    """The account as the bank has it; ``kind`` as in bank files, ``name`` in kana."""

    bank: str
    branch: str
    kind: str
    number: str
    name: str


class BankWord(msgspec.Struct, frozen=True):
    """How a registration stands at the bank. ``account`` comes with ``confirmed``."""

    reference: str
    status: WordStatus
    reason: str = ""
    account: WordAccount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a word does: ``event`` moves the mandate, ``details`` replace what was known of it.

    Units: ``ask_in_s`` seconds until the bank is asked again; None: no more.
    """

    event: MandateEvent | None = None
    code: str | None = None
    details: MandateDetails | None = None
    ask_in_s: float | None = None


def read_word(raw: bytes) -> BankWord | None:
    """What a bank's answer says; None for one that says nothing."""
    try:
        return msgspec.json.decode(raw[:WORD_BYTES_MAX], type=BankWord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def has_run_out(provider: str, doubt: timedelta) -> bool:
    """Whether a registration that was opened so long ago can come to nothing any more."""
    return doubt > TIME_LIMITS.get(provider, TIME_LIMIT)


def judge(  # each is a fact that a word is judged by
    word: BankWord,
    state: MandateState,
    begun: MandateDetails,
    banks: Banks,
    asked: int,
    *,
    is_late: bool = False,
) -> Verdict:
    """What a bank's word means for a mandate in ``state`` that was begun with these details.

    An account at another bank than the payer chose is not taken, nor one whose name a file can't
    hold; both end the mandate with their reason. ``is_late``: the bank's time limit has passed, so
    that what it still calls open or pending has expired.
    """
    if state not in ON_THE_WAY:
        return Verdict()
    if is_late and word.status in {"open", "pending"}:
        word = BankWord(word.reference, "expired")
    match word.status:
        case "open":
            return Verdict(ask_in_s=_pause(_ASK_S, asked))
        case "pending":
            is_new = state != "pending_bank"
            return Verdict(
                event="hand_in" if is_new else None,
                ask_in_s=_pause(_PENDING_ASK_S, 0 if is_new else asked),
            )
        case "refused":
            return Verdict(event="reject", code=_REASONS.get(word.reason, "bank_other"))
        case "left" | "expired":
            # What had been handed in was not left: the bank did not go through with it.
            event: MandateEvent = "reject" if state == "pending_bank" else "abandon"
            return Verdict(event=event, code=f"mandate_{word.status}")
        case "confirmed":
            return _confirmed(word.account, begun, banks)


def _confirmed(account: WordAccount | None, begun: MandateDetails, banks: Banks) -> Verdict:
    if account is None:
        return Verdict(event="reject", code="bank_other")
    if account.bank != begun.account.bank_code:
        return Verdict(event="reject", code="account_elsewhere")
    try:
        details = read_details(
            banks,
            customer_no=begun.customer_no,
            bank_code=account.bank,
            branch_code=account.branch,
            account_kind=account.kind,
            account_number=account.number,
            payer_name=account.name,
        )
    except NotFound:
        return Verdict(event="reject", code="account_elsewhere")
    except InvalidInput as fault:
        named = fault.code in {"kana_unwritable", "kana_length"}
        return Verdict(event="reject", code="mandate_name" if named else "no_account")
    return Verdict(event="activate", details=details)


def missing(
    missing_at: datetime | None, doubt_at: datetime, now: datetime, asked: int
) -> tuple[datetime | None, Verdict]:
    """What "I don't know it" means: nothing at first, the end when it is said again later.

    Returns since when it has been missing, and the verdict.
    """
    if now - doubt_at < NOT_FOUND_AFTER:
        return None, Verdict(ask_in_s=_pause(_ASK_S, asked))
    if missing_at is not None and now - missing_at >= NOT_FOUND_AGAIN:
        return missing_at, Verdict(event="abandon", code="mandate_lost")
    return missing_at or now, Verdict(ask_in_s=_pause(_ASK_S, max(asked, 1)))


def ask_again_s(asked: int) -> float:
    """Seconds until a bank that gave no answer is asked again."""
    return _pause(_ASK_S, asked)


def _pause(steps: tuple[float, ...], asked: int) -> float:
    return steps[min(asked, len(steps) - 1)]
