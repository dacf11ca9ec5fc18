"""Cases through the public doors: GraphQL for systems, screens and forms for staff."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from portal.contract.client import VaultClient
from portal.contract.login import SignedIn
from portal.contract.work import AWAIT_WORK, FAIL_TASK, TAKE_LEASE, AwaitWork, FailTask, TakeLease
from portal.kit import limits
from portal.vault.server import VaultServer
from tests.make.acts import acting
from tests.make.merchant import Merchant, csv_of, found, work_off
from tests.make.vault import ClientFor, Ground
from tests.make.visitor import staff_browser
from tests.make.web import running_web, web_settings

CASES = """query($first: Int!, $after: String, $filter: CaseFilterInput) {
    cases(first: $first, after: $after, filter: $filter) {
    nodes { id kind title meaning advice params seen openedAt lastSeenAt movedOn waiting
    import { id filename state } bill { id number over { amount } } attempt { reference }
    choices { action needsNote } closedAt resolution note }
    edges { cursor } pageInfo { hasNextPage endCursor } count { value exact } } }"""
SETTLE = """mutation($i: CaseSettleInput!) { caseSettle(input: $i) {
    case { id resolution closedAt closedBy note choices { action } } tasksPlanned
    errors { __typename code message path } } }"""


@pytest_asyncio.fixture
async def merchant(
    ground: Ground, vault: VaultServer, client_for: ClientFor
) -> AsyncIterator[Merchant]:
    del vault
    caller = await client_for("web")
    async with running_web(ground.folder, caller, settings=web_settings(ground.folder)) as web:
        made = await found(web, await client_for("operator"), caller, "mizu")
        yield made
        await made.close()


@pytest_asyncio.fixture
async def work(client_for: ClientFor) -> VaultClient:
    return await client_for("work")


async def stuck(merchant: Merchant, vault: VaultServer, work: VaultClient) -> str:
    """An import whose only part was given up."""
    import_id = await merchant.send_file(csv_of(merchant.mark, 3))
    (hint,) = (await work.call(AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=10))).tasks
    lease = await work.call(
        TAKE_LEASE, TakeLease(task_id=hint.id, attempt=hint.attempt, worker="test")
    )
    async with acting(vault, merchant.owner.merchant.id) as act:
        await act.db.execute("update task set tries = $1", limits.TASK_TRIES_MAX - 1)
    await work.call(FAIL_TASK, FailTask(code="task_broke", retry_in_s=0), lease.authority)
    return import_id


async def settle(merchant: Merchant, **given: object) -> dict[str, Any]:
    return (await merchant.ask(SETTLE, i={"idempotencyKey": "k1"} | given))["caseSettle"]


async def test_a_system_finds_a_case_and_starts_again_what_stopped(
    merchant: Merchant, vault: VaultServer, work: VaultClient
) -> None:
    import_id = await stuck(merchant, vault, work)

    [case] = (await merchant.ask(CASES, first=5, filter={"isOpen": True}))["cases"]["nodes"]
    settled = await settle(merchant, id=case["id"], action="RESTART")
    await work_off(work)

    assert (case["kind"], case["seen"], case["waiting"]) == ("TASK_INTAKE_ACCEPT_CHUNK", 1, 1)
    assert case["import"] == {"id": import_id, "filename": "MIZU.csv", "state": "CHECKING"}
    assert case["params"] == {"code": "task_broke"}
    assert case["title"]
    assert case["meaning"]
    assert case["advice"]
    assert [one["action"] for one in case["choices"]] == ["RESTART", "LET_BE"]
    assert (settled["tasksPlanned"], settled["errors"]) == (1, [])
    assert settled["case"]["resolution"] == "RESTART"
    assert settled["case"]["closedBy"].startswith("api_key:")
    state = await merchant.ask("query($id: ID!) { import(id: $id) { state } }", id=import_id)
    assert state["import"]["state"] == "CHECKED"


async def test_a_refusal_is_data_of_the_type_that_says_what_to_do(
    merchant: Merchant, vault: VaultServer, work: VaultClient
) -> None:
    await stuck(merchant, vault, work)
    [case] = (await merchant.ask(CASES, first=5))["cases"]["nodes"]

    async def refused(**given: object) -> tuple[str, str, list[str]]:
        [error] = (await settle(merchant, **given))["errors"]
        return error["__typename"], error["code"], error["path"]

    about = {"id": case["id"]}
    assert await refused(**about, action="LET_BE") == (
        "ValidationError",
        "case_note_needed",
        ["input", "note"],
    )
    assert (await refused(**about, action="ASK_AGAIN"))[:2] == ("StateError", "case_action")
    assert (await refused(id="case_nothing", action="RESTART"))[:2] == (
        "NotFoundError",
        "not_found",
    )
    card = await merchant.api.post(
        "/graphql",
        json={
            "query": SETTLE,
            "variables": {
                "i": {
                    **about,
                    "action": "LET_BE",
                    "note": "4242 4242 4242 4242",
                    "idempotencyKey": "k2",
                }
            },
        },
    )
    assert card.json()["errors"][0]["extensions"]["code"] == "card_number_refused"


async def test_pages_are_walked_and_filtered(merchant: Merchant, vault: VaultServer) -> None:
    async with acting(vault, merchant.owner.merchant.id) as act:
        for _ in range(3):
            await act.open_case("late_success", act.new_id())
        await act.open_case("amount_mismatch", act.new_id())
    seen: list[str] = []
    after = None
    while True:
        wanted = {"kinds": ["LATE_SUCCESS"], "isOpen": True}
        page = (await merchant.ask(CASES, first=2, after=after, filter=wanted))["cases"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["count"] == {"value": 3, "exact": True}
        assert page["edges"][-1]["cursor"] == after
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(seen) == len(set(seen)) == 3
    assert (await merchant.ask(CASES, first=5, filter={"isOpen": False}))["cases"]["nodes"] == []
    assert (await merchant.ask('{ case(id: "case_nothing") { id } }'))["case"] is None


# --- screens ---------------------------------------------------------------------------------


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of one choice, as a browser without script would send them."""
    forms = re.findall(
        r'<form method="post" action="/d/do/CaseSettle">(.*?)</form>', page, re.DOTALL
    )
    for form in forms:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
        if fields["action"] == action:
            return fields
    pytest.fail(f"no form for {action}")


def as_staff(merchant: Merchant, who: SignedIn) -> httpx.AsyncClient:
    """A browser that reads English and keeps the cookies that it is given, flashes too."""
    browser = staff_browser(merchant.web, who.authority)
    name, _, value = browser.headers.pop("cookie").partition("=")
    browser.cookies.set(name, value)
    browser.headers["accept-language"] = "en"
    return browser


@pytest_asyncio.fixture
async def browser(merchant: Merchant) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's."""
    async with as_staff(merchant, merchant.owner) as opened:
        yield opened


async def test_staff_settle_a_case_by_a_form_and_the_count_goes_down(
    merchant: Merchant, vault: VaultServer, work: VaultClient, browser: httpx.AsyncClient
) -> None:
    import_id = await stuck(merchant, vault, work)
    home = (await browser.get("/d")).text
    listed = (await browser.get("/d/cases")).text
    [address] = set(re.findall(r"/d/cases/case_\w+", listed))
    page = (await browser.get(address)).text
    fields = form_of(page, "RESTART")

    answer = await browser.post("/d/do/CaseSettle", data=fields)
    after = (await browser.get(answer.headers["location"])).text
    again = await browser.post("/d/do/CaseSettle", data=fields)
    refused = (await browser.get(again.headers["location"])).text
    await work_off(work)

    assert 'href="/d/cases"><strong>' in home
    assert ", 1 open</span>" in home
    assert f"/d/imports/{import_id}" in listed
    assert "What it means" in page
    assert answer.status_code == 303
    assert answer.headers["location"] == address
    assert "It was started again." in after
    assert "open</span>" not in after
    assert "Started again" in after
    assert "It was started again." in refused  # the same form twice is the same act
    assert "Nothing waits for you" in (await browser.get("/d/cases")).text
    assert address in (await browser.get("/d/cases?state=closed")).text
    assert address in (await browser.get("/d/cases?state=all&kind=TASK_INTAKE_ACCEPT_CHUNK")).text
    assert address not in (await browser.get("/d/cases?state=all&kind=OVERPAID")).text


async def test_what_was_typed_comes_back_with_the_refusal(
    merchant: Merchant, vault: VaultServer, work: VaultClient, browser: httpx.AsyncClient
) -> None:
    await stuck(merchant, vault, work)
    [address] = set(re.findall(r"/d/cases/case_\w+", (await browser.get("/d/cases")).text))
    fields = form_of((await browser.get(address)).text, "LET_BE")

    await browser.post("/d/do/CaseSettle", data=fields | {"note": "because\u200b"})
    page = (await browser.get(address)).text

    assert 'aria-invalid="true">because' in page
    assert "<details open>" in page


async def test_a_clerk_sees_only_what_a_clerk_may_do(
    merchant: Merchant, vault: VaultServer, work: VaultClient
) -> None:
    await stuck(merchant, vault, work)
    async with acting(vault, merchant.owner.merchant.id) as act:
        await act.open_case("amount_mismatch", act.new_id())
    clerk = as_staff(merchant, merchant.clerk)
    addresses = sorted(set(re.findall(r"/d/cases/case_\w+", (await clerk.get("/d/cases")).text)))
    pages = [(await clerk.get(address)).text for address in addresses]
    actions = [set(re.findall(r'name="action" value="(\w+)"', page)) for page in pages]
    keys = (await clerk.get("/d/keys")).text
    owners_keys = (await merchant.browser.get("/d/keys")).text
    fields = form_of(pages[0], "RESTART") | {"action": "LET_BE", "note": "never mind"}
    answer = await clerk.post("/d/do/CaseSettle", data=fields)
    told = (await clerk.get(answer.headers["location"])).text
    await clerk.aclose()

    assert actions == [{"RESTART"}, {"ASK_AGAIN"}]
    assert "You may not do this." in told
    assert "/d/do/ApiKey" not in keys
    assert "Only an owner" in keys
    assert "/d/do/ApiKeyRevoke" in owners_keys
    assert "/d/do/ApiKeyCreate" in owners_keys
