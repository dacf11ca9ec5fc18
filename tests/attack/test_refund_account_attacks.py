"""What an owned web process, or who found a link, tries with the account that a refund goes to."""

import msgspec
import pytest

from portal.contract.bills import VIEW_BILL, ViewBill
from portal.contract.page import VIEW_PAGE
from portal.contract.payment import VIEW_RETURN, ViewReturn
from portal.contract.refund import (
    LIST_BILL_REFUNDS,
    LIST_REFUNDS,
    ListBillRefunds,
    ListRefunds,
)
from portal.contract.refund_account import GIVE_PAYER_ACCOUNT, GivePayerAccount
from portal.contract.share import ViewPage
from portal.domain.errors import NotAllowed, NotFound, PortalError
from portal.vault.server import VaultServer
from tests.make.money import World, new_world
from tests.make.refund_accounts import (
    FORM,
    PROOF,
    given_by_payer,
    given_by_staff,
    reached_by,
    waiting,
)
from tests.make.refunds import Counter, member, new_counter
from tests.make.vault import ClientFor

NUMBER = "7654321"
HOLDER = "ﾔﾏﾀﾞ ﾊﾅｺ"


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def kept(world: World) -> int:
    return await world.value("select count(*) from refund_account")


async def test_a_found_link_sends_no_money_elsewhere(counter: Counter) -> None:
    world = counter.world
    payer, _ = await waiting(counter)
    page = await world.page(payer)
    shown = msgspec.json.encode(page).decode()
    assert PROOF not in shown, "the page would show what it asks for"

    for guess in (page.customer_hint, page.check_code, page.number, "4322"):
        again = await world.open(payer.bill_id, payer.secret)
        with pytest.raises(NotAllowed, match="refund_proof_wrong"):
            await given_by_payer(world, again, account_number=NUMBER, proof=guess)
    assert await kept(world) == 0

    await given_by_payer(world, payer)
    assert await kept(world) == 1


async def test_other_authorities_give_no_account(
    counter: Counter, vault: VaultServer, client_for: ClientFor
) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    other = await world.payer()
    started = await world.start(other)
    back = await world.web.call(
        VIEW_RETURN, ViewReturn(merchant_code=world.code, return_token=started.return_token)
    )
    request = GivePayerAccount(**FORM, proof=PROOF)
    for authority in (other.authority, back.authority, counter.owner.authority, None):
        with pytest.raises(PortalError):
            await world.web.call(GIVE_PAYER_ACCOUNT, request, authority)
    stranger = await member(await new_world(vault, client_for, "bbb"), "stranger")
    with pytest.raises(NotFound):
        await given_by_staff(stranger, refund)
    assert await kept(world) == 0

    await world.web.call(GIVE_PAYER_ACCOUNT, request, payer.authority)
    assert await kept(world) == 1


async def test_no_answer_and_no_row_holds_the_account_in_clear(counter: Counter) -> None:
    world = counter.world
    payer, refund = await waiting(counter)
    await reached_by(world, payer.bill_id, phone="+819012344321")
    given = await given_by_staff(counter.owner, refund, account_number=NUMBER)
    again = await given_by_staff(counter.owner, refund, account_number=NUMBER)
    await given_by_payer(world, payer, account_number=NUMBER)

    staff = counter.owner.authority
    listed = ListRefunds(states=(), first=10, after=None)
    answers = [
        given,
        again,
        await world.web.call(LIST_REFUNDS, listed, staff),
        await world.web.call(LIST_BILL_REFUNDS, ListBillRefunds(bill_id=refund.bill_id), staff),
        await world.web.call(VIEW_BILL, ViewBill(bill_id=refund.bill_id), staff),
        await world.web.call(VIEW_PAGE, ViewPage(), payer.authority),
    ]
    said = [msgspec.json.encode(answer).decode() for answer in answers]
    tables = ("refund_account", "refund", "bill_event", "once", "audit", "task", "delivery")
    stored = str([await world.rows(f"select * from {table}") for table in tables])  # noqa: S608  # of the list

    for text in (*said, stored):
        for secret in (NUMBER, HOLDER, "ヤマダ", "やまだ"):
            assert secret not in text
    assert sum("****321" in text for text in said) == len(said) - 1, "the bill alone says nothing"
