"""A telephone company that speaks as Twilio does (host ``tel.sandbox.test``): calls and texts.

It rings everybody's telephone, asks at the address that came with a call what to say, hands keys
on, and tells how calls and texts ended. It signs whatever it posts. No key of a caller's makes a
repeat the same call: who asks twice has two.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Coroutine, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portal.kit.log import get_logger
from portal.sandbox import magic
from portal.sandbox.call_journal import ENDS
from portal.sandbox.carriers import CARRIERS, SWALLOWED, Carriers
from portal.sandbox.interface import DroppedAnswer, read_form
from portal.sandbox.journal import Journal, Row
from portal.sandbox.notices import NoticeSender
from portal.sandbox.twiml import Script, read_script

COMPANY: Final = "sandbox_tel"
SIGNING_KEY: Final = f"{COMPANY}.secret"
RINGS_S: Final = 90.0
"""How long a telephone rings that nobody does anything about."""

_MOMENT_S: Final = 0.3
_TELLS_MAX: Final = 8
_REDIRECTS_MAX: Final = 5
_OK: Final = range(200, 300)
_NUMBER: Final = re.compile(r"\+81[1-9][0-9]{8,9}")
_API: Final = "/2010-04-01/Accounts/{account}"
_ENDS_BY_ITSELF: Final[Mapping[str, tuple[str, str]]] = {
    "busy": ("busy", "486"),
    "no_answer": ("no-answer", "487"),
    "no_number": ("failed", "404"),
    "failed": ("failed", "500"),
}
"""Fault → the company's word for the end, and SIP's."""

log = get_logger()


class Telephones:
    """Takes calls and texts, rings, and carries on the conversations."""

    def __init__(
        self, journal: Journal, notices: NoticeSender, carriers: Carriers, secret: str
    ) -> None:
        """Share the journal, the line to the portal, and whoever watches the phones."""
        self._journal = journal
        self._notices = notices
        self._carriers = carriers
        self._secret = secret
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def routes(self) -> list[Route]:
        """The company's whole interface."""
        return [
            Route(f"{_API}/Calls.json", self.take_call, methods=["POST"]),
            Route(f"{_API}/Messages.json", self.take_text, methods=["POST"]),
        ]

    async def take_call(self, request: Request) -> Response:
        """POST …/Calls.json: 201 and the telephone rings."""
        form = await read_form(request)
        fault = magic.CALLS.get(form.get("To", ""))
        refused = self._refuse(request, form, ("To", "From", "Url"), f"call:{fault}")
        if refused is not None:
            return refused
        call = self._journal.calls.add(
            {
                "id": f"CA{secrets.token_hex(16)}",
                "account": request.path_params["account"],
                "recipient": form["To"],
                "sender": form["From"],
                "url": form["Url"],
                "status_url": form.get("StatusCallback", ""),
            }
        )
        self._wake()
        self._begin(self._ring(call, fault))
        if fault == "drop_after":
            return DroppedAnswer()
        return JSONResponse({"sid": call["id"], "status": "queued"}, status_code=201)

    async def take_text(self, request: Request) -> Response:
        """POST …/Messages.json: 201, and what became of it is told at its own address."""
        form = await read_form(request)
        to = form.get("To", "")
        fault = magic.sms_fault(to)
        refused = self._refuse(request, form, ("To", "From", "Body"), f"text:{fault}")
        if refused is not None:
            return refused
        if to[:5] not in CARRIERS:
            return _refusal(400, 21614)
        if to == magic.TEL_OPTED_OUT:
            return _refusal(400, 21610)
        sid = f"SM{secrets.token_hex(16)}"
        text = {
            "id": sid,
            "account": request.path_params["account"],
            "reference": sid,
            "recipient": to,
            "sender": form["From"],
            "body": form["Body"],
        }
        self._journal.add_message_again(text)
        self._wake()
        self._begin(self._deliver(text, form.get("StatusCallback", ""), fault))
        if fault == "drop_after":
            return DroppedAnswer()
        return JSONResponse({"sid": sid, "status": "queued"}, status_code=201)

    def _refuse(
        self, request: Request, form: Mapping[str, str], needed: tuple[str, ...], key: str
    ) -> Response | None:
        """Why nothing is taken: credential, fields, number, or a magic number's bad moment."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        known: str | None = request.app.state.keys.get(COMPANY)
        presented = hashlib.sha256(given.encode()).hexdigest()
        if scheme != "Basic" or (known is not None and not hmac.compare_digest(presented, known)):
            return _refusal(401, 20003)
        if not all(form.get(name) for name in needed):
            return _refusal(400, 21604)
        fault = key.partition(":")[2]
        if fault == "invalid" or _NUMBER.fullmatch(form["To"]) is None:
            return _refusal(400, 21211)
        if fault in {"busy_once", "down_once"} and self._journal.first_time(f"{key}:{form['To']}"):
            return _refusal(429, 20429) if fault == "busy_once" else _refusal(503, 20503)
        return None

    async def pick_up(self, seq: int, by: str) -> None:
        """Somebody answers, or a machine: ask what to say."""
        if not self._journal.calls.pick_up(seq, by):
            return
        call = self._call(seq)
        answered_by = "human" if by == "human" else "machine_start"
        await self._converse(call, call["url"], {"AnsweredBy": answered_by})

    async def press(self, seq: int, keys: str) -> None:
        """Keys are pressed, or none in time: hand them on, and say what comes back."""
        call = self._call(seq)
        if call["status"] != "in-progress" or not call["action"]:
            return
        self._journal.calls.press(seq, keys)
        await self._converse(call, call["action"], {"Digits": keys} if keys else {})

    async def end(self, seq: int, status: str, sip: str = "200") -> None:
        """The call ends: told at the address that came with it."""
        if status in ENDS and self._journal.calls.end(seq, status):
            call = self._call(seq)
            self._begin(self._tell(call["status_url"], self._facts(call, SipResponseCode=sip)))

    def _call(self, seq: int) -> Row:
        return self._journal.calls.call(seq) or {}

    async def _ring(self, call: Row, fault: magic.CallFault | None) -> None:
        if fault is not None and fault in _ENDS_BY_ITSELF:
            await asyncio.sleep(_MOMENT_S)
            await self.end(call["seq"], *_ENDS_BY_ITSELF[fault])
        elif fault == "machine":
            await asyncio.sleep(_MOMENT_S)
            await self.pick_up(call["seq"], "machine")
        else:
            await asyncio.sleep(RINGS_S)
            if self._call(call["seq"])["status"] == "ringing":
                await self.end(call["seq"], "no-answer", "487")

    async def _converse(self, call: Row, address: str, more: Mapping[str, str]) -> None:
        """One exchange: what the portal wants said next. A portal without words ends the call."""
        script: Script | None = None
        for _ in range(_REDIRECTS_MAX):
            facts = self._facts(self._call(call["seq"]), **more)
            answer = await self._notices.post_form(address, facts, self._signed(address, facts))
            if answer is None or answer.status_code not in _OK:
                break
            script = read_script(answer.text)
            if not script.redirect:
                break
            address, more = script.redirect, {}
            await asyncio.sleep(script.pause_s)
        if script is None or script.redirect:
            await self.end(call["seq"], "completed")
            return
        self._journal.calls.say(call["seq"], script.lines, script.action, script.digits)
        if not script.digits:
            await self.end(call["seq"], "completed")

    def _facts(self, call: Row, **more: str) -> dict[str, str]:
        return {
            "CallSid": call["id"],
            "AccountSid": call["account"],
            "From": call["sender"],
            "To": call["recipient"],
            "CallStatus": call["status"],
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            **more,
        }

    async def _deliver(self, text: Row, address: str, fault: magic.SmsFault | None) -> None:
        await asyncio.sleep(_MOMENT_S)
        reason = text["recipient"][-5:] if text["recipient"].startswith("+8190000") else ""
        end = "delivered"
        if fault == "silent":
            self._journal.set_message_status([text["id"]], SWALLOWED)
            return
        if fault == "undelivered" or reason in magic.TEL_REASONS:
            end = "undelivered"
        self._journal.set_message_status([text["id"]], end)
        facts = {
            "MessageSid": text["id"],
            "AccountSid": text["account"],
            "From": text["sender"],
            "To": text["recipient"],
        }
        for status in ("sent", end):
            failed = {"ErrorCode": reason or "30003"} if status == "undelivered" else {}
            await self._tell(address, {**facts, "MessageStatus": status, **failed})

    async def _tell(self, address: str, facts: Mapping[str, str]) -> None:
        """Post until somebody takes it, a few times."""
        if not address:
            return
        for number in range(_TELLS_MAX):
            answer = await self._notices.post_form(address, facts, self._signed(address, facts))
            if answer is not None and answer.status_code in _OK:
                return
            await asyncio.sleep(0.2 * 2**number)
        log.info("call.not_told", status=facts.get("CallStatus") or facts.get("MessageStatus"))

    def _signed(self, address: str, facts: Mapping[str, str]) -> dict[str, str]:
        """The address as it was given, then each field by name. Source: Twilio's documentation."""
        text = address + "".join(f"{name}{facts[name]}" for name in sorted(facts))
        mac = hmac.new(self._secret.encode(), text.encode(), "sha1")
        return {"x-twilio-signature": b64encode(mac.digest()).decode()}

    def _wake(self) -> None:
        for watcher in self._carriers.watchers:
            watcher.set()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _refusal(status: int, code: int) -> Response:
    return JSONResponse({"code": code, "status": status, "message": ""}, status_code=status)
