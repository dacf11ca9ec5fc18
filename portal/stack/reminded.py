"""The demo's payer who pressed "remind me on this phone".

Stack only. The payer is outside: the page's own form over HTTP, and a browser at the sandbox's push
service instead of a real one.
"""

from typing import Final
from urllib.parse import urljoin

import httpx
import msgspec

from portal.stack.browser import Browser
from portal.stack.payers import read_page

_REQUEST_S: Final = 30.0
_STEPS_MAX: Final = 4


class _Keys(msgspec.Struct, frozen=True):
    p256dh: str
    auth: str


class _Subscription(msgspec.Struct, frozen=True):
    endpoint: str
    keys: _Keys


async def subscribe(outside: httpx.AsyncClient, browser_origin: str) -> _Subscription:
    """A browser at the sandbox's push service."""
    answer = await outside.post(f"{browser_origin}/push/subscriptions", data={"label": "demo"})
    return msgspec.json.decode(answer.raise_for_status().content, type=_Subscription)


async def press_remind(outside: httpx.AsyncClient, browser_origin: str, link: str) -> bool:
    """Open the link, press the button of its page; whether the browser is reminded now."""
    said = await subscribe(outside, browser_origin)
    browser = Browser(_REQUEST_S)
    try:
        answer, url = await browser.get(link), link
        for _ in range(_STEPS_MAX):
            if answer.location is None:
                break
            url = urljoin(url, answer.location)
            answer = await browser.get(url)
        page = f"{url}/remind"
        forms = read_page((await browser.get(page)).text).forms
        form = next((one for one in forms if one.action.endswith("/remind")), None)
        if form is None:
            return False
        fields = form.fields | {
            "endpoint": said.endpoint, "p256dh": said.keys.p256dh, "auth": said.keys.auth,
        }  # fmt: skip
        sent = await browser.post(urljoin(page, form.action), fields)
        return sent.location is not None
    finally:
        browser.close()
