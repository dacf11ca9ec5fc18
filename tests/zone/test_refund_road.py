"""Refunds at the relay: none leaves without the vault's leave, and it hears what moved nothing."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.domain.ids import RefundId
from portal.egress.deposit import ASKED_CHARACTERS_MAX
from portal.egress.rules import RulesRefused, read_rules, sign_rules
from tests.make.provider import Behaviour, Provider, Seen, answer, saying
from tests.make.relay import Relay, rule, running_relay

BODY = '{"id":"R-1","of":"P-1","amount":{"value":3000},"left":"5420"}'
PLACES = {
    "reference": "body:/id", "payment": "body:/of", "amount": "body:/amount/value",
    "remaining": "body:/left",
}  # fmt: skip


async def break_off(provider: Provider, seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Read the request and say nothing."""
    del provider, seen
    writer.transport.abort()


async def sent(relay: Relay, body: str = BODY, **changes: object) -> tuple[UUID, str, str]:
    """One refund goes through the relay: its id, its fate, and why."""
    id_ = uuid4()
    told = await relay.send(**{"path": "/v1/refunds", "body": body, "delivery_id": id_} | changes)
    return id_, told.fate, told.code


async def test_a_refund_leaves_with_leave_alone_and_what_came_to_nothing_is_told(
    tmp_path: Path,
) -> None:
    ruled = rule(0, path_prefixes=("/v1/refunds",), methods=("POST",), refund=PLACES)
    async with running_relay(tmp_path, rules=[ruled]) as relay:
        told: list[tuple[str, bool]] = []
        behaviours: list[Behaviour] = [
            saying(answer(201, b"{}")), saying(answer(429, b"{}")), saying(answer(503, b"{}")),
            break_off,
        ]  # fmt: skip
        for behaviour in behaviours:
            relay.provider.behaviour = behaviour
            id_, fate, _ = await sent(relay)
            told.append((fate, id_ in relay.vault.returned))
        asked = relay.vault.refunds[0]
        said = (asked.reference, asked.payment, asked.amount_minor, asked.remaining_minor)
        reached = len(relay.provider.seen)

        assert told == [
            ("answered", False), ("answered", True), ("answered", False), ("unclear", False),
        ]  # fmt: skip
        assert said == ("R-1", "P-1", 3000, 5420)
        assert asked.asked is not None
        assert (asked.asked.path, asked.asked.body) == ("/v1/refunds", BODY)
        heard = [(one.status, one.body, one.is_submission) for one in relay.vault.answers]
        assert heard == [(201, b"{}", True), (503, b"{}", True)]

        # A vault of the release before neither knows what was asked nor wants to hear the answer.
        relay.vault.is_older = True
        relay.provider.behaviour = saying(answer(201, b"{}"))
        assert (await sent(relay))[1:] == ("answered", "")
        assert len(relay.vault.answers) == 2
        relay.vault.is_older = False
        reached += 1

        for body in (
            "{}", BODY.replace('"R-1"', "1"), BODY.replace("3000", "true"),
            BODY.replace("3000", "3e3"), BODY.replace('"5420"', '"\u0665"'),
        ):  # fmt: skip
            assert (await sent(relay, body))[1:] == ("not_sent", "place_not_as_fixed")
        # More than the vault would be told: it could not say whose money that gives back.
        assert (await sent(relay, BODY + " " * ASKED_CHARACTERS_MAX))[1:] == (
            "not_sent", "body_invalid",
        )  # fmt: skip
        refused = RefundId(uuid4())
        relay.vault.refunds_refused.add(refused)
        denied = await sent(relay, delivery_id=refused)
        asking = await sent(relay, path="/v1/refunds?amount=1")
        alone = await sent(relay, delivery_id=None)

        assert denied[1:] == ("not_sent", "delivery_refused")
        assert asking[1:] == ("not_sent", "path_not_allowed")
        assert alone[1:] == ("not_sent", "delivery_missing")
        assert len(relay.provider.seen) == reached
        assert refused not in relay.vault.returned


async def test_the_vault_hears_what_a_company_answers_to_a_question_from_the_relay(
    tmp_path: Path,
) -> None:
    asking = rule(0, path_prefixes=("/v1/refunds",), methods=("GET",))
    async with running_relay(tmp_path, rules=[asking]) as relay:
        id_ = uuid4()
        question = {
            "path": "/v1/refunds/R-1", "method": "GET", "body": "", "body_kind": "none",
            "about_refund": id_, "headers": {"Authorization": "Bearer {{credential:provider}}"},
        }  # fmt: skip
        relay.provider.behaviour = saying(answer(404, b'{"code":"not_found"}'))
        told = await relay.send(**question)
        relay.provider.behaviour = break_off
        lost = await relay.send(**question)

        [heard] = relay.vault.answers
        assert (told.status, lost.fate) == (404, "unclear")
        assert (heard.refund_id, heard.is_submission, heard.status) == (id_, False, 404)
        assert heard.body == told.body == b'{"code":"not_found"}'
        assert (heard.asked.method, heard.asked.path) == ("GET", "/v1/refunds/R-1")
        assert heard.asked.headers == ("authorization",)


def faults(**wrong: object) -> tuple[str, ...]:
    """What the relay has against a file with one rule."""
    key = Ed25519PrivateKey.generate()
    asked = rule(443, methods=("POST",), refund=PLACES) | wrong
    try:
        read_rules(
            sign_rules(key, {"version": 1, "rules": [asked]}), key.public_key(), production=False
        )
    except RulesRefused as refused:
        return refused.faults
    return ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"refund": {"amount": "header:amount"}},
        {"refund": {}, "methods": ("GET", "POST")},
        {"refund": {}, "deposit": "mandate"},
        {"refund": {}, "mode": "tunnel", "methods": (), "path_prefixes": (), "credentials": ()},
    ],
)
def test_a_rule_that_says_less_than_it_seems_to_is_none(wrong: dict[str, object]) -> None:
    assert faults() == ()
    assert any("refund" in fault or "tunnel" in fault for fault in faults(**wrong))
