"""One bill paid at a shop: a payer with a slip, a till, an agency, and staff who hand its file in.

Stack only, and outside: pages and forms over HTTP, as people use them; the file goes in by the
portal's own document with a logged-in member of staff. Shop and agency are the sandbox's.
"""

import asyncio
import base64
import re
import time
from typing import Final
from urllib.parse import urljoin

from portal.stack.access import CODE
from portal.stack.browser import Answer, Browser
from portal.stack.merchant import PortalRefusedError, StaffSession
from portal.stack.payers import NotPaidError, read_page

TOLD: Final = ("provisional", "paid")
"""What the payer's page must say: once the till told, and once the agency confirmed."""

_SHOP: Final = "010"
_LINES: Final = re.compile(r"<p>\((91)\)([0-9-]+)<br>([0-9-]+)</p>")
"""The digits below the bars."""

_TAKING: Final = re.compile(r'action="/till/([0-9]+)"(.*?)</form>', re.DOTALL)
_PDF: Final = b"%PDF-"
_REQUEST_S: Final = 30.0
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.2
_STEPS_MAX: Final = 6
_OK: Final = 200
_SEE_OTHER: Final = 303


class Till:
    """A payer who goes to a shop, and what becomes of it. Close it in the end.

    Raises NotPaidError when a page does not offer the next step, httpx.HTTPError when nobody is
    there.
    """

    def __init__(self, origin: str, browser_origin: str) -> None:
        """The portal's and the sandbox's public addresses."""
        self._origin = origin
        self._till = f"{browser_origin}/till"
        self._payer = Browser(_REQUEST_S)
        self._clerk = Browser(_REQUEST_S)

    def close(self) -> None:
        """Everybody leaves."""
        self._payer.close()
        self._clerk.close()

    async def pay(self, link: str, ticket: str) -> list[str]:
        """From the link to the agency's file; gives what the payer's page said on the way.

        ``ticket`` logs a member of staff in, once. Raises PortalRefusedError when the portal
        refuses the file or a line of it.
        """
        page, digits = await self._choose_slip(link)
        taking = await self._beep(digits)
        seen = [await self._look(page, TOLD[0])]
        await self._clerk.post(f"{self._till}/{taking}", {"act": "confirm"})
        notices = await self._clerk.get(f"{self._till}/notices.csv?account={CODE}")
        await self._hand_in(ticket, notices.body)
        seen.append(await self._look(page, TOLD[1]))
        return seen

    async def _choose_slip(self, link: str) -> tuple[str, str]:
        """The bill's address, and the digits of the slip that its page made out."""
        page = await self._follow(await self._payer.get(link))
        offered = next((form for form in read_page(page.text).forms if "/pay" in form.action), None)
        if page.status_code != _OK or offered is None or 'value="slip"' not in page.text:
            msg = f"the bill's page offers no slip ({page.status_code})"
            raise NotPaidError(msg)
        fields = {**offered.fields, "method": "slip"}
        sent = await self._payer.post(urljoin(page.url, offered.action), fields)
        slip = await self._follow(sent)
        lines = _LINES.search(slip.text)
        if lines is None:
            msg = f"no digits on the slip's page ({slip.status_code})"
            raise NotPaidError(msg)
        sheet = await self._payer.get(f"{page.url}/slip.pdf")
        if not sheet.body.startswith(_PDF):
            msg = f"no sheet to print ({sheet.status_code})"
            raise NotPaidError(msg)
        return page.url, "".join(lines.groups()).replace("-", "")

    async def _beep(self, digits: str) -> str:
        """Pay at the till; gives the taking's number there."""
        form = {"digits": digits, "company": _SHOP, "account": CODE}
        taken = await self._clerk.post(self._till, form)
        if taken.status_code != _SEE_OTHER:
            msg = f"the till refused the slip ({taken.status_code})"
            raise NotPaidError(msg)
        shown = (await self._clerk.get(self._till)).text
        return next(seq for seq, said in _TAKING.findall(shown) if digits in said)

    async def _hand_in(self, ticket: str, notices: bytes) -> None:
        """The agency's file, by staff."""
        staff = StaffSession(self._origin)
        try:
            await staff.enter(ticket)
            wanted = {"content": base64.b64encode(notices).decode("ascii")}
            answer = await staff.run("slip_notices_take", {"input": wanted})
        finally:
            await staff.close()
        taken = answer["slipNoticesTake"]
        results = [line["result"] for line in taken["lines"]]
        # What the till told at once is in the file once more, and must count once.
        if taken["errors"] or results != ["DUPLICATE", "POSTED"]:
            msg = f"the agency's file was answered with {results} {taken['errors']}"
            raise PortalRefusedError(msg)

    async def _look(self, page: str, wanted: str) -> str:
        """The state that the payer sees, as soon as it is the wanted one or patience ends."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            seen = (await self._payer.get(f"{page}/state")).text.strip()
            if seen == wanted or time.monotonic() > deadline:
                return seen
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self, answer: Answer) -> Answer:
        for _ in range(_STEPS_MAX):
            if answer.location is None:
                return answer
            answer = await self._payer.get(answer.location)
        msg = "redirected in a circle"
        raise NotPaidError(msg)
