"""One mail company and everybody's mailboxes behind it (host ``mail.sandbox.test``)."""

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import ApiError, DroppedAnswer, read_json, require_key
from portal.sandbox.mail_journal import MailJournal, Row
from portal.sandbox.notices import NoticeSender

PROVIDER: Final = "sandbox_mail"
_DELIVERY_S: Final = 0.4
_FIELDS: Final = ("account", "reference", "to", "from", "subject", "text", "html")
_ADDRESS: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]{1,64}@[a-z0-9.-]{3,190}")
_ENDS: Final[dict[str | None, tuple[str, ...]]] = {
    "bounces_hard": ("bounced_hard",),
    "bounces_soft": ("bounced_soft",),
    "complains": ("delivered", "complained"),
    "silent": (),
}
"""Fault → what the company reports, in order; anything else is delivered."""


class MailCompany:
    """Takes mails once per reference, delivers them after a moment and reports on it, signed."""

    def __init__(
        self, mails: MailJournal, once: Callable[[str], bool], notices: NoticeSender
    ) -> None:
        """Share the journal and the line for receipts; ``once`` is true the first time of a key."""
        self._mails = mails
        self._once = once
        self._notices = notices
        self._waiting: list[tuple[float, Row, tuple[str, ...]]] = []
        self._deliveries: asyncio.Task[None] | None = None

    @property
    def routes(self) -> list[Route]:
        """The company's whole interface."""
        return [Route("/v1/mails", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """POST /v1/mails: 201 when taken, 200 when this reference was taken before."""
        require_key(request, PROVIDER)
        mail = _read_mail(await read_json(request))
        fault = magic.MAIL.get(mail["recipient"].partition("@")[0])
        if fault == "invalid":
            raise ApiError(422, "invalid_address")
        key = f"{fault}:{mail['reference']}"
        if fault == "busy_once" and self._once(key):
            raise ApiError(429, "too_many_requests", {"retry-after": "1"})
        if fault == "down_once" and self._once(key):
            raise ApiError(503, "unavailable")
        stored, fresh = self._mails.add(mail)
        if fresh:
            self._ship(stored, _ENDS.get(fault, ("delivered",)))
            if fault == "drop_after":
                return DroppedAnswer()
        body = {"id": stored["id"], "reference": stored["reference"], "status": stored["status"]}
        return JSONResponse(body, status_code=201 if fresh else 200)

    def _ship(self, stored: Row, ends: tuple[str, ...]) -> None:
        if not ends:
            return
        self._waiting.append((time.monotonic() + _DELIVERY_S, stored, ends))
        if self._deliveries is None or self._deliveries.done():
            self._deliveries = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        while self._waiting:
            await asyncio.sleep(max(0.0, self._waiting[0][0] - time.monotonic()))
            now = time.monotonic()
            due = [(row, ends) for at, row, ends in self._waiting if at <= now]
            self._waiting = [waiting for waiting in self._waiting if waiting[0] > now]
            for row, ends in due:
                self._mails.end([row["id"]], ends[-1])
                for end in ends:
                    self._notices.send(PROVIDER, row["account"], _receipt(row, end))


def _receipt(row: Row, end: str) -> dict[str, str]:
    return {
        "id": f"ev_{secrets.token_hex(8)}",
        "message": row["id"],
        "reference": row["reference"],
        "status": end,
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _read_mail(values: dict[str, Any]) -> Row:
    for name in _FIELDS:
        if not isinstance(values.get(name), str) or not values[name]:
            raise ApiError(422, f"missing_{name}")
    if _ADDRESS.fullmatch(values["to"]) is None:
        raise ApiError(422, "invalid_address")
    if any(sign in values["subject"] + values["from"] for sign in "\r\n"):
        raise ApiError(422, "invalid_header")
    return {
        "id": f"ml_{secrets.token_hex(10)}",
        "account": values["account"],
        "reference": values["reference"],
        "recipient": values["to"],
        "sender": values["from"],
        "subject": values["subject"],
        "body": values["text"],
        "html": values["html"],
    }
