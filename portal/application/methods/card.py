"""Who takes cards on a page of their own. Application zone; a table, nothing else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from portal.application.methods.redirect import ByRedirect
from portal.application.providers import sandbox_card

CARD: Final[Mapping[str, ByRedirect]] = MappingProxyType({"sandbox_card": sandbox_card.ADAPTER})
"""Provider → its adapter for cards."""
