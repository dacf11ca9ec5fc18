"""``portal egress``: starts the relay, follows its rules and stops it without losing answers.

Zone: egress. It listens only once rules, keys and credentials have been read, so that a restart
opens no window; SIGTERM drains and ends with exit code 0, SIGUSR1 writes the metrics.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.domain.errors import InvariantBroken
from portal.egress.callers import read_callers
from portal.egress.journal import Journal
from portal.egress.metrics import Metrics
from portal.egress.originate import Originate
from portal.egress.policy import RuleBook, credentials_missing
from portal.egress.record import Record
from portal.egress.relay import TunnelRelay
from portal.egress.resolve import Lookup, Resolver, look_up
from portal.egress.rules import RulesRefused
from portal.egress.sender import Sender
from portal.egress.server import OriginateServer
from portal.egress.settings import EgressSettings, read_credentials, read_verify_key
from portal.kit import log
from portal.kit.clock import SystemClock
from portal.kit.crypto import client_context
from portal.kit.memory import settle_memory, shut_memory

RULES_POLL_S: Final = 1.0
DRAIN_S: Final = 10.0

_log = log.get_logger()


def run() -> None:
    """Run the relay of the environment's settings until SIGTERM.

    Exit code 1 when it may not start, with the reason logged.
    """
    log.configure(process="egress")
    shut_memory()
    settings = EgressSettings.read()
    try:
        asyncio.run(serve(settings))
    except RulesRefused as refused:
        _log.error("egress.not_started", code=refused.faults[0], count=len(refused.faults))
        sys.stderr.writelines(f"rule file: {fault}\n" for fault in refused.faults)
        raise SystemExit(1) from None
    except InvariantBroken as broken:
        _log.error("egress.not_started", code=broken.code, reason=broken.context)
        raise SystemExit(1) from None


async def serve(
    settings: EgressSettings, *, ready: Callable[[], None] | None = None, lookup: Lookup = look_up
) -> None:
    """Run one relay until SIGTERM or SIGINT, or until the task is cancelled.

    ``ready`` is called once both sockets listen; ``lookup`` is the system's resolver but in tests.

    Raises: RulesRefused, PortalError, OSError or ValueError when it can't start.
    """
    relay = _Relay.read(settings, lookup)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGUSR1, relay.write_metrics)
    try:
        await relay.serve_until(stopping, ready)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            loop.remove_signal_handler(number)


@dataclass(frozen=True, slots=True)
class _Relay:
    """The parts of one relay, put together."""

    settings: EgressSettings
    book: RuleBook
    record: Record
    resolver: Resolver
    credentials: dict[str, str]

    @classmethod
    def read(cls, settings: EgressSettings, lookup: Lookup) -> "_Relay":
        """Read everything that the relay must have before anybody may call."""
        credentials = read_credentials(settings.credentials_file)
        book = RuleBook(
            settings.rules_file,
            read_verify_key(settings.rules_key_file),
            settings.journal_file.parent,
            production=settings.production,
        )
        record = Record(Journal(settings.journal_file, SystemClock()), Metrics())
        return cls(settings, book, record, Resolver(lookup), credentials)

    async def serve_until(self, stopping: asyncio.Event, ready: Callable[[], None] | None) -> None:
        """Listen, follow the rules, and drain when told to stop."""
        settings, clock = self.settings, SystemClock()
        callers = read_callers(settings.callers)
        vault = VaultClient(
            settings.vault_socket, client_context(settings.cert, settings.key, settings.ca)
        )
        sender = Sender(self.resolver, settings.sandbox_ca)
        originate = Originate(
            self.book, vault, sender, self.record, credentials=self.credentials, clock=clock
        )
        slices = OriginateServer(originate, callers, self.record)
        try:
            async with asyncio.TaskGroup() as tasks:
                tunnels = TunnelRelay(self.book, self.resolver, self.record, clock, callers, tasks)
                following = tasks.create_task(self._follow_rules(tunnels))
                sweeping = tasks.create_task(tunnels.sweep())
                try:
                    await slices.listen(settings.socket)
                    await tunnels.listen(settings.tunnel_socket)
                    self._rules_changed()
                    settle_memory()
                    _log.info("egress.started", pid=os.getpid(), version=self.book.policy.version)
                    if ready is not None:
                        ready()
                    await stopping.wait()
                    _log.info("egress.draining")
                    async with asyncio.TaskGroup() as draining:
                        draining.create_task(slices.drain(DRAIN_S))
                        draining.create_task(tunnels.drain(DRAIN_S))
                finally:
                    tunnels.close()
                    await slices.close()
                    following.cancel()
                    sweeping.cancel()
        finally:
            await sender.close()
            await vault.close()
            self.resolver.close()
            self.record.journal.flush()
            self.write_metrics()
        _log.info("egress.stopped")

    async def _follow_rules(self, tunnels: TunnelRelay) -> None:
        """Take a changed file within a second; tunnels whose rule has gone are cut at once."""
        while True:
            await asyncio.sleep(RULES_POLL_S)
            if self.book.reload_if_changed():
                self._rules_changed()
                tunnels.sweep_once()

    def _rules_changed(self) -> None:
        policy = self.book.policy
        self.record.metrics.rules_version.set(policy.version)
        missing = credentials_missing(policy.rules, self.credentials)
        if missing:
            _log.error("egress.credentials_missing", count=len(missing), version=policy.version)

    def write_metrics(self) -> None:
        """Replace the metrics beside the journal; a full disk must not stop the relay."""
        try:
            self.record.metrics.write(self.settings.journal_file.parent)
        except OSError:
            _log.exception("egress.metrics_failed")
