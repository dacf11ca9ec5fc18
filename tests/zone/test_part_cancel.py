"""A bill that was paid in part and is canceled: what was paid goes back, whatever is under way."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from portal.contract.bills import CANCEL_BILL, SUMMARISE_BILLS, BillChanged, CancelBill
from portal.contract.envelope import Nothing
from portal.domain.errors import Conflict
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, finding, new_world
from tests.make.refunds import Counter, new_counter
from tests.make.vault import ClientFor

PART = 3_000
GOODWILL = 1_000


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    made = await new_world(vault, client_for)
    await made.allow_parts(1_000)
    return made


@pytest.fixture
async def counter(world: World) -> Counter:
    return await new_counter(world)


async def cancel(counter: Counter, bill_id: Any, key: str = "cancel-1") -> BillChanged:  # noqa: ANN401
    version = await counter.world.value("select version from bill where id = $1", bill_id)
    request = CancelBill(bill_id=bill_id, version=version, reason="wrong", idempotency_key=key)
    return await counter.world.web.call(CANCEL_BILL, request, counter.owner.authority)


async def params_of_case(world: World) -> dict[str, Any]:
    [row] = await world.rows("select params from case_ where closed_at is null")
    return msgspec.json.decode(row["params"])


async def test_what_was_paid_is_owed_back_and_goes_back_like_money_after_a_cancel(
    counter: Counter,
) -> None:
    world = counter.world
    payer = await world.payer()
    attempt = await world.paid_alone(payer, PART, part_minor=PART)

    changed = await cancel(counter, payer.bill_id)

    assert (changed.row.lifecycle, changed.row.settlement) == ("canceled", "over")
    assert (changed.row.part_paid_minor, changed.row.left_minor) == (0, 0)
    assert await world.cases() == ["overpaid"]
    assert (await params_of_case(world))["amount_minor"] == PART
    books = await world.books(payer.bill_id)
    assert books == {"in_transit": PART, "overpayment": -PART}
    page = await world.page(payer)
    assert (page.state, page.owed_back_minor, page.given_back_minor) == ("canceled", PART, 0)

    await counter.ask(payer.bill_id, attempt, PART, reason="canceled")
    assert (await world.page(payer)).on_its_way_back_minor == PART
    await counter.sent("succeeded")

    assert await world.books(payer.bill_id) == {}
    assert await world.settlement(payer.bill_id) == "unpaid"
    assert await world.cases() == []
    page = await world.page(payer)
    assert (page.state, page.owed_back_minor, page.given_back_minor) == ("canceled", 0, PART)


async def test_a_cancel_that_is_asked_for_again_owes_nothing_twice(counter: Counter) -> None:
    world = counter.world
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)

    first = await cancel(counter, payer.bill_id)
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await cancel(counter, payer.bill_id)  # by now the version is another
    with pytest.raises(Conflict, match="already_paid"):
        await cancel(counter, payer.bill_id, "cancel-2")

    assert first.row.settlement == "over"
    assert (await world.books(payer.bill_id))["overpayment"] == -PART


async def test_goodwill_that_went_back_is_not_owed_once_more(counter: Counter) -> None:
    world = counter.world
    payer = await world.payer()
    attempt = await world.paid_alone(payer, PART, part_minor=PART)
    await counter.ask(payer.bill_id, attempt, GOODWILL, reason="goodwill")
    await counter.sent("succeeded")

    await cancel(counter, payer.bill_id)

    assert (await params_of_case(world))["amount_minor"] == PART - GOODWILL
    assert await world.books(payer.bill_id) == {
        "in_transit": PART - GOODWILL, "overpayment": GOODWILL - PART,
    }  # fmt: skip


async def test_a_part_that_went_back_as_goodwill_already_leaves_nothing_to_do(
    counter: Counter,
) -> None:
    world = counter.world
    payer = await world.payer()
    attempt = await world.paid_alone(payer, PART, part_minor=PART)
    await counter.ask(payer.bill_id, attempt, PART, reason="goodwill")
    await counter.sent("succeeded")

    changed = await cancel(counter, payer.bill_id)

    assert changed.row.settlement == "unpaid"
    assert await world.cases() == []
    assert await world.books(payer.bill_id) == {}
    assert (await world.page(payer)).given_back_minor == PART


@pytest.mark.parametrize(("end", "owed"), [("succeeded", PART - GOODWILL), ("refused", PART)])
async def test_goodwill_on_its_way_is_owed_again_only_if_it_does_not_arrive(
    counter: Counter, end: str, owed: int
) -> None:
    world = counter.world
    payer = await world.payer()
    attempt = await world.paid_alone(payer, PART, part_minor=PART)
    await counter.ask(payer.bill_id, attempt, GOODWILL, reason="goodwill")

    await cancel(counter, payer.bill_id)
    await counter.sent(end)

    books = await world.books(payer.bill_id)
    assert books["overpayment"] == -owed
    assert books["in_transit"] == owed
    assert await world.settlement(payer.bill_id) == "over"


async def test_a_cancel_waits_for_a_live_try_and_then_owes_back_all_that_came(
    counter: Counter,
) -> None:
    world = counter.world
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)
    rest = await world.start(payer, "rest", amount=AMOUNT - PART)

    changed = await cancel(counter, payer.bill_id)
    assert (changed.row.lifecycle, await world.cases()) == ("canceling", [])
    await world.told(payer, UUID(str(rest.attempt_id)), finding("succeeded", AMOUNT - PART))

    assert (await world.books(payer.bill_id))["overpayment"] == -AMOUNT
    assert await world.cases() == ["overpaid"]
    assert (await params_of_case(world))["amount_minor"] == AMOUNT
    assert await world.settlement(payer.bill_id) == "over"


async def test_a_canceled_bill_counts_in_no_sum(counter: Counter) -> None:
    world = counter.world
    payer = await world.payer()
    await world.paid_alone(payer, PART, part_minor=PART)
    await cancel(counter, payer.bill_id)

    seen = await world.web.call(SUMMARISE_BILLS, Nothing(), counter.owner.authority)

    assert (seen.requested_minor, seen.paid_minor, seen.unpaid_minor) == (0, 0, 0)
