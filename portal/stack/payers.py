"""Simulated payers: they read the message on their phone, open the link, pay by card or wallet.

Stack only. They are outside: all they use is what a person has, the phone's messages, the pages'
own forms and the card or wallet company's page, over HTTP through the DMZ. They remember nothing
but what was on their screen.
"""

import asyncio
import re
from dataclasses import dataclass
from html import unescape
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from portal.contract.operator import JournalRefund as RefundLine
from portal.stack.browser import Answer, Browser
from portal.stack.inbox import Message, Messages

APPROVE: Final = "4242424242424242"
DECLINE: Final = "4000000000000002"
TIME_OUT: Final = "4000000000000119"
NOISY: Final = "4000000000000259"
DECLINE_TIME_OUT: Final = "4000000000000127"
CHALLENGED: Final = "4000002500003155"
"""The sandbox's published magic numbers, as a payer would type them."""

KEPT: Final = "keep:4242424242424242"
"""A card that its payer leaves for the bills of the contract to come, where that is offered."""

BOTH: Final = "both:4242424242424242"
"""One payment for this bill and the next one of its contract, where that is offered."""

PART: Final = "part:4242424242424242"
"""The least that may be paid of the bill, where that is offered."""

WALLET: Final = "wallet:approve"
WALLET_DECLINE: Final = "wallet:decline"
WALLET_TIME_OUT: Final = "wallet:approve_slow"
WALLET_DECLINE_TIME_OUT: Final = "wallet:decline_slow"
WALLET_NOISY: Final = "wallet:approve_noisy"
"""The buttons of the wallet's page, for a payer who chooses to pay by wallet."""

LEFT: Final = "left"
"""The bill's state as a payer knows it who closed the company's page when it was done."""

_BY_WALLET: Final = "wallet:"
_KEEP: Final = "keep:"
_BOTH: Final = "both:"
_PART: Final = "part:"
_OTHER: Final = re.compile(r' name="with" value="([a-z2-7]+)"')
_PART_OF: Final = re.compile(r'<label for="part-of">[^<0-9]*([0-9,]+)')
_CONSENT: Final = re.compile(r' name="consent" value="([^"]+)"')

_REQUEST_S: Final = 30.0
_PAGE_STEPS_MAX: Final = 12
_OK: Final = 200
_SEE_OTHER: Final = 303
_GATEWAY_TIMEOUT: Final = 504
_BUSY: Final = frozenset({429, 502, 503, 504})


class JournalPayment(msgspec.Struct, frozen=True):
    """One payment as its company's own journal has it.

    ``taken_back`` and ``dispute`` ("" where none is known) None: its company tells of no disputes.
    ``charged``: nobody was there, a card on file was charged.
    """

    provider: str
    reference: str
    state: str
    amount: int
    account: str
    taken_back: int | None = None
    dispute: str | None = None
    charged: bool = False


class JournalRefund(msgspec.Struct, frozen=True):
    """One refund as a company's own journal has it."""

    provider: str
    reference: str
    payment: str
    state: str
    amount: int

    @property
    def line(self) -> RefundLine:
        """As the portal's operator hands it in for comparison."""
        return RefundLine(
            reference=self.reference,
            payment=self.payment,
            state=self.state,
            amount_minor=self.amount,
        )


class JournalMessages(msgspec.Struct, frozen=True):
    """How many messages the carriers took, and how many references that makes."""

    taken: int
    effects: int
    by_status: dict[str, int]


class Journal(msgspec.Struct, frozen=True):
    """The sandbox's own journal: the outside witness."""

    payments: tuple[JournalPayment, ...]
    messages: JournalMessages
    refunds: tuple[JournalRefund, ...] = ()


class NotPaidError(Exception):
    """A payer could not go on; the text says at which step."""


class NothingToPayError(NotPaidError):
    """The page is fine, but the bill is paid, canceled or being paid already."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a page with its fields as a browser would send them."""

    method: str
    action: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page offers to click and to fill in."""

    forms: list[Form]
    links: list[str]


_TAG: Final = re.compile(r"<(a|form|input)\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    r"""([a-z-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""", re.IGNORECASE
)


_SHOWN_STATE: Final = re.compile(r' data-now="([a-z_]+)"')
"""On the bill's page and on no other."""


def read_page(html: str) -> Page:
    """Forms and links, by the three kinds of tags that matter and nothing else of the page."""
    page = Page([], [])
    for tag, said in _TAG.findall(html):
        values = {
            name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(said)
        }
        kind = tag.lower()
        if kind == "a" and "href" in values:
            page.links.append(values["href"])
        elif kind == "form":
            method = values.get("method", "get").upper()
            page.forms.append(Form(method, values.get("action", ""), {}))
        elif kind == "input" and page.forms and "name" in values:
            chosen = values.get("type") not in {"radio", "checkbox"} or "checked" in values
            if chosen:
                page.forms[-1].fields[values["name"]] = values.get("value", "")
    return page


class Phone:
    """The sandbox's phones as JSON: every message that a carrier has taken."""

    def __init__(self, client: httpx.AsyncClient, browser_origin: str) -> None:
        """``browser_origin`` is the sandbox's."""
        self._client = client
        self._origin = browser_origin

    @property
    def origin(self) -> str:
        """Where the sandbox's pages are, the till among them."""
        return self._origin

    async def messages(self, after: int = 0, limit: int = 20_000) -> tuple[Message, ...]:
        """Newest ``limit`` messages past a sequence number, oldest first."""
        answer = await self._client.get(
            f"{self._origin}/phone/messages.json", params={"after": str(after), "limit": str(limit)}
        )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Messages).messages

    async def told(self) -> dict[str, int]:
        """How many messages were taken for each telephone, however many there are in all."""
        answer = await self._client.get(f"{self._origin}/phone/told.json")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=dict[str, int])

    async def mails(self, after: int = 0, limit: int = 20_000) -> tuple[Message, ...]:
        """The same of everybody's mailbox."""
        answer = await self._client.get(
            f"{self._origin}/mail/messages.json", params={"after": str(after), "limit": str(limit)}
        )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Messages).messages

    async def journal(self) -> Journal:
        """What really happened, as the companies wrote it down."""
        answer = await self._client.get(f"{self._origin}/journal.json")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Journal)


class Payer:
    """One person with one browser (a cookie jar of its own)."""

    def __init__(self) -> None:
        """Nothing is open."""
        self._browser = Browser(_REQUEST_S)

    async def pay(self, link: str, means: str, *, returns: bool = True) -> str:
        """From the link to the page that says how it went; gives the bill's state then.

        ``means``: a card's number, or a button of the wallet's page as WALLET has it. A time-out at
        the company's page leaves the payer where a person would be: back on the bill's page,
        looking. One who does not return closes the company's receipt; the state is then "left".
        Raises NotPaidError when a page does not offer the next step.
        """
        method = "wallet" if means.startswith(_BY_WALLET) else "card"
        keeps = means.startswith(_KEEP)
        try:
            page = await self._choose(await self._open(link), means)
            means = means.removeprefix(_KEEP).removeprefix(_BOTH).removeprefix(_PART)
            there = await self._leave(page, method, keeps=keeps)
            if method == "wallet":
                ended = await self._press(there, means.removeprefix(_BY_WALLET))
            else:
                ended = await self._fill_card(there, means)
            if not returns:
                return LEFT
            if ended.status_code != _GATEWAY_TIMEOUT:
                ended = await self._follow(ended)
            shown = _SHOWN_STATE.search(ended.text)
            return shown[1] if shown else await self._look(page.url)
        finally:
            self._browser.close()

    async def look(self, link: str) -> str:
        """Open the link without paying; gives the bill's state."""
        try:
            page = await self._open(link)
            await self._browser.post(f"{page.url}/opened", {})
            return await self._look(page.url)
        finally:
            self._browser.close()

    async def _open(self, link: str) -> Answer:
        return expect(await self._get(link), "the bill's page")

    async def _choose(self, page: Answer, means: str) -> Answer:
        """The page again for what is to be paid, if that is another sum than the bill's."""
        offered = {_BOTH: ("with", _OTHER), _PART: ("part", _PART_OF)}.get(means[: len(_BOTH)])
        found = offered[1].search(page.text) if offered else None
        if offered is None or found is None:
            return page
        bill = page.url.partition("?")[0]
        chosen = f"{bill}?{offered[0]}={found[1].replace(',', '')}"
        return expect(await self._get(chosen), "the bill's page with what was chosen")

    async def _leave(self, page: Answer, method: str, *, keeps: bool) -> Answer:
        """Choose the method, press the pay button and follow our own page to the company's."""
        form = find_form(page, "/pay")
        if form is None:
            msg = "the page offers no payment"
            raise NothingToPayError(msg)
        if f'value="{method}"' not in page.text:
            msg = f"the page offers no {method}"
            raise NothingToPayError(msg)
        fields = {**form.fields, "method": method}
        offered = _CONSENT.search(page.text)
        if keeps and offered is not None:
            fields["consent"] = offered[1]
        answer = await self._post(urljoin(page.url, form.action), fields)
        departure = expect(await self._follow(answer), "the page that leads to the provider")
        away = [link for link in read_page(departure.text).links if f"/{method}/" in link]
        if not away:
            msg = f"no way to the {method} company on {_plain(departure)}"
            raise NotPaidError(msg)
        return expect(await self._get(away[0]), f"the {method} company's page")

    async def _press(self, page: Answer, button: str) -> Answer:
        """One button of the wallet's page."""
        form = form_of(page, "/wallet/")
        return await self._post(urljoin(page.url, form.action), {**form.fields, "act": button})

    async def _fill_card(self, page: Answer, card: str) -> Answer:
        form = form_of(page, "/card/")
        filled = {**form.fields, "number": card}
        answer = await self._post(urljoin(page.url, form.action), filled)
        if answer.status_code in {_SEE_OTHER, _GATEWAY_TIMEOUT}:
            return answer
        challenge = form_of(expect(answer, "the password page"), "/challenge")
        return await self._post(
            urljoin(page.url, challenge.action), {**challenge.fields, "password": "1234"}
        )

    async def _look(self, bill: str) -> str:
        answer = await self._get(f"{bill.partition('?')[0]}/state")
        return expect(answer, "the bill's state").text.strip()

    async def _get(self, url: str) -> Answer:
        return await self._follow(await self._patiently(url))

    async def _post(self, url: str, fields: dict[str, str]) -> Answer:
        return await self._browser.post(url, fields)

    async def _follow(self, answer: Answer) -> Answer:
        for _ in range(_PAGE_STEPS_MAX):
            if answer.location is None:
                return answer
            answer = await self._patiently(answer.location)
        msg = "redirected in a circle"
        raise NotPaidError(msg)

    async def _patiently(self, url: str) -> Answer:
        """Reload like a person while the portal is busy or starting; only to look, never to pay."""
        answer = await self._browser.get(url)
        for pause_s in (0.5, 1.0, 2.0, 4.0):
            if answer.status_code not in _BUSY:
                break
            await asyncio.sleep(pause_s)
            answer = await self._browser.get(url)
        return answer


def expect(answer: Answer, what: str) -> Answer:
    """A page as it should be. Raises: NotPaidError for any other answer."""
    if answer.status_code != _OK:
        msg = f"{what} answered {answer.status_code} ({_plain(answer)})"
        raise NotPaidError(msg)
    return answer


def find_form(page: Answer, action: str) -> Form | None:
    """The page's form that posts to such an address."""
    forms = read_page(page.text).forms
    return next((one for one in forms if one.method == "POST" and action in one.action), None)


def form_of(page: Answer, action: str) -> Form:
    """The same. Raises: NotPaidError where there is none."""
    form = find_form(page, action)
    if form is None:
        msg = f"no form for {action} on {_plain(page)}"
        raise NotPaidError(msg)
    return form


def _plain(answer: Answer) -> str:
    """Where it was, without what is secret in an address."""
    return re.sub(r"/(p|return|go|card|wallet|b)/.*", r"/\1/…", urlsplit(answer.url).path)
