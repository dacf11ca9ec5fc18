"""Mails and texts at somebody else's Amazon, through the real relay and the rules of the docs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import msgspec
import pytest

from portal.application.channels.registry import find_sender
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.message import SET_CHANNEL, RedeemedDelivery, SetChannel
from portal.domain.ids import DeliveryId
from portal.domain.message import Channel
from portal.stack.certify import Case, OneMail, certify
from portal.stack.certify_text import OneText
from tests.make.aws_mock import Amazon, running_amazon
from tests.make.certificates import Authority
from tests.make.companies import rules_of
from tests.make.mails import ask_for_mail, have_mail, issued_to
from tests.make.provider import HOST, Provider
from tests.make.relay import Relay, running_relay
from tests.make.vault import Ground
from tests.make.workshop import MERCHANT, Elsewhere, Workshop, a_workshop

TOKEN = "0" * 26 + "." + "a" * 24
STOP = "https://pay.example/stop/minato/" + "0" * 26 + "a" * 24
NOT_VERIFIED = "bill.stranger.example"
SENDER = "bill@bill.merchant.example"
TEXT = "みなと電力 11月分 8,420円 & <more> +1 https://pay.example/p/minato/abc"


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with running_amazon() as running:
        yield running


@dataclass
class Roads:
    """A relay with the rules of both roads, and the mock behind it."""

    relay: Relay
    amazon: Amazon

    def text(self, to: str) -> UUID:
        return self.relay.delivery(to, TEXT)

    def mail(self, **changes: str) -> UUID:
        delivery_id = uuid4()
        redeemed = RedeemedDelivery(
            delivery_id=DeliveryId(delivery_id), refused=None, to="taro@mail.example",
            body="みなと電力です。\n", subject="11月分のご請求", html="<p>みなと電力です。</p>",
            sender=SENDER, sender_name="みなと電力", return_token=TOKEN, stop_url=STOP,
        )  # fmt: skip
        self.relay.vault.mails[delivery_id] = (HOST, msgspec.structs.replace(redeemed, **changes))
        return delivery_id

    async def send(
        self, channel: Channel, provider: str, id_: UUID, sender: str = ""
    ) -> MessageAnswer:
        wanted = MessageWanted(delivery_id=id_, key=id_.hex, account="minato", sender=sender)
        endpoint = Endpoint(HOST, self.relay.provider.port)
        exchange = find_sender(channel, provider).compose(endpoint, wanted)
        [answer] = await self.relay.outbound.send([exchange.request])
        return exchange.read(answer)


@pytest.fixture
async def roads(amazon: Amazon, tmp_path: Path) -> AsyncIterator[Roads]:
    [mails] = rules_of("aws_ses")
    mails["submission"]["from_domains"].append(NOT_VERIFIED)
    async with running_relay(
        tmp_path,
        behaviour=amazon.behind_tls(),
        rules=[mails, *rules_of("aws_sns")],
        credentials=amazon.sender,
    ) as relay:
        yield Roads(relay, amazon)


async def test_a_text_arrives_once_whatever_becomes_of_its_answer(roads: Roads) -> None:
    before = len(roads.amazon.texts())

    taken = await roads.send("sms", "aws_sns", roads.text("+819012345678"), "Minato")
    roads.amazon.lost.next = True
    lost = await roads.send("sms", "aws_sns", roads.text("+819087654321"), "+815012345678")
    wrong = await roads.send("sms", "aws_sns", roads.text("0901"))

    assert (taken.outcome, len(taken.provider_ref)) == ("accepted", 36)
    assert (lost.outcome, lost.code) == ("unknown", "dropped")
    assert (wrong.outcome, wrong.code) == ("rejected", "number_unknown")
    assert roads.amazon.texts()[before:] == [("+819012345678", TEXT), ("+819087654321", TEXT)]
    assert b"SenderID" in roads.relay.provider.seen[0].body
    assert b"OriginationNumber" in roads.relay.provider.seen[1].body


async def test_a_mail_arrives_once_with_its_headers_and_a_refusal_leaves_nothing(
    roads: Roads,
) -> None:
    before = len(roads.amazon.mails())

    taken = await roads.send("email", "aws_ses", roads.mail())
    roads.amazon.lost.next = True
    lost = await roads.send("email", "aws_ses", roads.mail(to="hanako@mail.example"))
    wrong = await roads.send("email", "aws_ses", roads.mail(sender=f"bill@{NOT_VERIFIED}"))

    assert (taken.outcome, bool(taken.provider_ref)) == ("accepted", True)
    assert (lost.outcome, lost.code) == ("unknown", "dropped")
    arrived = roads.amazon.mails()[before:]
    assert [mail["to"] for mail in arrived] == ["taro@mail.example", "hanako@mail.example"]
    assert (wrong.outcome, wrong.code) == ("rejected", "provider_refused")
    mail = arrived[0]
    assert mail["from"] == f"みなと電力 <{SENDER}>"
    assert mail["subject"] == "11月分のご請求"
    assert mail["list-unsubscribe"] == f"<{STOP}>"
    assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert mail["x-message-token"] == TOKEN
    posted = roads.relay.provider.seen[0].document
    assert isinstance(posted, dict)
    assert posted["FeedbackForwardingEmailAddress"] == f"bounce+{TOKEN}@bounce.example.net"
    assert posted["Destination"] == {"ToAddresses": ["taro@mail.example"]}


FORM = {
    "Action": "Publish", "Version": "2010-03-31",
    "PhoneNumber": "{{delivery:to}}", "Message": "{{delivery:body}}",
    "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": "Transactional",
}  # fmt: skip


async def test_a_worker_gets_no_other_act_addressee_or_word_signed(roads: Roads) -> None:
    id_ = roads.text("+819012345678")
    asked: dict[str, tuple[dict[str, str], dict[str, object]]] = {
        "place_not_as_fixed": (FORM | {"PhoneNumber": "+819000000000"}, {}),
        "field_not_allowed": (FORM | {"TopicArn": "arn:aws:sns:x"}, {}),
        "header_not_allowed": (FORM, {"headers": {"x-amz-security-token": "mine"}}),
        "path_not_allowed": (FORM, {"path": "/?Action=ListPhoneNumbersOptedOut"}),
        "signer_not_as_ruled": (FORM, {"signer": "opa"}),
        "delivery_missing": (FORM, {"delivery_id": None}),
    }

    for code, (form, changes) in asked.items():
        wanted: dict[str, object] = {
            "path": "/", "headers": {}, "body": urlencode(form), "body_kind": "form",
            "delivery_id": id_, "signer": "aws4",
        }  # fmt: skip
        answer = await roads.relay.send(**(wanted | changes))
        assert (answer.fate, answer.code) == ("not_sent", code)
    assert roads.relay.provider.seen == []
    assert (await roads.send("sms", "aws_sns", id_)).outcome == "accepted"


CASES = {
    "aws_sns": {"text": OneText("090-1234-5678", "Minato")},
    "aws_ses": {"mail": OneMail(to="taro@mail.example", sender=SENDER)},
}


@pytest.mark.parametrize("provider", CASES)
async def test_certify_tells_a_good_key_from_a_wrong_one_and_from_one_without_leave(
    amazon: Amazon, tmp_path: Path, provider: str
) -> None:
    lines: list[str] = []
    keys = {
        "good": amazon.sender,
        "wrong secret": amazon.sender | {"aws.secret": amazon.stranger["aws.secret"]},
        "no such key": amazon.sender | {"aws.key": "AKIA0000000000000000"},
        "no leave": amazon.stranger,
    }
    authority = Authority(tmp_path / "certificates")
    kept = len(amazon.texts()) + len(amazon.mails())
    async with Provider(authority, behaviour=amazon.behind_tls()) as company:
        rules = [rule | {"port": company.port} for rule in rules_of(provider)]
        case = Case(
            provider=provider, endpoint=Endpoint(HOST, company.port), amount_minor=100,
            return_url="", **CASES[provider],  # type: ignore[arg-type] - the case's own fields
        )  # fmt: skip
        good = {
            name: await certify(
                case, {"version": 1, "rules": rules}, credentials, nobody_pays,
                say=lines.append, sandbox_ca=authority.ca,
            )
            for name, credentials in keys.items()
        }  # fmt: skip

    assert good == {name: name == "good" for name in keys}, lines
    assert len(amazon.texts()) + len(amazon.mails()) == kept + 1
    said = "\n".join(lines)
    assert said.count("credential_refused") == 3
    for credentials in keys.values():
        assert not any(secret in said for secret in credentials.values())


async def nobody_pays(address: str) -> None:
    raise AssertionError(address)


@pytest.fixture
async def shop(ground: Ground, amazon: Amazon) -> AsyncIterator[Workshop]:
    """A merchant whose texts go by SNS and whose mails by SES; all between is real."""
    hosts = ground.settings().provider_hosts.replace("email.amazon.test", HOST)
    async with Provider(ground.authority, behaviour=amazon.behind_tls()) as company:
        roads = ("aws_sns", "aws_ses")
        elsewhere = Elsewhere(
            tuple(rule | {"port": company.port} for road in roads for rule in rules_of(road)),
            amazon.sender,
            "".join(f",{road}={HOST}:{company.port}" for road in roads),
        )
        async with (
            ground.vault(provider_hosts=f"{hosts},aws_sns={HOST}"),
            a_workshop(ground, elsewhere=elsewhere) as made,
        ):
            operator = await ground.client("operator")
            for road, share in (("sandbox_sms", 0), ("aws_sns", 100)):
                texts = SetChannel(
                    merchant_code=MERCHANT, channel="sms", provider=road, sender="Minato",
                    share=share,
                )  # fmt: skip
                await operator.call(SET_CHANNEL, texts)
            await have_mail(operator, "aws_ses", SENDER)
            yield made


async def test_a_bill_is_told_of_by_both_and_a_mail_in_doubt_never_goes_again(
    shop: Workshop, amazon: Amazon
) -> None:
    texts, mails = len(amazon.texts()), len(amazon.mails())
    sending = {"message.send_chunk"}

    bills = await issued_to(shop, ["taro@mail.example", "hanako@mail.example"])
    for address in bills:
        amazon.lost.next = address.startswith("hanako")
        await ask_for_mail(shop, bills[address])
        await shop.work_off(sending)

    # then
    rows = await shop.rows("select channel, state, provider_ref <> '' as named from delivery")
    said = sorted((row["channel"], row["state"], row["named"]) for row in rows)
    assert said == [
        ("email", "accepted", True),
        ("email", "ambiguous", False),
        ("sms", "accepted", True),
        ("sms", "accepted", True),
    ]
    assert len(amazon.texts()) == texts + 2
    assert all("http://localhost:8080/p/minato/" in body for _, body in amazon.texts()[texts:])

    # however often it is looked at again
    await shop.rows("update delivery set unclear_at = unclear_at - interval '1 hour' returning id")
    for _ in range(2):
        await shop.be_due()
        await shop.work_off(sending)
    assert sorted(str(mail["to"]) for mail in amazon.mails()[mails:]) == sorted(bills)
