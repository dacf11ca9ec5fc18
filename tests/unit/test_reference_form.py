import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import InvariantBroken
from portal.domain.reference import ORDER_ID, form_of, reference_for

ids = st.uuids()


@given(attempt=ids)
def test_an_order_id_has_the_form_of_the_provider(attempt: UUID) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]{1,27}", reference_for(ORDER_ID, attempt))


@given(one=ids, other=ids)
def test_two_attempts_never_share_a_reference(one: UUID, other: UUID) -> None:
    same = reference_for(ORDER_ID, one) == reference_for(ORDER_ID, other)

    assert same == (one == other)


def test_the_ends_of_the_range_keep_their_length() -> None:
    lowest = reference_for(ORDER_ID, UUID(int=0))
    highest = reference_for(ORDER_ID, UUID(int=2**128 - 1))

    assert (lowest, len(highest)) == ("0" * 26, 26)
    assert highest == "7" + "Z" * 25


def test_a_reference_holds_no_letter_that_is_misheard() -> None:
    assert not set("ILOU") & set(ORDER_ID.alphabet)


def test_a_form_too_short_for_an_id_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="reference_form"):
        reference_for(replace(ORDER_ID, length_max=25), UUID(int=1))


def test_digits_alone_need_a_longer_field() -> None:
    digits = replace(ORDER_ID, alphabet="0123456789", length_max=43)

    assert reference_for(digits, UUID(int=42)).endswith("42")


def test_no_attempt_is_made_at_a_provider_without_a_form() -> None:
    assert form_of("sandbox_card") is ORDER_ID
    with pytest.raises(InvariantBroken, match="reference_form"):
        form_of("nobody")
