"""Notifications to somebody else's push service, sealed and signed by the real relay."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from portal.application.channels.registry import find_sender
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.message import RedeemedDelivery
from portal.domain.ids import DeliveryId
from portal.egress.webpush import public_key_of
from portal.stack.push_services import new_push_key
from tests.make.companies import passing_on
from tests.make.provider import HOST
from tests.make.push_mock import PushService, Subscription, running_push_service
from tests.make.relay import Relay, rule, running_relay

ROAD = "webpush.invalid"
PEM = new_push_key("webpush.key")
LINK = "https://pay.example/p/minato/abc"


@dataclass
class Bench:
    """A relay with our key, and the service behind it."""

    relay: Relay
    service: PushService

    def notification(self, browser: Subscription) -> UUID:
        id_ = uuid4()
        said = RedeemedDelivery(
            delivery_id=DeliveryId(id_), refused=None, link=LINK, topic="topic-of-this-bill",
            to=f"https://{HOST}:{self.relay.provider.port}{browser.path}",
            push_keys=f"{browser.p256dh} {browser.auth}",
            subject="みなと電力", body="お支払い期限は1月31日です。",
        )  # fmt: skip
        self.relay.vault.mails[id_] = (ROAD, said)
        return id_

    async def push(self, browser: Subscription) -> tuple[UUID, MessageAnswer]:
        id_ = self.notification(browser)
        wanted = MessageWanted(delivery_id=id_, key=id_.hex, account="minato", sender="")
        endpoint = Endpoint(ROAD, self.relay.provider.port)
        exchange = find_sender("push", "webpush").compose(endpoint, wanted)
        [answer] = await self.relay.outbound.send([exchange.request])
        return id_, exchange.read(answer)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    web = {"service": "web", "key": "webpush.key", "subject": "https://a.example", "hosts": [HOST]}
    shaping = {"methods": (), "path_prefixes": (), "credentials": ()}
    async with (
        running_push_service() as service,
        running_relay(
            tmp_path,
            behaviour=passing_on(service.address),
            rules=[rule(0, mode="push", host=ROAD, pushing=web, **shaping)],
            credentials={"webpush.key": PEM},
        ) as relay,
    ):
        yield Bench(relay, service)


async def test_a_browser_nobody_here_wrote_reads_us_and_every_refusal_is_understood(
    bench: Bench,
) -> None:
    service = bench.service
    ours = await service.subscribe(public_key_of(PEM))
    stranger = await service.subscribe(public_key_of(new_push_key("webpush.key")))
    gone = await service.subscribe(public_key_of(PEM))
    await service.expire(gone)
    mistaken = replace(ours, auth=gone.auth)
    unknown = replace(ours, name="0" * 64)

    # when
    said = {
        name: await bench.push(browser)
        for name, browser in {
            "first": ours, "second": ours, "stranger": stranger, "gone": gone,
            "mistaken": mistaken, "unknown": unknown,
        }.items()
    }  # fmt: skip

    # then: it could be read, and said what we wanted it to say
    shown = [json.loads(words) for words in await service.shown(ours)]
    assert [one["body"] for one in shown] == ["お支払い期限は1月31日です。"] * 2
    assert (shown[0]["title"], shown[0]["url"]) == ("みなと電力", LINK)
    for browser in (stranger, gone):
        assert await service.shown(browser) == []

    # a key that the browser doesn't know, a secret that isn't its own: refused, and never repeated
    outcomes = {name: (answer.outcome, answer.code) for name, (_, answer) in said.items()}
    assert outcomes == {
        "first": ("accepted", ""),
        "second": ("accepted", ""),
        "stranger": ("rejected", "provider_refused"),
        "mistaken": ("rejected", "provider_refused"),
        "unknown": ("rejected", "provider_refused"),
        "gone": ("busy", "contact_gone"),
    }
    # of the browser that is gone, and of no other, the vault hears from the relay
    assert [one.delivery_id for one in bench.relay.vault.forgotten] == [said["gone"][0]]
