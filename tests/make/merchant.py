"""A merchant at work: staff signed in, a file sent in through the public doors, bills issued.

Everything goes the way of the real thing: GraphQL and PUT at the web process, tasks taken by a
caller with the worker's certificate. Only sending messages is left out.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from portal.contract.client import VaultClient
from portal.contract.intake import (
    ACCEPT_CHUNK,
    DISCARD_BILLS,
    ISSUE_BILLS,
    AcceptChunk,
    DiscardBills,
    IssueBills,
)
from portal.contract.login import (
    CREATE_API_KEY,
    REDEEM_LOGIN_TICKET,
    CreateApiKey,
    RedeemLoginTicket,
    Scope,
    SignedIn,
)
from portal.contract.operator import (
    ADD_STAFF,
    FOUND_MERCHANT,
    ISSUE_LOGIN_TICKET,
    AddStaff,
    FoundMerchant,
    IssueLoginTicket,
)
from portal.contract.work import AWAIT_WORK, TAKE_LEASE, AwaitWork, TakeLease
from portal.domain.ids import ImportId
from portal.kit.clock import SystemClock
from tests.make.visitor import staff_browser, system
from tests.make.web import Web

COLUMNS = "number,customer_no,contract_no,period,payer_name,phone,amount,due_on"
ALL_SCOPES: tuple[Scope, ...] = (
    "bills:read", "bills:write", "imports:write", "schema:read", "paper:print",
)  # fmt: skip


def csv_of(mark: str, rows: int, *, faulty: int = 0) -> bytes:
    """Billing requests whose every text carries ``mark``; the last ``faulty`` have no amount."""
    due_on = SystemClock().business_today("Asia/Tokyo") + timedelta(days=60)
    lines = [COLUMNS]
    for n in range(1, rows + 1):
        amount = "" if n > rows - faulty else str(1000 + n)
        lines.append(
            f"{mark}-{n:06},{mark}{n:08},{mark}-K{n:06},2026-11,{mark} Taro{n},"
            f"0901234{n:04},{amount},{due_on}"
        )
    return "\n".join(lines).encode() + b"\n"


@dataclass
class Merchant:
    """One merchant with an owner signed in, a browser and a key. ``mark`` is in all its texts."""

    code: str
    mark: str
    web: Web
    owner: SignedIn
    clerk: SignedIn
    browser: httpx.AsyncClient
    api: httpx.AsyncClient

    async def close(self) -> None:
        """Close browser and system."""
        await self.browser.aclose()
        await self.api.aclose()

    async def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of a free document; no error is expected."""
        answer = await self.api.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = answer.json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def open_import(self, key: str = "import-1") -> tuple[str, str]:
        """A new import's id and the path to PUT its file to."""
        data = await self.ask(
            "mutation($i: ImportCreateInput!) { importCreate(input: $i) {"
            " import { id } uploadUrl errors { code message } } }",
            i={"filename": f"{self.mark}.csv", "idempotencyKey": key},
        )
        made = data["importCreate"]
        assert made["errors"] == []
        return made["import"]["id"], httpx.URL(made["uploadUrl"]).path

    async def send_file(self, body: bytes, key: str = "import-1") -> str:
        """A file sent in; its import's id."""
        import_id, path = await self.open_import(key)
        answer = await self.api.put(path, content=body)
        assert answer.status_code == 201, answer.text
        return import_id

    async def decide(self, import_id: str, decision: str = "SEND", key: str = "decide-1") -> None:
        """Send or discard the good rows."""
        data = await self.ask(
            "mutation($i: ImportDecideInput!) { importDecide(input: $i) {"
            " errors { code message } } }",
            i={"id": import_id, "decision": decision, "idempotencyKey": key},
        )
        assert data["importDecide"]["errors"] == []

    async def bills(self) -> list[str]:
        """Ids of all bills, at most 100."""
        data = await self.ask("{ bills(first: 100) { nodes { id } } }")
        return [node["id"] for node in data["bills"]["nodes"]]


async def found(web: Web, operator: VaultClient, caller: VaultClient, code: str) -> Merchant:
    """Found a merchant; ``caller`` has the web's certificate."""
    mark = code.upper()
    await operator.call(
        FOUND_MERCHANT,
        FoundMerchant(
            code=code,
            name=f"{mark} Power",
            zone="Asia/Tokyo",
            sms_sender="0005123456",
            sms_provider="sandbox_sms",
            card_provider="sandbox_card",
            phone="0120-000-000",
            website=f"https://{code}.example",
        ),
    )
    owner = await _sign_in(operator, caller, code, "owner")
    clerk = await _sign_in(operator, caller, code, "clerk")
    made = await caller.call(
        CREATE_API_KEY,
        CreateApiKey(name=f"{mark} key", scopes=ALL_SCOPES, idempotency_key="key-1"),
        owner.authority,
    )
    return Merchant(
        code=code,
        mark=mark,
        web=web,
        owner=owner,
        clerk=clerk,
        browser=staff_browser(web, owner.authority),
        api=system(web, made.authority, code),
    )


async def _sign_in(operator: VaultClient, caller: VaultClient, code: str, role: str) -> SignedIn:
    email = f"{role}@{code}.example"
    await operator.call(
        ADD_STAFF,
        AddStaff(
            merchant_code=code,
            name=f"{code.upper()} {role}",
            email=email,
            password="correct horse battery",
            role="owner" if role == "owner" else "clerk",
        ),
    )
    ticket = await operator.call(
        ISSUE_LOGIN_TICKET, IssueLoginTicket(merchant_code=code, email=email, life_s=60)
    )
    return await caller.call(REDEEM_LOGIN_TICKET, RedeemLoginTicket(ticket=ticket.ticket))


async def work_off(work: VaultClient) -> int:
    """Do all intake tasks that are due, as the worker does; how many there were."""
    done = 0
    while True:
        due = await work.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=100))
        hints = [hint for hint in due.tasks if hint.kind.startswith("intake.")]
        if not hints:
            return done
        for hint in hints:
            lease = await work.call(
                TAKE_LEASE, TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
            )
            import_id = ImportId(lease.subject_id)
            if hint.kind == "intake.accept_chunk":
                request = AcceptChunk(import_id=import_id, chunk_no=lease.number)
                await work.call(ACCEPT_CHUNK, request, lease.authority)
            elif hint.kind == "intake.issue_bills":
                issue = IssueBills(import_id=import_id)
                while (await work.call(ISSUE_BILLS, issue, lease.authority)).remaining:
                    pass
            else:
                discard = DiscardBills(import_id=import_id)
                while (await work.call(DISCARD_BILLS, discard, lease.authority)).remaining:
                    pass
            done += 1
