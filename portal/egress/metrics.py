"""What the relay counts, as text for Prometheus; labels are rules, roles and codes, never values.

Zone: egress. There is no listener for it: on SIGUSR1 and at its end the relay writes the text
beside its journal (``egress.prom``), where a textfile collector, ``doctor`` or a person reads it.
"""

from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

METRICS_FILE: Final = "egress.prom"


class Metrics:
    """Counters of one relay, in a registry of their own."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "harai_egress_requests", "Requests that a rule let out", ("rule", "fate"),
            registry=self.registry,
        )  # fmt: skip
        self.denied = Counter(
            "harai_egress_denied", "Attempts refused", ("caller", "mode", "code"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "harai_egress_request_seconds", "From permission to the answer's end", ("rule",),
            registry=self.registry,
        )  # fmt: skip
        self.bytes_up = Counter(
            "harai_egress_bytes_up", "Bytes sent outside", ("rule",), registry=self.registry
        )
        self.bytes_down = Counter(
            "harai_egress_bytes_down", "Bytes taken in", ("rule",), registry=self.registry
        )
        self.tunnels = Gauge(
            "harai_egress_tunnels_open", "Tunnels open now", ("rule",), registry=self.registry
        )
        self.tunnels_closed = Counter(
            "harai_egress_tunnels_closed", "Tunnels ended, by why", ("rule", "why"),
            registry=self.registry,
        )  # fmt: skip
        self.rules_version = Gauge(
            "harai_egress_rules_version", "Version of the rules in force", registry=self.registry
        )
        self.journal_lost = Gauge(
            "harai_egress_journal_lost", "Denials that could not be written",
            registry=self.registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def write(self, folder: Path) -> None:
        """Replace ``egress.prom`` in ``folder`` at one stroke."""
        draft = folder / f".{METRICS_FILE}.draft"
        draft.write_bytes(self.text())
        draft.replace(folder / METRICS_FILE)
