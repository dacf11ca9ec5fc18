"""Refunds that wait for an account, and who gives one: the payer at the page, or staff."""

from typing import Any
from uuid import UUID

from portal.contract.envelope import Done
from portal.contract.refund import RefundView
from portal.contract.refund_account import (
    GIVE_PAYER_ACCOUNT,
    GIVE_REFUND_ACCOUNT,
    GivenAccount,
    GivePayerAccount,
    GiveRefundAccount,
)
from portal.vault.sealed import BillContact
from tests.make.money import AMOUNT, Payer, World, finding
from tests.make.refunds import Counter, Member

PHONE = "+819012344321"
PROOF = "4321"
FORM: dict[str, Any] = {
    "bank_code": "0005", "branch_code": "001", "account_kind": "1", "account_number": "123456",
    "holder_name": "やまだ　ハナコ",
}  # fmt: skip


async def paid_payer(world: World, amount: int = AMOUNT) -> tuple[Payer, UUID]:
    """A payer whose bill is paid, with a telephone number that the page does not show; attempt."""
    payer = await world.payer(amount=amount)
    await reached_by(world, payer.bill_id, phone=PHONE)
    started = await world.start(payer, amount=amount)
    await world.submitted(payer, started)
    await world.told(payer, started.attempt_id, finding("succeeded", amount))
    return payer, started.attempt_id


async def waiting(counter: Counter, amount: int = AMOUNT) -> tuple[Payer, RefundView]:
    """A payer whose money goes back by bank transfer, nobody knows where to."""
    payer, attempt = await paid_payer(counter.world, amount)
    refund = await counter.ask(payer.bill_id, attempt, amount, way="bank_transfer")
    assert refund.state == "by_bank_transfer"
    return payer, refund


async def reached_by(
    world: World, bill_id: UUID, *, phone: str, customer_no: str = "12345678"
) -> None:
    """Let a bill's payer have another telephone and customer number."""
    contact = BillContact("山田 花子", phone, "", customer_no, "C-1")
    async with world.act() as act:
        fields = await act.fields()
        sealed = fields.seal("bill", "contact", bill_id, 1, contact)
        await act.db.execute("update bill set contact = $2 where id = $1", bill_id, sealed)


async def given_by_payer(world: World, payer: Payer, **more: Any) -> Done:  # noqa: ANN401
    """What the payer types at the page, with the right answer unless another is given."""
    request = GivePayerAccount(**({**FORM, "proof": PROOF} | more))
    return await world.web.call(GIVE_PAYER_ACCOUNT, request, payer.authority)


async def given_by_staff(
    who: Member, refund: RefundView, *, key: str = "account-1", **more: Any  # noqa: ANN401
) -> GivenAccount:  # fmt: skip
    """What staff take down by telephone."""
    request = GiveRefundAccount(
        **({**FORM, "is_debited": False} | more), refund_id=refund.id, idempotency_key=key
    )
    answered = await who.world.web.call(GIVE_REFUND_ACCOUNT, request, who.authority)
    return answered.account
