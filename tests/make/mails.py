"""A workshop whose merchant writes mails: bills of payers with addresses, and asking for a mail."""

import hashlib
import secrets
from collections.abc import Sequence

from portal.contract.bills import RESEND_MESSAGE, ResendMessage
from portal.contract.client import VaultClient
from portal.contract.intake import (
    CREATE_IMPORT,
    FINISH_UPLOAD,
    STORE_PART,
    CreateImport,
    FinishUpload,
    StorePart,
)
from portal.contract.message import SET_CHANNEL, SetChannel
from portal.domain.ids import BillId
from tests.make.workshop import COLUMNS, DUE_ON, MERCHANT, Workshop

SENDER = "bill@minato.example"


async def have_mail(operator: VaultClient, provider: str, sender: str = SENDER) -> None:
    """The merchant's mails go by this company from now on."""
    road = SetChannel(
        merchant_code=MERCHANT, channel="email", provider=provider, sender=sender, share=100
    )
    await operator.call(SET_CHANNEL, road)


async def issued_to(shop: Workshop, addresses: Sequence[str]) -> dict[str, BillId]:
    """One issued bill for each address, its text message sent; address → bill."""
    lines = [f"{COLUMNS},email"]
    numbers: dict[str, str] = {}
    for address in addresses:
        tail = hashlib.sha256(address.encode()).hexdigest()[:8]
        phone = f"0905{int(tail, 16) % 10_000_000:07}"
        numbers[f"B-{tail}"] = address
        lines.append(
            f"B-{tail},C{tail},K{tail},2026-11,山田 花子,{phone},8420,765,{DUE_ON},{address}"
        )
    body = "\r\n".join([*lines, ""]).encode()
    key = secrets.token_hex(8)
    created = await shop.web.call(
        CREATE_IMPORT,
        CreateImport(filename="bills.csv", size_bytes=len(body), idempotency_key=key),
        shop.staff,
    )
    await shop.web.call(
        STORE_PART, StorePart(import_id=created.id, offset=0, body=body), shop.staff
    )
    done = FinishUpload(import_id=created.id, size_bytes=len(body))
    await shop.web.call(FINISH_UPLOAD, done, shop.staff)
    await shop.work_off({"intake.accept_chunk"})
    await shop.decide(created.id)
    await shop.work_off({"intake.issue_bills"})
    await shop.work_off({"message.send_chunk"})
    rows = await shop.rows("select id, number from bill")
    return {numbers[row["number"]]: BillId(row["id"]) for row in rows if row["number"] in numbers}


async def ask_for_mail(shop: Workshop, bill_id: BillId) -> None:
    """A member of staff has the link sent by e-mail."""
    request = ResendMessage(bill_id=bill_id, channel="email", idempotency_key=secrets.token_hex(8))
    await shop.web.call(RESEND_MESSAGE, request, shop.staff)
