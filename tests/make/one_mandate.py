"""A web process that begins a mandate, or comes back from one, and dies on the way.

Arguments: the folder of a ground with certificate, key and authority; the port of the companies;
what to do, and with what.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from portal.application.payment.desk import PayDesk
from portal.application.payment.mandate import (
    MandateIntent,
    begin_mandate,
    finish_mandate_return,
)
from portal.application.providers.exchange import Endpoint
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.kit.crypto import client_context
from portal.kit.log import configure
from portal.kit.outbound import Outbound


async def _do(folder: Path, paths: list[Path], port: int, act: str, given: str) -> None:
    cert, key, ca = paths
    vault = await VaultClient.connect(str(folder / "vault.sock"), client_context(cert, key, ca))
    outbound = Outbound(folder / "egress.sock")
    desk = PayDesk(vault, outbound, {"sandbox_bank": Endpoint("bank.sandbox.test", port)})
    if act == "begin":
        authority = msgspec.json.decode(given, type=Authority)
        intent = MandateIntent(bank_code="0005", branch_code="001", key="dies")
        await begin_mandate(desk, authority, intent, "https://pay.example")
    else:
        await finish_mandate_return(desk, act, given)


if __name__ == "__main__":
    configure("web")
    folder, *paths, port, act, given = sys.argv[1:]
    asyncio.run(_do(Path(folder), [Path(path) for path in paths], int(port), act, given))
