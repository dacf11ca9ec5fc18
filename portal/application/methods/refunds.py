"""Giving money back through the provider that took it.

Application zone. A method that can't do it (cash over a counter, a bank debit) has no line here:
its refund is a bank transfer.
"""

from typing import Protocol

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    RefundWanted,
)
from portal.domain.refund_word.word import RefundAnswer, RefundFinding


class Refunds(Protocol):
    """A refund is submitted once; whatever is unclear afterwards is asked, never sent again."""

    def refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundAnswer]:
        """Give back a part or all of a payment, under our own reference of the refund."""
        ...

    def inquire_refund(self, endpoint: Endpoint, wanted: RefundWanted) -> Exchange[RefundFinding]:
        """Ask what became of exactly this refund; changes nothing there."""
        ...
