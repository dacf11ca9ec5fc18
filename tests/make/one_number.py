"""A process that has a store's number made, or withdraws one, and dies on the way.

Arguments: the folder of a ground with certificate, key and authority; the relay's socket; where the
company is; the attempt to withdraw, or nothing to press the button; the payer's authority, or a
lease's: then a worker asks about the attempt.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import msgspec

from portal.application.payment.desk import PayDesk
from portal.application.payment.inquire import inquire
from portal.application.payment.submit import Intent, submit_payment
from portal.application.payment.withdraw import withdraw_number
from portal.application.providers.exchange import parse_endpoints
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.domain.ids import AttemptId
from portal.kit.crypto import client_context
from portal.kit.log import configure
from portal.kit.outbound import Outbound


async def _do(
    folder: Path, paths: list[Path], where: str, attempt: str, who: str, given: str
) -> None:
    cert, key, ca, relay = paths
    vault = await VaultClient.connect(str(folder / "vault.sock"), client_context(cert, key, ca))
    desk = PayDesk(vault, Outbound(relay), parse_endpoints(where))
    authority = msgspec.json.decode(given, type=Authority)
    if who == "work":
        await inquire(desk, authority, AttemptId(UUID(attempt)))
        return
    if attempt:
        await withdraw_number(desk, authority, AttemptId(UUID(attempt)))
        return
    intent = Intent(method="number", expected_minor=100, key="dies", store="lawson")
    await submit_payment(desk, authority, intent, "https://pay.example")


if __name__ == "__main__":
    folder, *paths, where, attempt, who, given = sys.argv[1:]
    configure(who)
    asyncio.run(_do(Path(folder), [Path(path) for path in paths], where, attempt, who, given))
