"""The telephone that rings: a page with what is said and keys to press, and the same as JSON."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox.call_journal import CallJournal, Row
from portal.sandbox.interface import read_form
from portal.sandbox.phone import POLICY, e164
from portal.sandbox.telephones import Telephones
from portal.sandbox.templates import render

KEYPAD: Final = ("123", "456", "789", "*0#")

_ZONE: Final = ZoneInfo("Asia/Tokyo")
_SHOWN: Final = 30
_PAGE_MAX: Final = 20_000
_SEE_OTHER: Final = 303


class CallPages:
    """Everybody's telephone, as far as calls go."""

    def __init__(self, calls: CallJournal, telephones: Telephones) -> None:
        """Read the company's books; what is done on the page the company does."""
        self._calls = calls
        self._telephones = telephones

    @property
    def routes(self) -> list[Route]:
        """The pages, their buttons, and the same for programs."""
        return [
            Route("/calls", self.page),
            Route("/calls.json", self.list),
            Route("/calls/{seq:int}", self.call),
            Route("/calls/{seq:int}", self.act, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """GET /calls?to=: the newest calls."""
        return self._render(e164(request.query_params.get("to", "")), None)

    async def call(self, request: Request) -> Response:
        """GET /calls/<number>: one call, ringing or as far as it has come."""
        row = self._calls.call(request.path_params["seq"])
        if row is None:
            return Response(status_code=404)
        return self._render(row["recipient"], row)

    async def act(self, request: Request) -> Response:
        """POST /calls/<number>: ``act`` is answer, machine, keys, silence, ring_out or hang_up.

        Answered when the company has done it, with the page again.
        """
        seq = int(request.path_params["seq"])
        row = self._calls.call(seq)
        if row is None:
            return Response(status_code=404)
        form = await read_form(request)
        match form.get("act", ""):
            case "answer":
                await self._telephones.pick_up(seq, "human")
            case "machine":
                await self._telephones.pick_up(seq, "machine")
            case "keys":
                await self._telephones.press(seq, form.get("keys", "")[: row["digits"]])
            case "silence":
                await self._telephones.press(seq, "")
            case "ring_out":
                await self._telephones.end(seq, "no-answer", "487")
            case "hang_up":
                is_ringing = row["status"] == "ringing"
                await self._telephones.end(seq, "busy" if is_ringing else "completed")
            case _:
                return Response(status_code=400)
        return RedirectResponse(f"/calls/{seq}", status_code=_SEE_OTHER)

    async def list(self, request: Request) -> Response:
        """GET /calls.json?after=&to=&limit=: for simulated payers and drills."""
        rows = self._calls.calls(
            after=int(request.query_params.get("after", "0")),
            recipient=e164(request.query_params.get("to", "")) or None,
            limit=min(int(request.query_params.get("limit", "1000")), _PAGE_MAX),
        )
        body = orjson.dumps({"calls": [_public(row) for row in rows]})
        return Response(body, media_type="application/json")

    def _render(self, chosen: str, row: Row | None) -> Response:
        rows = self._calls.calls(after=0, recipient=chosen or None, limit=_SHOWN)
        page = render(
            "calls.html",
            chosen=chosen,
            calls=[_public(one) for one in reversed(rows)],
            call=None if row is None else _public(row),
            keypad=KEYPAD,
        )
        return HTMLResponse(page, headers={"content-security-policy": POLICY})


def _public(row: Row) -> dict[str, Any]:
    return {
        "seq": row["seq"],
        "to": row["recipient"],
        "from": row["sender"],
        "status": row["status"],
        "picked_up_by": row["picked_up_by"],
        "log": row["log"],
        "digits": row["digits"],
        "at": row["at"],
        "clock": datetime.fromtimestamp(row["at"], _ZONE).strftime("%H:%M"),
    }
