"""A running stack with a merchant, its API key and the phones: where benches take place."""

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import httpx

from portal.domain.sample import SampleFile, sample_file
from portal.kit.clock import SystemClock
from portal.stack.access import Access, open_access
from portal.stack.bench.report import fresh_folder
from portal.stack.merchant import MerchantSystem
from portal.stack.payers import Phone
from portal.stack.up import Stack

ZONE: Final = "Asia/Tokyo"
_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Town:
    """One stack and who may enter it; ``load`` is the host's load before it was started."""

    stack: Stack
    access: Access
    merchant: MerchantSystem
    phone: Phone
    load: float
    seconds_to_start: float


@asynccontextmanager
async def town() -> AsyncGenerator[Town]:
    """Start everything in a fresh folder; stop and remove it after."""
    load = os.getloadavg()[0]
    with fresh_folder() as folder:
        began = time.monotonic()
        async with (
            Stack(folder) as stack,
            httpx.AsyncClient(timeout=60.0, trust_env=False) as client,
        ):
            access, _ = await open_access(stack)
            took = time.monotonic() - began
            merchant = MerchantSystem(access.portal, access.api_key)
            try:
                yield Town(
                    stack=stack,
                    access=access,
                    merchant=merchant,
                    phone=Phone(client, stack.layout.browser_origin),
                    load=load,
                    seconds_to_start=took,
                )
            finally:
                await merchant.close()


def sample_pieces(rows: int, seed: int) -> Iterator[bytes]:
    """The bytes of a file of good rows, piece by piece."""
    today = SystemClock().business_today(ZONE)
    return sample_file(SampleFile(rows=rows, seed=seed, today=today))


def write_sample_file(path: Path, rows: int, seed: int) -> int:
    """Write such a file; gives its size in bytes."""
    with path.open("wb") as file:
        for piece in sample_pieces(rows, seed):
            file.write(piece)
    return path.stat().st_size


async def read_pieces(path: Path) -> AsyncIterator[bytes]:
    """A file's bytes as an upload sends them, never all at once."""
    async with await anyio.open_file(path, "rb") as file:
        while piece := await file.read(_PIECE):
            yield piece
