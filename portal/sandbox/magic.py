"""The published magic numbers: which telephone, address, card or sum makes the sandbox misbehave.

Everything else behaves well. Telephone numbers are from a block that no carrier has allocated
(090-0000-xxxx); card numbers are test numbers that no issuer has; amounts are in yen.
"""

from dataclasses import dataclass
from typing import Final, Literal

SmsFault = Literal["invalid", "undelivered", "busy_once", "down_once", "drop_after", "silent"]

SMS: Final[dict[str, SmsFault]] = {
    "+819000000404": "invalid",
    "+819000000001": "undelivered",
    "+819000000429": "busy_once",
    "+819000000503": "down_once",
    "+819000000999": "drop_after",
    "+819000000000": "silent",
}
"""Number → what happens: refused at once (422); accepted, then reported undelivered; 429 the first
time; 503 the first time; accepted, but the connection breaks before the answer; accepted and never
reported on (a carrier that swallows messages with links)."""

SWALLOWED: Final = "+819000007"
"""Numbers that begin so (090-0000-7xxx) are of a carrier that swallows messages with links, too."""


def sms_fault(number: str) -> SmsFault | None:
    """What happens to messages to a number; None: they arrive."""
    return "silent" if number.startswith(SWALLOWED) else SMS.get(number)


CallFault = Literal[
    "invalid", "busy_once", "drop_after", "busy", "no_answer", "no_number", "failed", "machine",
]  # fmt: skip

CALLS: Final[dict[str, CallFault]] = {
    "+819000000404": "invalid",
    "+819000000429": "busy_once",
    "+819000000999": "drop_after",
    "+819000000486": "busy",
    "+819000000408": "no_answer",
    "+819000000604": "no_number",
    "+819000000500": "failed",
    "+819000000777": "machine",
}
"""Number → what becomes of a call to it: refused at once (400); 429 the first time; taken and rung,
but the connection breaks before the answer; engaged; rung out; there is no such number; the line is
broken; a machine picks up. Every other number rings until somebody does something about it."""

TEL_REASONS: Final = ("30003", "30004", "30005", "30006", "30007", "30008")
"""The telephone company's reasons for text messages that do not arrive: 090-0003-0005 fails with
30005, and so on. 090-0002-1610 has opted out there."""

TEL_OPTED_OUT: Final = "+819000021610"

MailFault = Literal[
    "invalid", "bounces_hard", "bounces_soft", "complains", "busy_once", "down_once", "drop_after",
    "silent",
]  # fmt: skip

MAIL: Final[dict[str, MailFault]] = {
    "nobody": "invalid",
    "bounces-hard": "bounces_hard",
    "bounces-soft": "bounces_soft",
    "complains": "complains",
    "busy-once": "busy_once",
    "down-once": "down_once",
    "drops-answer": "drop_after",
    "swallowed": "silent",
}
"""What stands before the @, at any host → what happens: refused at once (422); accepted, then
reported as coming back for good or for now; delivered, then complained about; 429 the first time;
503 the first time; accepted, but the connection breaks before the answer; accepted and never
reported on."""

ChargeEnd = Literal[
    "succeeded", "insufficient_funds", "card_expired", "card_stopped", "authentication_failed",
]  # fmt: skip
CardEnd = Literal["succeeded", "card_declined", "insufficient_funds", "authentication_failed"]


@dataclass(frozen=True, slots=True)
class CardScript:
    """What a card number does: its true end, and how the payer and the portal learn of it.

    ``challenge`` asks the payer for a password page first. ``hidden_s`` is how long inquiries are
    answered with 504 after the payer pressed the button; the browser is never sent back then and no
    notice goes out. ``noisy`` sends each notice three times and an outdated one behind them.
    ``charged``: how later charges end, where the payer let the company keep the card;
    "authentication_failed" is a bank that wants its payer there, and then asks them.
    ``authentication``: what 3-D Secure came to where no password was asked for.
    """

    end: CardEnd
    challenge: bool = False
    hidden_s: float = 0.0
    noisy: bool = False
    charged: ChargeEnd = "succeeded"
    authentication: str = "Y"


CARDS: Final[dict[str, CardScript]] = {
    "4242424242424242": CardScript("succeeded"),
    "4000000000000002": CardScript("card_declined"),
    "4000000000009995": CardScript("insufficient_funds"),
    "4000002500003155": CardScript("succeeded", challenge=True),
    "4000000000000119": CardScript("succeeded", hidden_s=3.0),
    "4000000000000127": CardScript("card_declined", hidden_s=3.0),
    "4000000000000259": CardScript("succeeded", noisy=True),
    "4000000000000341": CardScript("succeeded", charged="insufficient_funds"),
    "4000000000000069": CardScript("succeeded", charged="card_expired"),
    "4000002760003184": CardScript("succeeded", challenge=True, charged="authentication_failed"),
    "4000000000003055": CardScript("succeeded", authentication="U"),
}

SessionFault = Literal["never_received", "answer_lost", "error", "busy", "busy_once"]

AMOUNTS: Final[dict[int, SessionFault]] = {
    40404: "never_received",
    40405: "answer_lost",
    40500: "error",
    40429: "busy",
    40430: "busy_once",
}
"""Amount → what opening a payment does: hangs and stores nothing; stores it, but the connection
breaks before the answer; 500 without storing; 429 without storing; 429 when a card on file is
charged under a reference for the first time, and nothing odd on a page."""

WalletEnd = Literal["CREATED", "COMPLETED", "FAILED", "EXPIRED"]


@dataclass(frozen=True, slots=True)
class WalletScript:
    """What a button of the wallet's page does: the payment's true end, and who learns of it how.

    Nobody ends a payment by turning back: CREATED stays as it was, and can be paid later.

    ``hidden_s`` and ``noisy`` as in CardScript; inquiries are answered with 500 meanwhile.
    """

    label: str
    end: WalletEnd
    hidden_s: float = 0.0
    noisy: bool = False


WALLET_BUTTONS: Final[dict[str, WalletScript]] = {
    "approve": WalletScript("支払う · Pay", "COMPLETED"),
    "cancel": WalletScript(
        "やめて戻る(期限まで支払えます) · Turn back (it can be paid until it runs out)", "CREATED"
    ),
    "decline": WalletScript("残高不足で断られる · Declined: not enough money", "FAILED"),
    "expire": WalletScript("時間切れにする · Let it expire", "EXPIRED"),
    "approve_slow": WalletScript(
        "応答なし(支払い済み) · Time-out, and it was paid", "COMPLETED", hidden_s=3.0
    ),
    "decline_slow": WalletScript(
        "応答なし(未払い) · Time-out, and it was not", "FAILED", hidden_s=3.0
    ),
    "approve_noisy": WalletScript(
        "通知が3回、順不同 · Paid; notices three times and out of order", "COMPLETED", noisy=True
    ),
}
"""Buttons of the wallet's page. The amounts above work at the wallet company, too."""

RefundFault = Literal["refused", "never_received", "answer_lost", "slow", "slow_failed"]

REFUNDS: Final[dict[int, RefundFault]] = {
    4022: "refused",
    4044: "never_received",
    4045: "answer_lost",
    4202: "slow",
    4203: "slow_failed",
}
"""Amount → what giving it back does: refused (422), nothing moves; hangs and stores nothing; moves
the money, but the connection breaks before the answer; taken on, and done with the first inquiry
after it; taken on, and failed with it."""

DebitEnd = Literal["0", "1", "2", "3", "4", "8", "9", "Z", ""]

DEBITS: Final[dict[str, DebitEnd]] = {
    "9990001": "1",
    "9990002": "2",
    "9990003": "3",
    "9990004": "4",
    "9990008": "8",
    "9990009": "9",
    "9990010": "Z",
    "9990011": "",
}
"""Account number → what the bank answers to its debit: no funds, no account, stopped by the payer,
no mandate, stopped by us, another reason, a letter that nobody knows; and one line that the result
leaves out. Every other account has the money (0)."""

TransferEnd = Literal["returned, no such account", "returned, another name"]

TRANSFERS: Final[dict[str, TransferEnd]] = {
    "9990601": "returned, no such account",
    "9990602": "returned, another name",
}
"""Account number → what the bank says of a transfer to it on its page; any other is transferred."""

MandateEnd = Literal["confirmed", "pending", "name", "seal", "no_account", "silent"]

MANDATES: Final[dict[str, MandateEnd]] = {
    "9990101": "name",
    "9990102": "pending",
    "9990103": "seal",
    "9990104": "no_account",
    "9990105": "silent",
}
"""Account number on the bank's page → what becomes of the mandate when it is confirmed there:
refused because name or seal differ or there is no such account; checked by the bank and confirmed
when it is asked a second time; confirmed, but the first questions are answered with 504."""

DebitFault = Literal["never_received", "answer_lost", "error", "refused", "slow"]

DEBIT_FILES: Final[dict[str, DebitFault]] = {
    "9990404": "never_received",
    "9990405": "answer_lost",
    "9990500": "error",
    "9990422": "refused",
    "9990202": "slow",
}
"""Account number in any line, of debits or transfers → what becomes of the whole file: it hangs and
nothing is stored; it is taken, but the connection breaks before the answer; 500 without storing;
refused (422); taken after some seconds."""
