"""Attacks on the GraphQL doors, each beside a harmless twin that passes (the positive control).

The list covers graphql-cop's checks, the advisories of GraphQL servers of the last years and what
a stolen cookie, key or address could be turned into. The vault is away: ``vault_away`` says that a
request passed every door; nothing that is refused gets so far.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope
from strawberry.asgi import GraphQL

from portal.application.doors.context import RequestContext
from portal.application.doors.graphql.documents import read_document
from portal.application.doors.graphql.execute import masked
from portal.application.doors.graphql.merchant import MERCHANT
from portal.application.doors.graphql.payer import PAYER
from portal.application.doors.graphql.schema import HaraiSchema
from portal.application.doors.graphql.trusted import TRUSTED
from portal.application.doors.session import ApiKeySession
from portal.domain.errors import InvalidInput, NotFound
from tests.make.visitor import an_authority, payer_browser, staff_browser, system
from tests.make.walk import paths, text_coordinates
from tests.make.web import ORIGIN, Web, running_web
from tests.make.written import written_log

AWAY = "vault_away"
VIEWER = "{ viewer { name } }"
RESEND = 'mutation { billResend(input: {id: "bill_x", idempotencyKey: "1"}) { errors { code } } }'
SECRET = "+819012345678"  # what must never come back


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with running_web(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def api(web: Web) -> AsyncIterator[httpx.AsyncClient]:
    async with system(web, an_authority(web)) as client:
        yield client


async def code_of(client: httpx.AsyncClient, query: str, **body: object) -> str:
    """The code of the first error, or ``data`` when there is none."""
    answer = await client.post("/graphql", json={"query": query, **body})
    assert answer.status_code < 500
    errors = answer.json().get("errors")
    return errors[0]["extensions"]["code"] if errors else "data"


def bomb(levels: int) -> str:
    spreads = " ".join(
        f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    return f"{{ ...F0 }} {spreads} fragment F{levels} on Query {{ viewer {{ name }} }}"


def aliases(count: int) -> str:
    return "{ viewer { " + " ".join(f"a{n}: name" for n in range(count)) + " } }"


@pytest.mark.parametrize(
    ("attack", "code", "twin"),
    [
        (aliases(100), "document_aliases", aliases(10)),
        (
            "{ viewer { name " + "@include(if: true) " * 11 + "} }",
            "document_directives",
            "{ viewer { name @include(if: true) } }",
        ),
        (
            "{ " + "viewer { name } " * 240 + "}",
            "document_root_fields",
            "{ viewer { name name name } }",
        ),
        ("{ viewer { " + "name " * 1000 + "} }", "document_tokens", "{ viewer { name name } }"),
        (bomb(25), "document_cost", bomb(3)),
        (
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
            "document_invalid",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { viewer { name } }",
        ),
        ("{ " + "a { " * 480 + "b" + " }" * 481, "document_invalid", VIEWER),
        (
            "mutation { " + " ".join(
                f'm{n}: billResend(input: {{id: "bill_x", idempotencyKey: "{n}"}})'
                " { errors { code } }" for n in range(2)
            ) + " }",
            "document_root_fields",
            RESEND,
        ),
        (
            "{ bills(first: 100) { nodes { events { text } } } }",
            "document_cost",
            "{ bills(first: 5) { nodes { events { text } } } }",
        ),
        ("query @defer { viewer { name } }", "document_invalid", "query { viewer { name } }"),
        ("subscription { viewer { name } }", "document_invalid", VIEWER),
        ("{ bill(id: 1e400) { id } }", "document_invalid", '{ bill(id: "1") { id } }'),
        (
            "{ bills(first: 99999999999999999999) { nodes { id } } }",
            "document_invalid",
            "{ bills(first: 99) { nodes { id } } }",
        ),
    ],
    ids=[
        "aliases", "directives", "root fields", "tokens", "fragment bomb", "circular fragments",
        "nesting", "two acts", "details of all", "defer", "subscription",
        "not a number", "huge number",
    ],
)  # fmt: skip
async def test_an_overload_is_refused_and_its_small_twin_is_not(
    api: httpx.AsyncClient, attack: str, code: str, twin: str
) -> None:
    assert await code_of(api, attack) == code
    assert await code_of(api, twin) in {AWAY, "data"}


async def test_ten_operations_in_one_request_are_not_run(api: httpx.AsyncClient) -> None:
    batch = await api.post("/graphql", json=[{"query": VIEWER}] * 10)

    assert batch.json()["errors"][0]["extensions"]["code"] == "batching_off"
    assert await code_of(api, VIEWER) == AWAY


@pytest.mark.parametrize("query", [VIEWER, "mutation { logOut { signedOut } }"])
async def test_nothing_runs_by_get(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get("/graphql", params={"query": query})).status_code == 405
    assert await code_of(api, VIEWER) == AWAY


async def test_no_form_of_another_site_is_a_request(api: httpx.AsyncClient) -> None:
    answer = await api.post("/graphql", data={"query": VIEWER})

    assert answer.status_code == 415
    assert await code_of(api, VIEWER) == AWAY


CARELESS = GraphQL(MERCHANT)
"""Our own schema behind the library's door as it comes out of the box: what ours must not be."""


def asking(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN)


async def first_word(app: ASGIApp, path: str) -> str:
    """What an application says to who wants to speak through a socket."""
    said: list[str] = []
    coming: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000},
    ]

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        said.append(message["type"])

    scope: Scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
        "path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"",
        "headers": [(b"host", b"localhost:8080")], "client": ("127.0.0.1", 1),
        "server": ("localhost", 8080), "subprotocols": ["graphql-transport-ws"],
    }  # fmt: skip
    await app(scope, receive, send)
    return said[0]


async def test_there_is_no_page_to_explore_the_schema(api: httpx.AsyncClient) -> None:
    asked = {"accept": "text/html"}
    page = await api.get("/graphql", headers=asked)

    assert page.status_code == 405
    assert "graphiql" not in page.text.lower()
    async with asking(CARELESS) as careless:
        explorer = await careless.get("/graphql", headers=asked)
    assert explorer.status_code == 200
    assert "graphiql" in explorer.text.lower()


async def test_nothing_can_be_upgraded_to_a_socket(web: Web, api: httpx.AsyncClient) -> None:
    upgrade = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-protocol": "graphql-ws",
    }
    assert (await api.get("/graphql", headers=upgrade)).status_code == 405
    for path in ("/graphql", "/pay/graphql", "/d/events"):
        assert await first_word(web.app, path) == "websocket.close"
    assert await first_word(CARELESS, "/graphql") == "websocket.accept"


async def test_errors_suggest_no_field_and_trace_nothing(api: httpx.AsyncClient) -> None:
    answer = await api.post("/graphql", json={"query": "{ viewe { name } summry { asOf } }"})

    text = answer.text
    assert "viewe" in text
    for leak in ("Did you mean", "summary", "Traceback", "site-packages", "tracing", ".py"):
        assert leak not in text


async def test_a_fault_of_ours_shows_nothing_but_the_requests_number(web: Web) -> None:
    session = ApiKeySession(authority=an_authority(web), merchant_code="mizu")
    context = RequestContext(
        doors=web.doors, audience="merchant", session=session, language="en", request_id="r-1"
    )
    fault = ValueError(f"no such column: {SECRET}")
    refusal = NotFound("not_found", context=SECRET)
    with written_log() as log:
        shown = json.dumps(masked(GraphQLError(str(fault), original_error=fault), context))
        told = json.dumps(masked(GraphQLError("x", original_error=refusal), context))

    assert SECRET not in shown + told + log.getvalue()
    assert '"event":"request.failed"' in log.getvalue()
    assert '"correlation_id":"r-1"' in log.getvalue()
    assert '"code": "internal"' in shown
    assert '"requestId": "r-1"' in shown
    assert '"code": "not_found"' in told


@pytest.mark.parametrize("schema", [MERCHANT, PAYER], ids=["merchant", "payer"])
def test_no_text_of_any_input_can_hold_a_card_number(schema: HaraiSchema) -> None:
    coordinates = text_coordinates(schema)
    harmless = dict.fromkeys(coordinates, "null")
    tried = set[str]()
    for coordinate in coordinates:
        kind = coordinates[coordinate]
        number = "4242424242424242" if kind == "Int64" else '"4242 4242 4242 4242"'
        for mutations in (False, True):
            for path in paths(schema, harmless | {coordinate: number}, mutations=mutations):
                if number not in path.text or coordinate in tried:
                    continue
                with pytest.raises(InvalidInput, match="card_number_refused"):
                    read_document(schema, path.text, allows_introspection=False)
                tried.add(coordinate)
    assert tried == set(coordinates)


async def test_no_variable_of_any_depth_can_hold_a_card_number(api: httpx.AsyncClient) -> None:
    query = "query($s: BillSearchInput!) { bills(first: 1, search: $s) { nodes { id } } }"
    for text, code in (("4242-4242-4242-4242", "card_number_refused"), ("4242-4242", AWAY)):
        variables = {"s": {"field": "NUMBER", "text": text}}
        assert await code_of(api, query, variables=variables) == code


@pytest.mark.parametrize(
    "id_",
    [
        "bill_01JD000000000000000000000",
        "imp_01JD0000000000000000000000",
        "bill_01jd0000000000000000000000",
        "bill_01JD000000000000000000000\u041e",
        "bill_ZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "Bill:1",
        "' or 1=1 --",
        "",
    ],
)
async def test_an_id_of_another_form_is_nobody_and_costs_the_vault_nothing(
    api: httpx.AsyncClient, id_: str
) -> None:
    query = "query($id: ID!) { bill(id: $id) { id } }"
    answer = await api.post("/graphql", json={"query": query, "variables": {"id": id_}})

    assert answer.json()["data"] == {"bill": None}
    good = {"id": "bill_01JD0000000000000000000000"}
    assert await code_of(api, query, variables=good) == AWAY


async def test_a_key_is_taken_from_its_header_only(web: Web, api: httpx.AsyncClient) -> None:
    key = api.headers["authorization"].removeprefix("Bearer ")
    async with web.browser() as stranger:
        in_address = await stranger.post(f"/graphql?key={key}", json={"query": VIEWER})
        in_cookie = await stranger.post(
            "/graphql", json={"query": VIEWER}, headers={"cookie": f"harai_t1_staff={key}"}
        )

    assert (in_address.status_code, in_cookie.status_code) == (401, 401)
    assert await code_of(api, VIEWER) == AWAY


async def test_one_bills_cookie_opens_no_other_bill_and_no_dashboard(web: Web) -> None:
    page = {"documentId": TRUSTED["payer"].named("Page").document_id}
    home = {"documentId": TRUSTED["merchant"].named("Home").document_id}
    async with payer_browser(web, an_authority(web), "ref-1") as browser:
        value = browser.headers["cookie"].split("=", 1)[1]
        own = await browser.post("/pay/graphql?page=ref-1", json=page)
        for name, path, body in (
            ("harai_t1_bill_ref-2", "/pay/graphql?page=ref-2", page),
            ("harai_t1_staff", "/graphql", home),
            ("harai_t2_bill_ref-1", "/pay/graphql?page=ref-1", page),
        ):
            moved = await browser.post(path, json=body, headers={"cookie": f"{name}={value}"})
            assert moved.status_code == 401, name

    assert own.json()["errors"][0]["extensions"]["code"] == AWAY


async def test_a_stolen_cookie_can_not_be_sent_by_another_sites_page(web: Web) -> None:
    home = {"documentId": TRUSTED["merchant"].named("Home").document_id}
    async with staff_browser(web, an_authority(web)) as browser:
        own = await browser.post("/graphql", json=home)
        theirs = await browser.post(
            "/graphql", json=home, headers={"origin": "null", "sec-fetch-site": "cross-site"}
        )

    assert own.json()["errors"][0]["extensions"]["code"] == AWAY
    assert theirs.status_code == 403


async def test_a_page_can_not_be_made_to_run_a_document_of_the_attackers_choice(web: Web) -> None:
    async with staff_browser(web, an_authority(web)) as browser:
        for body in (
            {"query": VIEWER},
            {"documentId": "sha256:" + "0" * 64, "query": VIEWER},
            {"documentId": "Home"},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}},
             "query": VIEWER},
        ):  # fmt: skip
            answer = await browser.post("/graphql", json=body)
            code = answer.json()["errors"][0]["extensions"]["code"]
            assert code in {"document_untrusted", "document_unknown"}


async def test_of_a_name_given_twice_only_one_meaning_exists(api: httpx.AsyncClient) -> None:
    body = b'{"query": "{ __typename }", "query": "{ viewer { name } }"}'
    headers = {"content-type": "application/json"}
    first = await api.post("/graphql", content=body, headers=headers)
    again = await api.post("/graphql", content=body, headers=headers)

    # What was looked at is what ran: the cost belongs to the document that was executed.
    assert first.json()["errors"][0]["extensions"]["code"] == AWAY
    assert again.json()["errors"][0]["extensions"]["code"] == AWAY


async def test_a_header_can_not_make_us_believe_to_be_elsewhere(api: httpx.AsyncClient) -> None:
    async def believe(request: Request) -> Response:
        """One who takes such a header for the place where they are."""
        return RedirectResponse(f"https://{request.headers[elsewhere]}/login")

    credulous = Starlette(routes=[Route("/graphql", believe, methods=["POST"])])
    for elsewhere in (
        "x-forwarded-host", "x-original-url", "x-rewrite-url", "x-http-method-override"
    ):  # fmt: skip
        sent = {"json": {"query": VIEWER}, "headers": {elsewhere: "evil.example"}}
        answer = await api.post("/graphql", **sent)
        assert "evil.example" not in answer.text + str(answer.headers)
        assert answer.json()["errors"][0]["extensions"]["code"] == AWAY
        async with asking(credulous) as fooled:
            answer = await fooled.post("/graphql", **sent)
        assert "evil.example" in str(answer.headers)
