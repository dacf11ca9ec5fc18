"""One request, one HTTPS exchange with a listed host, and exactly what is known afterwards.

Zone: egress. The relay speaks TLS itself, to an address that its own resolver judged. No redirect
is followed, no proxy, cookie or ``.netrc`` used, nothing is repeated. The fate of a request turns
at one point: once a connection was ours to write on, the host may have seen the request, and only
a complete answer makes that certain. What a rule sends by HTTP/2: see ``portal.egress.http2``.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, AddressFamily
from types import SimpleNamespace
from typing import Final

import aiohttp
import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from portal.egress.bank_file import AnswerKeeper, FileSource
from portal.egress.denial import Denied
from portal.egress.grammar import ANSWER_HEADERS
from portal.egress.http2 import Progress
from portal.egress.links import USER_AGENT, Links
from portal.egress.mime import Outgoing
from portal.egress.resolve import Resolver
from portal.egress.rule import Protocol, Rule
from portal.egress.submit import Submitter
from portal.egress.template import Filled
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

KEEP_ALIVE_S: Final = 4.0
"""Below the 5 s after which many servers drop an idle connection: a request written on one that
is just being dropped would be unclear."""

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Sent:
    """One request as it goes out; ``source`` is the bank's file that goes into its body."""

    rule: Rule
    request: OutboundRequest
    filled: Filled
    source: FileSource | None

    @property
    def data(self) -> bytes | AsyncGenerator[bytes] | None:
        """The body, whole or piece by piece."""
        filled = self.filled
        if self.source is not None:
            return self.source.pieces(filled.body, filled.tail)
        return filled.body or None

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with the length of a body that is not here yet."""
        filled = self.filled
        if self.source is None:
            return filled.headers
        length = len(filled.body) + self.source.letters + len(filled.tail)
        return {**filled.headers, "content-length": str(length)}


class Sender:
    """Connections to the outside, kept alive by name and address, and bounded by rule."""

    def __init__(self, resolver: Resolver, sandbox_ca: Path | None) -> None:
        """``sandbox_ca`` is trusted for sandbox rules and for nothing else."""
        self._resolver = resolver
        self._sandbox_ca = sandbox_ca
        self._tls: dict[tuple[bool, Protocol], ssl.SSLContext] = {
            (False, "http/1.1"): _tls(Path(certifi.where()), "http/1.1")
        }
        if sandbox_ca is not None:
            self._tls[True, "http/1.1"] = _tls(sandbox_ca, "http/1.1")
        self._sessions: dict[str | None, aiohttp.ClientSession] = {}
        self._submitter = Submitter(resolver, self._tls_for)
        self._links = Links(resolver, self._tls_for)
        self._places: dict[tuple[str, int], asyncio.Semaphore] = {}

    async def send(
        self,
        rule: Rule,
        request: OutboundRequest,
        filled: Filled,
        source: FileSource | None = None,
        keeper: AnswerKeeper | None = None,
        *,
        has_place: bool = False,
    ) -> OutboundAnswer:
        """Send once and say what became of it; never raises for what happens outside.

        A ``source`` is written into the body a part at a time. With a ``keeper`` what a 200 brings
        goes to it, and its word comes back in place of a body.

        Waits for a free place at most the request's own time, unless the caller has one; that time
        then starts again.
        """
        timeout_s = min(request.timeout_s, rule.timeout_s)
        progress = Progress()
        place = nullcontext() if has_place else self.place(rule, timeout_s)
        try:
            async with place, asyncio.timeout(timeout_s):
                if rule.protocol == "h2":
                    return await self._links.exchange(rule, request, filled, progress)
                sent = _Sent(rule, request, filled, source)
                return await self._exchange(sent, progress, keeper)
        except Denied as denied:
            code = denied.code
        except (aiohttp.ClientError, OSError, ValueError, EOFError) as error:
            code = _code_of(error)
        fate = "unclear" if progress.may_have_reached else "not_sent"
        return OutboundAnswer(fate=fate, code=code)

    async def submit(
        self, rule: Rule, mail: Outgoing, credentials: Mapping[str, str], wait_s: float
    ) -> OutboundAnswer:
        """Hand one mail in by SMTP, once; the rest as :meth:`send`."""
        timeout_s = min(wait_s, rule.timeout_s)
        ruled = rule.submission
        login = None
        if ruled is not None and ruled.user:
            login = (credentials[ruled.user], credentials[ruled.password])
        try:
            async with self.place(rule, timeout_s):
                return await self._submitter.submit(rule, mail, login, timeout_s)
        except Denied as denied:
            return OutboundAnswer(fate="not_sent", code=denied.code)

    async def close(self) -> None:
        """Close every connection."""
        self._submitter.close()
        self._links.close()
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _exchange(
        self, sent: "_Sent", progress: Progress, keeper: AnswerKeeper | None
    ) -> OutboundAnswer:
        rule, request = sent.rule, sent.request
        path, question, query = request.path.partition("?")
        url = URL.build(
            scheme="https", host=rule.host, port=rule.port, path=path, query_string=query,
            encoded=True,
        )  # fmt: skip
        async with self._session(rule).request(
            request.method,
            url if question else url.with_query(None),
            data=sent.data,
            headers={"user-agent": USER_AGENT, **sent.headers, "accept-encoding": "identity"},
            ssl=self._tls_for(rule),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=rule.connect_timeout_s),
            trace_request_ctx=progress,
        ) as answer:
            if keeper is not None:
                return await _keep(answer, rule.answer_bytes_max, keeper)
            return await _read(answer, rule.answer_bytes_max)

    @asynccontextmanager
    async def place(self, rule: Rule, wait_s: float) -> AsyncGenerator[None]:
        """One of the rule's places; Denied ``relay_busy`` when none gets free in time."""
        places = self._places.setdefault(
            (rule.id, rule.concurrency_max), asyncio.Semaphore(rule.concurrency_max)
        )
        try:
            async with asyncio.timeout(wait_s):
                await places.acquire()
        except TimeoutError as error:
            raise Denied("relay_busy") from error
        try:
            yield
        finally:
            places.release()

    def _session(self, rule: Rule) -> aiohttp.ClientSession:
        """The connections for the rule's pin: a pinned name shares none with the public one."""
        session = self._sessions.get(rule.address)
        if session is None:
            connector = aiohttp.TCPConnector(
                resolver=_Pinning(self._resolver, rule.address),
                use_dns_cache=False,
                limit=0,  # bounded by rule, above
                keepalive_timeout=KEEP_ALIVE_S,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=("content-type",),
                trace_configs=[_tracing()],
                middlewares=(_never_repeat,),
            )
            self._sessions[rule.address] = session
        return session

    def _tls_for(self, rule: Rule) -> ssl.SSLContext:
        known = self._tls.get((rule.sandbox, rule.protocol))
        if known is None:
            ca = self._sandbox_ca if rule.sandbox else Path(certifi.where())
            if ca is None:
                raise Denied("tls_failed")
            known = self._tls[rule.sandbox, rule.protocol] = _tls(ca, rule.protocol)
        return known


class _Pinning(AbstractResolver):
    """Gives aiohttp the judged addresses of a name, or the one that sandbox rules pin."""

    def __init__(self, resolver: Resolver, address: str | None) -> None:
        self._resolver = resolver
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AF_INET
    ) -> list[ResolveResult]:
        """Both families: which to try first is aiohttp's business."""
        del family
        if self._address is not None:
            addresses = [self._address]
        else:
            addresses = await self._resolver.public_addresses(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AF_INET6 if ":" in address else AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """The resolver is shared and closed by its owner."""


async def _read(answer: aiohttp.ClientResponse, bytes_max: int) -> OutboundAnswer:
    """The whole answer, or ``unclear`` when it is not for us to read to its end."""
    headers = {
        name.lower(): text
        for name, text in answer.headers.items()
        if name.lower() in ANSWER_HEADERS
    }
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        # Values could not be scrubbed out of it, and a small one could unpack to a huge one.
        answer.close()
        return OutboundAnswer(fate="unclear", status=answer.status, code="answer_encoded")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > bytes_max:
            answer.close()
            return OutboundAnswer(
                fate="unclear",
                status=answer.status,
                headers=headers,
                body=bytes(body[:bytes_max]),
                code="too_large",
            )
    return OutboundAnswer(fate="answered", status=answer.status, headers=headers, body=bytes(body))


async def _keep(
    answer: aiohttp.ClientResponse, bytes_max: int, keeper: AnswerKeeper
) -> OutboundAnswer:
    """Pass a 200's body on as it comes; of any other answer the status alone comes back."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if answer.status != _OK or encoding != "identity":
        answer.close()
        code = "answer_encoded" if answer.status == _OK else ""
        return OutboundAnswer(
            fate="unclear" if code else "answered", status=answer.status, code=code
        )
    async for chunk in answer.content.iter_any():
        if keeper.size_bytes + len(chunk) > bytes_max:
            answer.close()
            return OutboundAnswer(fate="unclear", status=answer.status, code="too_large")
        await keeper.add(chunk)
    return OutboundAnswer(fate="answered", status=answer.status, body=await keeper.finish())


def _tls(ca: Path, protocol: Protocol) -> ssl.SSLContext:
    """TLS 1.2 or better, certificates of ``ca`` alone, names checked; one protocol is offered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca)
    if protocol == "h2":
        context.options |= ssl.OP_NO_RENEGOTIATION  # RFC 9113 §9.2.1
    context.set_alpn_protocols([protocol])
    return context


def _tracing() -> aiohttp.TraceConfig:
    async def reached(
        _session: aiohttp.ClientSession, context: SimpleNamespace, _params: object
    ) -> None:
        progress: Progress = context.trace_request_ctx
        progress.may_have_reached = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(reached)
    tracing.on_connection_reuseconn.append(reached)
    return tracing


async def _never_repeat(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending again, by itself, what it calls idempotent (PUT and DELETE too)."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Denied("dropped") from error


def _code_of(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "dns_failed"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "tls_failed"
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return "timed_out"
        case aiohttp.ClientConnectorError():
            return "connect_failed"
        case aiohttp.ClientConnectionError() | aiohttp.ClientPayloadError() | OSError():
            return "dropped"
        case _:
            return "answer_invalid"
