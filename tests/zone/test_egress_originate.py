"""The relay's default mode, from a caller's slice to a real TLS provider and back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from portal.contract.envelope import Failure
from portal.kit.outbound import Outbound
from tests.make.provider import answer, by_path, saying
from tests.make.relay import CREDENTIAL, Relay, eventually, rule, running_relay


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(tmp_path) as running:
        yield running


MESSAGE = '{"to":"{{delivery:to}}","text":"{{delivery:body}}","reference":"k-1"}'


async def test_a_listed_request_reaches_its_provider_with_the_credential(relay: Relay) -> None:
    answered = await relay.send()

    assert (answered.fate, answered.status) == ("answered", 201)
    assert json.loads(answered.body) == {"id": "sm_1", "status": "queued"}
    assert answered.headers == {"content-type": "application/json"}
    (seen,) = relay.provider.seen
    assert seen.line == "POST /v1/messages HTTP/1.1"
    assert seen.headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-type"] == "application/json"
    assert seen.document == {"text": "hello"}


async def test_a_delivery_is_redeemed_and_filled_in(relay: Relay) -> None:
    delivery = relay.delivery(
        '+8190"1234', '払い "¥8,420"\nhttps://x/p/1 \\ {{credential:provider}}'
    )

    answered = await relay.send(body=MESSAGE, delivery_id=delivery)

    assert answered.fate == "answered"
    assert relay.provider.seen[0].document == {
        "to": '+8190"1234',
        "text": '払い "¥8,420"\nhttps://x/p/1 \\ {{credential:provider}}',
        "reference": "k-1",
    }


async def test_a_slice_of_a_hundred_asks_the_vault_once(relay: Relay) -> None:
    deliveries = [relay.delivery(f"+8190000000{n:02}", f"text {n}") for n in range(100)]
    requests = [relay.request(body=MESSAGE, delivery_id=delivery) for delivery in deliveries]

    answers = await relay.outbound.send(requests)

    assert [answered.fate for answered in answers] == ["answered"] * 100
    assert len(relay.vault.calls) == 1
    assert len(relay.vault.calls[0].delivery_ids) == 100
    texts = sorted(seen.document["text"] for seen in relay.provider.seen)  # type: ignore[index]
    assert texts == sorted(f"text {n}" for n in range(100))
    assert relay.provider.links <= 64


async def test_a_form_body_is_filled_field_by_field(relay: Relay) -> None:
    delivery = relay.delivery("+819012345678", "a=b&c=d +%41")

    await relay.send(
        body="to={{delivery:to}}&text=%5B{{delivery:body}}%5D",
        body_kind="form",
        delivery_id=delivery,
    )

    (seen,) = relay.provider.seen
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(seen.body.decode()) == {
        "to": ["+819012345678"],
        "text": ["[a=b&c=d +%41]"],
    }


async def test_a_get_without_a_body_goes_out_with_its_query(relay: Relay) -> None:
    answered = await relay.send(
        method="GET", path="/v1/payments/abc-1?x=%7E1", body="", body_kind="none"
    )

    assert answered.fate == "answered"
    assert relay.provider.seen[0].line == "GET /v1/payments/abc-1?x=%7E1 HTTP/1.1"


async def test_values_that_a_provider_echoes_are_scrubbed_from_body_and_headers(
    tmp_path: Path,
) -> None:
    to, body = "+819012345678", "払い太郎様 http://localhost:8080/p/abc/0123456789abcdefghijkl"
    echo = json.dumps(
        {"id": "1", "to": to, "local": "09012345678", "text": body, "key": CREDENTIAL}
    ).encode()
    loud = saying(answer(201, echo, f"X-Request-Id: {CREDENTIAL}", "Set-Cookie: a=b", "X-Own: 1"))
    async with running_relay(tmp_path, behaviour=loud) as relay:
        answered = await relay.send(body=MESSAGE, delivery_id=relay.delivery(to, body))

    assert json.loads(answered.body) == {
        "id": "1", "to": "***", "local": "***", "text": "***", "key": "***",
    }  # fmt: skip
    assert answered.headers == {"x-request-id": "***"}


async def test_a_refused_delivery_stops_only_its_own_request(relay: Relay) -> None:
    good, gone = relay.delivery("+819012345678", "text"), relay.delivery("+81", "x", host="other")
    requests = [relay.request(body=MESSAGE, delivery_id=delivery) for delivery in (gone, good)]

    first, second = await relay.outbound.send(requests)

    assert (first.fate, first.code) == ("not_sent", "delivery_refused")
    assert second.fate == "answered"
    assert len(relay.provider.seen) == 1


async def test_a_delivery_is_not_sent_twice(relay: Relay) -> None:
    request = relay.request(body=MESSAGE, delivery_id=relay.delivery("+819012345678", "text"))

    together = await relay.outbound.send([request, request])
    again = await relay.outbound.send([request])

    assert [a.code for a in (*together, *again)] == ["", "delivery_repeated", "delivery_refused"]
    assert len(relay.provider.seen) == 1


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure("try_later", "vault_busy"), "vault_away"),
        (Failure("not_allowed", "capability_refused"), "delivery_refused"),
        (Failure("limit", "rows_at_most"), "delivery_refused"),
        (Failure("limit", "budget_spent"), "budget_spent"),
        (Failure("unknown", "lost"), "vault_lost"),
        (Failure("invariant", "broken"), "vault_lost"),
    ],
)
async def test_nothing_is_sent_while_the_vault_gives_no_values(
    relay: Relay, failure: Failure, code: str
) -> None:
    relay.vault.failure = failure

    answered = await relay.send(body=MESSAGE, delivery_id=relay.delivery("+819012345678", "text"))

    assert (answered.fate, answered.code) == ("not_sent", code)
    assert relay.provider.seen == []


async def test_a_vault_that_breaks_off_leaves_the_delivery_unsent(relay: Relay) -> None:
    relay.vault.is_silent = True

    answered = await relay.send(body=MESSAGE, delivery_id=relay.delivery("+819012345678", "text"))

    assert (answered.fate, answered.code) == ("not_sent", "vault_lost")
    assert len(relay.vault.calls) == 1
    assert relay.provider.seen == []


async def test_connections_are_kept_alive_between_slices(relay: Relay) -> None:
    for _ in range(5):
        assert (await relay.send()).fate == "answered"

    assert len(relay.provider.seen) == 5
    assert relay.provider.links == 1


async def test_a_quota_ends_what_may_leave_in_an_hour(tmp_path: Path) -> None:
    rules = [rule(0, bytes_up_per_hour=1_000)]
    async with running_relay(tmp_path, rules=rules) as relay:
        small = await relay.send(body=json.dumps("x" * 600))
        large = await relay.send(body=json.dumps("x" * 600))
        smaller = await relay.send(body=json.dumps("x" * 50))

    assert (small.fate, large.fate, smaller.fate) == ("answered", "not_sent", "answered")
    assert large.code == "quota_spent"


async def test_the_longest_prefix_decides_when_several_rules_match(tmp_path: Path) -> None:
    rules = [
        rule(0, id="wide", path_prefixes=("/v1",), methods=("GET",)),
        rule(0, id="narrow", path_prefixes=("/v1/own",), answer_bytes_max=10),
    ]
    async with running_relay(tmp_path, rules=rules) as relay:
        get = {"method": "GET", "body": "", "body_kind": "none"}
        wide = await relay.send(path="/v1/other", **get)
        narrow = await relay.send(path="/v1/own/1", **get)
        post = await relay.send(path="/v1/other")

    assert (wide.fate, narrow.code, post.code) == ("answered", "too_large", "method_not_allowed")


async def test_a_new_rule_file_takes_effect_without_a_restart(relay: Relay) -> None:
    assert (await relay.send()).fate == "answered"

    relay.sign(rule(relay.provider.port, methods=("GET",)))

    async def is_refused() -> bool:
        return (await relay.send()).code == "method_not_allowed"

    await eventually(is_refused)


async def test_a_relay_that_is_away_says_not_sent_for_the_whole_slice(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        request = relay.request()
        outbound = await Outbound.connect(relay.settings.socket)
        assert (await outbound.send([request]))[0].fate == "answered"

    answers = await outbound.send([request, request])

    assert [(a.fate, a.code) for a in answers] == [("not_sent", "relay_away")] * 2


async def test_a_caller_reaches_a_relay_that_came_back(tmp_path: Path) -> None:
    outbound = await Outbound.connect(tmp_path / "egress.sock")
    for version in (1, 2):
        async with running_relay(tmp_path, version=version) as relay:
            assert (await outbound.send([relay.request()]))[0].fate == "answered"
    await outbound.aclose()


async def test_answers_differ_in_time_but_keep_their_order(tmp_path: Path) -> None:
    async def slow(_p: object, _s: object, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(answer(202, b"slow"))

    async with running_relay(tmp_path, behaviour=by_path(slow=slow)) as relay:
        paths = ["/v1/slow", "/v1/fast", "/v1/slow", "/v1/fast"]
        answers = await relay.outbound.send([relay.request(path=path) for path in paths])

    assert [answered.status for answered in answers] == [202, 201, 202, 201]
