"""A payer's word that a bank may debit their account: its states, and what it holds. Pure.

A mandate is made by staff from a paper form, or by the payer at the bank's own page; either way the
bank's answer makes it active. One that the payer left on the way is abandoned. What an account's
bank says about a debit can suspend it: then nothing is debited until somebody has cleared it up
with the payer.
"""

from typing import Final, Literal

import msgspec

from portal.domain.bank import Banks
from portal.domain.errors import Conflict, InvalidInput
from portal.domain.transition import Edge, take
from portal.domain.zengin.kana import to_kana
from portal.domain.zengin.record import Account

MandateState = Literal[
    "draft", "redirected", "pending_bank", "active", "suspended", "revoked", "rejected", "abandoned"
]
MandateEvent = Literal[
    "redirect", "hand_in", "activate", "reject", "suspend", "resume", "revoke", "abandon"
]
MandateWay = Literal["paper", "redirect"]
MandateDecision = Literal["activate", "reject", "suspend", "resume", "revoke"]
"""What staff may say of one: the bank's answer, or the payer's will."""

MandateReason = Literal[
    "name_differs", "seal_differs", "no_account", "bank_other", "payer_asked", "contract_ended"
]
"""Why staff say that of one; a bank's own causes stand beside it (portal.domain.debit.SUSPENDS)."""

REASONS: Final[dict[MandateDecision, tuple[MandateReason, ...]]] = {
    "reject": ("name_differs", "seal_differs", "no_account", "bank_other"),
    "suspend": ("payer_asked",),
    "revoke": ("payer_asked", "contract_ended"),
}
"""Decision → what can be its reason; all others have none."""

ENDED: Final[frozenset[MandateState]] = frozenset({"revoked", "rejected", "abandoned"})
"""States after which the payer gives a new one."""

NAME_CHARACTERS_MAX: Final = 30
BANK_CHARACTERS_MAX: Final = 15
NO_ACCOUNT: Final = "0000000"

_REVOKED: Final[Edge[MandateState]] = Edge("revoked", "mandate.revoked")
_ACTIVE: Final[Edge[MandateState]] = Edge("active", "mandate.active")
_REJECTED: Final[Edge[MandateState]] = Edge("rejected", "mandate.rejected")
_PENDING: Final[Edge[MandateState]] = Edge("pending_bank", "mandate.handed_in")
_ABANDONED: Final[Edge[MandateState]] = Edge("abandoned", "mandate.abandoned")

TRANSITIONS: Final[dict[tuple[MandateState, MandateEvent], Edge[MandateState]]] = {
    ("draft", "redirect"): Edge("redirected", "mandate.redirected"),
    ("draft", "hand_in"): _PENDING,
    ("draft", "activate"): _ACTIVE,
    ("draft", "reject"): _REJECTED,
    ("draft", "revoke"): _REVOKED,
    ("draft", "abandon"): _ABANDONED,
    ("redirected", "hand_in"): _PENDING,
    ("redirected", "activate"): _ACTIVE,
    ("redirected", "reject"): _REJECTED,
    ("redirected", "revoke"): _REVOKED,
    ("redirected", "abandon"): _ABANDONED,
    ("pending_bank", "activate"): _ACTIVE,
    ("pending_bank", "reject"): _REJECTED,
    ("pending_bank", "revoke"): _REVOKED,
    ("active", "suspend"): Edge("suspended", "mandate.suspended"),
    ("active", "revoke"): _REVOKED,
    ("suspended", "resume"): Edge("active", "mandate.resumed"),
    ("suspended", "revoke"): _REVOKED,
}
"""Nothing leads out of ``revoked``, ``rejected`` and ``abandoned``: a new mandate is a new row.

Out of ``draft`` a bank's word may lead at once: that its page was opened can be lost."""


def advance(state: MandateState, event: MandateEvent) -> Edge[MandateState]:
    """The next state of a mandate.

    Raises: Conflict ``mandate_state`` (params ``state``, ``event``) for an edge not in the table.
    """
    return take(TRANSITIONS, state, event, "mandate_state")


def choices_of(state: MandateState, *, has_account: bool = True) -> tuple[MandateDecision, ...]:
    """What staff may say of a mandate in this state, the likeliest first.

    While the bank has not said whose account it is, only that it is not wanted any more.
    """
    wanted: tuple[MandateDecision, ...] = ("activate", "resume", "reject", "suspend", "revoke")
    return tuple(
        decision
        for decision in wanted
        if (state, decision) in TRANSITIONS and (has_account or decision == "revoke")
    )


def decide(
    state: MandateState, decision: MandateDecision, reason: str, *, has_account: bool
) -> Edge[MandateState]:
    """Where a decision of staff leads; ``reason`` may be empty.

    Raises: Conflict ``mandate_state``; InvalidInput ``mandate_reason`` (param ``field``).
    """
    if reason and reason not in REASONS.get(decision, ()):
        raise InvalidInput("mandate_reason", params={"field": "reason"})
    if decision not in choices_of(state, has_account=has_account):
        raise Conflict("mandate_state", params={"state": state, "event": decision})
    return advance(state, decision)


class MandateDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account may be debited, in the letters of bank files. Sealed wherever it is stored.

    While the payer is at the bank's page only bank and branch are known, and the name is empty.
    """

    customer_no: str
    account: Account
    payer_name: str
    bank_name: str
    branch_name: str

    @property
    def has_account(self) -> bool:
        """Whether it can be debited at all."""
        return bool(self.payer_name)


def begin_details(
    banks: Banks, *, customer_no: str, bank_code: str, branch_code: str
) -> MandateDetails:
    """What is known of a mandate whose payer is on the way to the bank's page.

    Raises: NotFound ``bank_unknown``, ``branch_unknown``.
    """
    bank, branch = banks.bank(bank_code), banks.branch(bank_code, branch_code)
    return MandateDetails(
        customer_no=customer_no,
        account=Account(bank_code=bank.code, branch_code=branch.code, kind="1", number=NO_ACCOUNT),
        payer_name="",
        bank_name=to_kana(bank.kana)[:BANK_CHARACTERS_MAX].rstrip(),
        branch_name=to_kana(branch.kana)[:BANK_CHARACTERS_MAX].rstrip(),
    )


def read_details(  # noqa: PLR0913  # the fields of one form
    banks: Banks,
    *,
    customer_no: str,
    bank_code: str,
    branch_code: str,
    account_kind: str,
    account_number: str,
    payer_name: str,
) -> MandateDetails:
    """What was entered, as a bank's file can hold it; refused here, so that no file fails of it.

    Banks and branches have to exist; their names are shortened to what a record has room for. A
    number of fewer than 7 digits gets zeros in front.

    Raises: NotFound ``bank_unknown``, ``branch_unknown``; InvalidInput ``account_kind``,
    ``account_number``, ``kana_unwritable`` (params ``character``, ``field``), ``kana_length``
    (params ``max``, ``field``), each with the param ``field``.
    """
    bank = banks.bank(bank_code)
    branch = banks.branch(bank_code, branch_code)
    if account_kind not in {"1", "2", "3", "9"}:
        raise InvalidInput("account_kind", params={"field": "accountKind"})
    is_number = account_number.isascii() and account_number.isdecimal()
    if not (is_number and len(account_number) <= 7 and int(account_number)):  # noqa: PLR2004  seven digits
        raise InvalidInput("account_number", params={"field": "accountNumber"})
    return MandateDetails(
        customer_no=customer_no,
        account=Account(
            bank_code=bank.code,
            branch_code=branch.code,
            kind=account_kind,
            number=account_number.zfill(7),
        ),
        payer_name=read_kana(payer_name, "holderName", NAME_CHARACTERS_MAX),
        bank_name=to_kana(bank.kana)[:BANK_CHARACTERS_MAX].rstrip(),
        branch_name=to_kana(branch.kana)[:BANK_CHARACTERS_MAX].rstrip(),
    )


def read_kana(text: str, field: str, characters_max: int) -> str:
    """A name in the letters of bank files, of bounded length.

    Raises: InvalidInput ``kana_unwritable`` (params ``character``, ``field``), ``kana_length``
    (params ``max``, ``field``).
    """
    try:
        written = to_kana(text)
    except InvalidInput as fault:
        raise InvalidInput(fault.code, params={**fault.params, "field": field}) from fault
    if not 0 < len(written) <= characters_max:
        raise InvalidInput("kana_length", params={"max": characters_max, "field": field})
    return written
