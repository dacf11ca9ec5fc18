"""The merchant schema against a real vault: what staff and systems do in a day."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from portal.application.doors.context import RequestContext
from portal.application.doors.graphql.execute import run_operation
from portal.application.doors.graphql.trusted import TRUSTED
from portal.application.doors.session import StaffSession
from portal.contract.login import SignedIn
from portal.domain.errors import PortalError
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser, system
from tests.make.web import running_web, web_settings

ROWS = 7


@pytest_asyncio.fixture
async def merchant(ground: Ground, client_for: ClientFor) -> AsyncIterator[Merchant]:
    caller = await client_for("web")
    async with running_web(ground.folder, caller, settings=web_settings(ground.folder)) as web:
        made = await found(web, await client_for("operator"), caller, "mizu")
        yield made
        await made.close()


@pytest_asyncio.fixture
async def issued(merchant: Merchant, client_for: ClientFor) -> Merchant:
    """The merchant with ROWS bills sent out, of ROWS + 2 rows that came in."""
    work = await client_for("work")
    import_id = await merchant.send_file(csv_of(merchant.mark, ROWS + 2, faulty=2))
    await work_off(work)
    await merchant.decide(import_id)
    await work_off(work)
    return merchant


def staff(merchant: Merchant, who: SignedIn) -> RequestContext:
    session = StaffSession(
        authority=who.authority,
        staff_id=who.staff_id,
        merchant_code=merchant.code,
        role=who.role,
        csrf=b"c" * 16,
    )
    return RequestContext(
        doors=merchant.web.doors,
        audience="merchant",
        session=session,
        language="en",
        request_id="test",
    )


async def run_as(
    merchant: Merchant, who: SignedIn, operation: str, /, **given: object
) -> dict[str, Any]:
    data = await run_operation(staff(merchant, who), operation, {"input": given} if given else {})
    [payload] = data.values()
    return payload


async def test_every_faulty_row_is_told_with_reason_and_remedy(issued: Merchant) -> None:
    imports = await issued.ask("{ imports(first: 5) { nodes { id } pageInfo { hasNextPage } } }")
    [node] = imports["imports"]["nodes"]
    query = """query($id: ID!, $after: String) { import(id: $id) { rowsFaulty rowsIssued
        faults(first: 1, after: $after) { nodes { line column code reason remedy }
        edges { cursor } pageInfo { hasNextPage endCursor } } } }"""
    seen, after = [], None
    for _ in range(2):
        found_import = (await issued.ask(query, id=node["id"], after=after))["import"]
        faults = found_import["faults"]
        seen += faults["nodes"]
        after = faults["pageInfo"]["endCursor"]
        assert faults["edges"][-1]["cursor"] == after

    assert (found_import["rowsFaulty"], found_import["rowsIssued"]) == (2, ROWS)
    assert faults["pageInfo"]["hasNextPage"] is False
    assert [fault["line"] for fault in seen] == [ROWS + 2, ROWS + 3]
    assert {fault["column"] for fault in seen} == {"amount"}
    assert all(fault["reason"] and fault["remedy"] for fault in seen)


async def test_a_cursor_of_one_import_is_worth_nothing_elsewhere(issued: Merchant) -> None:
    [node] = (await issued.ask("{ imports(first: 5) { nodes { id } } }"))["imports"]["nodes"]
    text = """query($id: ID!, $after: String) { import(id: $id) {
        faults(first: 1, after: $after) { pageInfo { endCursor } } } imports(first: 1) {
        pageInfo { endCursor } } }"""
    data = await issued.ask(text, id=node["id"])
    for strange in (data["imports"]["pageInfo"]["endCursor"], "x", ""):
        answer = await issued.api.post(
            "/graphql", json={"query": text, "variables": {"id": node["id"], "after": strange}}
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "cursor_invalid"


async def test_bills_are_walked_page_by_page_each_once(issued: Merchant) -> None:
    query = """query($after: String, $order: BillOrder!) { bills(first: 3, after: $after,
        order: $order) { nodes { number amount { amount currency formatted } }
        pageInfo { hasNextPage endCursor } count { value exact } } }"""
    numbers, after, pages = [], None, 0
    while pages == 0 or after:
        page = (await issued.ask(query, after=after, order="AMOUNT_DESC"))["bills"]
        numbers += [node["number"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
        pages += 1
        assert page["count"] == {"value": ROWS, "exact": True}

    assert pages == 3
    assert numbers == [f"MIZU-{n:06}" for n in range(ROWS, 0, -1)]
    assert page["nodes"][-1]["amount"] == {
        "amount": 1001,
        "currency": "JPY",
        "formatted": "1,001円",
    }


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("NUMBER", "MIZU-000003"),
        ("CUSTOMER_NO", "mizu00000003"),
        ("PHONE", "+81 90-1234-0003"),
    ],
)
async def test_a_bill_is_found_by_its_number_customer_or_telephone(
    issued: Merchant, field: str, text: str
) -> None:
    query = """query($s: BillSearchInput!) { bills(first: 5, search: $s) {
        nodes { number phoneHint } } }"""
    data = await issued.ask(query, s={"field": field, "text": text})

    assert [node["number"] for node in data["bills"]["nodes"]] == ["MIZU-000003"]
    assert "1234" not in data["bills"]["nodes"][0]["phoneHint"]


async def test_a_filter_leaves_only_what_meets_all_of_it(issued: Merchant) -> None:
    [node] = (await issued.ask("{ imports(first: 5) { nodes { id } } }"))["imports"]["nodes"]
    query = "query($f: BillFilterInput!) { bills(first: 50, filter: $f) { nodes { lifecycle } } }"
    counts = [
        len((await issued.ask(query, f=given))["bills"]["nodes"])
        for given in (
            {"lifecycle": ["OPEN"], "settlement": ["UNPAID"], "importId": node["id"]},
            {"lifecycle": ["CANCELED"]},
            {"dueFrom": "2020-01-01", "dueTo": "2020-12-31"},
            {"neverOpened": True},
        )
    ]

    assert counts == [ROWS, 0, 0, ROWS]


async def test_one_bill_is_shown_with_all_that_happened_in_one_call(
    issued: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill_id = (await issued.bills())[0]
    calls: list[str] = []
    vault = issued.web.doors.vault
    real_call = vault.call

    async def counted(op: Any, *more: Any) -> Any:  # noqa: ANN401 - as call()
        calls.append(op.name)
        return await real_call(op, *more)

    monkeypatch.setattr(vault, "call", counted)
    data = await issued.ask(
        """query($id: ID!) { bill(id: $id) { id number payerName contractNo emailHint checkCode
        tax { amount } lines { label amount { amount } } attempts { id }
        events { at code text actor params } } }""",
        id=bill_id,
    )

    assert calls == ["view_bill"]
    assert data["bill"]["id"] == bill_id
    assert data["bill"]["contractNo"].startswith("MIZU-K")
    assert data["bill"]["events"]
    assert all(event["text"] for event in data["bill"]["events"])


async def test_a_bill_is_canceled_once_by_the_version_that_was_seen(issued: Merchant) -> None:
    bill_id = (await issued.bills())[0]
    query = """mutation($i: BillCancelInput!) { billCancel(input: $i) {
        bill { id lifecycle version } errors { __typename code path } } }"""
    given = {"id": bill_id, "version": 1, "reason": "moved away", "idempotencyKey": "c-1"}
    version = (await issued.ask("query($i: ID!) { bill(id: $i) { version } }", i=bill_id))["bill"]
    given["version"] = version["version"]
    first = (await issued.ask(query, i=given))["billCancel"]
    again = (await issued.ask(query, i=given))["billCancel"]
    other = (await issued.ask(query, i={**given, "reason": "no"}))["billCancel"]
    stale = (await issued.ask(query, i={**given, "idempotencyKey": "c-2"}))["billCancel"]

    assert first["errors"] == again["errors"] == []
    assert first["bill"]["lifecycle"] in {"CANCELED", "CANCELING"}
    assert first["bill"]["id"] == again["bill"]["id"] == bill_id
    assert [e["code"] for e in other["errors"]] == ["idempotency_mismatch"]
    assert [e["__typename"] for e in stale["errors"]] == ["StateError"]


async def test_a_card_number_in_a_reason_is_refused_before_it_is_stored(issued: Merchant) -> None:
    given = {"id": "x", "version": 1, "reason": "card 4242-4242-4242-4242", "idempotencyKey": "k"}
    answer = await issued.api.post(
        "/graphql",
        json={
            "query": "mutation($i: BillCancelInput!) { billCancel(input: $i) { errors { code } } }",
            "variables": {"i": given},
        },
    )

    assert answer.json()["errors"][0]["extensions"]["code"] == "card_number_refused"
    assert "4242" not in answer.text


async def test_the_summary_counts_what_was_issued(issued: Merchant) -> None:
    data = await issued.ask(
        """{ summary { requestedBills requested { amount } unpaidBills paidBills
        funnel { requested paid } imports { rowsIssued } asOf } viewer { name scopes } }"""
    )

    summary = data["summary"]
    assert summary["requestedBills"] == summary["unpaidBills"] == ROWS
    assert summary["requested"]["amount"] == sum(1000 + n for n in range(1, ROWS + 1))
    assert summary["funnel"] == {"requested": ROWS, "paid": 0}
    assert summary["asOf"].endswith("Z")
    assert "SCHEMA_READ" in data["viewer"]["scopes"]


async def test_a_key_is_shown_once_works_and_ends(merchant: Merchant) -> None:
    made = await run_as(
        merchant,
        merchant.owner,
        "ApiKeyCreate",
        name="billing system",
        scopes=["BILLS_READ"],
        idempotencyKey="k-2",
    )
    async with merchant.web.browser(
        headers={"authorization": f"Bearer {made['secret']}"}
    ) as client:
        query = {"query": "{ bills(first: 1) { nodes { id } } }"}
        works = await client.post("/graphql", json=query)
        schema = await client.post("/graphql", json={"query": "{ __schema { types { name } } }"})
        writes = await client.post(
            "/graphql",
            json={
                "query": 'mutation { billResend(input: {id: "bill_01JD0000000000000000000000",'
                ' idempotencyKey: "r"}) { errors { __typename code } } }'
            },
        )
        revoked = await run_as(merchant, merchant.owner, "ApiKeyRevoke", id=made["apiKey"]["id"])
        ended = await client.post("/graphql", json=query)

    assert works.json()["data"] == {"bills": {"nodes": []}}
    assert schema.json()["errors"][0]["extensions"]["code"] == "introspection_closed"
    assert writes.json()["data"]["billResend"]["errors"] == [
        {"__typename": "NotAllowedError", "code": "scope_missing"}
    ]
    assert revoked["errors"] == []
    assert ended.json()["errors"][0]["extensions"]["code"] == "authority_revoked"


async def test_the_schema_is_read_with_the_scope_for_it(merchant: Merchant) -> None:
    answer = await merchant.api.post(
        "/graphql", json={"query": "{ __schema { queryType { name } types { name } } }"}
    )

    assert answer.json()["data"]["__schema"]["queryType"] == {"name": "Query"}


async def test_a_clerk_does_not_make_keys(merchant: Merchant) -> None:
    payload = await run_as(
        merchant,
        merchant.clerk,
        "ApiKeyCreate",
        name="mine",
        scopes=["BILLS_READ"],
        idempotencyKey="k-3",
    )

    assert payload["apiKey"] is None
    assert payload["secret"] is None
    assert [error["code"] for error in payload["errors"]] == ["role_missing"]


async def test_logging_out_ends_the_session_here_and_everywhere(merchant: Merchant) -> None:
    documents = TRUSTED["merchant"]
    home = {"documentId": documents.named("Home").document_id}
    leave = {"documentId": documents.named("LogOut").document_id}
    async with staff_browser(merchant.web, merchant.owner.authority) as copy:
        before = await copy.post("/graphql", json=home)
        left = await merchant.browser.post("/graphql", json=leave)
        after = await copy.post("/graphql", json=home)
        screen = await copy.get("/d")

    assert before.json()["data"]["viewer"]["name"] == "MIZU owner"
    assert left.json()["data"]["logOut"]["signedOut"] is True
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert after.json()["errors"][0]["extensions"]["code"] == "authority_revoked"
    assert (screen.status_code, screen.headers["location"]) == (303, "/login")


async def test_an_authority_that_no_vault_made_opens_nothing(merchant: Merchant) -> None:
    changed = bytearray(merchant.owner.authority.capability)
    changed[-1] ^= 1
    authority = type(merchant.owner.authority)(
        capability=bytes(changed),
        key=merchant.owner.authority.key,
        expires_at=merchant.owner.authority.expires_at,
    )
    async with system(merchant.web, authority) as client:
        answer = await client.post("/graphql", json={"query": "{ viewer { name } }"})

    assert answer.json()["errors"][0]["extensions"]["code"] == "authority_unknown"


async def test_the_dashboards_figures_come_as_they_move_and_end_with_the_session(
    merchant: Merchant,
) -> None:
    lines: list[str] = []
    async with merchant.browser.stream("GET", "/d/events?screen=home") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            lines.append(line)
            if line.startswith("data: ") and len(lines) < 6:
                await run_as(merchant, merchant.owner, "LogOut")
            if line.startswith("event: end"):
                break

    assert lines[0] == "retry: 3000"
    assert "texts" in next(line for line in lines if line.startswith("data: "))
    assert lines[-1] == "event: end"


async def test_the_news_alone_are_answered_to_who_can_not_stream(merchant: Merchant) -> None:
    once = await merchant.browser.get("/d/events?screen=home&once=1")
    nowhere = await merchant.browser.get("/d/events?screen=nowhere")
    foreign = await merchant.browser.get("/d/events?screen=import&id=imp_1&once=1")

    assert "structure" in once.json()
    assert (nowhere.status_code, foreign.status_code) == (404, 404)


async def test_too_many_streams_of_one_screen_are_refused(merchant: Merchant) -> None:
    feeds = merchant.web.app.state.feeds
    for _ in range(6):
        feeds.join(b"one")

    with pytest.raises(PortalError, match="streams_many"):
        feeds.join(b"one")
    for _ in range(6):
        feeds.leave(b"one")
    assert feeds.join(b"one").streams == 1
