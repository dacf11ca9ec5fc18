"""What adapters ask of a payment is what the vault takes for a question about just that payment."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.methods.registry import BY_NUMBER, BY_REDIRECT
from portal.application.providers.exchange import Endpoint
from portal.application.providers.gmopg.kept import keep
from portal.contract.finding import finding_of
from portal.domain.payment_word.readers import COUNTERS, READERS, reader_of
from portal.domain.payment_word.word import PaymentFinding, PaymentKnown
from portal.domain.reference import ORDER_ID, reference_for
from portal.domain.refund_word.word import Asked, Said
from portal.kit.outbound.wire import OutboundRequest
from tests.make.gmopg import errors, recorded

HERE = Endpoint("company.test", 443, ("tshop00012345", "page01", "tsite00012345"))
REFERENCE, OTHER = [reference_for(ORDER_ID, UUID(int=(0x19B0 << 112) | n)) for n in (1, 2)]
AT = datetime(2026, 11, 28, tzinfo=UTC)
NAMES = ("", "cs_1", "pi_1", "p-1", "keep-20261128080000")
NOTHING = Said(500, b"")


def known(reference: str = REFERENCE, name: str = "", *, is_paid: bool = False) -> PaymentKnown:
    return PaymentKnown(reference=reference, provider_ref=name, amount_minor=8420, is_paid=is_paid)


def asked_of(request: OutboundRequest) -> Asked:
    names = frozenset(name.lower() for name in request.headers)
    return Asked(request.method, request.path, names, request.body)


def question(method: str, provider: str, name: str) -> Asked:
    """What the company's adapter asks about REFERENCE."""
    if method == "number":
        return asked_of(BY_NUMBER[provider].inquire(HERE, REFERENCE).request)
    return asked_of(BY_REDIRECT[method][provider].inquire(HERE, REFERENCE, name).request)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("method", "provider"),
    [
        *(("number", provider) for provider in COUNTERS),
        *((method, provider) for method, by in BY_REDIRECT.items() for provider in by),
    ],
)
def test_an_adapters_question_is_the_right_one_and_no_others_is(
    method: str, provider: str, name: str
) -> None:
    reader = reader_of(method, provider)
    assert reader is not None
    asked = question(method, provider, name)

    assert reader.read(asked, NOTHING, known(name=name), AT) is not None
    wrong = (
        Asked("PUT", asked.path, asked.headers, asked.body),
        Asked(asked.method, f"{asked.path}x", asked.headers, asked.body),
        Asked(asked.method, asked.path, asked.headers | {"x-other-account"}, asked.body),
        Asked(asked.method, asked.path, asked.headers, f"{asked.body}&OrderID={OTHER}"),
    )
    assert [reader.read(one, NOTHING, known(name=name), AT) for one in wrong] == [None] * 4
    if not name.startswith(("cs_", "pi_")) or provider != "stripe":  # asked for by Stripe's name
        assert reader.read(asked, NOTHING, known(OTHER, name), AT) is None


def test_by_another_name_than_the_one_we_have_nothing_is_asked_at_stripe() -> None:
    reader = READERS["stripe"]
    for asked_by, name in (("", "cs_1"), ("cs_2", "cs_1"), ("cs_1", ""), ("pi_2", "pi_1")):
        asked = question("card", "stripe", asked_by)
        assert reader.read(asked, NOTHING, known(name=name), AT) is None


@pytest.mark.parametrize("provider", ["gmopg", "smbc_gp"])
def test_the_second_call_alone_says_that_a_card_is_kept(provider: str) -> None:
    first = keep(provider, HERE, REFERENCE, finding_of(PaymentFinding(state="succeeded")))
    assert first.then is not None
    second = first.then(recorded("SaveMember"))
    assert second is not None
    reader, ok = READERS[provider], Said(200, recorded("TradedCard").body)
    asked = asked_of(second.request)
    own = Asked(asked.method, asked.path, asked.headers, asked.body.replace("%7B%7B", OTHER))

    def token(asked: Asked, said: Said, *, is_paid: bool = True) -> tuple[str, str] | None:
        found = reader.read(asked, said, known(is_paid=is_paid), AT)
        return None if found is None else (found.state, found.saved_token)

    assert token(asked, ok) == ("succeeded", "kept")
    assert token(asked, ok, is_paid=False) == ("unclear", "")
    assert token(asked, Said(200, errors("E01240002").body)) == ("unclear", "")
    assert token(asked_of(first.request), ok) is None
    assert token(own, ok) is None


@given(st.binary(max_size=200), st.sampled_from([200, 404, 500]), st.sampled_from(NAMES))
def test_whatever_comes_is_read_and_nothing_of_it_is_a_payment(
    body: bytes, status: int, name: str
) -> None:
    for method, provider in [("number", "gmopg"), *(("card", one) for one in BY_REDIRECT["card"])]:
        reader = reader_of(method, provider)
        assert reader is not None
        found = reader.read(question(method, provider, name), Said(status, body), known(), AT)
        assert found is None or found.state != "succeeded"
        assert found is None or msgspec.to_builtins(finding_of(found))
