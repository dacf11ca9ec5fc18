"""Data zone: a transfer that the bank sent back, as an owner records it.

There is no file that says so: the bank tells by telephone, by letter or by the account's list.
"""

from dataclasses import replace
from typing import Final

import msgspec

from portal.contract.refund import RefundChanged
from portal.contract.transfer import RECORD_RETURN, RecordReturn
from portal.domain import refund as rules
from portal.domain.errors import InvalidInput
from portal.domain.refund import NOTE_CHARACTERS_MAX
from portal.vault.act import Act
from portal.vault.refund import (
    lock_refund,
    merchant_today,
    open_refund_case,
    step,
    store_refund,
    was_canceled_in_part,
)
from portal.vault.refund_account import forget_account
from portal.vault.refund_view import view_refund
from portal.vault.registry import operation
from portal.vault.texts import read_note
from portal.vault.transfer_lines import take_back_line

_EARLY: Final = {"field": "returnedOn"}


@operation(
    RECORD_RETURN,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff"}),
    roles=frozenset({"owner"}),
    reveals=("note of staff",),
    audit="effect",
)
async def record_return(act: Act, request: RecordReturn) -> RefundChanged:
    """Record that a transfer came back: the money is set aside again, to be transferred anew.

    Whether it went by a file or by the merchant's own means is no matter. The account is forgotten:
    another one has to be given. Each transfer comes back once, since each is a cause of its own in
    the books; the next transfer of the refund can come back as well.

    Raises: InvalidInput ``transfer_day``, ``return_reason`` (param ``field``), or what is wrong
    with the reason; Conflict ``refund_state``, ``idempotency_mismatch``; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode([request.refund_id, request.returned_on, request.reason])
    known = await act.once("record_return", request.idempotency_key, arguments)
    if known is not None:
        return RefundChanged(refund=await view_refund(act, request.refund_id))
    reason = read_note(request.reason, field="reason", characters_max=NOTE_CHARACTERS_MAX)
    if not reason:
        raise InvalidInput("return_reason", params={"field": "reason"})
    rules.check_transfer_day(request.returned_on, await merchant_today(act), "returnedOn")
    bill, refund = await lock_refund(act, request.refund_id)
    edge = rules.advance(refund.state, "send_back")
    if refund.transferred_on is not None and request.returned_on < refund.transferred_on:
        raise InvalidInput("transfer_day", params=_EARLY)
    if await was_canceled_in_part(act, refund):
        # What had gone back of it was not owed any more when the bill was canceled; now it is.
        refund = replace(refund, owed_minor=refund.amount_minor)
    back = await step(act, bill, refund, edge)
    await take_back_line(act, refund.transfer_id)
    await forget_account(act, refund)
    words = msgspec.structs.replace(
        back.words, transfer=f"{request.returned_on.isoformat()} {reason}"
    )
    stored = await store_refund(
        act,
        replace(
            back, transfer_id=None, transferred_on=None, returned_at=act.business,
            decided_by=act.actor, decided_at=act.business, words=words,
        ),
    )  # fmt: skip
    await open_refund_case(act, stored, "refund_returned")
    await act.answer_once("record_return", request.idempotency_key, refund.id.bytes)
    return RefundChanged(refund=await view_refund(act, refund.id))
