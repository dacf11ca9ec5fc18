"""GraphQL over HTTP at the doors; the vault is away, so whatever gets that far says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from portal.application.doors.graphql.door import BODY_BYTES_MAX, BUCKET_PER_S, BUCKET_SIZE, Buckets
from portal.application.doors.graphql.trusted import TRUSTED
from tests.make.visitor import an_authority, payer_browser, staff_browser, system
from tests.make.web import Web, running_web

NAME = "query { __typename }"
VIEWER = "{ viewer { name } }"
AWAY = "vault_away"


@pytest_asyncio.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with running_web(tmp_path) as running:
        yield running


def code_of(answer: httpx.Response) -> str:
    body = answer.json()
    assert "data" not in body or body["data"] is None
    code: str = body["errors"][0]["extensions"]["code"]
    return code


async def test_a_key_may_send_a_document_of_its_own_and_hears_what_it_cost(web: Web) -> None:
    async with system(web, an_authority(web)) as client:
        answer = await client.post("/graphql", json={"query": NAME})

    assert answer.status_code == 200
    assert answer.json() == {
        "data": {"__typename": "Query"},
        "extensions": {"cost": {"asked": 1, "left": BUCKET_SIZE - 1}},
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_browser_runs_our_own_documents_and_nothing_else(web: Web) -> None:
    trusted = TRUSTED["merchant"].named("Home").document_id
    async with staff_browser(web, an_authority(web)) as browser:
        own = await browser.post("/graphql", json={"documentId": trusted})
        free = await browser.post("/graphql", json={"query": NAME})
        unknown = await browser.post("/graphql", json={"documentId": "sha256:" + "0" * 64})
        both = await browser.post("/graphql", json={"documentId": trusted, "query": NAME})

    assert (own.status_code, code_of(own)) == (200, AWAY)
    assert (free.status_code, code_of(free)) == (403, "document_untrusted")
    assert (unknown.status_code, code_of(unknown)) == (404, "document_unknown")
    assert code_of(both) == AWAY  # the named document ran, the text did not


async def test_a_payer_runs_only_the_payers_documents(web: Web) -> None:
    payers = TRUSTED["payer"].named("Page").document_id
    merchants = TRUSTED["merchant"].named("Home").document_id
    async with payer_browser(web, an_authority(web), "ref-1") as browser:
        own = await browser.post("/pay/graphql?page=ref-1", json={"documentId": payers})
        others = await browser.post("/pay/graphql?page=ref-1", json={"documentId": merchants})
        free = await browser.post("/pay/graphql?page=ref-1", json={"query": NAME})
        elsewhere = await browser.post("/pay/graphql?page=ref-2", json={"documentId": payers})
        as_staff = await browser.post("/graphql", json={"documentId": merchants})

    assert code_of(own) == AWAY
    assert (others.status_code, code_of(others)) == (404, "document_unknown")
    assert (free.status_code, code_of(free)) == (403, "document_untrusted")
    assert (elsewhere.status_code, as_staff.status_code) == (401, 401)


@pytest.mark.parametrize("path", ["/graphql", "/pay/graphql?page=ref-1"])
async def test_nobody_without_a_session_gets_in(web: Web, path: str) -> None:
    async with web.browser() as browser:
        answer = await browser.post(path, json={"query": NAME})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="harai"'
    assert answer.json()["error"]["code"] in {"not_signed_in", "page_not_open"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_only_post_is_answered(web: Web, method: str) -> None:
    async with system(web, an_authority(web)) as client:
        answer = await client.request(method, "/graphql", params={"query": NAME})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b'{"query": "{ __typename }"}', "text/plain", 415, "media_type_refused"),
        (b"query=%7B__typename%7D", "application/x-www-form-urlencoded", 415, "media_type_refused"),
        (b"--x", "multipart/form-data; boundary=x", 415, "media_type_refused"),
        (b'[{"query": "{ __typename }"}]', "application/json", 400, "batching_off"),
        (b'{"query": ', "application/json", 400, "json_malformed"),
        (b'{"query": 1}', "application/json", 400, "json_malformed"),
        (b'{"variables": []}', "application/json", 400, "json_malformed"),
        (b'{"query": "\xff"}', "application/json", 400, "json_malformed"),
        (b'{"variables": ' + b"[" * 60000, "application/json", 400, "json_malformed"),
        (b"{}", "application/json", 400, "query_missing"),
        (b" " * (BODY_BYTES_MAX + 1), "application/json", 413, "body_too_large"),
    ],
)
async def test_what_is_no_request_is_refused(
    web: Web, content: bytes, media_type: str, status: int, code: str
) -> None:
    async with system(web, an_authority(web)) as client:
        answer = await client.post(
            "/graphql", content=content, headers={"content-type": media_type}
        )

    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_the_largest_body_is_still_read(web: Web) -> None:
    text = b'{"query": "{ __typename }"}'
    async with system(web, an_authority(web)) as client:
        answer = await client.post(
            "/graphql",
            content=text + b" " * (BODY_BYTES_MAX - len(text)),
            headers={"content-type": "application/json"},
        )

    assert answer.json()["data"] == {"__typename": "Query"}


async def test_the_answer_has_the_type_that_was_asked_for(web: Web) -> None:
    accept = {"accept": "application/graphql-response+json"}
    async with system(web, an_authority(web)) as client:
        good = await client.post("/graphql", json={"query": NAME}, headers=accept)
        bad = await client.post("/graphql", json={"query": "{"}, headers=accept)

    assert good.headers["content-type"] == bad.headers["content-type"] == accept["accept"]
    assert (good.status_code, bad.status_code) == (200, 400)
    assert "data" not in bad.json()


async def test_what_is_wrong_with_a_document_is_said_with_its_place(web: Web) -> None:
    async with system(web, an_authority(web)) as client:
        answer = await client.post("/graphql", json={"query": "{ viewer { nam } }"})

    [error] = answer.json()["errors"]
    assert "nam" in error["message"]
    assert "Did you mean" not in error["message"]
    assert error["locations"] == [{"line": 1, "column": 12}]
    assert error["extensions"]["code"] == "document_invalid"


async def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(web: Web) -> None:
    query = "query Q($first: Int!) { bills(first: $first) { nodes { id } } }"
    async with system(web, an_authority(web)) as client:
        answer = await client.post(
            "/graphql", json={"query": query, "variables": {"first": "+819012345678"}}
        )

    assert code_of(answer) == "variables_invalid"
    assert answer.json()["errors"][0]["extensions"]["params"] == {"field": "$first"}
    assert "9012345678" not in answer.text


@pytest.mark.parametrize("first", [0, 101, -1])
async def test_a_page_is_of_1_to_100(web: Web, first: int) -> None:
    query = "query Q($first: Int!) { bills(first: $first) { nodes { id } } }"
    async with system(web, an_authority(web)) as client:
        answer = await client.post("/graphql", json={"query": query, "variables": {"first": first}})

    assert code_of(answer) == "first_out_of_range"


@pytest.mark.parametrize(("first", "code"), [(1, AWAY), (100, AWAY)])
async def test_both_ends_of_that_range_go_on_to_the_vault(web: Web, first: int, code: str) -> None:
    query = "query Q($first: Int!) { bills(first: $first) { nodes { id } } }"
    async with system(web, an_authority(web)) as client:
        answer = await client.post("/graphql", json={"query": query, "variables": {"first": first}})

    assert code_of(answer) == code


async def test_a_key_that_spent_its_bucket_waits_and_another_does_not(web: Web) -> None:
    query = (
        "{ " + " ".join(f"a{n}: bills(first: 100) {{ nodes {{ id }} }}" for n in range(9)) + " }"
    )
    now = 0.0
    web.app.state.graphql._buckets = Buckets(now=lambda: now)

    async with system(web, an_authority(web)) as client, system(web, an_authority(web)) as other:
        answers = [await client.post("/graphql", json={"query": query})]
        cost = answers[0].json()["extensions"]["cost"]["asked"]
        affordable = BUCKET_SIZE // cost
        answers += [await client.post("/graphql", json={"query": query}) for _ in range(affordable)]
        others = await other.post("/graphql", json={"query": NAME})
        now = 1.01 * cost / BUCKET_PER_S
        later = await client.post("/graphql", json={"query": query})

    assert [answer.status_code for answer in answers] == [200] * affordable + [429]
    spent = answers[-1]
    assert (code_of(spent), spent.headers["retry-after"]) == ("cost_spent", "1")
    assert others.status_code == 200
    assert later.status_code == 200


async def test_a_mutation_that_the_vault_did_not_hear_of_says_try_later(web: Web) -> None:
    query = """mutation { billResend(input: {id: "bill_01JD0000000000000000000000",
        idempotencyKey: "k-1"}) { bill { id } errors { __typename code message path
        ... on TryLaterError { retryAfterS } } } }"""
    async with system(web, an_authority(web)) as client:
        answer = await client.post(
            "/graphql", json={"query": query}, headers={"accept-language": "ja"}
        )

    payload = answer.json()["data"]["billResend"]
    assert payload["bill"] is None
    [error] = payload["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("TryLaterError", AWAY, [])
    assert error["message"] != error["code"]
    assert error["retryAfterS"] > 0


async def test_another_sites_page_can_not_use_a_browsers_cookie(web: Web) -> None:
    trusted = TRUSTED["merchant"].named("Home").document_id
    async with staff_browser(web, an_authority(web)) as browser:
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = await browser.post("/graphql", json={"documentId": trusted}, headers=headers)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "form_foreign"


@pytest.mark.parametrize(
    "path",
    ["/graphql", "/healthz", "/d", "/login", "/b/ref-1", "/p/x/y", "/static/none", "/robots.txt"],
)
async def test_every_answer_carries_the_security_headers(web: Web, path: str) -> None:
    async with web.browser() as browser:
        answer = await browser.get(path)

    headers = answer.headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == (
        "same-origin" if path in {"/login", "/static/none"} else "no-referrer"
    )
    assert "camera=()" in headers["permissions-policy"]
    assert len(headers["x-request-id"]) == 16
    assert "server" not in headers
