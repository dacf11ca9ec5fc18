"""What comes back of mails: delivery reports and complaints, as the mail server hands them on.

Application zone; pure. The server that takes mail for the bounce domain posts each mail as it came
(``message/rfc822``), signed like an agency's notice, with a key that we gave to it. Who a report
speaks of is told by the token in the address that it was sent to; the vault alone can tell whether
the token is one of ours. What is no report (an answer out of office) claims nothing and is taken,
so that nobody tries again. Source: RFC 3464 (delivery reports), RFC 3463 (codes), RFC 5965 (ARF).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from typing import Final, TypeAlias, cast

from portal.application.providers.agency_notices import is_signed
from portal.contract.payment import NoticeClaim
from portal.domain.errors import InvalidInput

HEADER: Final = "x-harai-signature"
PARTS_MAX: Final = 50
BOUNDARIES_MAX: Final = 20
SEAMS_MAX: Final = 100
"""No report has so many parts; one made to keep a reader busy has, and anybody can write one."""

_TOKEN: Final = re.compile(r"bounce\+([0-9a-z]{26}\.[0-9a-f]{24})@", re.ASCII | re.IGNORECASE)
_BARE: Final = re.compile(r"\s*([0-9a-z]{26}\.[0-9a-f]{24})\s*", re.ASCII | re.IGNORECASE)
_STATUS: Final = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)
_TO: Final = ("x-original-to", "delivered-to", "envelope-to", "to")
_NAME_BYTES: Final = 16
_REPORT: Final = "message/delivery-status"
_COMPLAINT: Final = "message/feedback-report"


class ReturnedMail:
    """Notice reader that proves its sender; see portal.application.providers.registry."""

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> tuple[NoticeClaim, ...]:
        """What one mail claims of one of ours; nothing for a mail that is no report.

        Raises InvalidInput ``notice_malformed`` for what is no mail, or an endless one.
        """
        del headers
        if raw.lower().count(b"boundary") > BOUNDARIES_MAX or raw.count(b"\n--") > SEAMS_MAX:
            return ()
        try:
            parts = list(_walk(message_from_bytes(raw)))
            claim, token = _read(parts)
        except (ValueError, LookupError, RecursionError, AttributeError, TypeError):
            # The standard library's reader raises leaves of these for hostile mails.
            raise InvalidInput("notice_malformed") from None
        if claim is None or token is None:
            return ()
        name = hashlib.sha256(raw).hexdigest()[: 2 * _NAME_BYTES]
        said = NoticeClaim(
            notice_id=f"m-{name}", subject="delivery", reference=token, claim=claim, at=None
        )
        return (said,)

    def is_genuine(
        self, raw: bytes, headers: Mapping[str, str], keys: Iterable[str], now_s: float
    ) -> bool:
        """Whether one of ``keys`` signed exactly these bytes within five minutes of ``now_s``."""
        return is_signed(raw, headers.get(HEADER, ""), keys, now_s)


NOTICES: Final = ReturnedMail()

_Part: TypeAlias = "Message[str, str]"


def _walk(mail: _Part) -> Iterator[_Part]:
    """The mail's parts, the outermost first; those past PARTS_MAX are not looked at."""
    waiting = [mail]
    for _ in range(PARTS_MAX):
        if not waiting:
            return
        part = waiting.pop(0)
        yield part
        if part.get_content_type() != _REPORT:
            waiting += _inner(part)


def _inner(part: _Part) -> list[_Part]:
    """What a part holds, as far as that is mails and not text."""
    held = part.get_payload()
    if not isinstance(held, list):
        return []
    return [inner for inner in cast("list[object]", held) if isinstance(inner, Message)]


def _read(parts: list[_Part]) -> tuple[str | None, str | None]:
    """The claim and the token of whom it is about."""
    for part in parts:
        kind = part.get_content_type()
        if kind == _REPORT:
            return _read_report(_fields(part)), _find_token(parts)
        if kind == _COMPLAINT:
            return _read_feedback(_fields(part)), _find_token(parts)
    return None, None


def _fields(part: _Part) -> list[tuple[str, str]]:
    """Small names and texts of a report, of all its blocks, in order."""
    return [(name.lower(), str(text)) for block in _inner(part) for name, text in block.items()]


def _read_report(fields: list[tuple[str, str]]) -> str | None:
    """A delivery report's claim: for good, for now, or arrived.

    ``bounced``: there is no such mailbox (5.1.x), or it takes nothing any more (5.2.1); ``failed``
    for any other permanent end, which says nothing of the address. What is only late, or was passed
    on to a place that reports nothing, claims nothing that we act on.
    """
    known = dict(reversed(fields))
    action = known.get("action", "").strip().lower()
    status = _STATUS.match(known.get("status", ""))
    if action == "delivered":
        return "delivered"
    if action != "failed" or status is None:
        return None
    kind, subject, detail = status.groups()
    if kind == "4":
        return "undelivered"
    if kind != "5":
        return None
    return "bounced" if subject == "1" or (subject, detail) == ("2", "1") else "failed"


def _read_feedback(fields: list[tuple[str, str]]) -> str | None:
    """Whether the reader wants no more. ``not-spam`` and the like claim nothing."""
    kind = dict(reversed(fields)).get("feedback-type", "").strip().lower()
    return "complained" if kind in {"abuse", "fraud", "opt-out", "virus"} else None


def _find_token(parts: list[_Part]) -> str | None:
    """The token: in the address the report came to, else in what it quotes of our mail."""
    places = [parts[0].get_all(name, []) for name in _TO]
    for part in parts:
        if part.get_content_type() in {_COMPLAINT, _REPORT}:
            places += [[text for name, text in _fields(part) if name == "original-mail-from"]]
    for text in (str(text) for texts in places for text in texts):
        if found := _TOKEN.search(text):
            return found[1].lower()
    for part in parts:
        quoted = [part]
        if part.get_content_type() == "text/rfc822-headers":
            quoted = [message_from_bytes(str(part.get_payload()).encode("utf-8", "replace"))]
        for block in quoted:
            bare = _BARE.fullmatch(str(block.get("x-message-token", "")))
            back = _TOKEN.search(str(block.get("return-path", "")))
            if found := bare or back:
                return found[1].lower()
    return None
