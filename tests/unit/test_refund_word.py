"""Questions about refunds as the vault knows them, and of which payment a refund was asked for."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from portal.application.methods.registry import REFUNDS
from portal.application.providers.exchange import Endpoint, RefundWanted
from portal.application.providers.refund_answers import known_of
from portal.domain.money import Money
from portal.domain.refund_word.readers import READERS
from portal.domain.refund_word.word import Asked, Said
from portal.egress.deposit import asked_of
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest
from tests.make.gmopg import paid

REFERENCE = "01JD0000000000000000000001"
OTHER = "01JD0000000000000000000009"
NAMES = {"stripe": "pi_1", "paypay": "p-03590000000000001234", "sandbox_wallet": "p-1"}
HOST = Endpoint("company.test", 443, ("tshop00012345", "page01"))


def wanted_at(provider: str) -> RefundWanted:
    return RefundWanted(
        refund_id=UUID(int=9), reference=REFERENCE, provider_ref=NAMES.get(provider, ""),
        refund_reference="01JD0000000000000000000002", amount=Money(3000),
        remaining=Money(5420), account="mizu",
    )  # fmt: skip


def told(request: OutboundRequest) -> Asked:
    """As the relay tells it to the vault."""
    asked = asked_of(request)
    assert asked is not None
    return Asked(asked.method, asked.path, frozenset(asked.headers), asked.body)


def otherwise(asked: Asked) -> Iterator[Asked]:
    """The same question, a little different: each could be answered by something else."""
    yield replace(asked, method="HEAD")
    yield replace(asked, path=f"{asked.path}/")
    yield replace(asked, path=f"{asked.path}&x=1")
    yield replace(asked, path=asked.path.replace("/refunds", "/refunds/x/.."))
    yield replace(asked, path=asked.path.replace("SearchTrade", "SearchTradeMulti"))
    yield replace(asked, body=f"{asked.body}&OrderID={OTHER}")
    yield replace(asked, body=asked.body.replace("{{", "{{{"))
    yield replace(asked, headers=asked.headers | {"stripe-account"})
    yield replace(asked, headers=asked.headers | {"x-assume-merchant"})


DECIDING = {"gmopg": "body", "smbc_gp": "body", "paypay": "headers", "stripe": "headers"}
"""What of a request decides beside method and path: a company that is asked by a form, or lets a
header say whose refunds they are. The sandbox's card company knows nothing like it."""


def test_each_company_that_gives_back_is_read_by_the_vault() -> None:
    assert set(READERS) == set(REFUNDS)


@pytest.mark.parametrize("provider", sorted(REFUNDS))
def test_a_question_is_about_this_refund_or_it_is_none(provider: str) -> None:
    adapter, reader, wanted = REFUNDS[provider], READERS[provider], wanted_at(provider)
    request = adapter.inquire_refund(HOST, wanted).request
    asked, known = told(request), known_of(wanted)
    if provider != "stripe":
        others = [
            replace(known, reference=OTHER, payment=OTHER),
            replace(known, payment_name="p-2", payment=OTHER, reference=OTHER),
        ]
    else:
        others = [replace(known, payment_name="pi_2"), replace(known, payment_name="")]

    assert request.about_refund == wanted.refund_id
    assert reader.is_question(asked, known)
    assert not [other for other in others if reader.is_question(asked, other)]
    for one in otherwise(asked):
        deciding = ("method", "path", DECIDING.get(provider.replace("sandbox_wallet", "paypay")))
        is_same = all(getattr(one, of) == getattr(asked, of) for of in deciding if of)
        assert reader.is_question(one, known) == is_same, one


@pytest.mark.parametrize(
    ("provider", "name"), [("stripe", "pi_1"), ("paypay", NAMES["paypay"]), ("sandbox_card", None)]
)
def test_of_which_payment_a_refund_is_asked_for_is_read_from_its_request(
    provider: str, name: str | None
) -> None:
    request = REFUNDS[provider].refund(HOST, wanted_at(provider)).request

    assert READERS[provider].name_payment(told(request)) == name
    unreadable = READERS[provider].name_payment(Asked("POST", "/", frozenset(), "{]&="))
    assert unreadable == (name and "")


def test_an_order_that_is_altered_is_the_one_that_is_asked_about() -> None:
    reader, wanted = READERS["gmopg"], wanted_at("gmopg")
    found = paid(REFERENCE)
    following = REFUNDS["gmopg"].refund(HOST, wanted).then
    assert following is not None
    altering = following(found)
    assert altering is not None
    name = reader.name_payment(told(altering.request))
    known = replace(known_of(wanted), payment_name=name)

    assert name is not None
    assert name.startswith("a-")
    assert reader.read_finding(said(found), known).state == "not_found"
    assert reader.read_finding(said(paid(REFERENCE, 5420)), known).state == "succeeded"
    elsewhere = replace(known, payment_name="a-" + "0" * 32)
    assert reader.read_finding(said(found), elsewhere).state == "unclear"


def said(answer: OutboundAnswer) -> Said:
    return Said(answer.status, answer.body)
