"""Bills that no channel reaches go to a print shop: who, once, what stands there, who takes it."""

import asyncio
import csv
import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from portal.contract.envelope import Nothing
from portal.contract.print_batch import (
    HAND_OVER_PRINT_BATCH,
    LIST_PRINT_BATCHES,
    MAKE_PRINT_BATCH,
    TAKE_OUT_PRINT_BATCH,
    HandOverPrintBatch,
    ListPrintBatches,
    MakePrintBatch,
    PrintBatchView,
    TakeOutPrintBatch,
)
from portal.contract.slip import SET_SLIP_TERMS, SHOW_SLIP, SetSlipTerms
from portal.domain.bill import BillSums
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.domain.ids import PrintBatchId
from portal.domain.print_batch import COLUMNS
from portal.domain.slip_number import parse
from portal.vault import print_batch
from portal.vault.ledger import settle
from portal.vault.messages import Telling, plan_messages
from portal.vault.paper import want_paper
from portal.vault.sealed import BillContact
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, World, new_world
from tests.make.refunds import Member, member
from tests.make.vault import ClientFor

TRANSFER = "みなと銀行 本店 普通 1234567 ミナトデンリョク"


@dataclass
class Shop:
    """A merchant with bills for paper, and staff who make and take out batches."""

    world: World
    owner: Member
    clerk: Member
    keys: int = 0
    secrets: dict[UUID, str] = field(default_factory=dict[UUID, str])

    async def bill(
        self, *, name: str = "山田 花子", address: str = "東京都港区1-2", message: str = "failed",
        phone: bool = True, **bill: Any,  # noqa: ANN401
    ) -> UUID:  # fmt: skip
        """A bill of someone with a postal address, whose message came to this."""
        bill_id, secret = await self.world.bill(**bill)
        self.secrets[bill_id] = secret
        async with self.world.act() as act:
            fields = await act.fields()
            contact = BillContact(name, "", "", "12345678", "C-1", "105-0001", address)
            await act.db.execute(
                "update bill set contact = $2, has_address = $3, message = $4,"
                " phone_blind = $5 where id = $1",
                bill_id, fields.seal("bill", "contact", bill_id, 1, contact), bool(address),
                message, b"p" * 16 if phone else None,
            )  # fmt: skip
        return bill_id

    async def make(self, *bill_ids: UUID, charset: str = "utf-8-sig", key: str = "") -> Any:  # noqa: ANN401
        """Make a batch as the clerk."""
        self.keys += 1
        request = MakePrintBatch(
            charset=charset,
            bill_ids=bill_ids,  # type: ignore[arg-type]
            idempotency_key=key or f"make-{self.keys}",
        )
        made = await self.world.web.call(MAKE_PRINT_BATCH, request, self.clerk.authority)
        return made.batch

    async def part(self, batch: PrintBatchView, part_no: int = 0, sha256: str = "") -> Any:  # noqa: ANN401
        """A part of the file as the owner takes it out, going on in the file with this hash."""
        request = TakeOutPrintBatch(batch_id=batch.id, part_no=part_no, sha256=sha256)
        return await self.world.web.call(TAKE_OUT_PRINT_BATCH, request, self.owner.authority)

    async def rows(self, batch: PrintBatchView, codec: str = "utf-8-sig") -> list[dict[str, str]]:
        """The file's lines as the owner takes them out."""
        part = await self.part(batch)
        assert part.is_last
        read = csv.DictReader(io.StringIO(part.body.decode(codec), newline=""))
        assert tuple(read.fieldnames or ()) == COLUMNS
        return list(read)

    async def waiting(self) -> int:
        page = await self.world.web.call(
            LIST_PRINT_BATCHES, ListPrintBatches(first=10), self.clerk.authority
        )
        return page.waiting

    async def terms(self, **changes: Any) -> None:  # noqa: ANN401
        values: dict[str, Any] = {
            "merchant_code": self.world.code, "agency": "dsk", "maker_code": "929023",
            "company_code": "25207",
        }  # fmt: skip
        await self.world.operator.call(SET_SLIP_TERMS, SetSlipTerms(**(values | changes)))


@pytest.fixture
async def shop(vault: VaultServer, client_for: ClientFor) -> Shop:
    world = await new_world(vault, client_for)
    made = Shop(world, await member(world, "owner"), await member(world, "clerk", "clerk"))
    await made.terms()
    return made


async def test_unreached_bills_go_to_print_with_the_number_that_the_page_shows(shop: Shop) -> None:
    bill_id = await shop.bill()

    batch = await shop.make()
    [row] = await shop.rows(batch)

    assert (batch.bills, batch.with_bars, batch.total_minor) == (1, 1, AMOUNT)
    assert batch.remarks == ()
    assert (row["郵便番号"], row["住所"], row["宛名"]) == ("105-0001", "東京都港区1-2", "山田 花子")
    assert (row["お客さま番号"], row["請求金額"]) == ("12345678", str(AMOUNT))
    assert parse(row["バーコード"]).amount_minor == AMOUNT
    payer = await shop.world.open(bill_id, shop.secrets[bill_id])
    shown = await shop.world.web.call(SHOW_SLIP, Nothing(), payer.authority)
    assert (shown.digits, shown.lines) == (row["バーコード"], (row["印字1"], row["印字2"]))
    assert "slip.handed_to_print" in await shop.world.events(bill_id)


async def test_bills_that_no_slip_can_carry_keep_no_others_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.vault.operations.print_batch.BILLS_MAX", 2)
    today = shop.world.server.clock.business_today("Asia/Tokyo")
    for days in (1, 2):
        await shop.bill(amount=300_001, due=today + timedelta(days=days))
    await shop.bill(due=today + timedelta(days=9))

    batch = await shop.make()

    assert (batch.bills, len(batch.remarks)) == (1, 1)
    assert await shop.waiting() == 2


async def test_only_open_unpaid_unheld_bills_that_nothing_reaches_are_taken(shop: Shop) -> None:
    wanted = [
        await shop.bill(message="failed"), await shop.bill(message="undelivered"),
        await shop.bill(message="none", phone=False), await shop.bill(lifecycle="overdue"),
    ]  # fmt: skip
    await shop.bill(message="delivered")
    await shop.bill(message="none")
    wanted.append(await shop.bill(message="none"))
    async with shop.world.act() as act:  # a landline, at which no text message arrives
        await plan_messages(act, Telling("first"), wanted[-1:])
        await act.db.execute(
            "update delivery set state = 'left_out', code = 'no_contact' where bill_id = $1",
            wanted[-1],
        )
    await shop.bill(address="")
    for lifecycle in ("scheduled", "lapsed", "canceled"):
        await shop.bill(lifecycle=lifecycle)
    held, promised, paid, paying = [await shop.bill() for _ in range(4)]
    today = shop.world.server.clock.business_today("Asia/Tokyo")
    for bill_id, kind, until in ((held, "hold", None), (promised, "promise", today)):
        await _pause(shop, bill_id, kind, until)
    await shop.world.paid(await shop.world.open(paid, shop.secrets[paid]))
    await shop.world.start(await shop.world.open(paying, shop.secrets[paying]))

    assert await shop.waiting() == len(wanted)
    batch = await shop.make()

    taken = await shop.world.rows("select bill_id from print_bill")
    assert {row["bill_id"] for row in taken} == set(wanted)
    assert batch.bills == len(wanted)
    assert await shop.waiting() == 0


async def test_who_is_debited_or_charged_by_card_gets_no_slip_before_that_was_tried(
    shop: Shop,
) -> None:
    debited = await shop.bill(customer=b"d" * 16)
    charged = await shop.bill(contract=b"k" * 16)
    other = await shop.bill(customer=b"o" * 16, contract=b"o" * 16)
    async with shop.world.act() as act:
        mandate_id, now = act.new_id(), act.now
        await act.db.execute(
            "insert into mandate (merchant_id, id, contract_id, customer_blind, state, details,"
            " is_new, created_by, created_at, state_at)"
            " values ($1, $2, $2, $3, 'active', '', false, 'test', $4, $4)",
            act.merchant_id, mandate_id, b"d" * 16, now,
        )  # fmt: skip
        await act.db.execute(
            "insert into card_on_file (merchant_id, id, attempt_id, contract_blind, customer_blind,"
            " provider, state, consent, consent_at, days_before, enrolled_on, instrument, state_at)"
            " values ($1, $2, $2, $3, $3, 'sandbox_card', 'active', '1', $4, 0, $5, '', $4)",
            act.merchant_id, act.new_id(), b"k" * 16, now, date(2020, 1, 1),
        )  # fmt: skip
    assert await shop.waiting() == 1

    async with shop.world.act() as act:
        await act.db.execute(
            "insert into debit (merchant_id, id, file_id, line_no, bill_id, mandate_id,"
            " instruction_no, state, amount_minor) values ($1, $2, $2, 1, $3, $2, '1', 'nsf', 1)",
            act.merchant_id, mandate_id, debited,
        )  # fmt: skip
    batch = await shop.make()

    taken = await shop.world.rows("select bill_id from print_bill")
    assert batch.bills == 2
    assert {row["bill_id"] for row in taken} == {debited, other}
    assert charged not in {row["bill_id"] for row in taken}


async def _pause(shop: Shop, bill_id: UUID, kind: str, until: date | None) -> None:
    async with shop.world.act() as act:
        await act.db.execute(
            "insert into pause (merchant_id, id, bill_id, kind, until, placed_by, placed_at)"
            " values ($1, $2, $3, $4, $5, 'test', $6)",
            act.merchant_id, act.new_id(), bill_id, kind, until, act.business,
        )  # fmt: skip


async def test_a_pause_whose_day_is_over_keeps_no_bill_from_print(shop: Shop) -> None:
    bill_id = await shop.bill()
    today = shop.world.server.clock.business_today("Asia/Tokyo")
    await _pause(shop, bill_id, "hold", today - timedelta(days=1))

    assert (await shop.make()).bills == 1


async def test_a_bill_is_in_one_batch_unless_it_is_asked_for_again(shop: Shop) -> None:
    bill_id = await shop.bill()
    first = await shop.make()

    with pytest.raises(Conflict, match="nothing_to_print"):
        await shop.make()
    again = await shop.make(bill_id)

    assert again.id != first.id
    assert await shop.rows(again) == await shop.rows(first)


async def test_the_same_key_makes_one_batch_and_another_use_of_it_is_refused(shop: Shop) -> None:
    await shop.bill()
    first = await shop.make(key="one")

    assert (await shop.make(key="one")).id == first.id
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await shop.make(key="one", charset="cp932")
    assert await shop.world.value("select count(*) from print_batch") == 1


async def test_a_payment_that_begins_while_bills_are_chosen_keeps_its_bill_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill_id = await shop.bill()
    payer = await shop.world.open(bill_id, shop.secrets[bill_id])
    # What the statement sees is settled when it begins; the bill it comes to, and locks, later.
    slow = str(vars(print_batch)["_CHOOSE"]).replace(
        "from bill b where", "from (select pg_sleep(1)) late, bill b where", 1
    )
    monkeypatch.setattr(print_batch, "_CHOOSE", slow)

    making = asyncio.create_task(shop.make())
    await asyncio.sleep(0.4)
    assert (await shop.world.start(payer)).fresh

    with pytest.raises(Conflict, match="nothing_to_print"):
        await making


async def test_two_at_once_share_no_bill(shop: Shop) -> None:
    for _ in range(6):
        await shop.bill()

    made = await asyncio.gather(*(shop.make() for _ in range(3)), return_exceptions=True)

    batches = [one for one in made if isinstance(one, PrintBatchView)]
    assert sum(batch.bills for batch in batches) == 6
    assert all(isinstance(one, PrintBatchView | Conflict) for one in made)
    assert await shop.world.value("select count(distinct bill_id) from print_bill") == 6


async def test_over_the_cap_the_text_about_transfers_stands_instead_of_bars(shop: Shop) -> None:
    await shop.bill(amount=300_001, message="delivered")

    with pytest.raises(Conflict, match="nothing_to_print"):
        await shop.make()
    await shop.terms(transfer_text=TRANSFER)
    batch = await shop.make()

    [row] = await shop.rows(batch)
    assert (batch.bills, batch.with_bars) == (1, 0)
    assert (row["バーコード"], row["印字1"], row["印紙"]) == ("", "", "0")
    assert row["振込のご案内"] == TRANSFER


async def test_the_text_about_transfers_takes_no_card_number_and_stays_if_not_given(
    shop: Shop,
) -> None:
    with pytest.raises(InvalidInput, match="card_number_refused"):
        await shop.terms(transfer_text="4242 4242 4242 4242")
    await shop.terms(transfer_text=TRANSFER)
    await shop.terms()

    assert await shop.world.value("select transfer_text from merchant") == TRANSFER


async def test_what_shift_jis_lacks_is_in_the_report_and_never_dropped(shop: Shop) -> None:
    bill_id = await shop.bill(name="𠮷田 𡈽")

    batch = await shop.make(charset="cp932")

    number = await shop.world.value("select number from bill where id = $1", bill_id)
    [remark] = batch.remarks
    assert (remark.bill_number, remark.reason, remark.letters) == (number, "letters", "𠮷𡈽")
    [row] = await shop.rows(batch, "cp932")
    assert row["宛名"] == "〓田 〓"


async def test_named_bills_that_cannot_be_printed_are_named_in_the_report(shop: Shop) -> None:
    good, homeless = await shop.bill(message="delivered"), await shop.bill(address="")
    paid = await shop.bill()
    await shop.world.paid(await shop.world.open(paid, shop.secrets[paid]))

    batch = await shop.make(good, homeless, paid, UUID(int=77))

    assert batch.bills == 1
    assert sorted(one.reason for one in batch.remarks) == ["no_address", "not_printable"]


async def answer_billing(shop: Shop) -> PrintBatchView:
    """From now on what happens goes back to the billing system; a batch is made after that."""
    async with shop.world.act() as act:
        await act.db.execute(
            "insert into result_plan (merchant_id, charset, set_by, set_at)"
            " values ($1, 'utf-8', 'test', $2)", act.merchant_id, act.business,
        )  # fmt: skip
    return await shop.make()


async def told_back(shop: Shop, bill_id: UUID) -> list[str]:
    """What the billing system is told of a bill's paper, in order."""
    rows = await shop.world.rows(
        "select kind from result_event where bill_id = $1 and kind in ('to_paper', 'not_printed')"
        " order by txn, id", bill_id,
    )  # fmt: skip
    return [row["kind"] for row in rows]


async def taken_out(shop: Shop, batch: PrintBatchView) -> tuple[list[str], str]:
    """The numbers in the file, and what it hashes to."""
    body, is_last, part_no = b"", False, 0
    while not is_last:
        part = await shop.part(batch, part_no)
        body, is_last, part_no = body + part.body, part.is_last, part_no + 1
    read = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    return [row["請求番号"] for row in read], sha256(body).hexdigest()


async def test_what_ends_before_the_shop_has_its_file_is_left_out_or_listed_to_be_pulled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.domain.print_batch.PART_BILLS", 2)
    due = shop.world.server.clock.business_today("Asia/Tokyo") + timedelta(days=9)
    bills = [await shop.bill(due=due + timedelta(days=day)) for day in range(5)]
    numbers = [f"B-{bill_id.hex[-8:]}" for bill_id in bills]
    batch = await answer_billing(shop)

    async def ends(place: int, settlement: str, lifecycle: str = "open") -> None:
        async with shop.world.act() as act:
            await act.db.execute(
                "update bill set settlement = $2, lifecycle = $3 where id = $1",
                bills[place], settlement, lifecycle,
            )  # fmt: skip

    async def shown() -> PrintBatchView:
        page = await shop.world.web.call(
            LIST_PRINT_BATCHES, ListPrintBatches(first=10), shop.clerk.authority
        )
        return page.batches[-1]

    begun = await shop.part(batch)
    await ends(2, "settled")
    await ends(3, "unpaid", "canceled")  # with that the second part has nothing left
    taken, digest = await taken_out(shop, batch)
    view = await shown()
    assert taken == [numbers[place] for place in (0, 1, 4)]
    assert (view.bills, view.with_bars, view.total_minor) == (3, 3, 3 * AMOUNT)
    assert view.sha256 == digest != batch.sha256
    assert [(one.bill_number, one.reason) for one in view.remarks] == [
        (numbers[2], "ended"), (numbers[3], "ended"),
    ]  # fmt: skip
    assert "slip.left_out_of_print" in await shop.world.events(bills[2])
    assert await taken_out(shop, batch) == (taken, digest)  # and again, as nothing ended
    with pytest.raises(Conflict, match="print_changed"):  # or it would go on in another file
        await shop.part(batch, 1, begun.sha256)

    await ends(1, "provisional")
    hand_over = HandOverPrintBatch(batch_id=batch.id)
    handed = (
        await shop.world.web.call(HAND_OVER_PRINT_BATCH, hand_over, shop.owner.authority)
    ).batch
    assert [one.bill_number for one in handed.remarks if one.reason == "to_pull"] == [numbers[1]]
    await ends(0, "settled")  # too late to be said to the shop
    assert (
        await shop.world.web.call(HAND_OVER_PRINT_BATCH, hand_over, shop.owner.authority)
    ).batch == handed
    assert await taken_out(shop, batch) == (taken, digest)
    await ends(2, "unpaid")  # it was contested: the next batch has it
    assert (await shop.make()).bills == 1
    # The billing system hears of each what became of it, once; what is to be pulled was printed.
    assert [await told_back(shop, bill_id) for bill_id in bills] == [
        ["to_paper"], ["to_paper"], ["to_paper", "not_printed", "to_paper"],
        ["to_paper", "not_printed"], ["to_paper"],
    ]  # fmt: skip


async def test_a_bill_that_is_owed_again_is_printed_though_its_wish_for_paper_was_dropped(
    shop: Shop,
) -> None:
    paid, asked_for = [await shop.bill(message="delivered") for _ in range(2)]
    async with shop.world.act() as act:
        await want_paper(act, {paid: "parallel", asked_for: "parallel"})
        sums = BillSums(in_transit=AMOUNT, taken=AMOUNT, paid=AMOUNT)
        await settle(act, paid, "unpaid", sums)
    first = await shop.make()  # what was paid is not printed, and waits no longer
    dropped = await shop.world.value("select state from paper_due where bill_id = $1", paid)
    async with shop.world.act() as act:
        for bill_id in (paid, asked_for):
            await settle(act, bill_id, "reversed", BillSums(receivable=AMOUNT))

    assert (first.bills, dropped) == (1, "dropped")
    assert [row["請求番号"] for row in await shop.rows(await shop.make())] == [f"B-{paid.hex[-8:]}"]


async def test_only_an_owner_takes_a_file_out_and_every_line_counts(shop: Shop) -> None:
    await shop.bill()
    batch = await shop.make()
    request = TakeOutPrintBatch(batch_id=batch.id, part_no=0)

    with pytest.raises(NotAllowed):
        await shop.world.web.call(TAKE_OUT_PRINT_BATCH, request, shop.clerk.authority)
    await shop.rows(batch)

    seen = await shop.world.rows(
        "select outcome, rows from audit where operation = 'take_out_print_batch' order by number"
    )
    assert [row["rows"] for row in seen if row["outcome"] == "ok"] == [2]
    assert await shop.world.value("select taken_at is not null from print_batch")


async def test_another_merchants_batch_is_not_there(
    shop: Shop, vault: VaultServer, client_for: ClientFor
) -> None:
    await shop.bill()
    batch = await shop.make()
    other = await new_world(vault, client_for, code="yamate")
    stranger = await member(other, "boss")

    for part_no, batch_id in ((0, batch.id), (0, PrintBatchId(UUID(int=3)))):
        request = TakeOutPrintBatch(batch_id=batch_id, part_no=part_no)
        with pytest.raises(NotFound):
            await other.web.call(TAKE_OUT_PRINT_BATCH, request, stranger.authority)


async def test_neither_name_nor_address_stands_in_clear_in_the_database(shop: Shop) -> None:
    await shop.bill(name="秘密 太郎", address="秘密町1-1")
    await shop.make()

    tables = ("bill", "print_batch", "print_bill", "file_part", "bill_event", "slip", "once")
    for table in tables:
        rows = await shop.world.rows(f"select t::text as whole from {table} t")  # noqa: S608
        assert not any("秘密" in row["whole"] for row in rows), table
