"""Data zone, stage "payment": what the relay says of payments: what a company answered.

Who speaks to a company is the relay, and nobody else. So it puts an answer about an attempt here as
it was heard, with what was asked; whoever had it asked, web or worker, is not believed.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    DepositPaymentAnswer,
    PaymentAnswerDeposited,
)
from portal.domain.errors import InvalidInput, NotFound
from portal.domain.payment_word.readers import reader_of
from portal.domain.refund_word.word import Asked, Said
from portal.vault.act import Act
from portal.vault.attempt import lock_whole
from portal.vault.payer import enter_merchant
from portal.vault.payment_word import book_word, fit_finding, is_overtaken, known_of
from portal.vault.registry import operation

ASKING_MAX: Final = timedelta(minutes=10)
"""Longer than any request lasts: an answer is no older than that."""


@operation(
    DEPOSIT_PAYMENT_ANSWER,
    callers=frozenset({"egress"}),
    kinds=frozenset({"caller"}),
    audit="effect",
)
async def deposit_payment_answer(act: Act, request: DepositPaymentAnswer) -> PaymentAnswerDeposited:
    """Take a company's answer about an attempt, as the relay heard it, and do what it means.

    The only way out of not knowing. Who had it asked can neither word an answer nor keep one for
    later: it is read here, held to the attempt and to what was asked, and weighed by when the
    asking began. The same one again says nothing new.

    A success that comes late, twice or for a canceled bill is booked and opens a case; a success
    over another amount than ours is not booked and opens one. A payer who contests a payment takes
    its money back, as far as the company says so, and opens one.

    Refused: ``delivery_unknown``, ``host_wrong``, which are incidents; ``word_unreadable`` for an
    answer that tells nothing, or to another question than the one about this attempt;
    ``word_overtaken`` for one that was asked before what its company said last.
    """
    attempt_id = UUID(str(request.attempt_id))
    try:
        await enter_merchant(act, request.merchant_code)
        bills, attempt = await lock_whole(act, attempt_id)
    except NotFound:
        return _refuse(act, "delivery_unknown", attempt_id)
    reader = reader_of(attempt.method, attempt.provider)
    if reader is None or act.settings.provider_host(attempt.provider) != request.host:
        return _refuse(act, "host_wrong", attempt_id)
    asked_at = act.now - min(timedelta(milliseconds=max(request.age_ms, 0)), ASKING_MAX)
    told = request.asked
    asked = Asked(told.method, told.path, frozenset(told.headers), told.body)
    said = Said(request.status, request.body)
    word = reader.read(asked, said, known_of(attempt), asked_at)
    if word is None or word.state == "unclear":
        return PaymentAnswerDeposited(refused="word_unreadable")
    if is_overtaken(attempt, word, asked_at):
        return PaymentAnswerDeposited(refused="word_overtaken")
    try:
        finding = fit_finding(word)
    except InvalidInput:
        return PaymentAnswerDeposited(refused="word_unreadable")
    await book_word(act, bills, attempt, word, finding, asked_at)
    return PaymentAnswerDeposited(refused=None)


def _refuse(act: Act, code: str, subject: UUID) -> PaymentAnswerDeposited:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return PaymentAnswerDeposited(refused=code)
