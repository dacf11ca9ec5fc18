"""Texts and calls in the form that Twilio publishes, through the real relay."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

import httpx
import pytest

from portal.application.channels.registry import find_sender
from portal.application.channels.voice import CALLS
from portal.application.providers import twilio
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.message import RedeemedDelivery
from portal.domain.ids import DeliveryId
from portal.domain.message import Channel
from tests.make.companies import passing_on, rules_of
from tests.make.provider import HOST, Seen
from tests.make.relay import Relay, running_relay
from tests.make.twilio_mock import fields_of, running_twilio, words_of

ACCOUNT = "AC" + "0" * 32
KEY = "QUMwMDphdXRoLXRva2Vu"
CALLBACK = "https://pay.example/calls/twilio/minato/abc"


@dataclass
class Bench:
    """A relay under the rules of the docs, and Twilio's interface behind it."""

    relay: Relay
    client: httpx.AsyncClient

    async def send(self, channel: Channel) -> MessageAnswer:
        id_ = uuid4()
        said = RedeemedDelivery(
            delivery_id=DeliveryId(id_), refused=None, to="+819012345678", callback=CALLBACK,
            body="みなと電力 8,420円 & more +1",
        )  # fmt: skip
        self.relay.vault.mails[id_] = (HOST, said)
        wanted = MessageWanted(
            delivery_id=id_, key=id_.hex, account="minato", sender="+815011112222"
        )
        endpoint = Endpoint(HOST, self.relay.provider.port, (ACCOUNT,))
        exchange = find_sender(channel, "twilio").compose(endpoint, wanted)
        [answer] = await self.relay.outbound.send([exchange.request])
        return exchange.read(answer)

    async def status_with(self, seen: Seen, **changes: str | None) -> int:
        """What the interface answers to the same request with other fields, past the relay."""
        form: dict[str, str | None] = {
            name: values[0] for name, values in parse_qs(seen.body.decode()).items()
        }
        kept = {name: text for name, text in (form | changes).items() if text is not None}
        headers = {name: seen.headers[name] for name in ("authorization", "content-type")}
        answer = await self.client.post(
            seen.line.split(" ")[1], content=urlencode(kept), headers=headers
        )
        return answer.status_code


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with (
        running_twilio() as address,
        httpx.AsyncClient(base_url=address, timeout=30.0) as client,
        running_relay(
            tmp_path,
            behaviour=passing_on(address),
            rules=rules_of("twilio"),
            credentials={"twilio": KEY},
        ) as relay,
    ):
        yield Bench(relay, client)


async def test_texts_and_calls_are_what_twilio_publishes_and_its_own_answers_are_understood(
    bench: Bench,
) -> None:
    text, call = await bench.send("sms"), await bench.send("voice")

    assert (text.outcome, text.provider_ref) == ("accepted", "SM" + "a" * 32)
    assert (call.outcome, call.provider_ref) == ("accepted", "CA" + "a" * 32)

    # every name of ours is published; others Prism would pass over
    first, second = bench.relay.provider.seen
    for seen, operation in ((first, "CreateMessage"), (second, "CreateCall")):
        assert set(parse_qs(seen.body.decode())) <= fields_of(operation)

    # the interface does look: it takes what arrived as it is, and not with what it forbids
    assert [await bench.status_with(seen) for seen in (first, second)] == [201, 201]
    assert await bench.status_with(first, To=None) == 422
    assert await bench.status_with(second, Timeout="long") == 422
    assert await bench.status_with(second, From=None) == 422


def test_every_state_that_twilio_publishes_can_be_told() -> None:
    for status in words_of("message_enum_status"):
        told = urlencode({"MessageSid": "SM1", "MessageStatus": status}).encode()
        assert len(twilio.NOTICES.parse(told, {})) == 1, status
    for status in words_of("call_enum_status"):
        told = urlencode({"CallSid": "CA1", "CallStatus": status}).encode()
        assert CALLS["twilio"].read(told).call_ref == "CA1", status
