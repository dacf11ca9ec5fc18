"""The payers' mailboxes: a page with what arrived, one mail as its reader sees it, and as JSON."""

import re
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from portal.sandbox.mail_journal import MailJournal, Row
from portal.sandbox.phone import POLICY, shape
from portal.sandbox.templates import render

_LINK: Final = re.compile(r"https?://\S+")
_ZONE: Final = ZoneInfo("Asia/Tokyo")
_SHOWN: Final = 30
_PAGE_MAX: Final = 20_000
_MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail as mail programs show it: its own style attributes, no script, nothing from elsewhere."""


class Mailboxes:
    """Everybody's mailbox, by address."""

    def __init__(self, mails: MailJournal) -> None:
        """Read the company's books."""
        self._mails = mails

    @property
    def routes(self) -> list[Route]:
        """The page, one mail, and the same as JSON for programs."""
        return [
            Route("/mail", self.page),
            Route("/mail/messages.json", self.messages),
            Route("/mail/{seq:int}", self.mail),
            Route("/mail/{seq:int}/html", self.html),
        ]

    async def page(self, request: Request) -> Response:
        """GET /mail?to=: the newest mails, of everybody or of one address."""
        chosen = request.query_params.get("to", "").strip().lower()
        rows = self._mails.mails(after=0, recipient=chosen or None, limit=_SHOWN)
        page = render(
            "mail.html", chosen=chosen, mails=[_told(row) for row in reversed(rows)], mail=None
        )
        return HTMLResponse(page, headers={"content-security-policy": POLICY})

    async def mail(self, request: Request) -> Response:
        """GET /mail/<number>: one mail, its text with links to tap, beside its mailbox."""
        row = self._mails.mail(request.path_params["seq"])
        if row is None:
            return Response(status_code=404)
        rows = self._mails.mails(after=0, recipient=row["recipient"], limit=_SHOWN)
        page = render(
            "mail.html",
            chosen=row["recipient"],
            mails=[_told(other) for other in reversed(rows)],
            mail={**row, **shape(row)},
        )
        return HTMLResponse(page, headers={"content-security-policy": POLICY})

    async def html(self, request: Request) -> Response:
        """GET /mail/<number>/html: the HTML that the mail brought, confined."""
        row = self._mails.mail(request.path_params["seq"])
        if row is None:
            return Response(status_code=404)
        return HTMLResponse(row["html"], headers={"content-security-policy": _MAIL_POLICY})

    async def messages(self, request: Request) -> Response:
        """GET /mail/messages.json?after=&to=&limit=: for simulated payers and drills."""
        rows = self._mails.mails(
            after=int(request.query_params.get("after", "0")),
            recipient=request.query_params.get("to", "").strip().lower() or None,
            limit=min(int(request.query_params.get("limit", "1000")), _PAGE_MAX),
        )
        told = {"messages": [_public(row) for row in rows]}
        return Response(orjson.dumps(told), media_type="application/json")


def _told(row: Row) -> dict[str, Any]:
    clock = datetime.fromtimestamp(row["at"], _ZONE).strftime("%H:%M")
    return {"seq": row["seq"], "to": row["recipient"], "subject": row["subject"], "clock": clock}


def _public(row: Row) -> dict[str, Any]:
    link = _LINK.search(row["body"])
    return {
        **_told(row),
        "from": row["sender"],
        "text": row["body"],
        "link": link.group() if link else None,
        "status": row["status"],
        "at": row["at"],
    }
