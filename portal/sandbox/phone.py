"""The payers' telephones: a page that shows the messages just delivered, live, and the journal."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from portal.sandbox import bank_journal, counter_journal, transfer_journal
from portal.sandbox.carriers import CARRIERS, SWALLOWED, Carriers
from portal.sandbox.journal import Journal, Row
from portal.sandbox.templates import SCRIPT, STYLE, render
from portal.sandbox.till_journal import told
from portal.sandbox.wallet_journal import refund_told, state_of

_LINK: Final = re.compile(r"(https?://\S+)")
_ZONE: Final = ZoneInfo("Asia/Tokyo")
_SHOWN: Final = 30
_CALLS: Final = 5
_PAGE_MAX: Final = 20_000
_HEARTBEAT_S: Final = 15.0
_SHARE_S: Final = 0.25
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self' http://localhost:* http://127.0.0.1:*; base-uri 'none';"
    " frame-ancestors 'none'"
)


_NEWEST: Final[dict[str, Any]] = {"after": 0, "recipient": None, "limit": 1}


class Phones:
    """Everybody's inbox, by telephone number."""

    def __init__(self, journal: Journal, carriers: Carriers) -> None:
        """Read the journal; be woken by the carriers."""
        self._journal = journal
        self._carriers = carriers

    @property
    def routes(self) -> list[Route]:
        """The page, its stream, and the same as JSON for programs."""
        return [
            Route("/phone", self.page),
            Route("/phone/events", self.events),
            Route("/phone/messages.json", self.messages),
            Route("/phone/told.json", self.told),
            Route("/phone/count.json", self.count),
            Route("/journal.json", self.journal),
            Route("/sandbox.css", self.style),
            Route("/phone.js", self.script),
        ]

    async def page(self, request: Request) -> Response:
        """GET /phone?to=: the newest numbers, and one phone."""
        latest = list(reversed(self._shown(None)))
        chosen = e164(request.query_params.get("to", "")) or (
            latest[0]["recipient"] if latest else None
        )
        messages = self._shown(chosen) if chosen else []
        page = render(
            "phone.html",
            latest=latest,
            chosen=chosen,
            mails=list(reversed(self._journal.mails.mails(after=0, recipient=None, limit=_SHOWN))),
            calls=list(reversed(self._journal.calls.calls(after=0, recipient=None, limit=_CALLS))),
            pushes=list(reversed(self._journal.pushes.shown(after=0, token=None, limit=_SHOWN))),
            carrier=CARRIERS.get((chosen or "")[:5], ""),
            after=latest[0]["seq"] if latest else 0,
            messages=[{**row, **shape(row)} for row in messages],
        )
        return HTMLResponse(page, headers={"content-security-policy": POLICY})

    def _shown(self, recipient: str | None) -> list[Row]:
        """The newest messages; what a carrier has swallowed is on nobody's phone."""
        rows = self._journal.messages(after=0, recipient=recipient, limit=_SHOWN)
        return [row for row in rows if row["status"] != SWALLOWED]

    async def messages(self, request: Request) -> Response:
        """GET /phone/messages.json?after=&to=&limit=: for simulated payers and drills."""
        rows = self._journal.messages(
            after=int(request.query_params.get("after", "0")),
            recipient=e164(request.query_params.get("to", "")) or None,
            limit=min(int(request.query_params.get("limit", "1000")), _PAGE_MAX),
        )
        return _json({"messages": [_public(row) for row in rows]})

    async def count(self, request: Request) -> Response:
        """GET /phone/count.json: how many messages were taken in all, cheap at any number."""
        del request
        return _json({"taken": self._journal.messages_taken()})

    async def told(self, request: Request) -> Response:
        """GET /phone/told.json: every telephone with how many messages were taken for it."""
        del request
        return _json(self._journal.messages_by_recipient())

    async def events(self, request: Request) -> Response:
        """GET /phone/events?after=: server-sent events, each a list of new messages."""
        after = int(request.query_params.get("after", "0"))
        return StreamingResponse(self._stream(after), media_type="text/event-stream")

    async def journal(self, request: Request) -> Response:
        """GET /journal.json: what really happened, for the comparison item by item."""
        del request
        payments = [
            _payment("sandbox_card", row, row["status"])
            | {
                "taken_back": self._journal.disputes.taken_back(row["reference"]),
                "dispute": (self._journal.disputes.of(row["reference"]) or {}).get("status", ""),
                # Whoever pays on the company's page is led back from it; a charge has no page.
                "charged": not row["return_url"],
            }
            for row in self._journal.payments()
        ]
        payments += [
            _payment("sandbox_wallet", row, state_of(row)) for row in self._journal.wallet.codes()
        ]
        payments += [
            _payment("sandbox_counter", row, state)
            for row in self._journal.counters.all()
            if (state := counter_journal.state_of(row)) is not None
        ]
        payments += [
            _payment("sandbox_agency", told(row), "succeeded")
            for row in self._journal.tills.all()
            if row["status"] == "confirmed"
        ]
        payments += [
            _payment("bank_debit", bank_journal.told(row), bank_journal.state_of(row))
            for row in self._journal.bank.lines()
        ]
        refunds = [
            {
                "provider": "sandbox_card",
                "reference": row["reference"],
                "payment": row["payment"],
                "state": row["status"],
                "amount": row["amount"],
            }
            for row in self._journal.refunds()
        ]
        refunds += [
            {"provider": "sandbox_wallet"} | refund_told(row)
            for row in self._journal.wallet.refunds()
        ]
        refunds += [transfer_journal.told(row) for row in self._journal.transfers.lines()]
        sent = {
            "messages": self._journal.message_counts(),
            "mails": self._journal.mails.counts(),
            "calls": self._journal.calls.counts(),
            "pushes": {"taken": len(self._journal.pushes.taken())},
        }
        return _json({"payments": payments, "refunds": refunds, **sent})

    async def style(self, request: Request) -> Response:
        """The pages' style."""
        del request
        return Response(STYLE, media_type="text/css")

    async def script(self, request: Request) -> Response:
        """The phone's script."""
        del request
        return Response(SCRIPT, media_type="text/javascript")

    async def _stream(self, after: int) -> AsyncIterator[bytes]:
        watcher = asyncio.Event()
        self._carriers.watchers.add(watcher)
        called = max((one["seq"] for one in self._journal.calls.calls(**_NEWEST)), default=0)
        try:
            while True:
                rows = self._journal.messages(after=after, recipient=None, limit=_SHOWN)
                if rows:
                    after = rows[-1]["seq"]
                    shown = [_public(row) for row in rows if row["status"] != SWALLOWED]
                    yield b"data: " + orjson.dumps(shown) + b"\n\n"
                calls = self._journal.calls.calls(after=called, recipient=None, limit=_CALLS)
                if calls:
                    called = calls[-1]["seq"]
                    rings = [{"seq": one["seq"], "to": one["recipient"]} for one in calls]
                    yield b"event: call\ndata: " + orjson.dumps(rings) + b"\n\n"
                watcher.clear()
                try:
                    await asyncio.wait_for(watcher.wait(), _HEARTBEAT_S)
                    await asyncio.sleep(_SHARE_S)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._carriers.watchers.discard(watcher)


def e164(text: str) -> str:
    """A number as people type it → as the companies write it; empty for none."""
    digits = re.sub(r"\D", "", text)
    return f"+81{digits[1:]}" if digits.startswith("0") else f"+{digits}" if digits else ""


def shape(row: Row) -> dict[str, Any]:
    """A message's text in pieces, links apart, and the clock of its arrival."""
    pieces = [
        {"text": piece, "link": _LINK.fullmatch(piece) is not None}
        for piece in _LINK.split(row["body"])
        if piece
    ]
    return {"pieces": pieces, "clock": datetime.fromtimestamp(row["at"], _ZONE).strftime("%H:%M")}


def _public(row: Row) -> dict[str, Any]:
    link = _LINK.search(row["body"])
    return {
        "seq": row["seq"],
        "to": row["recipient"],
        "from": row["sender"],
        "text": row["body"],
        "link": link.group(1) if link else None,
        "status": row["status"],
        "at": row["at"],
        "clock": datetime.fromtimestamp(row["at"], _ZONE).strftime("%H:%M"),
    }


def _payment(provider: str, row: Row, state: str) -> dict[str, Any]:
    return {
        "provider": provider,
        "reference": row["reference"],
        "state": state,
        "amount": row["amount"],
        "account": row["account"],
    }


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
