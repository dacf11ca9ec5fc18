"""Who takes cards on a page of their own. Application zone; a table, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.application.methods.redirect import ByRedirect
from portal.application.providers import gmopg, sandbox_card, smbc_gp, stripe

CARD: Final[Mapping[str, ByRedirect]] = MappingProxyType(
    {
        "sandbox_card": sandbox_card.ADAPTER,
        "stripe": stripe.ADAPTER,
        "gmopg": gmopg.ADAPTER,
        "smbc_gp": smbc_gp.ADAPTER,
    }
)
"""Provider → its adapter for cards."""
