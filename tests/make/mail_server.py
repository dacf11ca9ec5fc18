"""A real mail server in a process of its own (aiosmtpd), and one that misbehaves on purpose.

``python -m tests.make.mail_server PORT CERT KEY MODE FOLDER``: what it takes is written to FOLDER,
a file a mail: a line of JSON with the envelope, then the bytes as they came.
"""

import asyncio
import json
import ssl
import sys
import warnings
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "harai-relay"
PASSWORD = "submission-secret-4711"


class Keeper:
    """aiosmtpd's handler: refuses whom it should and keeps the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        said = {
            "nobody": "550 5.1.1 no such user here: nobody@mail.example",
            "full": "452 4.2.2 mailbox full",
            "grey": "451 4.7.1 greylisted, come again",
            "closing": "421 4.3.2 going down",
            "policy": "550 5.7.1 not wanted",
        }.get(address.partition("@")[0])
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        if envelope.rcpt_tos[0].startswith("spam"):
            return "554 5.7.1 looks like spam"
        self._taken += 1
        told = json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos})
        draft = self._folder / "draft"
        draft.write_bytes(told.encode() + b"\n" + envelope.original_content)
        draft.rename(self._folder / f"{self._taken:04}.eml")
        return "250 2.0.0 OK queued as 4711"


def authenticate(*given: object) -> AuthResult:
    data = given[-1]
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=good)


async def serve(port: int, cert: str, key: str, mode: str, folder: Path) -> None:
    """Serve until killed."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    loop = asyncio.get_running_loop()
    warnings.simplefilter("ignore")  # it does not see that its socket speaks TLS already
    starts, keeper = mode == "starttls", Keeper(folder)

    def make() -> SMTP:
        return SMTP(
            keeper,
            hostname="smtp.provider.test",
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=starts,
            tls_context=tls if starts else None,
            require_starttls=starts,
        )

    server = await loop.create_server(make, "127.0.0.1", port, ssl=None if starts else tls)
    (folder / "ready").touch()
    async with server:
        await server.serve_forever()


@dataclass
class BadServer:
    """Speaks SMTP up to the place where its ``mode`` goes wrong; ``heard`` is what came in."""

    mode: str
    heard: list[bytes] = field(default_factory=list[bytes])

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(b"220 bad.provider.test ESMTP\r\n")
        try:
            while line := await reader.readline():
                self.heard.append(line)
                verb = line[:4].upper()
                if verb == b"DATA":
                    if not await self._take_text(reader, writer):
                        return
                    continue
                writer.write(_ANSWERS.get(verb, b"250 2.0.0 OK\r\n"))
        except OSError:
            return
        finally:
            writer.transport.abort()

    async def _take_text(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self.mode == "drops_before_text":
            return False
        writer.write(b"354 go on\r\n")
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                return False
        if self.mode == "drops_after_dot":
            return False
        if self.mode == "drips":
            for byte in b"250 2.0.0 OK queued\r\n":
                writer.write(bytes([byte]))
                await asyncio.sleep(1)
        writer.write(b"250 2.0.0 OK\r\n")
        return True


_ANSWERS = {b"EHLO": b"250-bad.provider.test\r\n250 8BITMIME\r\n"}


@asynccontextmanager
async def bad_server(
    port: int, pair: tuple[Path, Path] | None, mode: str
) -> AsyncGenerator[BadServer]:
    """One in this process; without a pair it has no TLS to offer."""
    bad = BadServer(mode)
    tls = None
    if pair is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*pair)
    server = await asyncio.start_server(bad.speak, "127.0.0.1", port, ssl=tls)
    try:
        yield bad
    finally:
        server.close()


@dataclass
class MailServer:
    """A running one."""

    port: int
    folder: Path
    process: Process

    def taken(self) -> list[tuple[dict[str, Any], bytes]]:
        """Envelope and bytes of every mail that it took, oldest first."""
        mails: list[tuple[dict[str, Any], bytes]] = []
        for file in sorted(self.folder.glob("*.eml")):
            told, _, data = file.read_bytes().partition(b"\n")
            mails.append((json.loads(told), data))
        return mails


@asynccontextmanager
async def mail_server(
    folder: Path, port: int, pair: tuple[Path, Path], mode: str
) -> AsyncGenerator[MailServer]:
    """Start one and wait until it listens; it is killed at the end."""
    await asyncio.to_thread(folder.mkdir)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.make.mail_server",
        str(port), str(pair[0]), str(pair[1]), mode, str(folder),
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not (folder / "ready").exists():  # noqa: ASYNC110 - another process' file
                await asyncio.sleep(0.02)
        yield MailServer(port, folder, process)
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    _, wanted_port, cert_file, key_file, wanted_mode, place = sys.argv
    asyncio.run(serve(int(wanted_port), cert_file, key_file, wanted_mode, Path(place)))
