"""Answers that the vault has from the relay itself: nobody else's word of them counts there.

Zone: egress. Of a bank's word about a mandate the caller learns the status alone. Of a company's
answer about a refund or a payment it learns all; the vault reads the same bytes, with what was
asked, and believes no retelling. Of a payment by a card on file the order that was registered and
the page that its payer is led to go to the vault, and the caller has neither from here.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final
from uuid import UUID

import msgspec

from portal.contract.card_on_file import DEPOSIT_CARD_STEP, DepositCardStep
from portal.contract.company_word import (
    DEPOSIT_PAYMENT_ANSWER,
    CompanyAsked,
    DepositPaymentAnswer,
)
from portal.contract.refund import DEPOSIT_REFUND_ANSWER, DepositRefundAnswer
from portal.domain.errors import PortalError
from portal.domain.ids import AttemptId, RefundId
from portal.egress.card_payment import CardPayment
from portal.egress.deliver import BankAnswer, Vault, code_of, deposit_word
from portal.egress.job import Job, is_nothing
from portal.egress.orders import read_order
from portal.egress.template import ORDER, ORDER_PASS
from portal.kit.crashpoint import crash_point
from portal.kit.log import get_logger
from portal.kit.outbound.wire import OutboundAnswer, OutboundRequest

ANSWER_BYTES_MAX: Final = 1024 * 1024
ASKED_CHARACTERS_MAX: Final = 16 * 1024
"""More than any question about money has; what is longer is told to nobody and sends none."""

_WORDS: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND})
"""Statuses of a bank's answer about a mandate that say something."""

_log = get_logger()


@contextmanager
def timed(job: Job) -> Generator[None]:
    """How long the request is under way: an answer is as old as its question."""
    began = asyncio.get_running_loop().time()
    try:
        yield
    finally:
        job.age_ms = int((asyncio.get_running_loop().time() - began) * 1000)


async def deposit_mandate(vault: Vault, job: Job, answer: OutboundAnswer) -> OutboundAnswer:
    """What the caller learns of an answer that is the vault's: its status alone.

    One that the vault did not take is ``unclear``, as if it had not come.
    """
    told = msgspec.structs.replace(answer, headers={}, body=b"")
    deposit_id = job.request.deposit_id
    if answer.fate != "answered" or answer.status not in _WORDS or deposit_id is None:
        return told
    word = BankAnswer(
        status=answer.status,
        asked_for=job.request.path.rpartition("/")[2],
        body=answer.body if answer.status == HTTPStatus.OK else b"",
    )
    code = await deposit_word(vault, job.host, deposit_id, word)
    return msgspec.structs.replace(told, fate="unclear", code=code) if code else told


async def deposit_answer(vault: Vault, job: Job) -> OutboundAnswer | None:
    """Put an answer about money into the vault, if it is one; what the caller learns of it."""
    await _deposit_refund(vault, job)
    return None if job.answer is None else await _deposit_payment(vault, job, job.answer)


async def _deposit_refund(vault: Vault, job: Job) -> None:
    """Put a company's answer about a refund into the vault; unheard, it will be asked for again.

    What came to nothing is no answer (``return_refund`` tells of it).
    """
    answer, refund_id = job.answer, job.refund_id
    if answer is None or refund_id is None or answer.fate != "answered" or job.came_to_nothing:
        return
    asked = asked_of(job.request)
    if asked is None or len(answer.body) > ANSWER_BYTES_MAX:
        _log.warning("refund_answer.too_long")
        return
    deposited = DepositRefundAnswer(
        host=job.host,
        refund_id=RefundId(refund_id),
        is_submission=job.is_agreed,
        asked=asked,
        status=answer.status,
        body=answer.body,
        age_ms=job.age_ms,
    )
    try:
        reply = await vault.call(DEPOSIT_REFUND_ANSWER, deposited)
    except PortalError as error:
        _log.warning("refund_answer.not_deposited", code=error.code, reason=code_of(error))
        return
    if reply.refused is not None:
        _log.info("refund_answer.not_taken", reason=reply.refused)


async def deposit_card(
    vault: Vault, job: Job, answer: OutboundAnswer, rule: CardPayment
) -> OutboundAnswer:
    """Put the order that a company registered, or the page for the payer's bank, into the vault.

    Or that nothing came of naming the card. What the vault did not take, and a page at a host that
    the rule does not list, is ``unclear``, as if the answer had not come: nobody is led there, and
    an inquiry tells how the payment stands.
    """
    part = "" if job.template is None else job.template.part
    attempt_id = AttemptId(job.request.delivery_id or UUID(int=0))
    step = DepositCardStep(host=job.host, attempt_id=attempt_id)
    if part == "charge" and is_nothing(answer):
        await _deposit_step(vault, msgspec.structs.replace(step, is_nothing=True))
        return answer
    order = read_order(answer) if part == "order" else {}
    job.values |= order
    page = rule.page_in(answer) if part == "charge" else ""
    if not order and not page:
        return answer
    if page and not rule.may_lead(page, is_sandbox=job.rule is not None and job.rule.sandbox):
        _log.warning("card_page.not_listed", host=job.host)
        return OutboundAnswer(fate="unclear", status=answer.status, code="page_not_listed")
    names = {"order": order.get(ORDER, ""), "order_pass": order.get(ORDER_PASS, "")}
    code = await _deposit_step(vault, msgspec.structs.replace(step, **names, page=page))
    return OutboundAnswer(fate="unclear", status=answer.status, code=code) if code else answer


async def _deposit_step(vault: Vault, step: DepositCardStep) -> str:
    """Empty when it is there, else a code."""
    try:
        reply = await vault.call(DEPOSIT_CARD_STEP, step)
    except PortalError as error:
        code = code_of(error)
        _log.warning("card_step.not_deposited", code=error.code, reason=code)
        return "deposit_refused" if code == "delivery_refused" else code
    return "" if reply.refused is None else "deposit_refused"


async def _deposit_payment(vault: Vault, job: Job, answer: OutboundAnswer) -> OutboundAnswer:
    """Put a company's answer about a payment into the vault; what the caller learns of it.

    Unheard there it will be asked for again, so it is not said to be there.
    """
    attempt_id = job.request.about_attempt
    if attempt_id is None or answer.fate != "answered":
        return answer
    asked = asked_of(job.request)
    if asked is None or len(answer.body) > ANSWER_BYTES_MAX:
        _log.warning("payment_answer.too_long")
        return answer
    deposited = DepositPaymentAnswer(
        host=job.host,
        merchant_code=job.request.about_merchant,
        attempt_id=AttemptId(attempt_id),
        asked=asked,
        status=answer.status,
        body=answer.body,
        age_ms=job.age_ms,
    )
    try:
        reply = await vault.call(DEPOSIT_PAYMENT_ANSWER, deposited)
    except PortalError as error:
        _log.warning("payment_answer.not_deposited", code=error.code, reason=code_of(error))
        return answer
    if reply.refused is not None:
        _log.info("payment_answer.not_taken", reason=reply.refused)
        return answer
    crash_point("egress.after_deposit")
    return msgspec.structs.replace(answer, is_deposited=True)


def asked_of(request: OutboundRequest) -> CompanyAsked | None:
    """A request as the vault hears of it; None for one longer than any."""
    if len(request.path) + len(request.body) > ASKED_CHARACTERS_MAX:
        return None
    return CompanyAsked(
        method=request.method,
        path=request.path,
        headers=tuple(sorted(name.lower() for name in request.headers)),
        body=request.body,
    )
