"""What screens say of money given back, set against the books."""

from uuid import UUID

import pytest

from portal.contract.bills import LIST_BILLS, SUMMARISE_BILLS, BillFilter, BillRow, ListBills
from portal.contract.envelope import Nothing
from portal.vault.ledger import sums_of
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, new_world
from tests.make.refunds import Counter, new_counter, overpaid, paid
from tests.make.vault import ClientFor


@pytest.fixture
async def counter(vault: VaultServer, client_for: ClientFor) -> Counter:
    return await new_counter(await new_world(vault, client_for))


async def listed(counter: Counter) -> dict[UUID, BillRow]:
    page = await counter.world.web.call(
        LIST_BILLS,
        ListBills(filter=BillFilter(), search=None, order="created_desc", first=50, after=None),
        counter.owner.authority,
    )
    return {row.id: row for row in page.bills}


async def test_lists_and_sums_say_of_money_given_back_what_the_books_say(counter: Counter) -> None:
    kept, of_kept = await paid(counter.world)
    twice, _, late = await overpaid(counter.world)
    asked, of_asked = await paid(counter.world)
    await counter.ask(kept, of_kept, 3000, reason="goodwill")
    await counter.sent("succeeded")
    await counter.ask(twice, late)
    await counter.sent("succeeded")
    await counter.ask(asked, of_asked, 2000)  # is set aside and has not arrived

    rows = await listed(counter)
    seen = await counter.world.web.call(SUMMARISE_BILLS, Nothing(), counter.owner.authority)

    async with counter.world.act() as act:
        books = {bill: await sums_of(act, bill) for bill in (kept, twice, asked)}
    given = {kept: 3000, twice: AMOUNT, asked: 0}
    assert {bill: rows[bill].given_back_minor for bill in given} == given
    assert {bill: sums.given_back for bill, sums in books.items()} == given
    # The overpayment was never collected, so that it went back takes nothing from what was.
    assert (seen.paid_minor, seen.returned_minor) == (3 * AMOUNT, 3000)
    stays = sum(min(sums.paid, sums.in_transit) for sums in books.values())
    assert seen.paid_minor - seen.returned_minor == stays
