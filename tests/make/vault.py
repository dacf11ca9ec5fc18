"""A real vault for tests: real PostgreSQL, a database of its own per test, real TLS on a socket."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from argon2 import PasswordHasher

from portal.contract.client import VaultClient
from portal.contract.login import REDEEM_LOGIN_TICKET, RedeemLoginTicket, SignedIn
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    FoundMerchant,
    IssueLoginTicket,
)
from portal.domain.errors import TryLater
from portal.kit.clock import Clock
from portal.kit.crypto import client_context
from portal.stack.postgres import BOOTSTRAP, DATABASE, MIGRATE, OWNER, VAULT, Postgres
from portal.stack.users import usual_accounts
from portal.vault.keys import create_root_key_file
from portal.vault.migrate import migrate
from portal.vault.server import VaultServer
from portal.vault.settings import VaultSettings
from tests.make.certificates import Authority

PASSWORD = "correct horse battery"
HANA = "hana@minato.example"
MEMORY_LEAST = 4 * 1024**3
"""Units: bytes that have to be free. A cluster of tests takes about 0.4 GB at most, and some run
beside each other."""

START_TRIES_MAX = 3
"""A stack starts its vault again, too, when that could not reach the database."""

QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A password's real hash takes 0.2 s, in nearly every test. The real one is held to its settings by
tests/unit/test_password.py, and used by every test of a running stack."""


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL whose database ``harai`` is migrated and serves as template."""

    postgres: Postgres
    folder: Path

    def password_file(self, role: str) -> Path:
        """Where a role's password is."""
        return self.postgres.folder / "secrets" / role

    async def admin(self, *statements: str) -> None:
        """Run statements as the superuser, each for itself, outside any test's database."""
        link = await self.postgres.connect(BOOTSTRAP, "postgres")
        try:
            for statement in statements:
                await link.execute(statement)
        finally:
            await link.close()

    async def create_database(self) -> str:
        """A copy of the migrated template, with the rights that the stack gives."""
        name = f"t_{secrets.token_hex(6)}"
        await self.admin(
            f"create database {name} template {DATABASE} strategy file_copy owner {OWNER}",
            f"revoke all on database {name} from public",
            f"grant connect on database {name} to {MIGRATE}, {VAULT}",
        )
        return name

    async def end_sessions(self, database: str) -> None:
        """End all sessions in a database, as a failover would."""
        link = await self.postgres.connect(BOOTSTRAP, "postgres")
        try:
            await link.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1",
                database,
            )
        finally:
            await link.close()

    async def until_asleep(self, database: str) -> None:
        """Wait until a statement of the database sleeps; TimeoutError when none does."""
        link = await self.postgres.connect(BOOTSTRAP, "postgres")
        asleep = (
            "select exists (select from pg_stat_activity"
            " where datname = $1 and wait_event = 'PgSleep')"
        )
        try:
            async with asyncio.timeout(15):
                while not await link.fetchval(asleep, database):  # noqa: ASYNC110 - only it knows
                    await asyncio.sleep(0.02)
        finally:
            await link.close()

    async def drop_database(self, name: str) -> None:
        """Remove a test's database with whoever is still connected."""
        await self.admin(f"drop database if exists {name} with (force)")


def _roomy_folder() -> Path:
    """Memory if this machine has enough: copying the template there costs a tenth of the time."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder below is mkdtemp's
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_LEAST
    return memory if has_room else Path("/tmp")  # noqa: S108 - likewise


@contextmanager
def running_cluster() -> Generator[Cluster]:
    """Start PostgreSQL, migrate it once, stop and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="harai-vault-tests-", dir=_roomy_folder()))
    folder.chmod(0o711)
    account = usual_accounts()["postgres"]
    postgres = Postgres(folder / "postgres", account=account, bootstrap_login=True)
    try:
        asyncio.run(postgres.start())
        cluster = Cluster(postgres, folder)
        # No test pulls the plug of the machine; with fsync each copy of the template takes seconds.
        # A fresh copy's pages are read once: by who asks, not by a process woken for it.
        asyncio.run(
            cluster.admin(
                "alter system set fsync = off",
                "alter system set full_page_writes = off",
                "alter system set io_method = sync",
                "alter system set max_wal_size = '128MB'",
            )
        )
        asyncio.run(postgres.running.stop())
        asyncio.run(postgres.running.start())
        migrate(postgres.dsn(MIGRATE), cluster.password_file(MIGRATE))
        yield cluster
    finally:
        asyncio.run(postgres.stop())
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Ground:
    """One test's own database, root key, certificates and folders; vaults and callers on it."""

    cluster: Cluster
    database: str
    folder: Path
    authority: Authority
    _clients: list[VaultClient] = field(default_factory=list)

    def settings(self, **changes: object) -> VaultSettings:
        """Settings of a vault on this ground."""
        cert, key = self.authority.zone("vault")
        values: dict[str, object] = {
            "socket": self.folder / "vault.sock",
            "cert": cert,
            "key": key,
            "ca": self.authority.ca,
            "root_key_file": self.folder / "root.key",
            "database_url": self.cluster.postgres.dsn(VAULT, self.database),
            "database_password_file": self.cluster.password_file(VAULT),
            "audit_heads_dir": self.folder / "heads",
            "public_origin": "http://localhost:8080",
            "provider_hosts": "sandbox_sms=sms.sandbox.test,sandbox_card=card.sandbox.test,"
            "gmopg=p01.mul-pay.test,smbc_gp=p01.smbc-gp.test,stripe=api.stripe.test,"
            "sandbox_bank=bank.sandbox.test,sandbox_mail=mail.sandbox.test,"
            "sandbox_sms2=sms2.sandbox.test,sandbox_tel=tel.sandbox.test,"
            "smtp=smtp.provider.test,sandbox_wallet=wallet.sandbox.test,"
            "aws_ses=email.amazon.test,sandbox_counter=counter.sandbox.test",
            "instance": "vault-test",
            "connections_at_start": 1,
            "side_connections_at_start": 0,
        }
        return VaultSettings.model_validate({**values, **changes})

    @asynccontextmanager
    async def vault(
        self, *, wall_clock: Clock | None = None, **changes: object
    ) -> AsyncGenerator[VaultServer]:
        """A running vault."""
        async with AsyncExitStack() as stack:
            server: VaultServer | None = None
            for _ in range(START_TRIES_MAX - 1):
                with suppress(TryLater):  # the database took more than 5 s: a busy machine
                    wanted = VaultServer(self.settings(**changes), wall_clock=wall_clock)
                    server = await stack.enter_async_context(wanted)
                    break
            yield server or await stack.enter_async_context(
                VaultServer(self.settings(**changes), wall_clock=wall_clock)
            )

    async def client(self, zone: str, socket: Path | None = None) -> VaultClient:
        """A caller with a zone's certificate; closed when the test ends."""
        context = client_context(*self.authority.zone(zone), self.authority.ca)
        address = str(socket or self.folder / "vault.sock")
        client = await VaultClient.connect(address, context)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close all callers."""
        for client in self._clients:
            await client.close()


@asynccontextmanager
async def fresh_ground(cluster: Cluster) -> AsyncGenerator[Ground]:
    """A ground with a database of its own; all of it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="harai-ground-", dir="/tmp"))
    create_root_key_file(folder / "root.key")
    ground = Ground(
        cluster, await cluster.create_database(), folder, Authority(folder / "certificates")
    )
    try:
        with patch("portal.vault.staff._HASHER", QUICK_HASHER):
            yield ground
    finally:
        await ground.close()
        await cluster.drop_database(ground.database)
        shutil.rmtree(folder, ignore_errors=True)


ClientFor = Callable[[str], Awaitable[VaultClient]]


async def found_merchant(
    operator: VaultClient,
    code: str = "minato",
    card_provider: str = "sandbox_card",
    *,
    wallet: str = "",
) -> FoundMerchant:
    """A merchant called みなと電力, without a wallet unless told otherwise."""
    request = FoundMerchant(
        code=code,
        name="みなと電力",
        zone="Asia/Tokyo",
        sms_sender="0005123456",
        sms_provider="sandbox_sms",
        card_provider=card_provider,
        phone="0120-000-000",
        website="https://minato.example",
        wallet_provider=wallet,
    )
    await operator.call(FOUND_MERCHANT, request)
    return request


async def add_staff(
    operator: VaultClient,
    code: str = "minato",
    email: str = HANA,
    role: str = "owner",
) -> str:
    """A member of staff with PASSWORD; returns the TOTP secret."""
    request = AddStaff(
        merchant_code=code, name="山田 花子", email=email, password=PASSWORD, role=role
    )
    return (await operator.call(ADD_STAFF, request)).totp_secret


async def signed_in(
    operator: VaultClient,
    web: VaultClient,
    code: str = "minato",
    email: str = HANA,
) -> SignedIn:
    """A session of a member of staff, by ticket."""
    issued = await operator.call(
        ISSUE_LOGIN_TICKET, IssueLoginTicket(merchant_code=code, email=email, life_s=60)
    )
    return await web.call(REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=issued.ticket))
