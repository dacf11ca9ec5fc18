"""The ways to pay and what each can carry: pure facts, no provider, no I/O."""

from dataclasses import dataclass
from typing import Final, Literal

from portal.domain.konbini import AMOUNT_MAX

Method = Literal["card", "wallet", "number", "slip", "bank_debit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodFacts:
    """Bounds of one way to pay. Units: yen.

    ``can_refund``: who took the money can give it back; else the merchant transfers it.
    ``by_redirect``: the payer leaves for a company's page; else they are shown what to pay by.
    ``by_attempt``: choosing it begins a try, of which a bill has one at most; a slip is none.
    ``starts_on_page``: payers choose it; what comes otherwise is on no page.
    """

    method: Method
    amount_min: int
    amount_max: int
    can_refund: bool
    by_redirect: bool = True
    by_attempt: bool = True
    starts_on_page: bool = True


METHODS: Final[dict[str, MethodFacts]] = {
    "card": MethodFacts(method="card", amount_min=1, amount_max=9_999_999, can_refund=True),
    "wallet": MethodFacts(method="wallet", amount_min=1, amount_max=500_000, can_refund=True),
    "number": MethodFacts(
        method="number",
        amount_min=1,
        amount_max=AMOUNT_MAX,
        can_refund=False,
        by_redirect=False,
    ),
    "slip": MethodFacts(
        method="slip",
        amount_min=1,
        amount_max=999_999,
        can_refund=False,
        by_redirect=False,
        by_attempt=False,
    ),
    "bank_debit": MethodFacts(
        method="bank_debit",
        amount_min=1,
        amount_max=9_999_999_999,
        can_refund=False,
        starts_on_page=False,
    ),
}
"""Every way to pay that this release has, in the order in which pages offer them. The bounds are
defaults, not laws: what a company's contract or a payer's own limit really allows can only be
lower, and its refusal is then shown as a decline. ``bank_debit`` comes with a mandate and a file
(portal.domain.debit)."""

AGENCIES: Final = frozenset({"dsk", "sandbox_agency"})
"""Collection agencies whose notices we can read: what a merchant's slips may name as theirs."""

WALLETS: Final = frozenset({"paypay", "sandbox_wallet"})
"""Providers that are wallets: what a merchant may name as one."""

TAKES_MANDATES: Final[frozenset[str]] = frozenset({"sandbox_bank"})
"""Lines to banks at whose page payers can give a mandate."""
