"""Paying by a number at a store's counter: cash, and nobody leaves our page for another.

Application zone. A company makes the number under our reference, tells of the money by notice, and
an inquiry is believed alone. Who pays is told by the relay.
"""

from typing import Protocol

from portal.application.providers.exchange import (
    Endpoint,
    Exchange,
    NumberAnswer,
    NumberFinding,
    NumberWanted,
    WithdrawAnswer,
)


class ByNumber(Protocol):
    """A number is made once; whatever is unclear afterwards is asked, never asked for again."""

    def issue(self, endpoint: Endpoint, wanted: NumberWanted) -> Exchange[NumberAnswer]:
        """Have a number made; our reference must be unique at the provider for ever."""
        ...

    def inquire(self, endpoint: Endpoint, reference: str) -> Exchange[NumberFinding]:
        """Ask how the payment stands, and for its number once more; changes nothing there."""
        ...

    def withdraw(self, endpoint: Endpoint, reference: str) -> Exchange[WithdrawAnswer]:
        """Let nobody pay by the number any more: its bill is paid otherwise, or canceled."""
        ...
