"""A query that a rule lists, parameter by parameter: what is sent is just that, or nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal.egress.query import Parameter, is_as_ruled
from portal.egress.rules import RulesRefused, sign_rules
from portal.kit.outbound import OutboundAnswer
from tests.make.opa import SIGNER, is_signed
from tests.make.relay import Relay, rule, running_relay

PAYMENT = "04000000000000004711"
OF_THE_PAYMENT = {"name": "paymentId", "shape": "digits", "length_min": 16, "length_max": 64}
AND_STORE = {"name": "store", "shape": "token", "length_min": 1, "length_max": 8}
ASKING: dict[str, Any] = {
    "methods": ("GET",),
    "path_prefixes": ("/v2/refunds",),
    "credentials": (),
    "signer": SIGNER,
    "query": (OF_THE_PAYMENT,),
}
TWO = (Parameter(**OF_THE_PAYMENT), Parameter(**AND_STORE))  # type: ignore[arg-type]
LISTED = re.compile(r"paymentId=[0-9]{16,64}&store=[A-Za-z0-9_-]{1,8}", re.ASCII)


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    acting = ASKING | {"id": "acting", "methods": ("POST",), "query": ()}
    async with running_relay(tmp_path, rules=[rule(0, **ASKING), rule(0, **acting)]) as running:
        yield running


async def ask(relay: Relay, path: str, **changes: object) -> OutboundAnswer:
    wanted: dict[str, object] = {
        "method": "GET", "path": path, "headers": {}, "body": "", "body_kind": "none",
        "signer": "opa",
    }  # fmt: skip
    return await relay.send(**(wanted | changes))


async def test_the_listed_query_arrives_as_it_was_asked_and_the_signature_is_the_paths(
    relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = await ask(relay, f"/v2/refunds/R-1?paymentId={PAYMENT}")
    acted = await ask(relay, "/v2/refunds", method="POST", body='{"a":1}', body_kind="json")

    assert (answered.fate, acted.fate) == ("answered", "answered")
    asked, done = relay.provider.seen
    assert asked.line == f"GET /v2/refunds/R-1?paymentId={PAYMENT} HTTP/1.1"
    assert (is_signed(asked), is_signed(done)) == (True, True)
    assert PAYMENT not in "".join(capsys.readouterr())


async def test_a_rule_that_lists_a_query_lets_nothing_out_without_it(relay: Relay) -> None:
    bare = await ask(relay, "/v2/refunds/R-1")
    bodied = await ask(
        relay, f"/v2/refunds/R-1?paymentId={PAYMENT}", body='{"a":1}', body_kind="json"
    )
    elsewhere = await ask(
        relay, f"/v2/refunds?paymentId={PAYMENT}", method="POST", body="{}", body_kind="json"
    )

    assert [one.code for one in (bare, bodied, elsewhere)] == [
        "query_not_as_ruled", "body_invalid", "path_not_allowed"
    ]  # fmt: skip
    assert relay.provider.seen == []
    assert PAYMENT not in relay.settings.journal_file.read_text()


@given(
    st.from_regex(r"[0-9]{15,65}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-]{0,9}", fullmatch=True),
    st.text(alphabet="paymentIdsor=&0123456789%;+?#/.-_ \n\x00\u0660", max_size=6),
    st.integers(0, 90),
)
def test_exactly_the_listed_parameters_pass(
    payment: str, store: str, slipped_in: str, at: int
) -> None:
    good = f"paymentId={payment}&store={store}"
    spoilt = good[:at] + slipped_in + good[at:]

    for query in (good, spoilt, slipped_in, f"store={store}&paymentId={payment}"):
        assert is_as_ruled(query, TWO) == (LISTED.fullmatch(query) is not None)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"methods": ("POST",)}, "only a GET that says nothing else"),
        ({"methods": ("GET", "DELETE")}, "only a GET that says nothing else"),
        ({"fields": ("a",)}, "only a GET that says nothing else"),
        ({"query": (OF_THE_PAYMENT | {"length_min": 15},)}, "room for a telephone number"),
        ({"query": (OF_THE_PAYMENT | {"length_max": 65},)}, "no sound bounds"),
        ({"query": (AND_STORE | {"length_min": 0},)}, "no sound bounds"),
        ({"query": (AND_STORE | {"length_min": 9},)}, "no sound bounds"),
        ({"query": (AND_STORE | {"name": "a=b"},)}, "is no name"),
        ({"query": (AND_STORE | {"name": ""},)}, "is no name"),
        ({"query": (AND_STORE | {"name": "a%20"},)}, "is no name"),
        ({"query": (AND_STORE, AND_STORE | {"name": "STORE"})}, "one name twice"),
        ({"query": (AND_STORE | {"shape": "anything"},)}, "Invalid enum value"),
        (
            {"query": tuple(AND_STORE | {"name": f"p{n}"} for n in range(9))},
            "more than 8 parameters",
        ),
        ({"mode": "tunnel", "methods": (), "path_prefixes": (), "signer": None}, "a tunnel"),
    ],
)
def test_a_query_with_room_for_more_than_it_names_is_not_even_signed(
    changes: dict[str, object], fault: str
) -> None:
    with pytest.raises(RulesRefused, match=fault):
        sign_rules(
            Ed25519PrivateKey.generate(), {"version": 1, "rules": (rule(443, **ASKING) | changes,)}
        )
