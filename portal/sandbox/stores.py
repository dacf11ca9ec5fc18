"""Shops and their collection agency: a till that reads slips, notices at once and by file.

The till refuses what no register takes: a number that is misread, a last day that is over. The
agency tells at once what the till did, signed, and has the day's file to be fetched by hand.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.domain.errors import InvalidInput
from portal.domain.slip_number import parse
from portal.sandbox.interface import read_form
from portal.sandbox.notices import NoticeSender
from portal.sandbox.templates import render
from portal.sandbox.till_journal import Row, TillJournal

PROVIDER: Final = "sandbox_agency"
SIGNING_KEY: Final = "sandbox_agency.secret"
_COMPANIES: Final = {
    "010": "セブン-イレブン",
    "020": "ローソン",
    "030": "ファミリーマート",
    "820": "PayPay",
}
_PAUSES_S: Final = (0.0, 1.0, 5.0)
_JAPAN: Final = ZoneInfo("Asia/Tokyo")
_ENDS: Final = {"reverse": "reversed", "confirm": "confirmed"}
_HEAD: Final = (
    "種別,収納日,収納時刻,バーコード情報,使用欄1,使用欄2,印紙フラグ,金額,本部コード,本部名,"
    "店舗コード,振込日,データ作成日"
)


class Stores:
    """Takes slips at a till, gives the money back, confirms; tells whoever made the slip out."""

    def __init__(self, journal: TillJournal, notices: NoticeSender, key: str) -> None:
        """``key`` signs what is told at once; without one nobody would take it, so none is told."""
        self._journal = journal
        self._notices = notices
        self._key = key
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def browser_routes(self) -> list[Route]:
        """The till, and the agency's file."""
        return [
            Route("/till", self.page, methods=["GET"]),
            Route("/till", self.take, methods=["POST"]),
            Route("/till/notices.csv", self.file, methods=["GET"]),
            Route("/till/told", self.told, methods=["GET"]),
            Route("/till/{seq:int}", self.act, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """GET /till: the till, and what it took."""
        del request
        return self._till()

    async def take(self, request: Request) -> Response:
        """POST /till: read a number and take the money, or say why not."""
        form = await read_form(request)
        digits = "".join(filter(str.isdigit, form.get("digits", "")))
        now = datetime.now(_JAPAN)
        try:
            number = parse(digits)
        except InvalidInput as fault:
            return self._till(refused=fault.code)
        if number.pay_until is not None and now.date() > number.pay_until:
            return self._till(refused="last_day_over")
        company = form.get("company", "")
        taking = self._journal.take(
            {
                "account": form.get("account", ""),
                "digits": digits,
                "company": company if company in _COMPANIES else "010",
                "taken_on": f"{now:%Y%m%d}",
                "taken_at": f"{now:%H%M}",
                "amount": number.amount_minor,
            }
        )
        self._tell(taking, "01")
        return RedirectResponse("/till", status_code=303)

    async def act(self, request: Request) -> Response:
        """POST /till/{seq}: give the money back, or have the agency confirm it; once."""
        status = _ENDS.get((await read_form(request)).get("act", ""), "")
        taking = self._journal.end(request.path_params["seq"], status) if status else None
        if taking is not None and status == "reversed":
            self._tell(taking, "03")
        return RedirectResponse("/till", status_code=303)

    async def file(self, request: Request) -> Response:
        """GET /till/notices.csv?account=: all notices of one merchant, as the agency sends them."""
        account = request.query_params.get("account", "")
        lines = [_HEAD]
        for row in self._journal.all():
            if row["account"] != account:
                continue
            lines.append(_line(row, "01"))
            if row["status"] != "taken":
                lines.append(_line(row, "03" if row["status"] == "reversed" else "02"))
        body = "".join(f"{line}\r\n" for line in lines).encode("cp932")
        named = {"content-disposition": 'attachment; filename="notices.csv"'}
        return Response(body, media_type="text/csv; charset=Shift_JIS", headers=named)

    async def told(self, request: Request) -> Response:
        """GET /till/told?account=: what one merchant is told at once, to the letter, signed now.

        Only with a key: without one the agency tells nothing at once. 404 then.
        """
        account = request.query_params.get("account", "")
        if not self._key:
            return JSONResponse({"code": "not_found"}, status_code=404)
        kinds = {"reversed": ("01", "03")}
        lines = [
            (row["seq"], f"{_line(row, kind)}\r\n".encode("cp932"))
            for row in self._journal.all()
            if row["account"] == account
            for kind in kinds.get(row["status"], ("01",))
        ]
        return JSONResponse(
            [
                {
                    "seq": seq,
                    "raw": base64.b64encode(line).decode(),
                    "signature": self._sign(line),
                }
                for seq, line in lines
            ]
        )

    def _till(self, refused: str = "") -> Response:
        takings = list(reversed(self._journal.all()))[:50]
        page = render("till.html", takings=takings, companies=_COMPANIES, refused=refused)
        return HTMLResponse(page, status_code=422 if refused else 200)

    def _tell(self, taking: Row, kind: str) -> None:
        if not self._key:
            return
        task = asyncio.create_task(self._deliver(taking, kind))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _deliver(self, taking: Row, kind: str) -> None:
        """A few tries; what is not heard at once is in the file."""
        body = f"{_line(taking, kind)}\r\n".encode("cp932")
        for pause_s in _PAUSES_S:
            await asyncio.sleep(pause_s)
            signature = self._sign(body)
            if await self._notices.deliver(PROVIDER, taking["account"], body, signature):
                return

    def _sign(self, body: bytes) -> str:
        """The header over these bytes, at this moment."""
        moment = str(int(time.time()))
        signed = hmac.new(self._key.encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return f"t={moment},v1={signed.hexdigest()}"


def _line(row: Row, kind: str) -> str:
    """One line of the agency's file."""
    stamp = row["digits"][36]
    name = _COMPANIES[row["company"]]
    paid_out = row["taken_on"] if kind == "02" else "0"
    return (
        f"{kind},{row['taken_on']},{row['taken_at']},EAN{row['digits']},"
        f"{row['digits'][13:19]},{row['digits'][19:29]},{stamp},{row['amount']},"
        f"{row['company']},{name},{row['store']},{paid_out},{row['taken_on']}"
    )
