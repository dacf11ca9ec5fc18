"""A whole relay in this process, on real sockets, with a provider, a vault's end and its rules."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.egress.resolve import Lookup
from portal.egress.rules import sign_rules
from portal.egress.run import serve
from portal.egress.settings import EgressSettings
from portal.kit.outbound import Outbound, OutboundAnswer, OutboundRequest
from tests.make.certificates import Authority
from tests.make.provider import HOST, Behaviour, Provider, accept
from tests.make.redeemer import Redeemer

CREDENTIAL = "provider-secret-4711"
OTHER_CREDENTIAL = "other-secret-0815"
STRIPE_KEY = "sk_test_4711_for_localstripe"
SHOP_PASS = "shop-pass-0815"
SITE_PASS = "site-pass-4712"
SIGNING_KEY = "opa-key-77120"
SIGNING_SECRET = "opa-secret-1Zx9-4711"
CREDENTIALS = {
    "provider": CREDENTIAL,
    "sandbox_card": CREDENTIAL,
    "other": OTHER_CREDENTIAL,
    "stripe": STRIPE_KEY,
    "gmopg": SHOP_PASS,
    "gmopg.site": SITE_PASS,
    "opa.key": SIGNING_KEY,
    "opa.secret": SIGNING_SECRET,
}


def rule(port: int, **changes: object) -> dict[str, object]:
    """A sandbox rule for the provider: worker, POST and GET under /v1/."""
    return {
        "id": "provider",
        "role": "work",
        "host": HOST,
        "port": port,
        "methods": ("GET", "POST", "PUT"),
        "path_prefixes": ("/v1/",),
        "credentials": ("provider",),
        "purpose": "tests",
        "bytes_up_per_hour": 100_000_000,
        "address": "127.0.0.1",
        "sandbox": True,
    } | changes


async def eventually(claim: Callable[[], Awaitable[bool]], *, within_s: float = 5.0) -> None:
    """Wait until the claim holds; AssertionError when it does not in time."""
    for _ in range(int(within_s / 0.05)):
        if await claim():
            return
        await asyncio.sleep(0.05)
    msg = "it did not come true in time"
    raise AssertionError(msg)


@dataclass
class Relay:
    """What a test needs of a running relay."""

    folder: Path
    settings: EgressSettings
    signing_key: Ed25519PrivateKey
    authority: Authority
    provider: Provider
    vault: Redeemer
    outbound: Outbound
    version: int = 1

    def sign(self, *rules: dict[str, object], version: int | None = None) -> None:
        """Replace the rule file; the relay follows within its poll."""
        self.version = self.version + 1 if version is None else version
        draft = self.settings.rules_file.with_suffix(".new")
        draft.write_bytes(sign_rules(self.signing_key, {"version": self.version, "rules": rules}))
        draft.replace(self.settings.rules_file)

    def request(self, **changes: object) -> OutboundRequest:
        """A good request; ``changes`` make it another."""
        fields: dict[str, object] = {
            "host": HOST,
            "port": self.provider.port,
            "method": "POST",
            "path": "/v1/messages",
            "headers": {"Authorization": "Bearer {{credential:provider}}"},
            "body": '{"text":"hello"}',
            "body_kind": "json",
            "timeout_s": 5.0,
        }
        return OutboundRequest(**(fields | changes))  # type: ignore[arg-type]

    async def send(self, **changes: object) -> OutboundAnswer:
        """Send one request that differs in ``changes``."""
        return (await self.outbound.send([self.request(**changes)]))[0]

    def delivery(self, to: str, body: str, host: str = HOST) -> UUID:
        """A delivery that the vault would redeem."""
        id_ = uuid4()
        self.vault.values[id_] = (host, to, body)
        return id_

    def denials(self) -> list[dict[str, object]]:
        """What the journal holds, oldest first."""
        if not self.settings.journal_file.exists():
            return []
        lines = self.settings.journal_file.read_text().splitlines()
        return [json.loads(line)["denied"] for line in lines]


@asynccontextmanager
async def running_relay(  # noqa: PLR0913 - what a test may want to be different
    folder: Path,
    *,
    behaviour: Behaviour = accept,
    rules: list[dict[str, object]] | None = None,
    callers: str | None = None,
    lookup: Lookup | None = None,
    version: int = 1,
    credentials: dict[str, str] | None = None,
    authority: Authority | None = None,
) -> AsyncGenerator[Relay]:
    """Start provider, vault's end and relay; stop them all at the end."""
    authority = authority or Authority(folder / "certificates")
    settings, signing_key = _settings(folder, authority, callers or f"{os.geteuid()}=work")
    if credentials is not None:
        settings.credentials_file.write_text(json.dumps(credentials))
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(Provider(authority, behaviour=behaviour))
        vault = await stack.enter_async_context(Redeemer(authority, Path(settings.vault_socket)))
        outbound = Outbound(settings.socket)
        relay = Relay(folder, settings, signing_key, authority, provider, vault, outbound)
        listed = [rule(provider.port)] if rules is None else rules
        for item in listed:
            item["port"] = item["port"] or provider.port
        relay.sign(*listed, version=version)
        ready = asyncio.Event()
        extra = {} if lookup is None else {"lookup": lookup}
        serving = asyncio.create_task(serve(settings, ready=ready.set, **extra))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if serving.done():
            await serving
        try:
            yield relay
        finally:
            await outbound.aclose()
            serving.cancel()
            await asyncio.wait({serving})


def _settings(
    folder: Path, authority: Authority, callers: str
) -> tuple[EgressSettings, Ed25519PrivateKey]:
    signing_key = Ed25519PrivateKey.generate()
    key_file = folder / "rules.key"
    key_file.write_bytes(signing_key.public_key().public_bytes_raw())
    credentials = folder / "credentials.json"
    credentials.write_text(json.dumps(CREDENTIALS))
    credentials.chmod(0o600)
    cert, key = authority.zone("egress")
    return EgressSettings(
        socket=folder / "egress.sock",
        tunnel_socket=folder / "tunnel.sock",
        vault_socket=str(folder / "vault.sock"),
        cert=cert,
        key=key,
        ca=authority.ca,
        rules_file=folder / "rules.json",
        rules_key_file=key_file,
        credentials_file=credentials,
        journal_file=folder / "denied.jsonl",
        callers=callers,
        sandbox_ca=authority.ca,
    ), signing_key
