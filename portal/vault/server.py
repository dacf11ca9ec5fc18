"""The vault's server: puts the parts together, listens, and serves calls until it is stopped."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Self
from uuid import UUID, uuid4

import msgspec

from portal.contract.envelope import Authority
from portal.contract.envelope import Call as CallFrame
from portal.domain.errors import InvariantBroken
from portal.kit import limits, log
from portal.kit.clock import Clock, SystemClock
from portal.kit.crypto import server_context
from portal.vault import operations
from portal.vault.audit import Audit, Entry
from portal.vault.budget import MINUTE_S
from portal.vault.capability import VERSION, Budget, Capability, Mint
from portal.vault.channel import Channel, Host
from portal.vault.clock import VaultClock
from portal.vault.closing import PREPARE
from portal.vault.database import connect
from portal.vault.gate import Gate, Peer
from portal.vault.keys import Keys, read_root_key_file
from portal.vault.link import Link, application_name
from portal.vault.pool import Pool
from portal.vault.registry import caller_operations
from portal.vault.settings import VaultSettings
from portal.vault.signals import Signals
from portal.vault.transaction import Transactions
from portal.vault.upkeep import Upkeep

_log = log.get_logger()
_encode = msgspec.msgpack.Encoder().encode

SIDE_CONNECTIONS_MAX = 6
DRAIN_S = 5.0


class VaultServer:
    """One vault process. ``async with VaultServer(settings)`` listens inside the block."""

    def __init__(self, settings: VaultSettings, *, wall_clock: Clock | None = None) -> None:
        """Read the root key and the certificates; connect to nothing yet.

        Raises: InvariantBroken ``root_key_exposed`` or ``root_key_wrong``; OSError for a file.
        """
        operations.load()
        self.settings = settings
        self.clock = VaultClock(wall_clock or SystemClock())
        self.keys = Keys(read_root_key_file(settings.root_key_file))
        self.signals = Signals()
        self.audit = Audit(settings.instance, settings.audit_heads_dir, self.keys.audit, self.clock)
        self._tls = server_context(settings.cert, settings.key, settings.ca)
        self._link = Link(settings, self.signals)
        self._pools: list[Pool] = []
        self._listeners: list[asyncio.Server] = []
        self._reports: set[asyncio.Task[None]] = set()
        self._host = Host(
            instance=settings.instance, serve=self._serve, greet=self._greet, report=self._report
        )
        self._open: _Open | None = None

    # --- life --------------------------------------------------------------------------------
    async def start(self) -> None:
        """Connect, catch up, listen.

        Raises: TryLater ``database_away``; InvariantBroken ``root_key_wrong``,
        ``instance_taken``, ``audit_behind_head``.
        """
        try:
            self._open = await self._open_data()
            await self._open.upkeep.start()
            await self._listen()
        except BaseException:
            await self.stop()
            raise
        _log.info("vault.started", instance=self.settings.instance)

    async def _open_data(self) -> "_Open":
        """Connect in the order that matters: first become the instance, then open its pools."""
        settings = self.settings
        link = await self._link.live()
        mint = Mint(await self.keys.load_mint_keys(link, self.clock.wall()))
        await self.audit.resume(link)
        dsn, secret = settings.database_url, settings.database_password_file
        name = application_name(settings.instance)
        most = limits.DATABASE_CONNECTIONS_MAX
        pool = Pool(partial(connect, dsn, secret, name, prepare=PREPARE), most=most)
        side = Pool(partial(connect, dsn, secret, name), most=SIDE_CONNECTIONS_MAX)
        self._pools += [pool, side]
        await pool.warm(settings.connections_at_start)
        await side.warm(settings.side_connections_at_start)
        transactions = Transactions(
            pool=pool,
            side=side,
            keys=self.keys,
            mint=mint,
            settings=settings,
            clock=self.clock,
            audit=self.audit,
            signals=self.signals,
        )
        upkeep = Upkeep(settings, self.clock, self.signals, self.audit, transactions, self._link)
        return _Open(mint, Gate(mint, self.signals), transactions, upkeep)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = limits.HANDSHAKE_TIMEOUT_S

        def accept() -> Channel:
            return Channel(self._host)

        listener = await loop.create_unix_server(
            accept, self.settings.socket, ssl=self._tls, ssl_handshake_timeout=timeout_s
        )
        self._listeners.append(listener)
        self.settings.socket.chmod(0o660)  # its folder decides who comes near it
        if self.settings.tcp:
            host, _, port = self.settings.tcp.rpartition(":")
            listener = await loop.create_server(
                accept, host, int(port), ssl=self._tls, ssl_handshake_timeout=timeout_s
            )
            self._listeners.append(listener)

    async def stop(self) -> None:
        """Stop listening, let running calls answer, seal the audit, close."""
        for listener in self._listeners:
            listener.close()
        await asyncio.gather(*(channel.drain(DRAIN_S) for channel in list(self._host.channels)))
        if self._reports:
            await asyncio.wait(self._reports, timeout=DRAIN_S)
        if self._open is not None:
            await self._open.upkeep.stop()
        self._link.close()
        for pool in self._pools:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await pool.close()
            pool.terminate()
        self._pools = []

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    # --- what channels need ------------------------------------------------------------------
    @property
    def data(self) -> "_Open":
        """The open parts. Raises: InvariantBroken ``vault_not_started``."""
        if self._open is None:
            raise InvariantBroken("vault_not_started")
        return self._open

    async def _serve(self, frame: CallFrame, peer: Peer) -> bytes:
        """Run one call to the bytes of its reply."""
        data = self.data
        call = data.gate.admit(frame, peer, self.clock.wall().timestamp())
        capability = call.capability
        if capability.kind == "api_key" and capability.merchant is not None:
            data.upkeep.key_used(capability.subject, capability.merchant, self.clock.wall())
        return _encode(await data.transactions.run(call))

    def _greet(self, caller: str, certificate: UUID) -> Authority:
        """The caller's own small authority, good on channels of this very certificate only."""
        now_s = int(self.clock.wall().timestamp())
        mint = self.data.mint
        capability = Capability(
            v=VERSION,
            kid=mint.kid,
            kind="caller",
            merchant=None,
            subject=certificate,
            ops=caller_operations(caller),
            scope_id=certificate,
            role=None,
            scopes=(),
            budget=self._greeting_budget(caller),
            not_before=now_s - 5,
            expires_at=now_s + limits.CALLER_AUTHORITY_S,
            jti=uuid4(),
        )
        return mint.authority(capability)

    def _greeting_budget(self, caller: str) -> Budget:
        """Who is shown rows without a principal, by the minute.

        The relay is, of deliveries; the doors are of bills that are said in calls, whose payer has
        just proven to be one.
        """
        by_minute = {
            "egress": self.settings.budget_egress_rows_per_minute,
            "web": self.settings.budget_call_rows_per_minute,
        }
        rows = by_minute.get(caller, 0)
        return Budget(rows, MINUTE_S if rows else 0)

    def _report(self, peer: Peer, code: str) -> None:
        """Record an incident of a channel that is being cut off."""
        _log.warning("incident.recorded", code=code, caller=peer.caller)
        entry = Entry(
            at=self.clock.wall(),
            merchant_id=None,
            caller=peer.caller,
            kind="caller",
            subject=peer.certificate,
            jti=peer.certificate,
            operation="channel",
            outcome=f"incident:{code}",
            rows=0,
            digest=b"",
        )
        task = asyncio.get_running_loop().create_task(self.data.transactions.record(entry))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)


@dataclass(frozen=True, slots=True)
class _Open:
    """What exists only while the database is connected."""

    mint: Mint
    gate: Gate
    transactions: Transactions
    upkeep: Upkeep
