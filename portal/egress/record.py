"""What the relay leaves behind about its decisions: journal and metrics in one hand.

Zone: egress. A denial is always counted; it is journaled unless it was nobody's attempt at
anything (the vault was away or gave no more in this minute, the relay was full).
"""

from dataclasses import dataclass
from typing import Final

from portal.egress.callers import Caller
from portal.egress.journal import Denial, Journal
from portal.egress.metrics import Metrics

NOT_ATTEMPTS: Final = frozenset({"vault_away", "vault_lost", "relay_busy", "budget_spent"})


@dataclass(frozen=True, slots=True)
class Record:
    """Journal and metrics of one relay."""

    journal: Journal
    metrics: Metrics

    def denied(
        self, caller: Caller, mode: str, host: str, port: int, code: str, *, is_attempt: bool = True
    ) -> None:
        """Book one refusal; ``host`` is empty when the text was no host name."""
        self.metrics.denied.labels(caller.name, mode, code).inc()
        if is_attempt and code not in NOT_ATTEMPTS:
            self.journal.denied(
                Denial(
                    caller=caller.name, uid=caller.uid, mode=mode, host=host, port=port, code=code
                )
            )
            self.metrics.journal_lost.set(self.journal.lost)
