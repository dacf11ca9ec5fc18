"""A simulated payer who takes a store's number, and what they then do with it.

Stack only, and outside: pages and forms over HTTP, as people use them. At the till of the sandbox a
number is paid; on our page it is taken back; at the till's own page it may run out before its day.
"""

import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from portal.stack.browser import Answer
from portal.stack.payers import (
    NothingToPayError,
    NotPaidError,
    Payer,
    expect,
    find_form,
    form_of,
)

NUMBER: Final = "number:pay"
NUMBER_BACK: Final = "number:withdraw"
NUMBER_LATE: Final = "number:expire"
"""What becomes of a number: paid at the till, taken back on the page, left until it has run out."""

BY_NUMBER: Final = "number:"
_TILL: Final = "till/number"
_SHOWN: Final = re.compile(r'<p class="no">([0-9]{5,13})</p>')
_CODES: Final = ("10001", "10002", "00007", "10005", "10008")
_STORES: Final = ("lawson", "family_mart", "seven_eleven", "ministop", "seicomart")
_CONFIRMED: Final = {"10001": 6, "10002": 5, "10005": 6}
"""Store → digits of its confirmation number, where it asks for one."""

_SEE_OTHER: Final = 303
_ORDER: Final = r'action="/till/number/([^"/]+)/expire".*?{receipt}'


class StorePayer(Payer):
    """One person who goes to a store; ``browser_origin`` is the sandbox's."""

    def __init__(self, browser_origin: str) -> None:
        """Nothing is open."""
        super().__init__()
        self._till = f"{browser_origin}/{_TILL}"

    async def pay(self, link: str, means: str, *, returns: bool = True) -> str:
        """From the link to the page again; gives the bill's state then.

        ``means``: one of NUMBER, NUMBER_BACK, NUMBER_LATE; any other as Payer has it. Raises
        NotPaidError when a page does not offer the next step.
        """
        if not means.startswith(BY_NUMBER):
            return await super().pay(link, means, returns=returns)
        try:
            page = await self._open(link)
            shown = await self._number(page)
            if means == NUMBER_BACK:
                form = form_of(shown, "/number/withdraw")
                await self._follow(await self._post(urljoin(page.url, form.action), form.fields))
            else:
                await self._at_the_till(shown, expires=means == NUMBER_LATE)
            return await self._look(page.url)
        finally:
            self._browser.close()

    async def _number(self, page: Answer) -> Answer:
        """Our page with the number: one that is made now, or was before."""
        bill = page.url.partition("?")[0]
        chosen = expect(await self._get(f"{bill}/number"), "the page of numbers")
        if _SHOWN.search(chosen.text):
            return chosen
        form = find_form(chosen, "/number")
        if form is None:
            msg = "the page offers no number"
            raise NothingToPayError(msg)
        store = _STORES[sum(urlsplit(bill).path.encode()) % len(_STORES)]
        made = await self._post(urljoin(bill, form.action), {**form.fields, "store": store})
        shown = expect(await self._follow(made), "the page of the number")
        if not _SHOWN.search(shown.text):
            msg = "no number was made"
            raise NotPaidError(msg)
        return shown

    async def _at_the_till(self, shown: Answer, *, expires: bool) -> None:
        """Pay by what the page shows at whichever store takes it, or let it run out."""
        numbers = sorted(_SHOWN.findall(shown.text), key=len)
        receipt, confirmation = numbers[-1], numbers[0] if len(numbers) > 1 else ""
        if expires:
            terminal = expect(await self._get(self._till), "the till")
            order = re.search(_ORDER.format(receipt=receipt), terminal.text, re.DOTALL)
            if order is not None:
                await self._post(f"{self._till}/{order[1]}/expire", {})
            return
        for store in _CODES:
            if _CONFIRMED.get(store, 0) == len(confirmation):
                form = {"store": store, "receipt": receipt, "confirmation": confirmation}
                if (await self._post(self._till, form)).status_code == _SEE_OTHER:
                    return
        msg = "no till takes the number"
        raise NotPaidError(msg)
