"""Names are resolved at the relay, judged as a whole, and dialled as they were judged."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from portal.egress import resolve
from portal.egress.denial import Denied
from portal.egress.resolve import Resolver
from tests.make.relay import rule, running_relay

HOST = "api.provider.test"


class Dns:
    """Answers one after the other, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def resolvers() -> Iterator[list[Resolver]]:
    made: list[Resolver] = []
    yield made
    for resolver in made:
        resolver.close()


def resolver_of(made: list[Resolver], dns: resolve.Lookup) -> Resolver:
    made.append(Resolver(dns))
    return made[-1]


@pytest.mark.parametrize(
    "answer",
    [
        ["10.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "::1"],
        ["169.254.169.254"],
        ["::ffff:8.8.8.8"],
        ["fe80::1%eth0"],
        ["not an address"],
    ],
    ids=str,
)
async def test_one_answer_that_is_not_public_refuses_the_name(
    resolvers: list[Resolver], answer: list[str]
) -> None:
    with pytest.raises(Denied, match="name_not_public"):
        await resolver_of(resolvers, Dns(answer)).public_addresses(HOST)


async def test_public_answers_are_all_given_in_their_order(resolvers: list[Resolver]) -> None:
    resolver = resolver_of(resolvers, Dns(["2606:4700::1", "1.1.1.1"]))

    assert await resolver.public_addresses(HOST) == ["2606:4700::1", "1.1.1.1"]


async def test_a_name_that_turns_private_keeps_its_judged_address_and_is_then_refused(
    resolvers: list[Resolver], monkeypatch: pytest.MonkeyPatch
) -> None:
    dns = Dns(["1.1.1.1"], ["127.0.0.1"])
    resolver = resolver_of(resolvers, dns)

    assert await resolver.public_addresses(HOST) == ["1.1.1.1"]
    assert await resolver.public_addresses(HOST) == ["1.1.1.1"]
    assert len(dns.asked) == 1
    monkeypatch.setattr(resolve, "PIN_S", 0.0)
    resolver = resolver_of(resolvers, Dns(["1.1.1.1"], ["127.0.0.1"]))
    await resolver.public_addresses(HOST)
    with pytest.raises(Denied, match="name_not_public"):
        await resolver.public_addresses(HOST)


@pytest.mark.parametrize("answer", [[], socket.gaierror("no such name"), UnicodeError("label")])
async def test_a_name_without_an_answer_fails(
    resolvers: list[Resolver], answer: list[str] | Exception
) -> None:
    def dns(_name: str) -> list[str]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(Denied, match="dns_failed"):
        await resolver_of(resolvers, dns).public_addresses(HOST)


async def test_a_hung_name_fails_in_time_and_holds_up_no_other(
    resolvers: list[Resolver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "LOOKUP_TIMEOUT_S", 0.3)
    hung = threading.Event()
    asked: list[str] = []
    gave_up: list[bool] = []

    def dns(name: str) -> list[str]:
        asked.append(name)
        if name == "hung.test":
            gave_up.append(not hung.wait(60))
        return ["1.1.1.1"]

    resolver = resolver_of(resolvers, dns)
    try:
        results = await asyncio.gather(
            *(resolver.public_addresses("hung.test") for _ in range(50)), return_exceptions=True
        )
        assert all(isinstance(result, Denied) for result in results)
        assert not gave_up
        assert asked.count("hung.test") == 1
        assert await resolver.public_addresses(HOST) == ["1.1.1.1"]
    finally:
        hung.set()


async def test_a_pinned_name_is_never_looked_up(resolvers: list[Resolver], tmp_path: Path) -> None:
    del resolvers

    async with running_relay(tmp_path, lookup=Dns(["10.0.0.1"])) as relay:
        assert (await relay.send()).fate == "answered"


@pytest.fixture
def real() -> list[dict[str, object]]:
    return [rule(0, address=None, sandbox=False)]


async def test_a_listed_name_that_leads_inside_is_not_sent(
    tmp_path: Path, real: list[dict[str, object]]
) -> None:
    async with running_relay(tmp_path, rules=real, lookup=Dns(["127.0.0.1"])) as relay:
        answered = await relay.send()

    assert (answered.fate, answered.code) == ("not_sent", "name_not_public")
    assert relay.provider.links == 0


async def test_a_listed_name_that_does_not_resolve_is_not_sent(
    tmp_path: Path, real: list[dict[str, object]]
) -> None:
    async with running_relay(tmp_path, rules=real, lookup=Dns([])) as relay:
        answered = await relay.send()

    assert (answered.fate, answered.code) == ("not_sent", "dns_failed")


async def test_the_sandbox_authority_vouches_for_no_public_name(
    tmp_path: Path, real: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider of the tests, reached as a public host: its certificate must not do."""

    def is_public(_address: object) -> bool:
        return True

    monkeypatch.setattr(resolve, "is_public", is_public)

    async with running_relay(tmp_path, rules=real, lookup=Dns(["127.0.0.1"])) as relay:
        answered = await relay.send()

    assert (answered.fate, answered.code) == ("not_sent", "tls_failed")
    assert relay.provider.seen == []


async def test_the_system_is_asked_for_the_name_without_search_suffixes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def getaddrinfo(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return [(0, 0, 0, "", ("1.1.1.1", 0)), (0, 0, 0, "", ("1.1.1.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    assert resolve.look_up(HOST) == ["1.1.1.1"]
    assert asked == [f"{HOST}."]
