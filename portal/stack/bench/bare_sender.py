"""A sender with nothing around it: fixed text to made-up numbers, slice after slice.

Runs as a process of its own under the worker's account, because the relay knows callers by uid.
Reads a Load as JSON from its input and prints messages per second.
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
_CREATED: Final = 201


class Load(msgspec.Struct, frozen=True):
    """How much to send where: ``port`` is the carriers' on loopback."""

    socket: str
    port: int
    messages: int
    account: str


def _request(load: Load, number: int) -> OutboundRequest:
    body = {
        "account": load.account,
        "reference": f"bare-{number}",
        "to": f"+8180{number:08d}",
        "from": "0005-0000-0000",
        "text": "【ベンチ電力】2026年11月分 8,420円のお支払い http://localhost:8080/p/bench/x",
    }
    return OutboundRequest(
        host="sms.sandbox.test",
        port=load.port,
        method="POST",
        path="/v1/messages",
        headers={
            "authorization": "Bearer {{credential:sandbox_sms}}",
            "content-type": "application/json",
        },
        body=msgspec.json.encode(body).decode(),
        body_kind="json",
    )


async def send(load: Load) -> float:
    """Send them all; gives messages/s. Raises RuntimeError when one is not accepted."""
    outbound = await Outbound.connect(Path(load.socket))
    numbers = iter(range(load.messages))

    async def send_slices() -> None:
        while batch := list(itertools.islice(numbers, SLICE_MAX)):
            answers = await outbound.send([_request(load, number) for number in batch])
            for answer in answers:
                if answer.status != _CREATED:
                    msg = f"not accepted: {answer.fate} {answer.status} {answer.code}"
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
