"""Who reads what a company says of payments: by provider, and by how its payers pay. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.domain.number import METHOD as NUMBER
from portal.domain.payment_word.gmopg import GmoPgPayments
from portal.domain.payment_word.gmopg_counter import GmoPgCounterPayments
from portal.domain.payment_word.paypay import PayPayPayments
from portal.domain.payment_word.sandbox import SandboxPayments
from portal.domain.payment_word.stripe import StripePayments
from portal.domain.payment_word.word import PaymentReader

READERS: Final[Mapping[str, PaymentReader]] = MappingProxyType(
    {
        "gmopg": GmoPgPayments("gmopg"),
        "paypay": PayPayPayments(),
        "sandbox_card": SandboxPayments(),
        "sandbox_wallet": PayPayPayments(),
        "smbc_gp": GmoPgPayments("smbc_gp"),
        "stripe": StripePayments(),
    }
)
"""Who pays on the company's own page, or by a card that it keeps."""

COUNTERS: Final[Mapping[str, PaymentReader]] = MappingProxyType(
    {
        "gmopg": GmoPgCounterPayments("gmopg"),
        "sandbox_counter": GmoPgCounterPayments("sandbox_counter"),
        "smbc_gp": GmoPgCounterPayments("smbc_gp"),
    }
)
"""Who pays by a number at a store's counter."""


def reader_of(method: str, provider: str) -> PaymentReader | None:
    """Who reads what ``provider`` says of payments by ``method``; None where nobody is asked."""
    return (COUNTERS if method == NUMBER else READERS).get(provider)
