"""Charging what a payer enrolled: without the payer there, or with them, who may be asked.

Application zone. The instrument's own texts never come here: the relay puts them in.
"""

from typing import Protocol, runtime_checkable

from portal.application.providers.exchange import (
    ChargeWanted,
    Endpoint,
    Exchange,
    KeptWanted,
    SessionAnswer,
)
from portal.contract.payment import Finding


class ChargesSaved(Protocol):
    """A charge under our reference; its truth is the inquiry of the provider's payments."""

    def charge(self, endpoint: Endpoint, wanted: ChargeWanted) -> Exchange[SessionAnswer]:
        """Charge once; an unclear outcome is ``unknown`` and asked, never charged again."""
        ...


class PaysKept(Protocol):
    """A payment under our reference whose payer is there; its truth is the same inquiry."""

    def pay_kept(self, endpoint: Endpoint, wanted: KeptWanted) -> Exchange[SessionAnswer]:
        """Have the kept instrument pay once, and the payer's bank ask them if it wants to.

        ``accepted`` says that the company has the payment. Where the payer has to go next is never
        in the answer: the relay tells the vault. An unclear outcome is ``unknown`` and asked.
        """
        ...


@runtime_checkable
class Secures(Protocol):
    """A company that takes no money before it is asked for once more, after the bank."""

    def secure(
        self, endpoint: Endpoint, reference: str, provider_ref: str, *, is_back: bool
    ) -> Exchange[Finding]:
        """Take the last step if the payment still waits for it, then ask how it stands.

        ``is_back``: the payer came back from their bank; else they stay away, and it is taken only
        where the company says that the bank knew them.
        """
        ...
