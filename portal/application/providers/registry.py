"""Which providers there are: their capabilities and who reads their notices, by name.

Application zone. ``methods`` and ``channels`` list the adapters by capability; a unit test holds
the three lists against the folders, so that a forgotten line fails the build.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import paypay, sandbox_card, sandbox_sms, sandbox_wallet
from portal.application.providers.exchange import Capabilities
from portal.contract.payment import NoticeClaim


class ReadsNotices(Protocol):
    """A company that tells us things by HTTP."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """What the notice claims, in order; raises InvalidInput ``notice_malformed``."""
        ...


CAPABILITIES: Final[Mapping[str, Capabilities]] = MappingProxyType(
    {
        declared.provider: declared
        for declared in (
            paypay.CAPABILITIES,
            sandbox_card.CAPABILITIES,
            sandbox_sms.CAPABILITIES,
            sandbox_wallet.CAPABILITIES,
        )
    }
)
"""Provider → what it can do."""

NOTICES: Final[Mapping[str, ReadsNotices]] = MappingProxyType(
    {
        "paypay": paypay.NOTICES,
        "sandbox_card": sandbox_card.NOTICES,
        "sandbox_sms": sandbox_sms.NOTICES,
        "sandbox_wallet": sandbox_wallet.NOTICES,
    }
)
"""Provider → who reads what it posts to ``/notices/<provider>/<merchant code>``."""
