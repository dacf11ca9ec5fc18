"""Mails that the relay makes: naming one delivery, whatever company carries it.

Application zone; pure. The request holds the delivery's id and nothing else: the relay builds the
mail of what the vault gives it, and tells in words of its own what the company said, which may
quote the addressee. Each company brings how its word reads.
"""

from collections.abc import Callable
from typing import Final

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    MessageAnswer,
    MessageWanted,
)
from portal.application.providers.refusal import read_way
from portal.kit.outbound.wire import SUBMIT, OutboundAnswer, OutboundRequest

TIMEOUT_S: Final = 30.0


class RelayMail:
    """E-mail: see :class:`portal.application.channels.email.SendsMail`."""

    def __init__(self, read_answered: Callable[[OutboundAnswer], MessageAnswer]) -> None:
        """``read_answered`` reads the relay's word about what the company said."""
        self._read_answered = read_answered

    def compose(self, endpoint: Endpoint, wanted: MessageWanted) -> Exchange[MessageAnswer]:
        """One mail: which delivery, and by which road."""
        request = OutboundRequest(
            host=endpoint.host,
            port=endpoint.port,
            method=SUBMIT,
            path="/",
            delivery_id=wanted.delivery_id,
            timeout_s=TIMEOUT_S,
        )
        return Exchange(request, self._read)

    def _read(self, answer: OutboundAnswer) -> MessageAnswer:
        return read_way(answer) or self._read_answered(answer)
