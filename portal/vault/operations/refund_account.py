"""Data zone: where a refund by bank transfer goes, as its payer or staff say it.

Both lock the refund's bill: an account is given before the refund is withdrawn, recorded or put
into a file, or not at all.
"""

from typing import Final
from uuid import UUID

import msgspec

from portal.contract.envelope import Done
from portal.contract.refund_account import (
    GIVE_PAYER_ACCOUNT,
    GIVE_REFUND_ACCOUNT,
    GivePayerAccount,
    GiveRefundAccount,
    RefundAccountGiven,
)
from portal.domain.errors import Conflict, InvariantBroken, LimitReached, NotAllowed
from portal.domain.refund_account import (
    CHANGES_MAX,
    check_open,
    is_open_for_account,
    read_account,
)
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.attempt import lock_bill
from portal.vault.messages import plan_account_message
from portal.vault.page_refund import count_wrong, is_proved, transfers_of, tries_left
from portal.vault.payer import bill_of
from portal.vault.refund import Refund, lock_refund
from portal.vault.refund_account import (
    GivenAccount,
    debited_account,
    give_account,
    known_account,
    known_accounts,
    view_account,
)
from portal.vault.registry import operation, standing_operation
from portal.vault.sealed import BillContact, open_contact
from portal.vault.standing import Standing

_WEB: Final = frozenset({"web"})
_REVEALS: Final = ("account (last 3)", "account holder (masked)")
_CONTACT: Final = "select sealed_version, contact from bill where merchant_id = $1 and id = $2"


@operation(
    GIVE_REFUND_ACCOUNT,
    callers=_WEB,
    kinds=frozenset({"staff"}),
    reveals=_REVEALS,
    audit="effect",
)
async def give_refund_account(act: Act, request: GiveRefundAccount) -> RefundAccountGiven:
    """Take down where a refund is transferred to, as its payer said by telephone or letter.

    The same key gives it once. It can be corrected until the refund is in a file or over.

    Raises: InvalidInput at a field (portal.domain.refund_account.read_account); Conflict
    ``refund_account_closed``, ``refund_account_unknown`` for "the debited account" of a payment
    that has none a transfer surely reaches, ``idempotency_mismatch``; NotFound ``not_found``.
    """
    arguments = msgspec.msgpack.encode(request)
    known = await act.once("give_refund_account", request.idempotency_key, arguments)
    bill, refund = await lock_refund(act, request.refund_id)
    if known is None:
        check_open(refund.state)
        if request.is_debited:
            debited = await debited_account(act, refund)
            if debited is None:
                raise Conflict("refund_account_unknown")
            await give_account(act, refund, debited.account, "mandate")
        else:
            account = read_account(
                banks(),
                bank_code=request.bank_code,
                branch_code=request.branch_code,
                kind=request.account_kind,
                number=request.account_number,
                holder=request.holder_name,
            )
            if await give_account(act, refund, account, "staff"):
                await plan_account_message(act, bill.id, await _contact(act, bill.id))
        await act.answer_once("give_refund_account", request.idempotency_key, bill.id.bytes)
    return RefundAccountGiven(account=await _seen(act, refund))


async def _seen(act: Act, refund: Refund) -> GivenAccount:
    known = await known_account(act, refund)
    if known is None:
        raise Conflict("refund_account_closed", params={"state": refund.state})
    act.reveal(1)
    return view_account(known)


@standing_operation(
    GIVE_PAYER_ACCOUNT, callers=_WEB, kinds=frozenset({"payer"}), audit="effect"
)  # fmt: skip
async def give_payer_account(standing: Standing, request: GivePayerAccount) -> Done:
    """Take the payer's account for all refunds of the link's bill that wait for their transfer.

    A link is no proof of who holds it: the page asks for what the payer knows and it does not show.
    A wrong answer is counted, and after five of them only staff take it down, until the count is
    forgotten (portal.domain.retention). Of an
    account that was given the payer is told at the contact that the merchant has.

    Raises: InvalidInput at a field (portal.domain.refund_account.read_account); Conflict
    ``refund_account_closed``; NotAllowed ``refund_proof_wrong`` (params ``field``, ``left``);
    LimitReached ``refund_proof_over``, ``refund_account_often``.
    """
    async with standing.begin() as act:
        left = await _give(act, request)
    if left is not None:
        raise NotAllowed("refund_proof_wrong", params={"field": "proof", "left": left})
    return Done()


async def _give(act: Act, request: GivePayerAccount) -> int | None:
    """Give it; or the answers that are left after a wrong one, which is counted."""
    account = read_account(
        banks(),
        bank_code=request.bank_code,
        branch_code=request.branch_code,
        kind=request.account_kind,
        number=request.account_number,
        holder=request.holder_name,
    )
    bill = await lock_bill(act, bill_of(act))
    refunds = [one for one in await transfers_of(act, bill.id) if is_open_for_account(one.state)]
    if not refunds:
        raise Conflict("refund_account_closed", params={"state": ""})
    if not await tries_left(act, bill.id):
        raise LimitReached("refund_proof_over", params={"field": "proof"})
    contact = await _contact(act, bill.id)
    if not is_proved(contact, request.proof):
        act.outcome = "refused"
        return await count_wrong(act, bill.id)
    known = await known_accounts(act, refunds)
    if any(one.changes >= CHANGES_MAX for one in known.values()):
        raise LimitReached("refund_account_often", params={"field": "proof"})
    given = [await give_account(act, refund, account, "payer") for refund in refunds]
    if any(given):
        await plan_account_message(act, bill.id, contact)
    return None


async def _contact(act: Act, bill_id: UUID) -> BillContact:
    """The contact of a locked bill."""
    row = await act.db.fetchrow(_CONTACT, act.merchant_id, bill_id)
    if row is None:
        raise InvariantBroken("bill_gone", context=f"bill {bill_id} is locked and not there")
    return open_contact(await act.fields(), bill_id, row["sealed_version"], row["contact"])
