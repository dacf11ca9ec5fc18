"""E-mail: one request a mail, recipient, subject and texts filled in by the egress relay.

Application zone. A provider that can do it has the one act of :class:`SendsMail`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from portal.application.providers import aws_ses, sandbox_mail, smtp
from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
)


class SendsMail(Protocol):
    """Carries a mail to an address."""

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """The request for one mail and how its answer reads."""
        ...


EMAIL: Final[Mapping[str, SendsMail]] = MappingProxyType(
    {"aws_ses": aws_ses.ADAPTER, "sandbox_mail": sandbox_mail.ADAPTER, "smtp": smtp.ADAPTER}
)
"""Provider → its adapter for mails."""
