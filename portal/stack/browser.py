"""A person's browser as far as benches and drills need one: cookies, redirects, one line a site.

Stack only. A crowd of payers shares two cores with the portal that they load, so what they cost is
kept low: each browser has one kept-alive connection to each site, as real ones do, and its answers
are cut by the parser that servers use. What must not be here: what a page means (that is
portal.stack.payers).
"""

import asyncio
import gzip
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import httptools
import httpx

_HTTP_PORT: Final = 80
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LOOPBACK: Final = {"localhost": "127.0.0.1"}
"""Where the demo listens; asking the system for every payer would take a thread each time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``location`` is where it sends the browser, or None."""

    url: str
    status_code: int
    location: str | None
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()


class Browser:
    """One browser with its own cookies and connections; close it when the person leaves.

    Speaks plain HTTP to hosts of this machine alone. ``timeout_s`` is for each request. Raises
    httpx.TransportError and its kinds, as the client does that it stands in for.
    """

    def __init__(self, timeout_s: float) -> None:
        """Nothing is open, no cookie is held."""
        self._timeout_s = timeout_s
        self._lines: dict[str, _Line] = {}
        self._cookies: dict[str, dict[str, str]] = {}

    async def get(self, url: str) -> Answer:
        """Ask for a page; a redirect is the caller's to follow."""
        return await self._ask("GET", url, b"")

    async def post(self, url: str, fields: dict[str, str]) -> Answer:
        """Send a form as browsers do."""
        return await self._ask("POST", url, urlencode(fields).encode())

    def close(self) -> None:
        """Hang up everywhere."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    async def _ask(self, method: str, url: str, body: bytes) -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(self._timeout_s):
                line = await self._line_to(parts, host)
                raw = await line.ask(self._request(method, parts, host, body))
        except TimeoutError as error:
            self._forget(parts.netloc)
            raise httpx.ReadTimeout(method) from error
        except OSError as error:
            self._forget(parts.netloc)
            raise httpx.ReadError(type(error).__name__) from error
        self._keep_cookies(host, raw.cookies)
        location = urljoin(url, raw.location) if raw.status in _REDIRECTS else None
        text = gzip.decompress(raw.body) if raw.is_packed else bytes(raw.body)
        return Answer(url, raw.status, location, text)

    def _request(self, method: str, parts: SplitResult, host: str, body: bytes) -> bytes:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"{method} {target} HTTP/1.1",
            f"host: {parts.netloc}",
            "accept: text/html,*/*",
            "accept-encoding: gzip",
            "user-agent: payer",
        ]
        held = self._cookies.get(host)
        if held:
            lines.append("cookie: " + "; ".join(f"{name}={held[name]}" for name in held))
        if method == "POST":
            lines.append("content-type: application/x-www-form-urlencoded")
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    async def _line_to(self, parts: SplitResult, host: str) -> "_Line":
        """The kept connection to a site, or a new one. Raises OSError."""
        line = self._lines.get(parts.netloc)
        if line is None or not line.is_open:
            _, line = await asyncio.get_running_loop().create_connection(
                _Line, _LOOPBACK.get(host, host), parts.port or _HTTP_PORT
            )
            self._lines[parts.netloc] = line
        return line

    def _forget(self, site: str) -> None:
        line = self._lines.pop(site, None)
        if line is not None:
            line.close()

    def _keep_cookies(self, host: str, cookies: list[str]) -> None:
        """By host, whatever the port (RFC 6265 §8.5); an age of nothing takes one away."""
        held = self._cookies.setdefault(host, {})
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "max-age=0" in cookie.lower():
                held.pop(name.strip(), None)
            else:
                held[name.strip()] = value.strip()


class _Raw:
    """One answer as it comes in; the parser calls back by these names."""

    def __init__(self) -> None:
        self.status = 0
        self.location = ""
        self.cookies: list[str] = []
        self.is_packed = False
        self.is_whole = False
        self.body = bytearray()

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"location":
                self.location = value.decode("latin-1")
            case b"set-cookie":
                self.cookies.append(value.decode("latin-1"))
            case b"content-encoding":
                self.is_packed = value == b"gzip"
            case _:
                return

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


class _Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._raw = _Raw()
        self._parser = httptools.HttpResponseParser(self._raw)
        self._answer: asyncio.Future[_Raw] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    async def ask(self, request: bytes) -> _Raw:
        """Send a request, wait for the whole answer. Raises OSError when the line breaks."""
        if self._transport is None:
            raise ConnectionResetError
        self._raw = _Raw()
        self._parser = httptools.HttpResponseParser(self._raw)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._break()
            return
        answer = self._answer
        if self._raw.is_whole and answer is not None and not answer.done():
            self._raw.status = self._parser.get_status_code()
            if not self._parser.should_keep_alive():
                self.close()
            answer.set_result(self._raw)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # the caller is told that it broke; the system's reason adds nothing
        self._transport = None
        self._break()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _break(self) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())
