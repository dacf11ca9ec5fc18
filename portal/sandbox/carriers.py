"""Three mobile carriers behind the interfaces of two SMS companies.

At ``sms.sandbox.test`` a reference that comes again is the message that was taken. At
``sms2.sandbox.test`` it is one message more, as at many companies: nothing may be repeated there.
"""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import ApiError, DroppedAnswer, read_json, require_key
from portal.sandbox.journal import Journal, Row
from portal.sandbox.moods import Moods
from portal.sandbox.notices import NoticeSender

PROVIDER: Final = "sandbox_sms"
SECOND: Final = "sandbox_sms2"
_TEXT_UNITS_MAX: Final = 670
SWALLOWED: Final = "swallowed"
_DELIVERY_S: Final = 0.4
_FIELDS: Final = ("account", "reference", "to", "from", "text")
CARRIERS: Final = {"+8170": "Mori", "+8180": "Umi", "+8190": "Sora"}
"""Prefix → carrier; anything else is no mobile number."""


class Carriers:
    """Takes messages, delivers them after a moment and reports on it."""

    def __init__(
        self, journal: Journal, notices: NoticeSender, moods: Moods, company: str = PROVIDER
    ) -> None:
        """Share the journal and the line for receipts; only PROVIDER honours references."""
        self._journal = journal
        self._notices = notices
        self._moods = moods
        self._company = company
        self._waiting: list[tuple[float, Row]] = []
        self._deliveries: asyncio.Task[None] | None = None
        self.watchers: set[asyncio.Event] = set()

    @property
    def routes(self) -> list[Route]:
        """The company's whole interface."""
        return [Route("/v1/messages", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """POST /v1/messages: 201 when taken, 200 when this reference was taken before.

        The second company answers 201 to every one.
        """
        require_key(request, self._company)
        mood = await self._moods.before(self._company)
        message = _read_message(await read_json(request))
        fault = magic.sms_fault(message["recipient"])
        if fault == "invalid":
            raise ApiError(422, "invalid_number")
        key = f"{fault}:{message['reference']}"
        if fault == "busy_once" and self._journal.first_time(key):
            raise ApiError(429, "too_many_requests", {"retry-after": "1"})
        if fault == "down_once" and self._journal.first_time(key):
            raise ApiError(503, "unavailable")
        stored, fresh = self._store(message)
        if fresh:
            self._ship(stored, fault)
            if fault == "drop_after":
                return DroppedAnswer()
        if spoilt := await self._moods.after(mood):
            return spoilt
        body = {"id": stored["id"], "reference": stored["reference"], "status": stored["status"]}
        return JSONResponse(body, status_code=201 if fresh else 200)

    def _store(self, message: Row) -> tuple[Row, bool]:
        if self._company == PROVIDER:
            return self._journal.add_message(message)
        return self._journal.add_message_again(message), True

    def _ship(self, stored: Row, fault: magic.SmsFault | None) -> None:
        for watcher in self.watchers:
            watcher.set()
        if fault == "silent":
            self._journal.set_message_status([stored["id"]], SWALLOWED)
            return
        end = "undelivered" if fault == "undelivered" else "delivered"
        self._waiting.append((time.monotonic() + _DELIVERY_S, {**stored, "end": end}))
        if self._deliveries is None or self._deliveries.done():
            self._deliveries = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        while self._waiting:
            await asyncio.sleep(max(0.0, self._waiting[0][0] - time.monotonic()))
            now = time.monotonic()
            due = [row for at, row in self._waiting if at <= now]
            self._waiting = [pair for pair in self._waiting if pair[0] > now]
            for end in {row["end"] for row in due}:
                self._journal.set_message_status(
                    (row["id"] for row in due if row["end"] == end), end
                )
            for row in due:
                self._notices.send(self._company, row["account"], _receipt(row))


def _receipt(row: Row) -> dict[str, str]:
    return {
        "id": f"ev_{secrets.token_hex(8)}",
        "message": row["id"],
        "reference": row["reference"],
        "status": row["end"],
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _read_message(values: dict[str, Any]) -> Row:
    for name in _FIELDS:
        if not isinstance(values.get(name), str) or not values[name]:
            raise ApiError(422, f"missing_{name}")
    recipient = str(values["to"])
    if recipient[:5] not in CARRIERS or len(recipient) != len("+819012345678"):
        raise ApiError(422, "invalid_number")
    text = str(values["text"])
    if len(text.encode("utf-16-le")) // 2 > _TEXT_UNITS_MAX:
        raise ApiError(422, "text_too_long")
    return {
        "id": f"sm_{secrets.token_hex(10)}",
        "account": values["account"],
        "reference": values["reference"],
        "recipient": recipient,
        "sender": values["from"],
        "body": text,
    }
