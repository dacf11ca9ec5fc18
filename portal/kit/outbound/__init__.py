"""The one way out of the application: slices of requests to the egress relay.

Web and work use :class:`Outbound`; it opens a Unix socket and nothing else. What may go where is
decided at the relay (``portal.egress``), never here: whoever owns this process owns this file too.
"""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from portal.kit.outbound.frames import SliceCall, pack
from portal.kit.outbound.link import Link, LinkLost
from portal.kit.outbound.wire import SLICE_MAX, Fate, OutboundAnswer, OutboundRequest

__all__ = ["SLICE_MAX", "Outbound", "OutboundAnswer", "OutboundRequest"]

CONNECT_TIMEOUT_S: Final = 2.0
SLICE_GRACE_S: Final = 15.0
"""What the relay may take beside the requests themselves: redeeming, and waiting its turn."""


class Outbound:
    """Client of the relay's originate socket; one per process, used by many tasks at once.

    It connects when it is first needed and again after the relay has restarted.
    """

    def __init__(self, socket_path: Path) -> None:
        """Where the relay listens (PORTAL_EGRESS_SOCKET)."""
        self._path = socket_path
        self._numbers = itertools.count(1)
        self._link: Link | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    async def connect(cls, socket_path: Path | str) -> Self:
        """A client of the relay at ``socket_path``; a relay that is not up yet is no error."""
        outbound = cls(Path(socket_path))
        await outbound._ready()
        return outbound

    async def send(self, requests: Sequence[OutboundRequest]) -> list[OutboundAnswer]:
        """Send up to SLICE_MAX requests together; one answer for each, in the same order.

        Never raises for what happens outside. A relay that can't be reached answers ``not_sent``
        with ``relay_away``; a link that breaks once the slice was written, or a reply that never
        comes, answers ``unclear`` with ``relay_lost``: only an inquiry can tell.

        Raises: ValueError when there are more than SLICE_MAX requests, or they don't fit a frame.
        """
        if len(requests) > SLICE_MAX:
            msg = f"a slice holds at most {SLICE_MAX} requests"
            raise ValueError(msg)
        if not requests:
            return []
        number = next(self._numbers)
        frame = pack(SliceCall(number, list(requests)))
        link = await self._ready()
        if link is None:
            return _all_alike(requests, "not_sent", "relay_away")
        patience_s = 2 * max(request.timeout_s for request in requests) + SLICE_GRACE_S
        try:
            async with asyncio.timeout(patience_s):
                answers = await link.write(number, frame)
        except (LinkLost, TimeoutError):
            return _all_alike(requests, "unclear", "relay_lost")
        if len(answers) != len(requests):
            return _all_alike(requests, "unclear", "relay_lost")
        return answers

    async def aclose(self) -> None:
        """Close the link; slices under way become ``unclear``."""
        if self._link is not None:
            self._link.close()
            self._link = None
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        """Use as ``async with``."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close on the way out."""
        await self.aclose()

    async def _ready(self) -> Link | None:
        """A link that is up and has room, connecting if need be; None when the relay is away."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                async with self._connecting:
                    if self._link is None or not self._link.is_up:
                        loop = asyncio.get_running_loop()
                        _, self._link = await loop.create_unix_connection(Link, str(self._path))
                    link = self._link
                await link.until_writable()
        except (OSError, TimeoutError):
            return None
        return link if link.is_up else None


def _all_alike(requests: Sequence[OutboundRequest], fate: Fate, code: str) -> list[OutboundAnswer]:
    return [OutboundAnswer(fate=fate, code=code) for _ in requests]
