"""Mails handed in by SMTP: a real receiver, hostile values, and servers that break off."""

import email
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.policy import default
from pathlib import Path
from uuid import UUID, uuid4

import dkim
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.application.providers.exchange import Endpoint
from portal.contract.message import RedeemedDelivery
from portal.domain.ids import DeliveryId
from portal.egress.rules import RulesRefused, sign_rules
from portal.kit.outbound import OutboundAnswer
from portal.kit.outbound.wire import SUBMIT
from portal.stack.certify import Case, OneMail, certify
from tests.make.certificates import Authority
from tests.make.mail_server import PASSWORD, USER, MailServer, bad_server, mail_server
from tests.make.provider import HOST
from tests.make.relay import Relay, running_relay
from tests.make.workshop import free_port

KEY = rsa.generate_private_key(65_537, 2_048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
CREDENTIALS = {"mail.user": USER, "mail.password": PASSWORD, "mail.dkim": PEM}
CREDENTIALS["mail.wrong"] = "not-the-password"
verify: Callable[..., bool] = dkim.verify  # pyright: ignore[reportUnknownMemberType] # untyped
DOMAIN = "bill.minato.example"
TOKEN = "0" * 26 + "." + "a" * 24
STOP = "https://pay.example/stop/minato/" + "0" * 26 + "a" * 24
DKIM = {"domain": DOMAIN, "selector": "h1", "key": "mail.dkim"}


def submission(**changes: object) -> dict[str, object]:
    return {
        "from_domains": (DOMAIN,),
        "bounce_domain": "bounce.minato.example",
        "user": "mail.user",
        "password": "mail.password",
        "dkim": (DKIM,),
    } | changes


def rule(port: int, **changes: object) -> dict[str, object]:
    return {
        "id": f"mail-{port}",
        "role": "work",
        "mode": "submit",
        "host": HOST,
        "port": port,
        "purpose": "tests",
        "bytes_up_per_hour": 100_000_000,
        "timeout_s": 20.0,
        "address": "127.0.0.1",
        "sandbox": True,
        "submission": submission(**changes),
    }


@dataclass
class Post:
    """A relay and where mail servers may listen."""

    relay: Relay
    ports: dict[str, int]

    def pair(self, host: str = HOST) -> tuple[Path, Path]:
        return self.relay.authority.host(host)

    def mail(self, **changes: str) -> UUID:
        """A delivery that the vault would redeem."""
        delivery_id = uuid4()
        redeemed = RedeemedDelivery(
            delivery_id=DeliveryId(delivery_id),
            refused=None,
            to="taro@mail.example",
            body="みなと電力です。\n.\n..二つの点\n" + "長い行" * 400 + "\n",
            subject="【みなと電力】2026年11月分のご請求のお知らせ" + "とても長い題" * 10,
            html="<p>みなと電力です。</p>",
            sender=f"noreply@{DOMAIN}",
            sender_name="みなと電力",
            return_token=TOKEN,
            stop_url=STOP,
        )
        redeemed = msgspec.structs.replace(redeemed, **changes)
        self.relay.vault.mails[delivery_id] = (HOST, redeemed)
        return delivery_id

    async def hand_in(self, where: str, of: UUID, **changes: object) -> OutboundAnswer:
        asked: dict[str, object] = {
            "port": self.ports[where],
            "method": SUBMIT,
            "path": "/",
            "headers": {},
            "body": "",
            "body_kind": "none",
            "delivery_id": of,
            "timeout_s": 20.0,
        }
        return await self.relay.send(**(asked | changes))


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    ports = {name: free_port() for name in ("tls", "starttls", "locked", "open")}
    rules = [
        rule(ports["tls"]),
        rule(ports["starttls"], tls="starttls"),
        rule(ports["locked"], tls="starttls", password="mail.wrong"),
        rule(ports["open"], user="", password=""),
    ]
    async with running_relay(tmp_path, rules=rules, credentials=CREDENTIALS) as relay:
        yield Post(relay, ports)


@pytest.fixture
async def server(post: Post, tmp_path: Path) -> AsyncIterator[MailServer]:
    async with mail_server(tmp_path / "s", post.ports["tls"], post.pair(), "implicit") as running:
        yield running


def word(answer: OutboundAnswer) -> tuple[str, int, str]:
    found = re.match(rb'\{"stage":"(\w+)","code":(\d+),"enhanced":"([\d.]*)"\}', answer.body)
    assert found is not None, answer
    return found[1].decode(), int(found[2]), found[3].decode()


async def test_a_mail_arrives_as_it_was_meant_and_its_signature_verifies(
    post: Post, server: MailServer
) -> None:
    delivery_id = post.mail()

    answered = await post.hand_in("tls", delivery_id)

    assert (answered.fate, answered.status, word(answered)[0]) == ("answered", 250, "done")
    ((envelope, raw),) = server.taken()
    assert envelope == {
        "from": f"bounce+{TOKEN}@bounce.minato.example", "to": ["taro@mail.example"],
    }  # fmt: skip
    mail = email.message_from_bytes(raw, policy=default)
    given = post.relay.vault.mails[delivery_id][1]
    assert mail["from"].addresses[0].addr_spec == f"noreply@{DOMAIN}"
    assert mail["from"].addresses[0].display_name == "みなと電力"
    assert mail["subject"] == given.subject
    assert mail["message-id"] == f"<{delivery_id.hex}@{DOMAIN}>"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["x-message-token"] == TOKEN
    assert mail["list-unsubscribe"] == f"<{STOP}>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == given.body.replace("\n", "\r\n")
    assert html.get_content().strip() == given.html
    long = {line.partition(b":")[0] for line in raw.split(b"\r\n") if len(line) > 78}
    assert long == {b"List-Unsubscribe"}  # an address is in one piece
    assert raw.isascii()
    asked: list[bytes] = []

    def published(name: bytes, timeout: int = 5) -> bytes:
        del timeout
        asked.append(name)
        key = PUBLIC.replace(b"\n", b"").split(b"-----")[2]
        return b"v=DKIM1; k=rsa; p=" + key

    assert verify(raw, dnsfunc=published)
    assert asked == [b"h1._domainkey.bill.minato.example."]
    for changed in (
        raw.replace(b"From: ", b"From: evil@x.example\r\nFrom: ", 1),
        b"From: evil@x.example\r\n" + raw,
        raw.replace(b"Subject: ", b"Subject: x", 1),
        raw.replace(b"One-Click", b"Two-Click", 1),
        raw.replace(b"pay.example", b"evil.example", 1),
        raw.rstrip(b"\r\n") + b"x\r\n",
    ):
        assert not verify(changed, dnsfunc=published)


async def test_a_slice_of_mails_shares_connections_and_each_has_its_own_fate(
    post: Post, server: MailServer
) -> None:
    boxes = ("taro", "nobody", "full", "grey", "policy", "spam", "closing", "hanako", "a..b")
    requests = [
        post.relay.request(
            port=post.ports["tls"], method=SUBMIT, path="/", headers={}, body="",
            body_kind="none", delivery_id=post.mail(to=f"{box}@mail.example"), timeout_s=20.0,
        )
        for box in boxes
    ]  # fmt: skip

    answers = await post.relay.outbound.send(requests)

    assert {box: word(answer) for box, answer in zip(boxes, answers, strict=True)} == {
        "taro": ("done", 250, ""),
        "nobody": ("recipient", 550, "5.1.1"),
        "full": ("recipient", 452, "4.2.2"),
        "grey": ("recipient", 451, "4.7.1"),
        "policy": ("recipient", 550, "5.7.1"),
        "spam": ("text", 554, "5.7.1"),
        "closing": ("recipient", 421, "4.3.2"),
        "hanako": ("done", 250, ""),
        "a..b": ("done", 250, ""),
    }
    taken = {envelope["to"][0] for envelope, _ in server.taken()}
    assert taken == {"taro@mail.example", "hanako@mail.example", "a..b@mail.example"}
    assert b"nobody@" not in b"".join(answer.body for answer in answers)
    # Kept connections serve the next slice, and a mail is never redeemed twice.
    again = await post.hand_in("tls", post.mail())
    assert word(again) == ("done", 250, "")
    assert (await post.relay.outbound.send(requests[:1]))[0].code == "delivery_refused"


HOSTILE: list[tuple[dict[str, str], str]] = [
    ({"subject": "a\r\nBcc: everyone@evil.example"}, "value_unfit"),
    ({"subject": "a\nBcc: everyone@evil.example"}, "value_unfit"),
    ({"sender_name": "a\r\nBcc: everyone@evil.example"}, "value_unfit"),
    ({"sender_name": 'a" <evil@evil.example>, "b'}, ""),
    ({"to": "taro@mail.example>\r\nRCPT TO:<evil@evil.example"}, "value_unfit"),
    ({"to": "taro@mail.example, evil@evil.example"}, "value_unfit"),
    ({"to": "taro mail.example"}, "value_unfit"),
    ({"sender": "noreply@other.example"}, "sender_not_as_ruled"),
    ({"sender": f"noreply@{DOMAIN}\r\nX: y"}, "value_unfit"),
    ({"sender": ""}, "value_unfit"),
    ({"return_token": "x> SIZE=1"}, "value_unfit"),
    ({"return_token": ""}, "value_unfit"),
    ({"stop_url": "https://pay.example/stop/a>\r\nBcc: everyone@evil.example"}, "value_unfit"),
    ({"stop_url": "mailto:everyone@evil.example"}, "value_unfit"),
    ({"stop_url": ""}, ""),
    ({"stop_url": "http://localhost:8080/stop/minato/0"}, ""),
    ({"body": "x\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n"}, ""),
]


async def test_no_value_becomes_a_header_a_command_or_another_mail(
    post: Post, server: MailServer
) -> None:
    for changes, code in HOSTILE:
        before = len(server.taken())
        answered = await post.hand_in("tls", post.mail(**changes))

        new = server.taken()[before:]
        if code:
            assert (answered.fate, answered.code, new) == ("not_sent", code, []), changes
            continue
        assert answered.fate == "answered"
        ((envelope, raw),) = new
        assert envelope["to"] == ["taro@mail.example"]
        mail = email.message_from_bytes(raw, policy=default)
        assert [mail["bcc"], len(mail.get_all("from", [])), len(mail["from"].addresses)] == [
            None,
            1,
            1,
        ]
        assert mail["from"].addresses[0].addr_spec == f"noreply@{DOMAIN}"


async def test_starttls_is_gone_through_and_a_wrong_password_hands_nothing_in(
    post: Post, tmp_path: Path
) -> None:
    async with (
        mail_server(tmp_path / "a", post.ports["starttls"], post.pair(), "starttls") as running,
        mail_server(tmp_path / "b", post.ports["locked"], post.pair(), "starttls") as locked,
    ):
        assert word(await post.hand_in("starttls", post.mail()))[0] == "done"
        assert word(await post.hand_in("locked", post.mail())) == ("login", 535, "")

    assert (len(running.taken()), len(locked.taken())) == (1, 0)


async def test_a_certificate_that_nobody_vouches_for_hears_nothing(
    post: Post, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").host(HOST)
    other_name = post.pair("other.provider.test")
    for pair in (stranger, other_name):
        async with bad_server(post.ports["open"], pair, "") as bad:
            answered = await post.hand_in("open", post.mail())

        assert (answered.fate, answered.code, bad.heard) == ("not_sent", "tls_failed", [])


@pytest.mark.parametrize(
    ("where", "mode", "fate", "code"),
    [
        ("open", "drops_before_text", "not_sent", "dropped"),
        ("open", "drops_after_dot", "unclear", "dropped"),
        ("open", "drips", "unclear", "timed_out"),
        ("starttls", "stripped", "not_sent", "tls_failed"),
    ],
)
async def test_a_server_that_breaks_off_leaves_what_is_known_and_nothing_is_repeated(
    post: Post, where: str, mode: str, fate: str, code: str
) -> None:
    pair = None if mode == "stripped" else post.pair()
    async with bad_server(post.ports[where], pair, mode) as bad:
        # Long enough for a busy machine to reach the dot, and too short for a byte a second.
        answered = await post.hand_in(where, post.mail(), timeout_s=8.0)

    assert (answered.fate, answered.code) == (fate, code)
    verbs = [line[:4].upper() for line in bad.heard]
    assert verbs.count(b"DATA") <= 1
    if mode == "stripped":
        assert set(verbs) <= {b"EHLO", b"QUIT"}, "in clear nothing is said, least of all a password"


async def test_without_a_server_nothing_was_sent(post: Post) -> None:
    answered = await post.hand_in("open", post.mail())

    assert (answered.fate, answered.code) == ("not_sent", "connect_failed")


BEYOND: list[tuple[dict[str, object], str]] = [
    ({"body": "x", "body_kind": "raw"}, "submission_invalid"),
    ({"headers": {"accept": "x"}}, "submission_invalid"),
    ({"path": "/x"}, "submission_invalid"),
    ({"signer": "opa"}, "submission_invalid"),
    ({"delivery_id": None}, "delivery_missing"),
    ({"method": "POST"}, "host_not_listed"),
    ({"host": "other.provider.test"}, "host_not_listed"),
]


async def test_a_caller_says_which_delivery_and_nothing_else(post: Post) -> None:
    for changes, code in BEYOND:
        answered = await post.hand_in("open", post.mail(), **changes)

        assert (answered.fate, answered.code) == ("not_sent", code)
    assert post.relay.vault.calls == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"from_domains": ()}, "no domain"),
        ({"bounce_domain": "Bounce.example"}, "canonical"),
        ({"password": ""}, "user and password"),
        ({"dkim": (DKIM | {"domain": "other.example"},)}, "one key for each domain"),
        ({"dkim": (DKIM | {"key": "Not A Name"},)}, "credential"),
    ],
)
def test_a_rule_that_says_too_little_of_mails_is_not_signed(
    changes: dict[str, object], fault: str
) -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(RulesRefused, match=fault):
        sign_rules(key, {"version": 1, "rules": [rule(465, **changes)]})
    shown = rule(465) | {"id": "shown", "mode": "originate", "submission": None} | {
        "methods": ("POST",), "path_prefixes": ("/v1",), "credentials": ("mail.dkim",),
    }  # fmt: skip
    with pytest.raises(RulesRefused, match="no placeholder may show it"):
        sign_rules(key, {"version": 1, "rules": [rule(465), shown]})


async def test_certifying_a_server_sends_one_mail_under_the_rules_to_be_signed(
    post: Post, server: MailServer
) -> None:
    lines: list[str] = []
    case = Case(
        provider="smtp",
        endpoint=Endpoint(HOST, server.port),
        amount_minor=100,
        return_url="",
        mail=OneMail(to="owner@mail.example", sender=f"noreply@{DOMAIN}"),
    )

    async def nobody_pays(address: str) -> None:
        raise AssertionError(address)

    async def run(**changes: object) -> bool:
        rules = {"version": 1, "rules": [rule(server.port, **changes)]}
        ca = post.relay.authority.ca
        return await certify(case, rules, CREDENTIALS, nobody_pays, say=lines.append, sandbox_ca=ca)

    assert await run()
    assert not await run(password="mail.wrong")
    assert not await run(from_domains=("other.example",), dkim=())

    ((envelope, _),) = server.taken()
    assert envelope["to"] == ["owner@mail.example"]
    said = "\n".join(lines)
    assert "credential_refused" in said
    assert "sender_not_as_ruled" in said
    assert PASSWORD not in said
