"""The bank's page at which payers give a mandate: it opens one, takes the account, says the end.

``POST /v1/mandates`` opens a page once for a reference, ``GET /v1/mandates/{reference}`` says how
it stands, with the account once it is confirmed. What payers type stays here and goes to whoever
asks with the bank's key: the collector's relay.
"""

import re
import secrets
import sqlite3
import time
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.sandbox import magic
from portal.sandbox.interface import ApiError, read_form, read_json, require_key
from portal.sandbox.templates import render

PROVIDER: Final = "sandbox_bank"
_OPEN_S: Final = 30 * 60
_SILENT_MAX: Final = 2
"""Questions about a magic account that get no answer."""

_REFERENCE: Final = re.compile(r"[0-9A-Z]{10,32}")
_CODE: Final = {"bank": re.compile(r"[0-9]{4}"), "branch": re.compile(r"[0-9]{3}")}
_NUMBER: Final = re.compile(r"[0-9]{1,7}")
_KANA: Final = re.compile(r"[\u30a1-\u30fc\uff61-\uff9f A-Z0-9().\-\u3000\uff08\uff09]{1,30}")
_SCHEMA: Final = """
create table if not exists bank_mandate (
    seq integer primary key autoincrement,
    id text unique not null, reference text unique not null, collector text not null,
    bank text not null, branch text not null, return_url text not null, at real not null,
    status text not null, reason text not null default '', kind text not null default '',
    number text not null default '', name text not null default '',
    asked integer not null default 0
);
"""

Row = dict[str, Any]


class MandateJournal:
    """The table of mandates on the journal's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Create what is missing."""
        self._db = db
        self._db.executescript(_SCHEMA)

    def open(self, mandate: Row) -> bool:
        """Keep a new one; False when its reference has one already."""
        cursor = self._db.execute(
            "insert or ignore into bank_mandate"
            " (id, reference, collector, bank, branch, return_url, at, status) values"
            " (:id, :reference, :collector, :bank, :branch, :return_url, :at, 'open')",
            mandate,
        )
        return cursor.rowcount == 1

    def find(self, *, reference: str = "", page: str = "") -> Row | None:
        """A mandate by the collector's reference or by its page."""
        found = self._db.execute(
            "select * from bank_mandate where reference = ? or id = ?", (reference, page)
        ).fetchone()
        return None if found is None else dict(found)

    def end(self, page: str, **values: str) -> bool:
        """End an open one; False when it is not open any more."""
        told = {"reason": "", "kind": "", "number": "", "name": "", **values, "id": page}
        cursor = self._db.execute(
            "update bank_mandate set status = :status, reason = :reason, kind = :kind,"
            " number = :number, name = :name where id = :id and status = 'open'",
            told,
        )
        return cursor.rowcount == 1

    def ask(self, reference: str) -> None:
        """One more question about it; what the bank was checking is confirmed by the second."""
        self._db.execute(
            "update bank_mandate set asked = asked + 1,"
            " status = case when status = 'pending' and asked >= 1 then 'confirmed' else status end"
            " where reference = ?",
            (reference,),
        )

    def all(self) -> list[Row]:
        """Every mandate, oldest first."""
        return [dict(row) for row in self._db.execute("select * from bank_mandate order by seq")]


class BankMandates:
    """Opens pages for collectors, shows them to payers, and says what became of them."""

    def __init__(self, journal: MandateJournal, browser_origin: str) -> None:
        """Share the journal; ``browser_origin`` is where the pages live."""
        self._journal = journal
        self._origin = browser_origin

    @property
    def routes(self) -> list[Route]:
        """The interface for collectors."""
        return [
            Route("/v1/mandates", self.open, methods=["POST"]),
            Route("/v1/mandates/{reference}", self.tell, methods=["GET"]),
        ]

    @property
    def browser_routes(self) -> list[Route]:
        """What a payer sees at the bank."""
        return [
            Route("/bank/mandate/{page}", self.page, methods=["GET"]),
            Route("/bank/mandate/{page}", self.act, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """Open a page: 201 with its address, 409 when the reference has one."""
        require_key(request, PROVIDER)
        values = await read_json(request)
        return_url = str(values.get("returnUrl", ""))
        mandate: Row = {
            "id": secrets.token_hex(12),
            "reference": str(values.get("reference", "")),
            "collector": str(values.get("collector", "")),
            "bank": str(values.get("bank", "")),
            "branch": str(values.get("branch", "")),
            "return_url": return_url,
            "at": time.time(),
        }
        whole = all(form.fullmatch(str(mandate[name])) for name, form in _CODE.items())
        if _REFERENCE.fullmatch(mandate["reference"]) is None or not whole:
            raise ApiError(422, "invalid_fields")
        if urlsplit(return_url).scheme not in {"http", "https"}:
            raise ApiError(422, "invalid_return")
        if not self._journal.open(mandate):
            raise ApiError(409, "reference_exists")
        url = f"{self._origin}/bank/mandate/{mandate['id']}"
        return JSONResponse({"url": url}, status_code=201)

    async def tell(self, request: Request) -> Response:
        """How a mandate stands; with the account once the bank has confirmed it."""
        require_key(request, PROVIDER)
        reference = request.path_params["reference"]
        self._journal.ask(reference)
        mandate = self._journal.find(reference=reference)
        if mandate is None:
            raise ApiError(404, "not_found")
        is_silent = magic.MANDATES.get(mandate["number"]) == "silent"
        if is_silent and mandate["asked"] <= _SILENT_MAX:
            raise ApiError(504, "timed_out")
        status = _status_of(mandate)
        told: Row = {"reference": reference, "status": status, "reason": mandate["reason"]}
        if status == "confirmed":
            told["account"] = {
                name: mandate[name] for name in ("bank", "branch", "kind", "number", "name")
            }
        return JSONResponse(told)

    async def page(self, request: Request) -> Response:
        """GET /bank/mandate/{page}: the account, or a word that this page is over."""
        return self._page(request.path_params["page"])

    async def act(self, request: Request) -> Response:
        """POST /bank/mandate/{page}: confirm, refuse or leave, once."""
        page = request.path_params["page"]
        form = await read_form(request)
        mandate = self._journal.find(page=page)
        if mandate is None or _status_of(mandate) != "open":
            return self._page(page)
        match form.get("act"):
            case "refuse":
                self._journal.end(page, status="refused", reason="payer")
            case "leave":
                self._journal.end(page, status="left")
            case _:
                number, name = form.get("number", "").strip(), form.get("name", "").strip()
                if _NUMBER.fullmatch(number) is None or _KANA.fullmatch(name) is None:
                    return self._page(page, wrong=True)
                self._confirm(page, form.get("kind", "1"), number.zfill(7), name)
        return RedirectResponse(mandate["return_url"], status_code=303)

    def _confirm(self, page: str, kind: str, number: str, name: str) -> None:
        end = magic.MANDATES.get(number, "confirmed")
        if end in {"confirmed", "pending", "silent"}:
            status = "pending" if end == "pending" else "confirmed"
            self._journal.end(page, status=status, kind=kind, number=number, name=name)
        else:
            self._journal.end(page, status="refused", reason=end)

    def _page(self, page: str, *, wrong: bool = False) -> Response:
        mandate = self._journal.find(page=page)
        if mandate is None:
            return HTMLResponse(render("wallet_gone.html"), status_code=404)
        over = _status_of(mandate) != "open"
        shown = render(
            "bank_mandate.html", mandate=mandate, over=over, wrong=wrong, accounts=magic.MANDATES
        )
        return HTMLResponse(shown, status_code=422 if wrong else 200)


def _status_of(mandate: Row) -> str:
    """A page that nobody finished in its time has expired by itself."""
    if mandate["status"] == "open" and mandate["at"] + _OPEN_S < time.time():
        return "expired"
    return str(mandate["status"])
