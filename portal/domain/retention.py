"""How long things are kept that are not kept for good, each with its reason: one table. Pure.

The data zone forgets by these periods (portal.vault.retention) and by no other number. What law or
books ask for is not in the table but in :data:`KEPT`: no code of ours deletes it. Deciding about a
single row is not done here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

Forgotten = Literal[
    "login_ticket", "return_token", "link_paid", "link_closed", "link_expired", "notice",
    "notice_body", "idempotency_key", "row_fault", "sending", "undecided_import",
    "print_file", "result_event", "result_part", "refund_account",
    "refund_account_try", "failed_line",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """``days`` after ``since`` it may go; ``why`` says why then, not earlier and not later."""

    days: int
    since: str
    why: str

    @property
    def length(self) -> timedelta:
        """The period as a span of time."""
        return timedelta(days=self.days)


PERIODS: Final[dict[Forgotten, Period]] = {
    "login_ticket": Period(
        days=1,
        since="its expiry",
        why="for a day the ticket says that it expired; afterwards it is as good as never made",
    ),
    "return_token": Period(
        days=30,
        since="its expiry",
        why="attempts are asked about for 30 days; so long an old return address says what it is",
    ),
    "link_paid": Period(
        days=365,
        since="the payment",
        why="the link shows the receipt, which people look for once more with the year's taxes",
    ),
    "link_closed": Period(
        days=90,
        since="cancel, replacement or lapse",
        why="who opens an old message reads what became of the bill and whom to call",
    ),
    "link_expired": Period(
        days=90,
        since="its expiry",
        why="for a quarter of a year the link says that a newer one was sent or its time is over",
    ),
    "notice": Period(
        days=400,
        since="its arrival",
        why="the trace of what a provider said, for disputes and the audit of the year's books",
    ),
    "notice_body": Period(
        days=400,
        since="its arrival",
        why="the sealed text of that notice; it goes when the notice goes",
    ),
    "idempotency_key": Period(
        days=400,
        since="its first use",
        why="promised in docs/graphql.md: a yearly run that repeats its key gets the same answer",
    ),
    "row_fault": Period(
        days=90,
        since="the decision about its import",
        why="what stood in faulty cells is for mending the file, and may name people",
    ),
    "sending": Period(
        days=90,
        since="its last message",
        why="which messages were sent in one chunk; the messages themselves stay on the timeline",
    ),
    "undecided_import": Period(
        days=30,
        since="its check, or its beginning when the file never came whole",
        why="rows that nobody decided about name people without a purpose; the file can be sent"
        " again",
    ),
    "print_file": Period(
        days=90,
        since="the batch was made",
        why="names and addresses for a print shop: time for a second print, and no archive of them",
    ),
    "failed_line": Period(
        days=90,
        since="the file was sent in",
        why="time to look at lines of which nobody was told; what was told is on the bill's own"
        " timeline",
    ),
    "result_event": Period(
        days=400,
        since="the file that told it was made",
        why="what was told stands in the file, and in the books",
    ),
    "result_part": Period(
        days=400,
        since="the file was made",
        why="a merchant's yearly closing may ask for any file of its year once more",
    ),
    "refund_account": Period(
        days=90,
        since="the refund's end",
        why="a bank returns what it can't credit within days, and who misses the money asks within"
        " a quarter; that it went back stays in the books",
    ),
    "refund_account_try": Period(
        days=90,
        since="the last wrong answer",
        why="who answered wrongly five times answers staff; after so long it was somebody else",
    ),
}
"""What is forgotten → when. An undecided import becomes ``discarded`` with a reason first."""

KEPT: Final[dict[str, str]] = {
    "ledger_transaction": "books: kept for the years that tax law asks, never changed",
    "ledger_entry": "books: kept for the years that tax law asks, never changed",
    "attempt": "payment records belong to the books",
    "attempt_share": "payment records belong to the books",
    "message_template": "what payers were told, and who approved the words",
    "delivery_wording": "by which words the payer was told belongs to the bill",
    "wording_tally": "how many messages a wording did not fit: numbers by day, nobody's data",
    "message_trial": "that a text was tried out, by whom, and a keyed hash of to whom; number and"
    " text go when it is over",
    "message_price": "what the merchant's messages cost, as it is now",
    "contact_choice": "what payers said of reminders, kept as long as it may have to be shown",
    "ladder": "where a bill stands among its messages belongs to the bill",
    "ladder_plan": "by which plan bills were told of, as long as they are there",
    "push_subscription": "where a payer wants to be reminded, until they or the service end it",
    "push_delivery": "to which browser or device the payer was told belongs to the delivery",
    "merchant_channel": "by whom the merchant's messages go, as it is now",
    "merchant_app": "to which app of its own the merchant's notifications go, as it is now",
    "number_pace": "until when inquiries are planned: a time, nobody's data",
    "sender_hold": "that a company refuses the merchant's sender, until it takes it again",
    "paper_due": "that and why a bill was printed belongs to the bill",
    "digital_contract": "how a contract is billed, as it is now",
    "digital_event": "who agreed to be billed without paper, when and by which words",
    "contact_verified": "by which contact a payer was reached, as a keyed hash",
    "contact_doubt": "which contacts may be somebody else's, as keyed hashes, and who cleared them",
    "paper_saved": "how much paper was saved: numbers by day",
    "contact_fault": "where messages come back from, as a keyed hash: nothing is sent there again",
    "phone_call": "that the payer was called, and how far it came, belongs to the bill",
    "part_paid": "what is left of a bill belongs to the bill",
    "print_batch": "who handed how many bills to a print shop, and when; its file goes",
    "result_plan": "when the merchant wants its files, as it is now",
    "result_file": "which file told what in sums, its hash, and who said that it arrived",
    "print_bill": "which bill was handed to a print shop belongs to the bill",
    "dispute": "what payers contested belongs to the books",
    "slip": "a number in a payer's hand: a shop may still take it",
    "slip_notice": "what an agency told of money belongs to the books",
    "slip_taking": "payment records belong to the books",
    "slip_terms": "the merchant's contract, as it is now",
    "refund": "what went back to a payer belongs to the books",
    "pause": "what was agreed with a payer belongs to the bill",
    "debit_file": "what a bank was asked to debit, and who approved it",
    "debit": "a line of such a file belongs to the books",
    "failed_file": "that a bank's answer was taken in, and what became of its lines in sums",
    "debit_result": "that a bank's answer was read, and what it said in sums",
    "transfer_file": "what a bank was asked to transfer, and who approved it",
    "transfer_line": "a line of such a file belongs to the books",
    "transfer_contract": "what a bank agreed to: its files name it",
    "debit_contract": "what a bank agreed to: its files name it",
    "mandate": "the payer's leave, which a bank may ask about after it was revoked",
    "mandate_event": "who said what of that leave, and when",
    "mandate_redirect": "under which name the bank knows a leave that was given at its page",
    "card_on_file": "the payer's leave; what its company calls the card goes when it is taken back",
    "store_order": "for which store a number was made, and that its company heard of the payer",
    "card_charge": "why a bill was charged to a card, or was left out",
    "card_payment": "by which card its payer paid, and how far their bank was asked",
    "bill": "invoices with their tax are searchable for seven years",
    "message_switch": "who had whom told by another channel, and when",
    "bill_reach": "by which channel a payer was reached belongs to the bill",
    "bill_change": "which file withdrew or replaced a bill belongs to the bill",
    "bill_event": "the bill's timeline belongs to the bill",
    "delivery": "that the payer was told, when and by which channel, belongs to the bill",
    "import": "where a bill came from belongs to the bill",
    "import_chunk": "counts of faults by kind: no cell of the file",
    "audit": "the chain over all rows; without one row no later row can be checked",
    "case_": "who decided what about money",
    "approval": "who approved what",
    "api_key": "who may have called, as long as the audit names the key",
}
"""Tables that no code of ours prunes, and why.

Source: 電子帳簿保存法 (receipts are kept, and found by date, amount and party, for seven years).
"""
