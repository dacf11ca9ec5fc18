"""A company's word of a payment (portal.domain.payment_word) as the data API tells it."""

from portal.contract.number import StoreNumber
from portal.contract.payment import DisputeFound, Finding
from portal.domain.payment_word.word import DisputeWord, PaymentFinding, PayNumbers


def finding_of(word: PaymentFinding) -> Finding:
    """The same, as a finding."""
    return Finding(
        state=word.state,
        amount_minor=word.amount_minor,
        provider_ref=word.provider_ref,
        decline_code=word.decline_code,
        approval_no=word.approval_no,
        instrument_hint=word.instrument_hint,
        authentication=word.authentication,
        saved_token=word.saved_token,
        saved_customer=word.saved_customer,
        saved_brand=word.saved_brand,
        number=store_number_of(word.numbers),
        dispute=None if word.dispute is None else dispute_of(word.dispute),
    )


def store_number_of(numbers: PayNumbers | None) -> StoreNumber | None:
    """By what is paid at a store, where anybody can."""
    if numbers is None:
        return None
    return StoreNumber(
        store=numbers.store,
        receipt_no=numbers.receipt_no,
        confirmation_no=numbers.confirmation_no,
        pay_by=numbers.pay_by,
    )


def dispute_of(word: DisputeWord) -> DisputeFound:
    """How a payment is contested."""
    return DisputeFound(
        reference=word.reference,
        state=word.state,
        amount_minor=word.amount_minor,
        taken_minor=word.taken_minor,
        reason=word.reason,
        respond_by=word.respond_by,
    )
