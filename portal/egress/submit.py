"""Mails handed in by SMTP submission: one exchange each, and exactly what is known afterwards.

Zone: egress. TLS from the first byte, or STARTTLS that must succeed before anything is said; never
in clear. The fate turns at the dot that ends the text: before it the server has no mail, whatever
breaks; after it only the server's word tells, and without one nobody knows. Nothing is repeated,
except that a kept connection which turns out to be dead before the mail's sender was named is
replaced. Source: RFC 5321 §4.2.5, §4.5.3.2, RFC 6409, RFC 8314 §3.
"""

import asyncio
import re
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiosmtplib
import msgspec

from portal.egress.denial import Denied
from portal.egress.dial import dial
from portal.egress.mime import Outgoing
from portal.egress.resolve import Resolver
from portal.egress.rule import Rule
from portal.egress.submission import Submission
from portal.kit.outbound.wire import OutboundAnswer, SubmitStage, SubmitWord

IDLE_S: Final = 10.0
"""How long a connection is kept for the next mail; servers wait five minutes (RFC 5321)."""

MAILS_MAX: Final = 100
"""Mails on one connection; many servers take no more."""

_OK: Final = 250
_GO_ON: Final = 354
_CLOSING: Final = 421
_REFUSED: Final = 400
_ENHANCED: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")


class _SaidNo(Exception):
    """The server answered with a refusal: at which stage, and its code."""

    def __init__(self, stage: SubmitStage, answer: aiosmtplib.SMTPResponse) -> None:
        """Keep the code and the enhanced one; the server's words stay here."""
        super().__init__(stage)
        found = _ENHANCED.match(answer.message)
        self.word = SubmitWord(stage=stage, code=answer.code, enhanced=found[1] if found else "")


@dataclass(slots=True)
class _Kept:
    """A connection that has handed in ``mails`` and is good until ``until`` (loop's clock)."""

    link: aiosmtplib.SMTP
    mails: int = 0
    until: float = 0.0

    def close(self) -> None:
        """Let it go without a word."""
        self.link.close()


_Place = tuple[str, int, str | None, Submission | None]
"""What connections are told apart by: those of a rule that changed are not used again."""


def _place(rule: Rule) -> _Place:
    return (rule.host, rule.port, rule.address, rule.submission)


@dataclass(slots=True)
class _Progress:
    """``may_have_mail``: the ending dot was ours to write."""

    may_have_mail: bool = False


class Submitter:
    """Connections to submission servers, kept a little while, by rule."""

    def __init__(self, resolver: Resolver, tls_for: Callable[[Rule], ssl.SSLContext]) -> None:
        """Names are resolved and judged by ``resolver``; ``tls_for`` trusts what a rule may."""
        self._resolver = resolver
        self._tls_for = tls_for
        self._kept: dict[_Place, deque[_Kept]] = defaultdict(deque)

    async def submit(
        self, rule: Rule, mail: Outgoing, login: tuple[str, str] | None, timeout_s: float
    ) -> OutboundAnswer:
        """Hand one mail in and say what became of it; never raises for what happens outside.

        An ``answered`` one has the server's code as its status, and a SubmitWord as its body.
        """
        progress = _Progress()
        kept: _Kept | None = None
        try:
            async with asyncio.timeout(timeout_s):
                kept = await self._ready(rule, login, mail.sender)
                await _hand_in(kept.link, mail, progress)
        except _SaidNo as no:
            if no.word.code == _CLOSING:
                _close(kept)
                kept = None
            self._give_back(rule, kept)
            return _answered(no.word)
        except Denied as denied:
            code = denied.code
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            code = _code_of(error)
        except BaseException:
            _close(kept)
            raise
        else:
            kept.mails += 1
            self._give_back(rule, kept)
            return _answered(SubmitWord(stage="done", code=_OK))
        _close(kept)
        return OutboundAnswer(fate="unclear" if progress.may_have_mail else "not_sent", code=code)

    def close(self) -> None:
        """Close every connection."""
        for connections in self._kept.values():
            for kept in connections:
                kept.close()
        self._kept.clear()

    async def _ready(self, rule: Rule, login: tuple[str, str] | None, sender: str) -> _Kept:
        """A connection on which the mail's sender was taken: a kept one, or else a fresh one."""
        now = asyncio.get_running_loop().time()
        connections = self._kept[_place(rule)]
        while connections:
            kept = connections.pop()
            if kept.until < now or not kept.link.is_connected:
                kept.close()
                continue
            try:
                await kept.link.rset()
                await _name_sender(kept.link, sender)
            except (_SaidNo, aiosmtplib.SMTPException, OSError):
                # It may have been told to go meanwhile; nothing was handed in on it.
                kept.close()
                continue
            return kept
        kept = _Kept(await self._connect(rule, login))
        try:
            await _name_sender(kept.link, sender)
        except BaseException:
            kept.close()
            raise
        return kept

    async def _connect(self, rule: Rule, login: tuple[str, str] | None) -> aiosmtplib.SMTP:
        submission = rule.submission
        if submission is None:
            raise Denied("method_not_allowed")
        tls = self._tls_for(rule)
        link = aiosmtplib.SMTP(
            hostname=rule.host,
            sock=await dial(self._resolver, rule),
            use_tls=submission.tls == "implicit",
            start_tls=False,
            tls_context=tls,
            local_hostname=submission.bounce_domain,
            timeout=rule.timeout_s,
        )
        try:
            await link.connect()
            await _greet(link)
            if submission.tls == "starttls":
                await _start_tls(link, tls, rule.host)
                await _greet(link)
            if login is not None:
                await link.login(*login)
        except aiosmtplib.SMTPAuthenticationError as error:
            link.close()
            raise _SaidNo("login", aiosmtplib.SMTPResponse(error.code, "")) from error
        except aiosmtplib.SMTPResponseException as error:
            link.close()
            raise _SaidNo("greeting", aiosmtplib.SMTPResponse(error.code, "")) from error
        except BaseException:
            link.close()
            raise
        return link

    def _give_back(self, rule: Rule, kept: _Kept | None) -> None:
        """Keep a connection for the next mail; those that nobody came back for go."""
        now = asyncio.get_running_loop().time()
        for connections in self._kept.values():
            while connections and connections[0].until < now:
                connections.popleft().close()
        if kept is None:
            return
        if kept.mails >= MAILS_MAX or not kept.link.is_connected:
            kept.close()
            return
        kept.until = now + IDLE_S
        self._kept[_place(rule)].append(kept)


def _close(kept: _Kept | None) -> None:
    if kept is not None:
        kept.close()


async def _greet(link: aiosmtplib.SMTP) -> None:
    answer = await link.ehlo()
    if answer.code != _OK:
        raise _SaidNo("greeting", answer)


async def _start_tls(link: aiosmtplib.SMTP, tls: ssl.SSLContext, host: str) -> None:
    """Go over to TLS. Raises Denied ``tls_failed`` when the server offers none: nothing is said."""
    if not link.supports_extension("starttls"):
        raise Denied("tls_failed")
    try:
        await link.starttls(server_hostname=host, tls_context=tls)
    except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
        raise Denied("tls_failed") from error


async def _name_sender(link: aiosmtplib.SMTP, sender: str) -> None:
    answer = await link.execute_command(b"MAIL", f"FROM:<{sender}>".encode("ascii"))
    if answer.code >= _REFUSED:
        raise _SaidNo("sender", answer)


async def _hand_in(link: aiosmtplib.SMTP, mail: Outgoing, progress: _Progress) -> None:
    answer = await link.execute_command(b"RCPT", f"TO:<{mail.recipient}>".encode("ascii"))
    if answer.code >= _REFUSED:
        raise _SaidNo("recipient", answer)
    answer = await link.execute_command(b"DATA")
    if answer.code != _GO_ON:
        raise _SaidNo("text", answer)
    protocol = link.protocol
    if protocol is None:
        raise ConnectionResetError
    protocol.write(_stuffed(mail.data))
    progress.may_have_mail = True
    protocol.write(b".\r\n")
    answer = await protocol.read_response()
    if answer.code >= _REFUSED:
        raise _SaidNo("text", answer)
    if answer.code != _OK:
        raise ValueError


def _stuffed(data: bytes) -> bytes:
    """Lines that begin with a dot get another one. Source: RFC 5321 §4.5.2."""
    ended = data if data.endswith(b"\r\n") else data + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", ended)


def _answered(word: SubmitWord) -> OutboundAnswer:
    return OutboundAnswer(fate="answered", status=word.code, body=msgspec.json.encode(word))


def _code_of(error: Exception) -> str:
    match error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error:
        case ssl.SSLError():
            return "tls_failed"
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return "timed_out"
        case aiosmtplib.SMTPConnectError():
            return "connect_failed"
        case aiosmtplib.SMTPServerDisconnected() | OSError():
            return "dropped"
        case _:
            return "answer_invalid"
