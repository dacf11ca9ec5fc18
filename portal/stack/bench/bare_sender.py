"""A sender with nothing around it: inquiries about nothing, slice after slice.

The rules leave a worker no message of its own wording, so the floor is made of the other thing it
may send: the relay's work on a request is the same, the company's answer is a short 404.

Runs as a process of its own under the worker's account, because the relay knows callers by uid.
Reads a Load as JSON from its input and prints requests per second.
"""

import asyncio
import itertools
import sys
from pathlib import Path
from typing import Final

import msgspec

from portal.kit.outbound import SLICE_MAX, Outbound, OutboundRequest
from portal.stack.bench.report import timed

_SLICES_AT_ONCE: Final = 4
_NOT_FOUND: Final = 404


class Load(msgspec.Struct, frozen=True):
    """How much to send where: ``port`` is the sandbox's on loopback."""

    socket: str
    port: int
    messages: int


def _request(load: Load, number: int) -> OutboundRequest:
    return OutboundRequest(
        host="card.sandbox.test",
        port=load.port,
        method="GET",
        path=f"/v1/payments/bare-{number}",
        headers={"authorization": "Bearer {{credential:sandbox_card}}"},
    )


async def send(load: Load) -> float:
    """Send them all; gives requests/s. Raises RuntimeError for another answer."""
    outbound = await Outbound.connect(Path(load.socket))
    numbers = iter(range(load.messages))

    async def send_slices() -> None:
        while batch := list(itertools.islice(numbers, SLICE_MAX)):
            answers = await outbound.send([_request(load, number) for number in batch])
            for answer in answers:
                if answer.status != _NOT_FOUND:
                    msg = f"not answered: {answer.fate} {answer.status} {answer.code}"
                    raise RuntimeError(msg)

    with timed() as watch:
        await asyncio.gather(*(send_slices() for _ in range(_SLICES_AT_ONCE)))
    await outbound.aclose()
    return load.messages / watch.seconds


def main() -> None:
    """Read the load, send it, print the rate."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.write(f"{asyncio.run(send(load))}\n")


if __name__ == "__main__":
    main()
