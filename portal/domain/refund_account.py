"""Where a refund goes that is transferred: the payer's account, and until when it is taken. Pure.

An account is given by its payer at the bill's page, taken down by staff, or known from the mandate
by which a bank's debit brought the money. What a bank's file can't hold is refused where it is
entered, so that no transfer file fails of it.
"""

import unicodedata
from typing import Final, Literal

import msgspec

from portal.domain.bank import YUCHO, Bank, Banks, Branch, yucho_transfer_account
from portal.domain.card_number import refuse_card_number
from portal.domain.errors import Conflict, InvalidInput, NotFound
from portal.domain.mandate import read_kana
from portal.domain.refund import RefundState
from portal.domain.zengin.kana import is_kana
from portal.domain.zengin.record import Account

AccountSource = Literal["payer", "staff", "mandate"]
"""Whose word it is: the payer's at the page, staff's (by telephone, by letter), the mandate's."""

RefundAccountKind = Literal["1", "2", "4"]
"""預金種目 of a transfer: 1 ordinary (普通), 2 current (当座), 4 savings (貯蓄).

Source: 全銀協制定 総合振込 record, 受取人預金種目. Its 9 (other) is not taken: nobody could say
what the bank should make of it.
"""

KINDS: Final[tuple[RefundAccountKind, ...]] = ("1", "2", "4")
HOLDER_CHARACTERS_MAX: Final = 30
NUMBER_DIGITS: Final = 7

TRIES_MAX: Final = 5
"""Wrong answers to the question of a bill's page; then only staff take an account down."""

CHANGES_MAX: Final = 10
"""So often the page takes another account for one refund: each time its payer is sent a message."""

PHONE_DIGITS: Final = 4
"""Last digits of the payer's telephone number that the page asks for; it never shows them."""

_LAST_DIGITS: Final = 3


class RefundAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account that takes a transfer, as a bank's file has it. Sealed wherever it is stored.

    ``bank_code`` 4 digits, ``branch_code`` 3, ``number`` 7; ``holder`` in half-width kana as
    portal.domain.zengin.kana writes it, at most 30 letters. Made by :func:`read_account`.
    """

    bank_code: str
    branch_code: str
    kind: RefundAccountKind
    number: str
    holder: str


def read_account(
    banks: Banks,
    *,
    bank_code: str,
    branch_code: str,
    kind: str,
    number: str,
    holder: str,
) -> RefundAccount:
    """What was entered, checked field by field; of a number of fewer than 7 digits zeros lead.

    For Japan Post Bank ``branch_code`` may be a passbook's symbol (記号) of five digits, and
    ``number`` its number (番号): they are turned into what other banks transfer to.

    Raises: InvalidInput with the param ``field``: ``bank_unknown`` (bankCode), ``branch_unknown``
    (branchCode), ``refund_account_kind`` (accountKind), ``account_number`` (accountNumber),
    ``yucho_symbol`` (branchCode), ``yucho_number`` (accountNumber), ``kana_unwritable``
    (holderName; param ``character``), ``kana_length`` (holderName; param ``max``),
    ``card_number_refused``.
    """
    _refuse_cards(branchCode=branch_code, accountNumber=number, holderName=holder)
    bank_code, branch_code, number = map(plain_digits, (bank_code, branch_code, number))
    if bank_code == YUCHO and len(branch_code) > 3:  # noqa: PLR2004  a branch has three digits
        branch_code, number = _of_passbook(branch_code, number)
        kind = "1"
    bank, branch = _place(banks, bank_code, branch_code)
    if kind not in KINDS:
        raise InvalidInput("refund_account_kind", params={"field": "accountKind"})
    is_number = number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS
    if not (is_number and int(number)):
        raise InvalidInput("account_number", params={"field": "accountNumber"})
    return RefundAccount(
        bank_code=bank.code,
        branch_code=branch.code,
        kind=kind,
        number=number.zfill(NUMBER_DIGITS),
        holder=read_kana(holder, "holderName", HOLDER_CHARACTERS_MAX),
    )


def _refuse_cards(**fields: str) -> None:
    for field, text in fields.items():
        try:
            refuse_card_number(text)
        except InvalidInput as fault:
            raise InvalidInput(fault.code, params={"field": field}) from fault


def plain_digits(text: str) -> str:
    """Digits as they are typed, full width or half, without hyphens and spaces between."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in plain if letter not in "-‐‑–—−ー" and not letter.isspace())  # noqa: RUF001  as typed


def _of_passbook(symbol: str, number: str) -> tuple[str, str]:
    try:
        return yucho_transfer_account(symbol, number)
    except InvalidInput as fault:
        field = "branchCode" if fault.code == "yucho_symbol" else "accountNumber"
        raise InvalidInput(fault.code, params={"field": field}) from fault


def _place(banks: Banks, bank_code: str, branch_code: str) -> tuple[Bank, Branch]:
    try:
        return banks.bank(bank_code), banks.branch(bank_code, branch_code)
    except NotFound as fault:
        field = "bankCode" if fault.code == "bank_unknown" else "branchCode"
        raise InvalidInput(fault.code, params={"field": field}) from fault


def account_of_mandate(banks: Banks, account: Account, holder: str) -> RefundAccount | None:
    """The account that was debited, if a transfer can go there; None: it has to be asked for.

    A debit knows kinds that a transfer does not (tax savings, other), a branch may have closed
    since, and of Japan Post Bank some debit files hold the passbook's symbol and number instead of
    what other banks transfer to: nobody guesses then.
    """
    is_same = account.kind in {"1", "2"} and account.bank_code != YUCHO
    if not is_same or not is_kana(holder):
        return None
    try:
        return read_account(
            banks,
            bank_code=account.bank_code,
            branch_code=account.branch_code,
            kind=account.kind,
            number=account.number,
            holder=holder,
        )
    except InvalidInput:
        return None


def is_open_for_account(state: RefundState) -> bool:
    """Whether an account can be given or corrected: the money waits for its transfer.

    Not before it is set aside, and not once it is in a transfer file or was transferred.
    """
    return state == "by_bank_transfer"


def check_open(state: RefundState) -> None:
    """Refuse an account for a refund that takes none (any more).

    Raises: Conflict ``refund_account_closed`` (param ``state``).
    """
    if not is_open_for_account(state):
        raise Conflict("refund_account_closed", params={"state": state})


def number_hint(account: RefundAccount) -> str:
    """The account's last three digits, as mandates show theirs."""
    return f"****{account.number[-_LAST_DIGITS:]}"


def holder_hint(holder: str) -> str:
    """The holder by the first letter of each part, full width: ``ヤ** タ**``."""
    wide = unicodedata.normalize("NFKC", holder)
    return " ".join(f"{part[0]}**" for part in wide.split())
