"""Provider → who reads what it says of refunds: all that give back what they took. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.domain.refund_word.gmopg import GmoPgRefunds
from portal.domain.refund_word.paypay import PayPayRefunds
from portal.domain.refund_word.sandbox import SandboxRefunds
from portal.domain.refund_word.stripe import StripeRefunds
from portal.domain.refund_word.word import RefundReader

READERS: Final[Mapping[str, RefundReader]] = MappingProxyType(
    {
        "gmopg": GmoPgRefunds("gmopg"),
        "paypay": PayPayRefunds(),
        "sandbox_card": SandboxRefunds(),
        "sandbox_wallet": PayPayRefunds(),
        "smbc_gp": GmoPgRefunds("smbc_gp"),
        "stripe": StripeRefunds(),
    }
)
