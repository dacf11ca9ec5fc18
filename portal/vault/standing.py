"""What a standing operation gets instead of one open transaction: short ones, on request.

Only operations that must wait or compute for long between transactions stand (see
portal.vault.registry.standing_operation).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from portal.vault.act import Act
    from portal.vault.signals import Signals


class Begin(Protocol):
    """Opens one transaction; commits when the block ends well, rolls back when it raises."""

    def __call__(self, *, is_audited: bool = True) -> "AbstractAsyncContextManager[Act]":
        """Begin; a transaction that only looks something up need not be audited."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A standing operation's access: transactions, and the signal that work was planned."""

    begin: Begin
    signals: "Signals"
