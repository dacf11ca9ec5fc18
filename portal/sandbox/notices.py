"""Notices from the sandbox's companies to the portal's public address, with patience."""

import asyncio
import hashlib
import hmac
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

from portal.kit.log import get_logger

_BATCH: Final = 100
_OK: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"
_QUEUE_MAX: Final = 200_000
_PAUSE_MAX_S: Final = 10.0
_COLLECT_S: Final = 0.15
_SIGNS: Final = "sandbox_mail"
"""The company that signs its batches."""

log = get_logger()

Event = dict[str, Any]


class NoticeSender:
    """Posts events to ``/notices/<provider>/<account>`` until they are answered with 200.

    Events of one address go out in order and in batches; an address that does not answer is tried
    again with growing pauses of up to ten seconds, and holds up no other.
    """

    def __init__(self, origin: str, keys: Mapping[str, str] | None = None) -> None:
        """Remember where the portal's public door is.

        ``keys``: ``<company>.secret`` → with what the company signs its batches, if it does.
        """
        self._origin = origin
        self._keys = keys or {}
        self._client = httpx.AsyncClient(timeout=10.0, trust_env=False)
        self._queues: dict[str, deque[Event]] = defaultdict(deque)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._alone: set[str] = set()
        self._forms: set[str] = set()

    def send(self, provider: str, account: str, event: Event) -> None:
        """Queue one event; past 200,000 waiting for one address the oldest is dropped."""
        self._queue(f"/notices/{provider}/{account}", event)

    def send_alone(self, provider: str, account: str, body: Event) -> None:
        """The same for a company that posts each notice by itself, in a form of its own."""
        address = f"/notices/{provider}/{account}"
        self._alone.add(address)
        self._queue(address, body)

    def send_form(self, provider: str, account: str, fields: Event) -> None:
        """The same for a company that posts forms in Windows-31J."""
        self._forms.add(f"/notices/{provider}/{account}")
        self.send_alone(provider, account, fields)

    def _queue(self, address: str, event: Event) -> None:
        queue = self._queues[address]
        if len(queue) >= _QUEUE_MAX:
            queue.popleft()
        queue.append(event)
        task = self._tasks.get(address)
        if task is None or task.done():
            self._tasks[address] = asyncio.create_task(self._drain(address))

    async def deliver(self, provider: str, account: str, body: bytes, signature: str) -> bool:
        """Post one signed notice as bytes, once; whether it was taken."""
        address = f"{self._origin}/notices/{provider}/{account}"
        headers = {"content-type": "text/csv", "x-agency-signature": signature}
        try:
            answer = await self._client.post(address, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.info("notice.not_delivered", error=type(error).__name__, count=1)
            return False
        return answer.status_code == _OK

    async def post_form(
        self, address: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Response | None:
        """Post a form to an address of the portal's that a company was given; None: no answer.

        The address says how the world reaches the portal; the sandbox goes by its own way.
        """
        way = urlsplit(address)._replace(scheme="", netloc="").geturl()
        try:
            return await self._client.post(self._origin + way, data=fields, headers=headers)
        except httpx.HTTPError as error:
            log.info("notice.not_delivered", error=type(error).__name__, count=1)
            return None

    async def close(self) -> None:
        """Stop sending; what waits is lost, as when a company closes its line."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._client.aclose()

    async def _drain(self, address: str) -> None:
        queue = self._queues[address]
        pause_s = 0.2
        while queue:
            await asyncio.sleep(_COLLECT_S)
            most = 1 if address in self._alone else _BATCH
            batch = [queue[place] for place in range(min(most, len(queue)))]
            if await self._post(address, batch):
                for _ in batch:
                    queue.popleft()
                pause_s = 0.2
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _PAUSE_MAX_S)

    async def _post(self, address: str, batch: list[Event]) -> bool:
        if address in self._forms:
            body, kind = urlencode(batch[0], encoding="cp932").encode(), _FORM
        else:
            body = orjson.dumps(batch[0] if address in self._alone else {"events": batch})
            kind = "application/json"
        headers = {"content-type": kind, **self._signature(address, body)}
        try:
            answer = await self._client.post(self._origin + address, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.info("notice.not_delivered", error=type(error).__name__, count=len(batch))
            return False
        if answer.status_code == _OK:
            return True
        log.info("notice.refused", status=answer.status_code, count=len(batch))
        return False

    def _signature(self, address: str, body: bytes) -> dict[str, str]:
        """The mail company's signature, made anew at each try: an old one is not taken."""
        key = self._keys.get(f"{_SIGNS}.secret")
        if key is None or not address.startswith(f"/notices/{_SIGNS}/"):
            return {}
        moment = str(int(time.time()))
        mac = hmac.new(key.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"x-sandbox-signature": f"t={moment},v1={mac}"}
