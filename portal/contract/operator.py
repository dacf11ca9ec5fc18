"""What the operator of the installation does from the host itself, by the command line.

Callers: a certificate of the kind ``operator`` that no server process holds.
"""

import msgspec

from portal.contract.envelope import Nothing, Operation, Part, Reply, Request
from portal.contract.login import MerchantFacts, Role
from portal.domain.authentication import CardPolicy
from portal.domain.ids import MerchantId, StaffId


class FoundMerchant(Request, frozen=True, kw_only=True):
    """A new merchant with keys of its own. ``code`` is in links: 3 to 12 of [a-z0-9].

    ``wallet_provider`` is "" for a merchant that takes no smartphone wallet.
    """

    code: str
    name: str
    zone: str
    sms_sender: str
    sms_provider: str
    card_provider: str
    phone: str
    website: str
    wallet_provider: str = ""


class MerchantFounded(Reply, frozen=True, kw_only=True):
    """The merchant as pages will show it."""

    merchant: MerchantFacts


class SetWallet(Request, frozen=True, kw_only=True):
    """Whose wallet a merchant's payers can pay with from now on; "" for none.

    Refused: ``provider_unknown``, ``merchant_unknown``.
    """

    merchant_code: str
    wallet_provider: str


class WalletSet(Reply, frozen=True, kw_only=True):
    """The provider before; attempts made there are still asked about there."""

    before: str


class SetCardPolicy(Request, frozen=True, kw_only=True):
    """Which results of 3-D Secure a merchant accepts of its payers' card payments from now on.

    Refused: ``merchant_unknown``.
    """

    merchant_code: str
    policy: CardPolicy


class CardPolicySet(Reply, frozen=True, kw_only=True):
    """The policy before."""

    before: CardPolicy


class AddStaff(Request, frozen=True, kw_only=True):
    """A member of staff; ``password`` at least 12 characters."""

    merchant_code: str
    name: str
    email: str
    password: str
    role: Role


class StaffAdded(Reply, frozen=True, kw_only=True):
    """``totp_secret`` (base32) is shown once."""

    staff_id: StaffId
    totp_secret: str


class IssueLoginTicket(Request, frozen=True, kw_only=True):
    """A single-use log-in for one member of staff, good for ``life_s`` seconds (86,400 at most)."""

    merchant_code: str
    email: str
    life_s: int


class LoginTicket(Reply, frozen=True, kw_only=True):
    """The secret of the ticket."""

    ticket: str


class JournalLine(Part, frozen=True, kw_only=True):
    """One line of a provider's own journal.

    ``taken_back_minor``: what the company has taken back of it because its payer contests it; None
    where the journal says nothing of that. ``dispute``: how that stands ("opened", "won", "lost"),
    "" where nobody contests it; None as above.
    """

    reference: str
    state: str
    amount_minor: int
    taken_back_minor: int | None = None
    dispute: str | None = None


class JournalRefund(Part, frozen=True, kw_only=True):
    """One refund of a provider's own journal; ``payment`` is our reference of what it is of."""

    reference: str
    payment: str
    state: str
    amount_minor: int


class CompareJournal(Request, frozen=True, kw_only=True):
    """Set a provider's journal against attempts, postings and bill states, item by item.

    ``refunds`` None: the journal says nothing of refunds, so none of ours is missed in it.
    """

    merchant_code: str
    provider: str
    lines: tuple[JournalLine, ...]
    last: bool
    refunds: tuple[JournalRefund, ...] | None = None


class JournalDifference(Part, frozen=True, kw_only=True):
    """One disagreement, by our reference, with both sides' state ("" where there is none)."""

    reference: str
    code: str
    ours: str = ""
    theirs: str = ""

    def __str__(self) -> str:
        """One line for people: reference, code, and who says what."""
        return (
            f"{self.reference}: {self.code} (ours {self.ours or '-'}, theirs {self.theirs or '-'})"
        )


class JournalCompared(Reply, frozen=True, kw_only=True):
    """``attempts`` and ``refunds`` were compared; ``differences`` are listed (1,000 at most)."""

    attempts: int
    differences: tuple[JournalDifference, ...]
    refunds: int = 0


class Inspection(Reply, frozen=True, kw_only=True):
    """Sums over all merchants that reveal no row.

    ``tasks_due`` are those of ``tasks_open`` that have to end now: all but inquiries, and charges
    to be tried again, that are planned for later than the next ten seconds. ``ledger_sum`` adds
    every entry (0 when the books balance); ``audit_ok`` is the verdict of the audit chain against
    its signed heads; ``cases`` counts the open ones by kind.
    """

    merchants: int
    bills: int
    bills_paid: int
    messages_accepted: int
    messages_ambiguous: int
    attempts: dict[str, int]
    tasks_open: int
    ledger_sum: int
    audit_ok: bool
    audit_rows: int
    tasks_due: int = 0
    cases: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class OpenMerchant(Request, frozen=True, kw_only=True):
    """Facts of one merchant by its public code."""

    code: str


class MerchantOpened(Reply, frozen=True, kw_only=True):
    """``id`` and what pages show."""

    id: MerchantId
    merchant: MerchantFacts


FOUND_MERCHANT = Operation("found_merchant", FoundMerchant, MerchantFounded)
SET_WALLET = Operation("set_wallet", SetWallet, WalletSet)
SET_CARD_POLICY = Operation("set_card_policy", SetCardPolicy, CardPolicySet)
ADD_STAFF = Operation("add_staff", AddStaff, StaffAdded)
ISSUE_LOGIN_TICKET = Operation("issue_login_ticket", IssueLoginTicket, LoginTicket)
COMPARE_JOURNAL = Operation("compare_journal", CompareJournal, JournalCompared)
INSPECT = Operation("inspect", Nothing, Inspection)
OPEN_MERCHANT = Operation("open_merchant", OpenMerchant, MerchantOpened)
