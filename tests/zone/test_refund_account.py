"""Accounts for refunds by bank transfer, against a real vault."""

import pytest

from portal.domain.errors import Conflict
from portal.domain.refund_account import read_account
from portal.kit.banks import banks
from portal.vault.refund import read_refund
from portal.vault.refund_account import account_of, give_account, known_account, view_account
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.money import AMOUNT, new_world
from tests.make.refunds import Counter, new_counter, paid
from tests.make.vault import ClientFor

FORM = {
    "bank_code": "0005", "branch_code": "001", "kind": "1", "number": "123456",
    "holder": "やまだ　タロウ",
}  # fmt: skip


@pytest.fixture
async def counter(vault: VaultServer, client_for: ClientFor) -> Counter:
    return await new_counter(await new_world(vault, client_for))


async def test_an_account_is_kept_sealed_and_the_newest_counts(counter: Counter) -> None:
    bill, attempt = await paid(counter.world)
    refund = await counter.ask(bill, attempt, AMOUNT, way="bank_transfer")
    assert refund.state == "by_bank_transfer"
    first = read_account(banks(), **FORM)
    second = read_account(banks(), **(FORM | {"number": "7654321"}))

    async with counter.world.act() as act:
        kept = await read_refund(act, refund.id)
        assert await account_of(act, kept) is None
        assert await give_account(act, kept, first, "payer")
        assert not await give_account(act, kept, first, "payer"), "the same again changes nothing"
        assert await account_of(act, kept) == first
        assert await give_account(act, kept, second, "staff")
        assert await account_of(act, kept) == second
        known = await known_account(act, kept)
        assert known is not None
        shown = view_account(known)

    assert (shown.bank_name, shown.account_hint, shown.holder_hint) == (
        "三菱ＵＦＪ", "****321", "ヤ** タ**",
    )  # fmt: skip
    assert (shown.source, shown.changes) == ("staff", 1)
    [row] = await counter.world.rows("select * from refund_account")
    for value in row.values():
        assert "7654321" not in str(value)
        assert b"7654321" not in (value if isinstance(value, bytes) else b"")
    told = await counter.world.events(bill)
    assert told[-2:] == ["refund.account_given", "refund.account_changed"]

    withdrawn = await counter.decide(refund, "withdraw")
    assert withdrawn.state == "withdrawn"
    async with counter.world.act() as act:
        with pytest.raises(Conflict, match="refund_account_closed"):
            await give_account(act, await read_refund(act, refund.id), first, "staff")


async def test_of_a_debit_the_account_is_known(vault: VaultServer, client_for: ClientFor) -> None:
    desk = await new_desk(await new_world(vault, client_for))
    payer = await desk.debtor(account_number="0099123")
    one, sent = await desk.at_bank()
    await desk.answered(one, sent, lambda _place: "0")
    [attempt] = await desk.world.rows("select id from attempt where bill_id = $1", payer.bill_id)
    counter = Counter(desk.world, desk.owner)
    refund = await counter.ask(payer.bill_id, attempt["id"], AMOUNT)
    assert refund.state == "by_bank_transfer"

    async with desk.world.act() as act:
        known = await known_account(act, await read_refund(act, refund.id))

    assert known is not None
    assert (known.account.number, known.account.holder) == ("0099123", "ﾔﾏﾀﾞ ﾊﾅｺ")
    assert (known.source, known.given_at) == ("mandate", None)
