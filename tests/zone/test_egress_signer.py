"""Requests that the relay signs: the caller knows neither key nor secret and gets no other way."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.egress.rules import RulesRefused, sign_rules
from portal.kit.outbound import OutboundAnswer
from tests.make.opa import SIGNER, is_signed
from tests.make.provider import Provider, Seen, answer, by_path
from tests.make.relay import SIGNING_KEY, SIGNING_SECRET, Relay, rule, running_relay

BODY = '{"merchantPaymentId":"01JD0","amount":{"amount":8420,"currency":"JPY"}}'
UNSIGNED: dict[str, str] = {}


async def echo(_provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """A company that repeats all that it was sent, in a header and in its body."""
    text = json.dumps({"got": seen.headers, "mac": seen.headers["authorization"].split(":")[2]})
    writer.write(answer(200, text.encode(), f"X-Request-Id: {seen.headers['authorization']}"))


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    rules = [
        rule(0, id="signed", path_prefixes=("/v2",), credentials=(), signer=SIGNER),
        rule(0, id="plain", path_prefixes=("/v1",)),
    ]
    async with running_relay(tmp_path, rules=rules, behaviour=by_path(echo=echo)) as running:
        yield running


async def ask(relay: Relay, **changes: object) -> OutboundAnswer:
    wanted = {"path": "/v2/codes", "headers": UNSIGNED, "body": BODY, "signer": "opa"}
    return await relay.send(**(wanted | changes))


async def test_what_leaves_is_signed_over_the_bytes_that_arrive(relay: Relay) -> None:
    answered = await ask(relay)
    looked = await ask(
        relay, method="GET", path="/v2/codes/payments/01JD0", body="", body_kind="none"
    )

    assert (answered.fate, looked.fate) == ("answered", "answered")
    assert [is_signed(seen) for seen in relay.provider.seen] == [True, True]
    assert relay.provider.seen[0].document == json.loads(BODY)


async def test_no_two_requests_share_a_nonce(relay: Relay) -> None:
    for _ in range(3):
        assert (await ask(relay)).fate == "answered"

    nonces = {seen.headers["authorization"].split(":")[3] for seen in relay.provider.seen}
    assert len(nonces) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"headers": {"Authorization": "hmac OPA-Auth:mine:x:n:1:empty"}}, "header_not_allowed"),
        ({"headers": {"authorization": "{{credential:opa.secret}}"}}, "header_not_allowed"),
        ({"headers": {"AUTHORIZATION": "Bearer {{credential:provider}}"}}, "header_not_allowed"),
        ({"signer": ""}, "signer_not_as_ruled"),
        ({"signer": "OPA"}, "signer_not_as_ruled"),
        ({"body_kind": "raw"}, "body_invalid"),
        ({"signer": "sigv4"}, "signer_not_as_ruled"),
        ({"path": "/v1/messages"}, "signer_not_as_ruled"),
        ({"body": '{"a":"{{credential:opa.secret}}"}'}, "credential_not_allowed"),
        ({"body": '{"a":"{{credential:opa.key}}"}'}, "credential_not_allowed"),
        ({"body": '{"a":"{{signer:secret}}"}'}, "placeholder_unknown"),
        ({"headers": {"accept": "{{credential:opa.key}}"}}, "credential_not_allowed"),
        ({"path": "/v2/codes?x=1"}, "path_not_allowed"),
    ],
)
async def test_a_caller_can_neither_sign_itself_nor_choose_nor_see_the_signer(
    relay: Relay, changes: dict[str, object], code: str
) -> None:
    refused = await ask(relay, **changes)

    assert (refused.fate, refused.code) == ("not_sent", code)
    assert relay.provider.seen == []


async def test_an_answer_that_repeats_all_of_it_comes_back_without_it(
    relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = await ask(relay, path="/v2/echo")

    [seen] = relay.provider.seen
    mac = seen.headers["authorization"].split(":")[2]
    told = answered.body.decode() + json.dumps(answered.headers)
    logged = "".join(capsys.readouterr()) + json.dumps(relay.denials())
    for secret in (SIGNING_SECRET, SIGNING_KEY, mac):
        assert secret not in told
        assert secret not in logged
    assert answered.headers["x-request-id"] == "***"


async def test_a_rule_whose_secret_the_relay_has_not_lets_nothing_out(tmp_path: Path) -> None:
    unknown = {"name": "opa", "key": "opa.key", "secret": "opa.lost"}
    rules = [rule(0, path_prefixes=("/v2",), credentials=(), signer=unknown)]
    async with running_relay(tmp_path, rules=rules) as relay:
        refused = await ask(relay)

    assert (refused.fate, refused.code) == ("not_sent", "credential_missing")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"credentials": ("opa.secret",)}, "opa.secret signs, so no placeholder may show it"),
        ({"credentials": ("opa.key",)}, "opa.key signs, so no placeholder may show it"),
        ({"signer": SIGNER | {"name": "sigv4"}}, "Invalid enum value"),
        ({"signer": SIGNER | {"secret": "opa.key"}}, "one credential for both"),
        ({"signer": SIGNER | {"secret": "no name!"}}, "not a name"),
        ({"fixed": {"header:authorization": "x"}}, "a fixed Authorization header"),
        (
            {"mode": "tunnel", "methods": (), "path_prefixes": (), "credentials": ()},
            "a tunnel can't be held",
        ),
    ],
)
def test_a_rule_that_would_give_a_signer_away_is_not_signed(
    changes: dict[str, object], fault: str
) -> None:
    faulty = rule(443, credentials=(), signer=SIGNER) | changes

    with pytest.raises(RulesRefused, match=fault):
        sign_rules(Ed25519PrivateKey.generate(), {"version": 1, "rules": (faulty,)})
