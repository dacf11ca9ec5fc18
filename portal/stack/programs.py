"""The stack's processes: how each is started, with which variables, and how one sees it serve.

Stack only. A process gets its own variables and no others: no parent's environment, no other
zone's paths. Nothing is started here.
"""

import asyncio
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypedDict, Unpack

import httpx

from portal.application.providers.registry import CAPABILITIES
from portal.contract.client import VaultClient
from portal.kit.crypto import client_context
from portal.stack.certificates import SANDBOX_HOSTS
from portal.stack.install import DEMO_CODE
from portal.stack.layout import Layout
from portal.stack.postgres import Postgres
from portal.stack.processes import Program
from portal.stack.push_services import browser_key
from portal.stack.sandbox_rules import TEL_ACCOUNT
from portal.stack.valkey import Valkey

PUSH_SERVICES: Final = {
    "webpush": "push.sandbox.test",
    "fcm": "fcm.sandbox.test",
    "apns": "apns.sandbox.test",
}
"""Push services speak a form of their own, and the sandbox's speak just that: one adapter each."""

PROVIDERS: Final = {
    f"sandbox_{host.partition('.')[0]}": host
    for host in SANDBOX_HOSTS
    if host not in PUSH_SERVICES.values()
} | PUSH_SERVICES
"""The sandbox's companies by name: each has a host of the same, push services apart."""

ACCOUNTS: Final = {"sandbox_tel": f"/{TEL_ACCOUNT}", "sandbox_counter": f"/{DEMO_CODE}"}
"""What some of them call us, as it stands in their addresses."""

RATE_SCALE: Final = 100
"""All clients of an embedded stack share one loopback address, payers and companies alike."""

_SOCKETS_OPEN_TO_THE_DOOR: Final = 0o007
_PROBE_S: Final = 2.0
_NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. Probes speak plain HTTP, and a process that starts is asked twenty times a second:
the usual context reads all the world's authorities each time, which takes 20 ms of a processor."""

Probe = Callable[[], Awaitable[None]]


class _How(TypedDict, total=False):
    """What may differ from the usual; see Program."""

    prepare: Probe
    umask: int
    stop: signal.Signals
    stop_s: float


class Programs:
    """The programs of one layout. ``postgres`` and ``valkey`` bring their own."""

    def __init__(self, layout: Layout, postgres: Postgres, valkey: Valkey) -> None:
        """Nothing is started."""
        self._layout = layout
        self._postgres = postgres
        self._valkey = valkey

    def vault(self) -> Program:
        """The data zone's server."""
        zone = self._layout.zone("vault")
        hosts = ",".join(f"{name}={host}" for name, host in PROVIDERS.items())
        return self._zone(
            "vault",
            {
                **self._identity("vault"),
                "SOCKET": str(self._layout.socket("vault")),
                "ROOT_KEY_FILE": str(zone / "root.key"),
                "DATABASE_URL": self._postgres.dsn(),
                "DATABASE_PASSWORD_FILE": str(zone / "database.password"),
                "AUDIT_HEADS_DIR": str(self._layout.heads),
                "PUBLIC_ORIGIN": self._layout.origin,
                "PROVIDER_HOSTS": hosts,
                "PROVIDER_KEYS": _keys(),
                "PUSH_HOSTS": PUSH_SERVICES["webpush"],
                "PUSH_PORT": str(self._layout.ports.api),
                "INSTANCE": "vault-1",
            },
            self._vault_answers,
            umask=_SOCKETS_OPEN_TO_THE_DOOR,
        )

    def egress(self) -> Program:
        """The relay."""
        zone, layout = self._layout.zone("egress"), self._layout
        callers = ",".join(
            f"{layout.accounts[role].effective_uid}={role}" for role in ("web", "work")
        )
        return self._zone(
            "egress",
            {
                **self._identity("egress"),
                "SOCKET": str(layout.socket("egress")),
                "TUNNEL_SOCKET": str(layout.socket("egress", "tunnel.sock")),
                "VAULT_SOCKET": str(layout.socket("vault")),
                "RULES_FILE": str(layout.rules / "rules.json"),
                "RULES_KEY_FILE": str(layout.rules / "rules.pub"),
                "CREDENTIALS_FILE": str(zone / "credentials.json"),
                "JOURNAL_FILE": str(zone / "journal" / "denied.jsonl"),
                "CALLERS": callers,
                "SANDBOX_CA": str(layout.rules / "companies.pem"),
            },
            _accepts(layout.socket("egress")),
            umask=_SOCKETS_OPEN_TO_THE_DOOR,
        )

    def web(self) -> Program:
        """The application's doors."""
        layout = self._layout
        return self._zone(
            "web",
            {
                **self._identity("web"),
                "SOCKET": str(layout.socket("web")),
                "VAULT_SOCKET": str(layout.socket("vault")),
                "EGRESS_SOCKET": str(layout.socket("egress")),
                "PUBLIC_ORIGIN": layout.origin,
                "COOKIE_KEY_FILE": str(layout.zone("web") / "cookie.key"),
                "INSTANCE": layout.facts.instance,
                "PROVIDER_ENDPOINTS": self._endpoints(),
                "NOTICE_KEYS_FILE": str(layout.zone("web") / "notice_keys.json"),
                "PUSH_KEY": browser_key(layout.zone("egress") / "credentials.json"),
            },
            _says_ok("http://web/healthz", socket=layout.socket("web")),
            umask=_SOCKETS_OPEN_TO_THE_DOOR,
        )

    def work(self) -> Program:
        """The application's background: relay of tasks and arq workers."""
        layout = self._layout
        said = _Said(layout.logs / "work.log", b'"worker.started"')
        return self._zone(
            "work",
            {
                **self._identity("work"),
                "VAULT_SOCKET": str(layout.socket("vault")),
                "EGRESS_SOCKET": str(layout.socket("egress")),
                "VALKEY_URL": self._valkey.url,
                "QUEUE_KEY_FILE": str(layout.zone("work") / "queue.key"),
                "PROVIDER_ENDPOINTS": self._endpoints(),
                "PROCESSES": "2",
                "INSTANCE": f"work-{layout.facts.instance}",
            },
            said.probe,
            prepare=said.prepare,
            stop_s=60.0,
        )

    def dmz(self) -> Program:
        """Nginx; SIGQUIT lets requests finish."""
        layout = self._layout
        return self._zone(
            "dmz",
            {
                "LISTEN": f"127.0.0.1:{layout.ports.portal}",
                "WEB_SOCKET": str(layout.socket("web")),
                "STATE_DIR": str(layout.zone("dmz")),
                "RATE_SCALE": str(RATE_SCALE),
            },
            _says_ok(f"http://127.0.0.1:{layout.ports.portal}/healthz"),
            stop=signal.SIGQUIT,
        )

    def sandbox(self) -> Program:
        """The outside world in small."""
        layout = self._layout
        zone = layout.zone("sandbox")
        return self._zone(
            "sandbox",
            {
                "STATE_DIR": str(zone / "state"),
                "BROWSER_PORT": str(layout.ports.browser),
                "API_PORT": str(layout.ports.api),
                "CERT": str(zone / "cert.pem"),
                "KEY": str(zone / "key.pem"),
                "NOTICE_ORIGIN": f"http://127.0.0.1:{layout.ports.portal}",
                "BROWSER_ORIGIN": layout.browser_origin,
                "KEYS_FILE": str(zone / "keys.json"),
            },
            _says_ok(f"http://127.0.0.1:{layout.ports.browser}/healthz"),
        )

    async def operator(self) -> VaultClient:
        """A channel to the vault with the operator's certificate; the caller closes it."""
        folder = self._layout.keys / "operator"
        context = client_context(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
        return await VaultClient.connect(str(self._layout.socket("vault")), context)

    def _zone(
        self,
        name: str,
        settings: Mapping[str, str],
        probe: Probe,
        **how: Unpack[_How],
    ) -> Program:
        folder = self._layout.zone(name)
        return Program(
            name=name,
            account=self._layout.accounts[name],
            argv=[sys.executable, "-m", "portal.cli", name],
            log=self._layout.logs / f"{name}.log",
            cwd=Path("/"),
            probe=probe,
            env={
                "HOME": str(folder),
                "TMPDIR": str(folder),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUNBUFFERED": "1",
                **{f"PORTAL_{name.upper()}_{key}": value for key, value in settings.items()},
            },
            **how,
        )

    def _identity(self, name: str) -> dict[str, str]:
        folder = self._layout.zone(name)
        return {
            "CERT": str(folder / "cert.pem"),
            "KEY": str(folder / "key.pem"),
            "CA": str(folder / "ca.pem"),
        }

    def _endpoints(self) -> str:
        port = self._layout.ports.api
        return ",".join(
            f"{name}={host}:{port}{ACCOUNTS.get(name, '')}" for name, host in PROVIDERS.items()
        )

    async def _vault_answers(self) -> None:
        client = await self.operator()
        await client.close()


def _keys() -> str:
    """For how long each company takes a repeated key once, as its capabilities say."""
    known = ((name, CAPABILITIES.get(name)) for name in PROVIDERS)
    return ",".join(
        f"{name}={able.key_life_s:.0f}"
        for name, able in known
        if able is not None and able.channels and able.repeat_is_safe
    )


def _says_ok(url: str, *, socket: Path | None = None) -> Probe:
    async def probe() -> None:
        uds = None if socket is None else str(socket)
        transport = httpx.AsyncHTTPTransport(verify=_NO_TLS, uds=uds)
        async with httpx.AsyncClient(
            transport=transport, timeout=_PROBE_S, trust_env=False
        ) as client:
            (await client.get(url)).raise_for_status()

    return probe


def _accepts(socket: Path) -> Probe:
    async def probe() -> None:
        _, writer = await asyncio.open_unix_connection(str(socket))
        writer.close()
        await writer.wait_closed()

    return probe


class _Said:
    """For a process without a door: it is ready when its log says so after this start."""

    def __init__(self, log: Path, words: bytes) -> None:
        self._log = log
        self._words = words
        self._offset = 0

    async def prepare(self) -> None:
        """Remember where this start's part of the log begins."""
        self._offset = await asyncio.to_thread(self._size)

    async def probe(self) -> None:
        """Look for the words. Raises RuntimeError while they are not there."""
        if self._words not in await asyncio.to_thread(self._read):
            msg = "it has not said yet that it is ready"
            raise RuntimeError(msg)

    def _size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def _read(self) -> bytes:
        with self._log.open("rb") as source:
            source.seek(self._offset)
            return source.read()
