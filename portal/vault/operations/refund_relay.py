"""Data zone, stage "payment": what the relay says of refunds: that one may leave, and its answer.

Who speaks to a company is the relay, and nobody else. So it asks for leave before a refund leaves,
says what surely came to nothing, and puts a company's answer here as it was heard, with what was
asked. A worker only has it asked.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from portal.contract.company_word import CompanyAsked
from portal.contract.refund import (
    DEPOSIT_REFUND_ANSWER,
    REDEEM_REFUND,
    RETURN_REFUND,
    DepositRefundAnswer,
    RedeemRefund,
    RefundAnswerDeposited,
    RefundRedeemed,
    RefundReturned,
    ReturnRefund,
)
from portal.domain.refund import ASKED, ENDED
from portal.domain.refund_word.readers import READERS
from portal.domain.refund_word.word import Asked, RefundReader, Said
from portal.vault.act import Act
from portal.vault.attempt import LockedBill
from portal.vault.refund import Refund, lock_payment, lock_refund, store_refund
from portal.vault.refund_word import (
    Paid,
    book_answer,
    book_finding,
    is_overtaken,
    known_of,
    must_not_go,
    read_paid,
)
from portal.vault.registry import operation

ASKING_MAX: Final = timedelta(minutes=10)
"""Longer than any request lasts: an answer is no older than that."""

_KIND: Final = 2
"""Letters by which a company's names of a kind begin: ``pi``, ``cs``, ``p-``, ``a-``."""

_EGRESS: Final = frozenset({"egress"})
_CALLER: Final = frozenset({"caller"})
_CROSSING: Final = "select set_config('harai.crossing', $1, true)"
_WHOSE: Final = "select merchant_id from refund where id = $1"


@operation(REDEEM_REFUND, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def redeem_refund(act: Act, request: RedeemRefund) -> RefundRedeemed:
    """Let the relay send a refund to ``host``, once for a submission: from now on it left.

    What a worker says afterwards does not decide any more whether it left, nor what came of it; nor
    which payment it was of.

    Refused: ``delivery_unknown``, ``host_wrong``, ``delivery_redeemed``, ``refund_differs`` (the
    request says something else of it than we know), each an incident; ``not_due`` for one that is
    not being submitted any more, or is contested since.
    """
    found = await _enter(act, request.refund_id)
    if found is None:
        return RefundRedeemed(refused=_refuse(act, "delivery_unknown", request.refund_id))
    bill, refund = found
    if act.settings.provider_host(refund.provider) != request.host:
        return RefundRedeemed(refused=_refuse(act, "host_wrong", refund.id))
    is_contested = refund.left_at is None and await must_not_go(act, bill, refund)
    if refund.state != "submitting" or is_contested:
        return RefundRedeemed(refused="not_due")
    if refund.left_at is not None:
        return RefundRedeemed(refused=_refuse(act, "delivery_redeemed", refund.id))
    paid, name = await read_paid(act, refund), _payment_of(refund, request.asked)
    if not _is_told_right(request, refund, paid) or not _is_named_right(name, paid):
        return RefundRedeemed(refused=_refuse(act, "refund_differs", refund.id))
    # The company may have it from now on: what was not found before says nothing.
    left = replace(refund, left_at=act.now, doubt_at=act.now, missing_at=None)
    await store_refund(act, replace(left, payment_ref=name or ""))
    return RefundRedeemed(refused=None)


@operation(RETURN_REFUND, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def return_refund(act: Act, request: ReturnRefund) -> RefundReturned:
    """Hear from the relay that a refund which it may send surely moved nothing; twice is once.

    Refused: ``delivery_unknown``, ``host_wrong``, which are incidents; ``not_due`` for one that is
    not being submitted any more, of which only an inquiry tells.
    """
    found = await _enter(act, request.refund_id)
    if found is None:
        return RefundReturned(refused=_refuse(act, "delivery_unknown", request.refund_id))
    _, refund = found
    if act.settings.provider_host(refund.provider) != request.host:
        return RefundReturned(refused=_refuse(act, "host_wrong", refund.id))
    if refund.state != "submitting":
        return RefundReturned(refused="not_due")
    if refund.left_at is not None:
        await store_refund(act, replace(refund, left_at=None, payment_ref=""))
    return RefundReturned(refused=None)


@operation(DEPOSIT_REFUND_ANSWER, callers=_EGRESS, kinds=_CALLER, audit="effect")
async def deposit_refund_answer(act: Act, request: DepositRefundAnswer) -> RefundAnswerDeposited:
    """Take a company's answer about a refund, as the relay heard it, and do what it means.

    Who had it asked can neither word an answer nor keep one for later: it is read here, held to the
    refund and to what was asked, and weighed by when the asking began. The same one again says
    nothing new.

    Refused: ``delivery_unknown``, ``host_wrong``, which are incidents; ``not_due`` for one that
    never left; ``word_unreadable`` for an answer that tells nothing, or another question than the
    one about this refund; ``refund_waits`` for one that another refund of the payment has
    overtaken.
    """
    found = await _enter(act, request.refund_id)
    if found is None:
        return RefundAnswerDeposited(refused=_refuse(act, "delivery_unknown", request.refund_id))
    bill, refund = found
    reader = READERS.get(refund.provider)
    if reader is None or act.settings.provider_host(refund.provider) != request.host:
        return RefundAnswerDeposited(refused=_refuse(act, "host_wrong", refund.id))
    if refund.state not in ASKED | ENDED or refund.doubt_at is None:
        return RefundAnswerDeposited(refused="not_due")
    age = timedelta(milliseconds=max(request.age_ms, 0))
    asked_at = act.now - min(age, ASKING_MAX)
    await lock_payment(act, refund.attempt_id)
    take = _take_answer if request.is_submission else _take_finding
    return RefundAnswerDeposited(refused=await take(act, (bill, refund), reader, request, asked_at))


async def _take_answer(
    act: Act,
    locked: tuple[LockedBill, Refund],
    reader: RefundReader,
    request: DepositRefundAnswer,
    asked_at: datetime,
) -> str | None:
    """Book what came of giving it back, unless it says nothing; why it was not booked."""
    bill, refund = locked
    if refund.left_at is None:
        return "not_due"
    known = known_of(refund, await read_paid(act, refund))
    answer = reader.read_answer(Said(request.status, request.body), known)
    if answer.outcome == "unknown":
        return "word_unreadable"
    await book_answer(act, bill, refund, answer, asked_at)
    return None


async def _take_finding(
    act: Act,
    locked: tuple[LockedBill, Refund],
    reader: RefundReader,
    request: DepositRefundAnswer,
    asked_at: datetime,
) -> str | None:
    """Book what a question found, if it was the right one; why it was not booked."""
    bill, refund = locked
    known = known_of(refund, await read_paid(act, refund))
    if not reader.is_question(_to_asked(request.asked), known):
        return "word_unreadable"
    finding = reader.read_finding(Said(request.status, request.body), known)
    if finding.state == "unclear":
        return "word_unreadable"
    if await is_overtaken(act, refund, asked_at):
        return "refund_waits"
    await book_finding(act, bill, refund, finding, asked_at)
    return None


async def _enter(act: Act, refund_id: UUID) -> tuple[LockedBill, Refund] | None:
    """The refund and its bill, locked. Only this look-up crosses merchants; it reads ids alone."""
    await act.db.execute(_CROSSING, "redeem_refund")
    await act.db.execute("select set_config('harai.merchant', $1, true)", str(UUID(int=0)))
    merchant_id: UUID | None = await act.db.fetchval(_WHOSE, refund_id)
    await act.db.execute(_CROSSING, "")
    if merchant_id is None:
        return None
    await act.act_for(merchant_id)
    return await lock_refund(act, refund_id)


def _is_told_right(said: RedeemRefund, refund: Refund, paid: Paid) -> bool:
    """Whether what a request says of a refund is so; what its rule names no place for is not asked.

    Of the payment a company may know our reference or its own name, which some adapters keep behind
    a mark of its kind (``p-…``).
    """
    marked = paid.provider_ref.partition("-")[2]
    pairs = (
        (said.reference, {refund.reference}),
        (said.payment, {paid.reference, paid.provider_ref, marked} - {""}),
        (said.amount_minor, {refund.amount_minor}),
        (said.remaining_minor, {paid.remaining_minor}),
    )
    return all(word is None or word in known for word, known in pairs)


def _is_named_right(name: str | None, paid: Paid) -> bool:
    """Whether a request names the payment that we know, whatever places its rule has.

    A company may have several kinds of names for one, told apart by how they begin; of another kind
    than ours nothing can be said. One that names none where its company needs a name says which it
    is in a way that we can't read.
    """
    if not name:
        return name is None
    kind = paid.provider_ref[:_KIND]
    return not name.startswith(kind) or name == paid.provider_ref or not kind


def _payment_of(refund: Refund, asked: CompanyAsked | None) -> str | None:
    """Of which payment a refund is asked for, by its company's name, as the request says it.

    None where it is not to be said, or a relay of an older release does not tell the request.
    """
    reader = READERS.get(refund.provider)
    return None if reader is None or asked is None else reader.name_payment(_to_asked(asked))


def _to_asked(asked: CompanyAsked) -> Asked:
    return Asked(asked.method, asked.path, frozenset(asked.headers), asked.body)


def _refuse(act: Act, code: str, subject: UUID) -> str:
    act.note_incident("delivery_host" if code == "host_wrong" else code, subject)
    return code
