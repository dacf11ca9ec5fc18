"""Questions about payments at the relay: the vault hears each answer, and the asker that it did."""

from pathlib import Path
from uuid import UUID, uuid4

from portal.egress.deposit import ASKED_CHARACTERS_MAX
from tests.make.provider import HOST, answer, saying
from tests.make.relay import Relay, rule, running_relay
from tests.zone.test_refund_road import break_off

BODY = b'{"status":"succeeded"}'


async def asked(relay: Relay, id_: UUID, **changes: object) -> tuple[str, str, bool]:
    """A question goes through the relay: its fate, why, and whether the vault has the answer."""
    question: dict[str, object] = {
        "path": "/v1/payments/P-1", "method": "GET", "body": "", "body_kind": "none",
        "about_attempt": id_, "about_merchant": "minato",
        "headers": {"Authorization": "Bearer {{credential:provider}}"},
    }  # fmt: skip
    told = await relay.send(**(question | changes))
    return told.fate, told.code, told.is_deposited


async def test_the_vault_hears_what_a_company_answers_and_the_asker_that_it_did(
    tmp_path: Path,
) -> None:
    asking = rule(0, path_prefixes=("/v1/payments",), methods=("GET", "POST"))
    async with running_relay(tmp_path, rules=[asking]) as relay:
        id_, refused = uuid4(), uuid4()
        relay.vault.payments_refused.add(refused)
        relay.provider.behaviour = saying(answer(200, BODY))
        long = "x" * ASKED_CHARACTERS_MAX
        body = f'{{"a":"{long}"}}'
        told = [
            await asked(relay, id_),
            await asked(relay, refused),
            await asked(relay, id_, method="POST", body=body, body_kind="json"),
        ]
        heard = list(relay.vault.payments)
        relay.provider.behaviour = break_off
        told.append(await asked(relay, id_))
        relay.vault.is_older = True
        relay.provider.behaviour = saying(answer(200, BODY))
        told.append(await asked(relay, id_))
        relay.vault.is_silent = True
        told.append(await asked(relay, id_))

        assert told == [
            ("answered", "", True), ("answered", "", False), ("answered", "", False),
            ("unclear", "dropped", False), ("answered", "", False), ("answered", "", False),
        ]  # fmt: skip
        assert [one.attempt_id for one in heard] == [id_, refused]
        one = heard[0]
        assert (one.host, one.merchant_code) == (HOST, "minato")
        assert (one.status, one.body) == (200, BODY)
        assert (one.asked.method, one.asked.path) == ("GET", "/v1/payments/P-1")
        assert (one.asked.headers, one.asked.body) == (("authorization",), "")
        assert len(relay.vault.payments) == len(heard)


async def test_no_answer_is_put_down_to_another_payment_than_its_request_is_about(
    tmp_path: Path,
) -> None:
    async with running_relay(tmp_path) as relay:
        id_ = relay.delivery("+819012345678", "text")
        told = await relay.send(about_attempt=uuid4(), about_merchant="m", delivery_id=id_)

        assert (told.fate, told.code) == ("not_sent", "deposit_unused")
        assert (relay.provider.seen, relay.vault.payments, relay.vault.calls) == ([], [], [])
