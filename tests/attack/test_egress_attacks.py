"""An owned caller at the relay's socket: each attempt beside the same act done rightly.

The caller is as strong as it can be: it holds the socket, speaks the frames and knows every id.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.egress.rules import RulesRefused, sign_rules
from portal.egress.run import serve
from portal.egress.settings import EgressSettings
from portal.kit.outbound.frames import FRAME_BYTES_MAX, SliceCall, pack
from tests.make.opa import SIGNER
from tests.make.provider import answer, saying
from tests.make.relay import CREDENTIAL, OTHER_CREDENTIAL, Relay, eventually, rule, running_relay

ELSEWHERE = "elsewhere.provider.test"
TO, TEXT = "+819012345678", "Aozora 電力: http://localhost:8080/p/aoz/0123456789abcdefghijkl"
SMS_BODY = '{"to":"{{delivery:to}}","text":"{{delivery:body}}"}'
SMS_RULE = {
    "methods": ("POST",),
    "path_prefixes": ("/v1/messages",),
    "fixed": {
        "header:authorization": "Bearer {{credential:provider}}",
        "body:/to": "{{delivery:to}}",
        "body:/text": "{{delivery:body}}",
    },
    "fields": ("to", "text", "reference"),
}
PAYMENT, PHONE = "04000000000000004711", "819012345678"
ASKED = f"paymentId={PAYMENT}&storeId=aozora"
ASK_RULE = {
    "methods": ("GET",),
    "path_prefixes": ("/v2/refunds",),
    "credentials": (),
    "signer": SIGNER,
    "query": (
        {"name": "paymentId", "shape": "digits", "length_min": 16, "length_max": 24},
        {"name": "storeId", "shape": "token", "length_min": 1, "length_max": 16},
    ),
}


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    rules = [
        rule(0),
        rule(0, id="elsewhere", host=ELSEWHERE, credentials=("other",)),
        rule(0, id="webs", host="webs.provider.test", role="web"),
    ]
    async with running_relay(tmp_path, rules=rules) as running:
        yield running


@pytest.fixture
async def sms(tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(tmp_path, rules=[rule(0, **SMS_RULE)]) as running:
        yield running


@pytest.fixture
async def asking(tmp_path: Path) -> AsyncIterator[Relay]:
    async with running_relay(tmp_path, rules=[rule(0, **ASK_RULE)]) as running:
        yield running


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "evil.test"}, "host_not_listed"),
        ({"host": "x.api.provider.test"}, "host_not_listed"),
        ({"host": "webs.provider.test"}, "host_not_listed"),
        ({"host": "127.0.0.1"}, "host_invalid"),
        ({"host": "api.provider.test@evil.test"}, "host_invalid"),
        ({"host": "api.provider.test\r\nHost: evil.test"}, "host_invalid"),
        ({"host": "api.provider.test#evil.test"}, "host_invalid"),
        ({"port": 22}, "host_not_listed"),
        ({"port": -1}, "port_invalid"),
        ({"method": "DELETE"}, "method_not_allowed"),
        ({"method": "POST /admin HTTP/1.1\r\nX:"}, "method_not_allowed"),
        ({"path": "/admin"}, "path_not_allowed"),
        ({"path": "/v1/../admin"}, "path_invalid"),
        ({"path": "/v1/%2e%2e/admin"}, "path_invalid"),
        ({"path": "/v1/ HTTP/1.1\r\nHost: evil.test\r\n\r\nGET /admin"}, "path_invalid"),
        ({"headers": {"X-HTTP-Method-Override": "DELETE"}}, "header_not_allowed"),
        ({"headers": {"Host": "evil.test"}}, "header_not_allowed"),
        ({"headers": {"Accept": "a\r\nHost: evil.test"}}, "header_invalid"),
        ({"headers": {"Authorization": "Bearer {{credential:other}}"}}, "credential_not_allowed"),
        ({"headers": {"Accept": "{{credential:provider}}"}}, "credential_not_allowed"),
        ({"body": '{"text":"{{credential:provider}}"}'}, "credential_not_allowed"),
        ({"timeout_s": float("nan")}, "timeout_invalid"),
        ({"timeout_s": -1.0}, "timeout_invalid"),
    ],
    ids=str,
)
async def test_what_no_rule_lists_never_leaves(
    relay: Relay, changes: dict[str, object], code: str
) -> None:
    attempt, control = await relay.outbound.send([relay.request(**changes), relay.request()])

    assert (attempt.fate, attempt.code) == ("not_sent", code)
    assert control.fate == "answered"
    assert [seen.line for seen in relay.provider.seen] == ["POST /v1/messages HTTP/1.1"]
    assert [line["code"] for line in relay.denials()] == [code]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        # Not declared: PayPay, for one, lets such a parameter overrule the header that says whose.
        (f"{ASKED}&assumeMerchant=another", "query_not_as_ruled"),
        (f"assumeMerchant=another&{ASKED}", "query_not_as_ruled"),
        (f"{ASKED}&", "query_not_as_ruled"),
        (f"&{ASKED}", "query_not_as_ruled"),
        (f"{ASKED}&x", "query_not_as_ruled"),
        (f"paymentid={PAYMENT}&storeId=aozora", "query_not_as_ruled"),
        # Repeated.
        (f"{ASKED}&paymentId={PAYMENT}", "query_not_as_ruled"),
        (f"paymentId={PAYMENT}&paymentId={PAYMENT}", "query_not_as_ruled"),
        (f"paymentId[]={PAYMENT}&storeId=aozora", "path_invalid"),
        # Hidden in an escape, or behind what some servers take for an end.
        (f"paymentId={PAYMENT}%26assumeMerchant%3Danother&storeId=a", "query_not_as_ruled"),
        (f"paymentId={PAYMENT}&storeId=a%26assumeMerchant=another", "query_not_as_ruled"),
        (f"payment%49d={PAYMENT}&storeId=aozora", "query_not_as_ruled"),
        (f"paymentId=%30{PAYMENT[1:]}&storeId=aozora", "query_not_as_ruled"),
        (f"paymentId={PAYMENT};assumeMerchant=another&storeId=a", "query_not_as_ruled"),
        (f"{ASKED}?assumeMerchant=another", "query_not_as_ruled"),
        (f"{ASKED}#assumeMerchant=another", "path_invalid"),
        (f"{ASKED}=another", "query_not_as_ruled"),
        (f"{ASKED} HTTP/1.1\r\nHost: evil.test\r\n\r\nGET /", "path_invalid"),
        ("paymentId={{credential:opa.secret}}&storeId=aozora", "path_invalid"),
        # In another order, in part, or not at all.
        (f"storeId=aozora&paymentId={PAYMENT}", "query_not_as_ruled"),
        (f"paymentId={PAYMENT}", "query_not_as_ruled"),
        ("", "query_not_as_ruled"),
        # Of another shape: a payer's number or address.
        (f"paymentId={PHONE}&storeId=aozora", "query_not_as_ruled"),
        (f"paymentId={PAYMENT}&storeId=hana@mail.test", "query_not_as_ruled"),
        (f"paymentId={PAYMENT}&storeId={'a' * 17}", "query_not_as_ruled"),
        (f"paymentId=\u0660{PAYMENT[1:]}&storeId=aozora", "path_invalid"),
    ],
    ids=str,
)
async def test_a_query_leaves_only_as_its_rule_spells_it(
    asking: Relay, query: str, code: str
) -> None:
    wanted: dict[str, object] = {
        "method": "GET", "headers": {}, "body": "", "body_kind": "none", "signer": "opa",
    }  # fmt: skip

    attempt = await asking.send(path=f"/v2/refunds/R-1?{query}", **wanted)
    control = await asking.send(path=f"/v2/refunds/R-1?{ASKED}", **wanted)

    assert (attempt.fate, attempt.code) == ("not_sent", code)
    assert control.fate == "answered"
    assert [seen.line for seen in asking.provider.seen] == [f"GET /v2/refunds/R-1?{ASKED} HTTP/1.1"]
    assert "refunds" not in asking.settings.journal_file.read_text()


async def test_a_delivery_can_not_be_sent_to_another_listed_host(relay: Relay) -> None:
    stolen, own = relay.delivery(TO, TEXT), relay.delivery(TO, TEXT)
    other = {"Authorization": "Bearer {{credential:other}}"}

    attempt = await relay.send(host=ELSEWHERE, headers=other, body=SMS_BODY, delivery_id=stolen)
    control = await relay.send(body=SMS_BODY, delivery_id=own)

    assert (attempt.fate, attempt.code) == ("not_sent", "delivery_refused")
    assert relay.vault.calls[0].host == ELSEWHERE
    assert control.fate == "answered"
    assert len(relay.provider.seen) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"to":"+8180","text":"{{delivery:body}}"}', "place_not_as_fixed"),
        ('{"to":"{{delivery:to}}","text":"send money to me"}', "place_not_as_fixed"),
        ('{"to":"{{delivery:to}}","text":"{{delivery:body}} call +81"}', "place_not_as_fixed"),
        ('{"to":"{{delivery:to}}","text":"{{delivery:body}}","cc":"+8180"}', "field_not_allowed"),
        ('{"to":"+8180","text":"hello"}', "place_not_as_fixed"),
        (
            '{"to":"{{delivery:to}}","text":"{{delivery:body}}","reference":"{{delivery:to}}"}',
            "placeholder_misplaced",
        ),
    ],
)
async def test_an_owned_worker_can_neither_word_a_message_nor_choose_its_addressee(
    sms: Relay, body: str, code: str
) -> None:
    delivery = sms.delivery(TO, TEXT)
    uses_it = "{{delivery" in body

    attempt = await sms.send(body=body, delivery_id=delivery if uses_it else None)
    control = await sms.send(body=SMS_BODY, delivery_id=delivery)

    assert (attempt.fate, attempt.code) == ("not_sent", code)
    assert control.fate == "answered"
    (seen,) = sms.provider.seen
    assert seen.document == {"to": TO, "text": TEXT}


async def test_an_owned_worker_never_sees_what_it_sends(tmp_path: Path) -> None:
    echo = saying(answer(200, json.dumps({"you": TO, "sent": TEXT, "key": CREDENTIAL}).encode()))
    async with running_relay(tmp_path, behaviour=echo, rules=[rule(0, **SMS_RULE)]) as relay:
        delivery = relay.delivery(TO, TEXT)
        seen = await relay.send(body=SMS_BODY, delivery_id=delivery)
        again = await relay.send(body=SMS_BODY, delivery_id=delivery)
        journal = relay.settings.journal_file.read_text()

    assert json.loads(seen.body) == {"you": "***", "sent": "***", "key": "***"}
    assert (again.fate, again.code) == ("not_sent", "delivery_refused")
    for secret in (TO, TEXT, CREDENTIAL, OTHER_CREDENTIAL, str(delivery)):
        assert secret not in journal


async def test_a_payer_s_name_can_not_add_a_field_or_a_line(sms: Relay) -> None:
    name = '","to":"+8180","x":"\r\nX-Evil: 1\r\n\r\n{{credential:provider}}'

    answered = await sms.send(body=SMS_BODY, delivery_id=sms.delivery(TO, name))

    assert answered.fate == "answered"
    (seen,) = sms.provider.seen
    assert seen.document == {"to": TO, "text": name}
    assert "x-evil" not in seen.headers


async def test_the_role_is_the_kernel_s_word_and_not_the_caller_s(tmp_path: Path) -> None:
    rules = [rule(0, id="work"), rule(0, id="web", role="web", path_prefixes=("/web/",))]
    async with running_relay(tmp_path, rules=rules, callers=f"{os.geteuid()}=web") as relay:
        attempt = await relay.send()
        control = await relay.send(path="/web/x")

    assert (attempt.fate, attempt.code) == ("not_sent", "path_not_allowed")
    assert control.fate == "answered"


async def test_an_unknown_uid_is_turned_away_from_both_sockets(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "mine") as control:
        assert (await control.send()).fate == "answered"
    async with running_relay(tmp_path / "other", callers=f"{os.geteuid() + 1}=work") as relay:
        attempt = await relay.send()
        reader, _writer = await asyncio.open_unix_connection(relay.settings.tunnel_socket)
        tunnel = await reader.read()
        _writer.close()
        codes = {line["code"] for line in relay.denials()}

    assert attempt.fate in {"not_sent", "unclear"}
    assert attempt.code in {"relay_away", "relay_lost"}
    assert relay.provider.seen == []
    assert tunnel.startswith(b"HTTP/1.1 403 caller_unknown\r\n")
    assert codes == {"caller_unknown"}


@pytest.mark.root
async def test_another_uid_on_this_machine_gets_nothing(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        attempt = await _call_as(65_534, relay)
        control = await _call_as(os.geteuid(), relay)

    # The relay hangs up on a stranger: before the slice was written, or behind it.
    assert attempt in (["unclear relay_lost"], ["not_sent relay_away"])
    assert control == ["answered "]
    assert len(relay.provider.seen) == 1


@pytest.mark.parametrize("attack", ["rollback", "forged", "replayed signature", "emptied"])
async def test_a_rule_file_that_its_signer_did_not_write_changes_nothing(
    tmp_path: Path, attack: str
) -> None:
    async with running_relay(tmp_path, version=5) as relay:
        port = relay.provider.port
        wider = rule(port, path_prefixes=("/",))
        file = relay.settings.rules_file
        if attack == "rollback":
            relay.sign(wider, version=4)
        elif attack == "forged":
            payload = {"version": 9, "rules": [wider]}
            file.write_bytes(sign_rules(Ed25519PrivateKey.generate(), payload))
        elif attack == "replayed signature":
            envelope = json.loads(file.read_bytes())
            envelope["payload"] = envelope["payload"].replace('["/v1/"]', '["/"]')
            file.write_text(json.dumps(envelope))
        else:
            file.write_bytes(b"")
        await asyncio.sleep(1.5)
        attempt, still = await relay.outbound.send([relay.request(path="/x"), relay.request()])
        relay.sign(wider, version=6)

        async def is_taken() -> bool:
            return (await relay.send(path="/x")).fate == "answered"

        await eventually(is_taken)

    assert (attempt.fate, attempt.code) == ("not_sent", "path_not_allowed")
    assert still.fate == "answered"


async def test_production_does_not_start_with_a_sandbox_rule(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        settings = relay.settings
        assert (await relay.send()).fate == "answered"
    production = settings.model_copy(update={"production": True, "sandbox_ca": None})

    with pytest.raises(RulesRefused, match="sandbox rule in production"):
        await serve(production)


def test_production_does_not_start_with_a_sandbox_authority(tmp_path: Path) -> None:
    values = dict.fromkeys(
        ("socket", "tunnel_socket", "cert", "key", "ca", "rules_file", "rules_key_file",
         "credentials_file", "journal_file", "sandbox_ca"), tmp_path / "x",
    )  # fmt: skip
    rest = {"vault_socket": "x", "callers": "1=work"}

    assert EgressSettings.model_validate(values | rest | {"production": False})
    with pytest.raises(ValueError, match="SANDBOX_CA"):
        EgressSettings.model_validate(values | rest | {"production": True})


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
        (FRAME_BYTES_MAX + 1).to_bytes(4, "big"),
        b"\0\0\0\x01\xc1",
        b"\0\0\x10\0" + b"\x91" * 4096,
    ],
    ids=["http", "empty", "overlong", "no msgpack", "nested"],
)
async def test_a_frame_that_is_none_ends_its_link_and_nothing_else(
    relay: Relay, raw: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(relay.settings.socket)
    writer.write(raw)

    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    assert (await relay.send()).fate == "answered"


async def test_a_slice_of_101_ends_its_link_and_sends_nothing(relay: Relay) -> None:
    reader, writer = await asyncio.open_unix_connection(relay.settings.socket)
    writer.write(pack(SliceCall(1, [relay.request()] * 101)))

    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    assert relay.provider.seen == []
    answers = await relay.outbound.send([relay.request()] * 100)
    assert [answered.fate for answered in answers] == ["answered"] * 100


async def test_a_flood_of_attempts_fills_neither_journal_nor_disk(relay: Relay) -> None:
    for _ in range(20):
        await relay.outbound.send([relay.request(host="evil.test") for _ in range(100)])
    names = [relay.request(host=f"h{number}.evil.test") for number in range(900)]
    for start in range(0, 900, 100):
        await relay.outbound.send(names[start : start + 100])

    assert relay.settings.journal_file.stat().st_size < 200_000
    assert len(relay.denials()) <= 512
    assert (await relay.send()).fate == "answered"


async def _call_as(uid: int, relay: Relay) -> list[str]:
    """Send one good request from a process of another uid; its fates and codes."""
    code = (
        "import asyncio, os, sys, msgspec\n"
        "from pathlib import Path\n"
        "from portal.kit.outbound import Outbound, OutboundRequest\n"
        "os.setuid(int(sys.argv[1]))\n"
        "request = msgspec.json.decode(sys.argv[3], type=OutboundRequest)\n"
        "for answer in asyncio.run(Outbound(Path(sys.argv[2])).send([request])):\n"
        "    print(answer.fate, answer.code)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(uid), str(relay.settings.socket),
        msgspec.json.encode(relay.request()).decode(),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed.decode().removesuffix("\n").split("\n")
