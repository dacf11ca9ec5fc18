"""An owner of the application looks for a way out: through the relay, and past it.

Without network namespaces (production's, and tests/attack/test_no_way_out.py's) the kernel lets
any uid of this machine dial loopback and, where there is one, the network. So what is promised here
is what the relay decides, and that nothing dialled directly has a credential to be let in with.
"""

import json
import time
from collections.abc import Callable

import pytest

from portal.stack.certificates import SANDBOX_HOSTS
from tests.make.intruder import Town

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

SMS_HOST, CARD_HOST, WALLET_HOST, *_ = SANDBOX_HOSTS
Plain = dict[str, object]


WALLET: Plain = {"host": WALLET_HOST, "path": "/v2/codes/payments/nobody-knows-this"}
"""What both may ask the wallet company, if the relay signs it."""


def inquiry(town: Town, **changes: object) -> Plain:
    """What web and work may both send: ask the card company about a reference."""
    return {
        "host": CARD_HOST,
        "port": town.stack.layout.ports.api,
        "method": "GET",
        "path": "/v1/payments/nobody-knows-this",
        "headers": {"authorization": "Bearer {{credential:sandbox_card}}"},
    } | changes


FORBIDDEN: dict[str, tuple[Plain, str]] = {
    "an unlisted host": ({"host": "evil.test"}, "host_not_listed"),
    "a host below the listed one": ({"host": f"x.{CARD_HOST}"}, "host_not_listed"),
    "a listed host as a label": ({"host": f"{CARD_HOST}.evil.test"}, "host_not_listed"),
    "another port": ({"port": 443}, "host_not_listed"),
    "a loopback address": ({"host": "127.0.0.1"}, "host_invalid"),
    "a loopback address, spelled": ({"host": "2130706433"}, "host_invalid"),
    "a loopback address, v6": ({"host": "[::1]"}, "host_invalid"),
    "a private address": ({"host": "10.0.0.1"}, "host_invalid"),
    "the metadata address": ({"host": "169.254.169.254", "port": 80}, "host_invalid"),
    "the metadata name": ({"host": "metadata.google.internal", "port": 80}, "host_not_listed"),
    "localhost": ({"host": "localhost"}, "host_not_listed"),
    "user information": ({"host": f"{CARD_HOST}@evil.test"}, "host_invalid"),
    "another method": ({"method": "DELETE"}, "method_not_allowed"),
    "another path": ({"path": "/journal.json"}, "path_not_allowed"),
    "a climbing path": ({"path": "/v1/payments/../../journal.json"}, "path_invalid"),
    "an escaped path": ({"path": "/v1/payments/%2e%2e/x"}, "path_invalid"),
    "a second request in the path": (
        {"path": "/v1/payments/x HTTP/1.1\r\nHost: evil.test\r\n\r\nGET /"}, "path_invalid",
    ),
    "another rule's credential": (
        {"headers": {"authorization": "Bearer {{credential:sandbox_sms}}"}}, "place_not_as_fixed",
    ),
    "a credential elsewhere": (
        {"headers": {"authorization": "Bearer {{credential:sandbox_card}}",
                     "accept": "{{credential:sandbox_card}}"}}, "credential_not_allowed",
    ),
    "no credential, an own one": ({"headers": {"authorization": "Bearer mine"}},
                                  "place_not_as_fixed"),
    "another Host": (
        {"headers": {"authorization": "Bearer {{credential:sandbox_card}}", "host": "evil.test"}},
        "header_not_allowed",
    ),
    "a header in a header": (
        {"headers": {"authorization": "Bearer {{credential:sandbox_card}}",
                     "accept": "a\r\nx-secret: b"}}, "header_invalid",
    ),
    "a signature of one's own": (
        WALLET | {"signer": "opa", "headers": {"authorization": "hmac OPA-Auth:a:b:c:1:empty"}},
        "header_not_allowed",
    ),
    "no signature": (WALLET | {"headers": {}}, "signer_not_as_ruled"),
    "another signer": (WALLET | {"headers": {}, "signer": "none"}, "signer_not_as_ruled"),
    "a signer for what is not signed": ({"signer": "opa"}, "signer_not_as_ruled"),
    "a signer's secret": (
        WALLET | {"signer": "opa", "headers": {"accept": "{{credential:sandbox_wallet.secret}}"}},
        "credential_not_allowed",
    ),
    "a delivery that there is not": (
        {"delivery_id": "01a20562-5d5b-7a85-90c2-fea883887b62"}, "delivery_unused",
    ),
}  # fmt: skip


@pytest.mark.parametrize("zone", ["web", "work"])
def test_the_relay_lets_nothing_out_that_no_rule_lists(town: Town, zone: str) -> None:
    requests = [inquiry(town, **changes) for changes, _ in FORBIDDEN.values()]

    said = town.intrude(zone, "send_out", requests=[*requests, inquiry(town)])

    *refused, control = said
    expected = {name: code for name, (_, code) in FORBIDDEN.items()}
    assert dict(zip(FORBIDDEN, refused, strict=True)) == expected
    assert control.startswith("404 "), "the control: the listed request is answered from outside"
    assert "not_found" in control


def test_neither_zone_of_the_application_has_the_rules_of_the_other(town: Town) -> None:
    """Web opens payments and sends no message; work sends messages and opens no payment."""
    port = town.stack.layout.ports.api
    message: Plain = {
        "host": SMS_HOST, "port": port, "method": "POST", "path": "/v1/messages",
        "headers": {"authorization": "Bearer {{credential:sandbox_sms}}"}, "body_kind": "json",
        "body": '{"to": "{{delivery:to}}", "text": "{{delivery:body}}"}',
        "delivery_id": "01a20562-5d5b-7a85-90c2-fea883887b62",
    }  # fmt: skip
    payment = inquiry(
        town, method="POST", path="/v1/sessions", body_kind="json",
        body='{"reference": "attack-1", "amount": 1, "currency": "JPY"}',
    )  # fmt: skip

    web = town.intrude("web", "send_out", requests=[message, payment])
    work = town.intrude("work", "send_out", requests=[message, payment])

    assert web[0] == "host_not_listed"
    assert web[1][:1].isdigit(), "the control: web's own request is answered from outside"
    assert work == ["delivery_refused", "path_not_allowed"], "the control: work's rule is found"


@pytest.mark.parametrize("zone", ["web", "work"])
def test_no_tunnel_is_opened_for_anybody(town: Town, zone: str) -> None:
    """There is no tunnel rule at all; a CONNECT is a road out for whoever has an account there."""
    socket = str(town.stack.layout.socket("egress", "tunnel.sock"))
    port = town.stack.layout.ports.api
    targets = [f"{CARD_HOST}:{port}", f"{SMS_HOST}:{port}", "evil.test:443", "example.com:443"]

    said = town.intrude(zone, "tunnel", socket=socket, targets=[*targets, f"127.0.0.1:{port}"])

    assert said[:-1] == ["HTTP/1.1 403 host_not_listed"] * len(targets)
    assert said[-1] == "HTTP/1.1 400 host_invalid"
    assert town.intrude("dmz", "tunnel", socket=socket, targets=targets[:1]) == ["EACCES"]


def test_the_relay_s_denials_are_written_down(town: Town) -> None:
    """So that somebody hears of an application that tries."""
    journal = town.stack.layout.zone("egress") / "journal" / "denied.jsonl"
    host = "exfiltration-of-today.test"

    assert town.intrude("web", "send_out", requests=[inquiry(town, host=host)]) == [
        "host_not_listed"
    ]

    _until(lambda: journal.exists() and host in journal.read_text())
    assert "nobody-knows-this" not in journal.read_text(), "and no path, which may hold anything"


@pytest.mark.parametrize("zone", ["web", "work", "dmz", "vault"])
def test_a_company_that_is_dialled_directly_lets_nobody_in(town: Town, zone: str) -> None:
    """Loopback TCP can be dialled here (said in docs/security-promise.md); no zone but the egress
    has anything to show there, and nothing else of ours listens."""
    port = town.stack.layout.ports.api
    request = {"host": CARD_HOST, "port": port, "path": "/v1/payments/nobody-knows-this"}

    wallet = request | WALLET
    requests = [request, request | {"bearer": "guessed"}, wallet, wallet | {"bearer": "guessed"}]
    said = town.intrude(zone, "dial", requests=requests)

    assert [line.split()[1] for line in said] == ["401"] * 4
    control = town.intrude("web", "send_out", requests=[inquiry(town)])
    assert control[0].startswith("404 "), "the control: with the relay's credential he answers"


def test_a_credential_never_comes_back_in_an_answer(town: Town) -> None:
    """The owner of web asks for things whose answers could hold what the relay filled in."""
    text = (town.stack.layout.zone("egress") / "credentials.json").read_text()
    requests = [
        inquiry(town, path="/v1/payments/%22"),
        inquiry(town, method="POST", path="/v1/sessions", body_kind="json", body="{}"),
        inquiry(town),
        inquiry(town, **WALLET, headers={}, signer="opa"),
        inquiry(
            town, host=WALLET["host"], method="POST", path="/v2/codes", body_kind="json",
            body='{"storeId":"x"}', headers={}, signer="opa",
        ),
    ]  # fmt: skip

    said = "".join(town.intrude("web", "send_out", requests=requests))

    assert "not_found" in said, "the control: the company was asked"
    assert "DYNAMIC_QR_PAYMENT_NOT_FOUND" in said, "the control: it took the relay's signature"
    credentials = list(json.loads(text).values())
    assert len(credentials) == 12
    assert not [one for one in credentials if one in said]


def _until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
