"""How long people and systems outside go on trying while a drill breaks things. Stack only."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import httpx

from portal.stack.merchant import PortalRefusedError
from portal.stack.payers import NotPaidError

T = TypeVar("T")

PATIENCE_S: Final = 300.0
"""How long somebody goes on trying before the drill calls it a loss."""

PAUSE_S: Final = 0.3
TROUBLE: Final = (httpx.HTTPError, PortalRefusedError, NotPaidError)


async def persist(act: Callable[[], Awaitable[T]], patience_s: float = PATIENCE_S) -> T:
    """Repeat until it works; raises what it met last when patience is up."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return await act()
        except TROUBLE:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE_S)
