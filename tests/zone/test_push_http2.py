"""Notifications by HTTP/2: the relay against node's own server, which answers as Apple's does.

``not_sent`` only where the server says that it did not look, or can't have had the request whole;
its journal is the witness. One server and one relay for the module.
"""

import asyncio
import gc
import json
import re
import signal
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio

from portal.contract.message import RedeemedDelivery
from portal.domain.ids import DeliveryId
from portal.egress import http2
from portal.egress.push import Push, make_push
from portal.egress.pusher import Pusher
from portal.egress.resolve import Resolver
from portal.egress.rule import Rule
from portal.egress.sender import Sender
from portal.kit.outbound import OutboundAnswer, OutboundRequest
from portal.kit.outbound.wire import PUSH
from portal.sandbox.push_crypto import check_es256, point_of
from portal.stack.certify_push import OnePush
from portal.stack.push_services import new_push_key, public_half
from tests.make.apple import Apple
from tests.make.certificates import Authority
from tests.make.provider import HOST
from tests.make.relay import Relay, eventually, running_relay

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = new_push_key("apns.key")
KEYS = {name: new_push_key("apns.key") for name in ("minato", "mizu")}
TERMS = {
    "service": "apns", "key": "apns.key", "app": "minato.shared", "team": "T" * 10,
    "key_id": "K" * 10,
    "apps": [
        {"name": name, "key": f"{name}.key", "app": f"{name}.app", "team": team * 10,
         "key_id": "K" * 10}
        for name, team in (("minato", "M"), ("mizu", "Z"), ("kawa", "K"))
    ],
}  # fmt: skip
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def rule(port: int, **changes: object) -> dict[str, object]:
    return {
        "id": f"apns-{port}",
        "role": "work",
        "mode": "push",
        "protocol": "h2",
        "host": HOST,
        "port": port,
        "purpose": "tests",
        "bytes_up_per_hour": 10_000_000,
        "connect_timeout_s": 60.0,
        "timeout_s": 120.0,
        "address": "127.0.0.1",
        "sandbox": True,
        "pushing": TERMS,
    } | changes


@dataclass
class Post:
    """A relay, Apple's server, and one that speaks no HTTP/2."""

    relay: Relay
    apple: Apple
    plain: Apple
    numbers: Iterator[int] = field(default_factory=count)

    def token(self, word: str) -> str:
        return word + f"{next(self.numbers):060x}"

    def wanted(
        self, token: str, *, port: int | None = None, timeout_s: float = 100.0, app: str = ""
    ) -> UUID:
        """A delivery to this device, and what is asked of the relay for it."""
        delivery_id = uuid4()
        self.relay.vault.mails[delivery_id] = (
            HOST,
            RedeemedDelivery(
                delivery_id=DeliveryId(delivery_id), refused=None, to=token,
                body="お支払い期限は12月25日です。" * 20, subject="みなと電力",
                link="https://pay.example/p/minato/abc", topic="topic-of-this-bill", push_app=app,
            ),
        )  # fmt: skip
        self.asked = OutboundRequest(
            host=HOST, port=port or self.apple.port, method=PUSH, path="/",
            delivery_id=delivery_id, timeout_s=timeout_s,
        )  # fmt: skip
        return delivery_id

    async def push(
        self, token: str, *, port: int | None = None, timeout_s: float = 100.0
    ) -> OutboundAnswer:
        self.wanted(token, port=port, timeout_s=timeout_s)
        return (await self.relay.outbound.send([self.asked]))[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Post]:
    folder = tmp_path_factory.mktemp("h2")
    authority = Authority(folder / "certificates")
    pair = authority.host(HOST)
    async with (
        Apple(pair, folder) as apple,
        Apple(pair, folder, kind="plain") as plain,
        running_relay(
            folder,
            rules=[rule(apple.port), rule(plain.port)],
            credentials={"apns.key": KEY, **{f"{name}.key": key for name, key in KEYS.items()}},
            authority=authority,
        ) as relay,
    ):
        yield Post(relay, apple, plain)


def word(answer: OutboundAnswer) -> tuple[str, int, str, bool]:
    said = json.loads(answer.body) if answer.fate == "answered" else {}
    return (
        answer.fate, said.get("status", answer.status), said.get("reason", answer.code),
        said.get("is_gone", False),
    )  # fmt: skip


async def test_each_answer_and_each_break_has_its_one_fate(post: Post) -> None:
    # given: nothing was taken yet, so a device that is not known may mean the wrong house
    assert word(await post.push(post.token("babe"))) == ("answered", 400, "BadDeviceToken", False)
    assert post.relay.vault.forgotten == []

    # when / then
    token = post.token("c0de")
    delivery_id = post.wanted(token)
    (answer,) = await post.relay.outbound.send([post.asked])
    assert word(answer) == ("answered", 200, "", False)
    [row] = post.apple.seen(token)
    headers = row["headers"]
    assert re.fullmatch(r"bearer [\w-]+\.[\w-]+\.[\w-]+", headers["authorization"], re.IGNORECASE)
    assert headers[":authority"] == f"{HOST}:{post.apple.port}"
    assert headers[":path"] == f"/3/device/{token}"
    assert headers["apns-id"] == str(delivery_id)
    assert headers["apns-topic"] == "minato.shared"
    assert headers["apns-collapse-id"] == "topic-of-this-bill"
    assert json.loads(row["body"])["aps"]["alert"]["title"] == "みなと電力"

    for name, wanted, is_seen in (
        ("babe", ("answered", 400, "BadDeviceToken", True), True),
        ("0410", ("answered", 410, "Unregistered", True), True),
        ("0413", ("answered", 413, "PayloadTooLarge", False), True),
        ("0429", ("answered", 429, "TooManyRequests", False), True),
        ("0503", ("answered", 503, "ServiceUnavailable", False), True),
        ("1a57", ("answered", 200, "", False), True),  # a connection that ends, answered to its end
        ("5efe", ("not_sent", 0, "stream_refused", False), False),
        ("a0a0", ("not_sent", 0, "going_away", False), False),
        ("5e5e", ("unclear", 0, "dropped", False), True),
        ("d0d0", ("unclear", 0, "dropped", False), True),
        ("ba1f", ("unclear", 0, "dropped", False), True),
        ("b0b0", ("unclear", 0, "answer_invalid", False), True),
        ("f00d", ("unclear", 200, "too_large", False), True),
        ("c1c1", ("unclear", 200, "answer_encoded", False), True),
        ("c0de", ("answered", 200, "", False), True),  # and after all that it goes on
    ):
        token = post.token(name)
        assert word(await post.push(token)) == wanted, name
        assert len(post.apple.seen(token)) == is_seen, name
    await who_never_answers_leaves_it_in_doubt(post)
    assert (await post.push(post.token("0429"))).headers == {"retry-after": "7"}

    # of a device that is gone the vault hears since when
    since = [one.gone_since for one in post.relay.vault.forgotten]
    assert since == [None, datetime(2025, 11, 28, 3, 20, tzinfo=UTC)]


async def who_never_answers_leaves_it_in_doubt(post: Post) -> None:
    """Once its last byte was written; time that ended before that leaves nothing in doubt."""
    for timeout_s in (0.3, 2.0, 10.0, 60.0):
        token = post.token("4a46")
        answer = await post.push(token, timeout_s=timeout_s)
        assert answer.code == "timed_out"
        if answer.fate == "unclear":
            return
        assert (answer.fate, post.apple.seen(token)) == ("not_sent", [])
    pytest.fail("no request was ever written whole")


async def test_many_go_side_by_side_on_one_connection_and_no_more_than_the_host_wants(
    post: Post,
) -> None:
    # given
    tokens = [post.token("aaaa") for _ in range(24)]
    asked: list[OutboundRequest] = []
    for token in tokens:
        post.wanted(token)
        asked.append(post.asked)

    # when
    answers = await post.relay.outbound.send(asked)

    # then
    assert [answer.fate for answer in answers] == ["answered"] * len(tokens)
    rows = [row for row in post.apple.rows() if row["token"] in set(tokens)]
    assert sorted(row["token"] for row in rows) == sorted(tokens)
    assert len({row["session"] for row in rows}) == 1
    assert len({row["headers"]["authorization"] for row in post.apple.rows()}) == 1


async def test_a_server_that_was_killed_or_hangs_is_met_anew_and_nothing_in_doubt_goes_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: one is under way
    assert (await post.push(post.token("c0de"))).fate == "answered"
    lost = post.token("4a46")
    waiting = asyncio.create_task(post.push(lost))

    async def is_there() -> bool:
        return bool(post.apple.seen(lost))

    await eventually(is_there, within_s=60.0)

    # when
    await post.apple.kill()

    # then
    assert word(await waiting)[:3] == ("unclear", 0, "dropped")
    await post.apple.start()
    assert (await post.push(post.token("c0de"))).fate == "answered"
    assert len(post.apple.seen(lost)) == 1

    # a connection that nobody answers on is found out by a ping, before anything goes there
    monkeypatch.setattr(http2, "QUIET_S", 0.0)
    assert (await post.push(post.token("c0de"))).fate == "answered"
    monkeypatch.setattr(http2, "PING_WAIT_S", 0.2)
    assert post.apple.process is not None
    post.apple.process.send_signal(signal.SIGSTOP)
    token = post.token("c0de")
    stuck = await post.push(token, timeout_s=1.0)
    post.apple.process.send_signal(signal.SIGCONT)
    assert (stuck.fate, stuck.code) == ("not_sent", "timed_out")
    monkeypatch.undo()
    assert (await post.push(post.token("c0de"))).fate == "answered"
    assert post.apple.seen(token) == []


async def test_no_device_of_one_app_goes_under_anothers_credential(post: Post) -> None:
    # given: two merchants' apps and the installation's, and one whose credential is missing
    by_app = {name: post.token("c0de") for name in ("", "minato", "mizu", "kawa", "other")}
    asked: list[OutboundRequest] = []
    for name, token in by_app.items():
        post.wanted(token, app=name)
        asked.append(post.asked)

    # when
    answers = await post.relay.outbound.send(asked)

    # then
    assert [(answer.fate, answer.code) for answer in answers] == [
        *(("answered", ""),) * 3, ("not_sent", "push_app_refused"),
        ("not_sent", "push_app_not_listed"),
    ]  # fmt: skip
    assert [json.loads(answer.body)["is_own"] for answer in answers[:3]] == [False, True, True]
    rows = {name: post.apple.seen(token) for name, token in by_app.items()}
    assert [len(seen) for seen in rows.values()] == [1, 1, 1, 0, 0]
    wanted = {"": ("minato.shared", "T", KEY), "minato": ("minato.app", "M", KEYS["minato"])}
    wanted["mizu"] = ("mizu.app", "Z", KEYS["mizu"])
    for name, (topic, team, key) in wanted.items():
        headers = rows[name][0]["headers"]
        assert headers["apns-topic"] == topic
        token = headers["authorization"].partition(" ")[2]
        assert check_es256(token, point_of(public_half(key)))["iss"] == team * 10
    assert len({seen[0]["session"] for seen in rows.values() if seen}) == 3
    assert [one for one in post.relay.denials() if one["code"] == "push_app_not_listed"]


async def test_a_host_without_http2_gets_nothing(post: Post) -> None:
    answer = await post.push(post.token("c0de"), port=post.plain.port)

    assert (answer.fate, answer.code) == ("not_sent", "protocol_missing")


async def test_names_and_certificates_are_held_to_as_everywhere(post: Post) -> None:
    ca = post.relay.settings.sandbox_ca
    resolver = Resolver(lambda _: [])
    nobody = Sender(resolver, None)  # whom no rule of the sandbox can trust
    one = msgspec.convert(rule(post.apple.port), Rule)
    answer = await push(pusher(nobody), nobody, notice(one, post.token("c0de")), NOW)
    assert (answer.fate, answer.code) == ("not_sent", "tls_failed")
    gc.collect()  # a connection that was left open would be complained of
    resolver.close()
    for lookup, changes, code in (
        (["10.0.0.1"], {"address": None, "sandbox": False}, "name_not_public"),
        (["192.0.2.1", "8.8.8.8"], {"address": None, "sandbox": False}, "name_not_public"),
        ([], {"address": None, "sandbox": False}, "dns_failed"),
        ([], {"host": "other.provider.test"}, "tls_failed"),
        ([], {"sandbox": False}, "tls_failed"),
    ):
        resolver = Resolver(lambda _, found=lookup: found)
        sender = Sender(resolver, ca)
        one = msgspec.convert(rule(post.apple.port) | changes, Rule)
        answer = await push(pusher(sender), sender, notice(one, post.token("c0de")), NOW)
        assert (answer.fate, answer.code) == ("not_sent", code)
        await sender.close()
        resolver.close()


async def test_a_token_that_has_ended_is_replaced_once_and_no_young_one_is(post: Post) -> None:
    # given
    resolver = Resolver(lambda _: [])
    sender = Sender(resolver, post.relay.settings.sandbox_ca)
    one = pusher(sender)
    apns = msgspec.convert(rule(post.apple.port), Rule)
    seen: list[int] = []

    # when: Apple takes the first token no more, after one, 19 and 20 minutes
    for minutes, statuses in ((1, (403,)), (19, (403,)), (21, (200,) * 4), (30, (200,))):
        tokens = [post.token("0403") for _ in statuses]
        moment = NOW + timedelta(minutes=minutes - 1)
        answers = await asyncio.gather(
            *(push(one, sender, notice(apns, token), moment) for token in tokens)
        )
        assert tuple(answer.status for answer in answers) == statuses
        seen += [len(post.apple.seen(token)) for token in tokens]

    # then: each was sent once more at most, all under the one new token
    assert seen == [1, 1, 2, 2, 2, 2, 1]
    rows = [row for row in post.apple.rows() if row["token"].startswith("0403")]
    assert len({row["headers"]["authorization"] for row in rows}) == 2
    await sender.close()
    resolver.close()


async def test_who_waited_while_access_was_asked_for_in_vain_does_not_ask_as_long_again(
    post: Post,
) -> None:
    # given: a house that hangs up on everybody
    asked: list[int] = []

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        writer.close()

    house = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port: int = house.sockets[0].getsockname()[1]
    resolver = Resolver(lambda _: [])
    sender = Sender(resolver, post.relay.settings.sandbox_ca)
    key = {"apns.key": new_push_key("fcm.key")}
    one = Pusher(sender, OnePush(""), key)
    mine = {"name": "minato", "key": "apns.key", "project": "minato-own", "account": "a@own.test"}
    terms = {
        "service": "fcm", "key": "apns.key", "project": "minato-app", "account": "a@iam.test",
        "token_host": "token.test", "apps": [mine],
    }  # fmt: skip
    fcm = msgspec.convert(rule(port, pushing=terms, protocol="http/1.1"), Rule)

    # when
    wanted = [notice(fcm, "t" * 64, app) for app in ("", "", "", "minato")]
    answers = await asyncio.gather(*(push(one, sender, each, NOW) for each in wanted))

    # then: once for each app, and nothing is said against the app of one's own
    assert [(answer.fate, answer.code) for answer in answers] == [("not_sent", "access_away")] * 4
    assert len(asked) == 2
    assert (await push(one, sender, wanted[0], NOW)).code == "access_away"
    assert len(asked) == 3  # who comes later asks anew
    await sender.close()
    resolver.close()
    house.close()


async def push(one: Pusher, sender: Sender, wanted: Push, now: datetime) -> OutboundAnswer:
    request = OutboundRequest(
        host=wanted.rule.host, port=wanted.rule.port, method="POST", path=wanted.path,
        timeout_s=100.0,
    )  # fmt: skip
    return await one.push(wanted, now, partial(sender.send, wanted.rule, request))


def pusher(sender: Sender) -> Pusher:
    return Pusher(sender, OnePush(""), {"apns.key": KEY})


def notice(one: Rule, token: str, app: str = "") -> Push:
    values = {
        "delivery:to": token, "delivery:subject": "みなと電力", "delivery:body": "x",
        "delivery:link": "https://pay.example/p/minato/abc", "delivery:topic": "t",
        "delivery:push_app": app,
    }  # fmt: skip
    return make_push(one, values, NOW, {}, uuid4())
