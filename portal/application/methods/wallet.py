"""Whose wallets payers can pay with, on the wallet's own page. Application zone; a table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.application.methods.redirect import ByRedirect
from portal.application.providers import paypay, sandbox_wallet

WALLET: Final[Mapping[str, ByRedirect]] = MappingProxyType(
    {"paypay": paypay.ADAPTER, "sandbox_wallet": sandbox_wallet.ADAPTER}
)
"""Provider → its adapter for wallets."""
