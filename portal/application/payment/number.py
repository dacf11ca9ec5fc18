"""Paying by a number at a store: what a company is asked for, and what the vault is told of it.

Application zone; pure. Nobody here knows who pays: the relay tells the company, as the vault lets
it.
"""

from typing import TYPE_CHECKING, cast

import msgspec

from portal.application.providers.exchange import (
    NumberAnswer,
    NumberFinding,
    NumberWanted,
)
from portal.contract.finding import store_number_of
from portal.contract.number import NumberTerms
from portal.contract.payment import AttemptStarted, Finding, RecordSubmission
from portal.domain.money import Money

if TYPE_CHECKING:
    from portal.domain.konbini import Store


def wanted_of(started: AttemptStarted, terms: NumberTerms) -> NumberWanted:
    """The number of a fresh attempt, as its company is to make it."""
    return NumberWanted(
        reference=started.reference,
        amount=Money(started.amount_minor),
        store=cast("Store", terms.store),  # the vault took it for one of portal.domain.konbini
        days=terms.days,
        attempt_id=started.attempt_id,
        contact_name=terms.contact_name,
        contact_phone=terms.contact_phone,
        contact_hours=terms.contact_hours,
    )


def submission_of(started: AttemptStarted, answer: NumberAnswer) -> RecordSubmission:
    """What the vault is to be told of the company's answer."""
    return RecordSubmission(
        attempt_id=started.attempt_id,
        outcome=answer.outcome,
        redirect_url="",
        provider_ref="",
        code=answer.code,
        number=store_number_of(answer.numbers),
    )


def finding_of(found: NumberFinding) -> Finding:
    """What an inquiry found, with the number where it can still be paid by."""
    return msgspec.structs.replace(found.payment, number=store_number_of(found.numbers))
