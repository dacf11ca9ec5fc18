"""A transfer file by the line, through the real relay to the sandbox's bank: sent once, then asked.

The line is the debit files' own (tests/zone/test_debit_line.py tries it in full); here is what a
file of transfers makes of it.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from portal.application.providers.exchange import Endpoint
from portal.application.providers.sandbox_bank.line import LINE
from portal.contract.debit_line import (
    BEGIN_DEBIT_HANDOVER,
    GIVE_DEBIT_PART,
    RECORD_DEBIT_HANDOVER,
    REDEEM_DEBIT_FILE,
    BeginDebitHandover,
    GiveDebitPart,
    RecordDebitHandover,
    RedeemDebitFile,
)
from portal.contract.operator import JournalRefund
from portal.contract.transfer import TransferFileView
from portal.domain.errors import PortalError
from portal.domain.ids import TransferFileId
from portal.sandbox import magic
from portal.sandbox.transfer_journal import told
from portal.vault.server import VaultServer
from tests.make.money import new_world
from tests.make.transfers import PART, TransferDesk, new_transfer_desk
from tests.make.vault import Ground
from tests.make.workshop import Workshop, a_workshop

ACCOUNT_OF = {fault: account for account, fault in magic.DEBIT_FILES.items()}
SEND = {"transfer.send"}
ADVANCE = {"transfer.advance"}
COMPANY = "bank_transfer"
HOST = "bank.sandbox.test"


@dataclass
class Counter:
    """Who transfers by a line to the bank, and the workers between them."""

    shop: Workshop
    desk: TransferDesk

    async def approved(self, *accounts: str) -> TransferFileView:
        """A file of these accounts that is about to be sent."""
        for account in accounts:
            await self.desk.refund(number=account)
        one = await self.desk.build()
        await self.shop.work_off(ADVANCE)
        return await self.desk.rule(one)

    async def at(self, one: TransferFileView) -> tuple[str, str]:
        """The state of the file, and of its line."""
        line = await self.desk.world.value("select state from debit_handover")
        return (await self.desk.seen(one)).state, line

    async def grow_old(self) -> None:
        """Let the try be older than its time: what waiting does, without waiting."""
        await self.shop.rows(
            "update debit_handover set state_at = state_at - interval '2 minutes',"
            " ask_at = ask_at - interval '2 hours' returning file_id"
        )
        await self.shop.be_due()

    def journal(self) -> tuple[JournalRefund, ...]:
        """The bank's lines, as an operator hands them in."""
        rows = [told(row) for row in self.shop.journal.transfers.lines()]
        return tuple(
            JournalRefund(
                reference=row["reference"], payment=row["payment"], state=row["state"],
                amount_minor=row["amount"],
            )
            for row in rows
        )  # fmt: skip

    async def compared(self) -> set[str]:
        """What differs between the bank's journal and ours, by code."""
        found = await self.desk.world.compare(provider=COMPANY, refunds=self.journal())
        return {code for _, code in found}


@pytest.fixture
async def counter(ground: Ground, vault: VaultServer) -> AsyncGenerator[Counter]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        yield Counter(shop, await new_transfer_desk(world, line="sandbox_bank"))


async def test_an_approved_file_reaches_its_bank_and_the_journals_agree(counter: Counter) -> None:
    desk = counter.desk
    back = next(iter(magic.TRANSFERS))
    one = await counter.approved("1234567", back)
    with pytest.raises(PortalError, match="debit_on_line"):
        await desk.taken_out(one)

    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("accepted", "ended")
    [file] = counter.shop.journal.transfers.files()
    assert file["sha256"] == (await desk.seen(one)).sha256
    assert file["company"] == "0000054321"
    assert [(line["account"], line["amount"]) for line in file["lines"]] == [
        ("1234567", PART), (back, PART),
    ]  # fmt: skip
    assert counter.shop.journal.bank.files() == [], "it is no file of debits"
    assert await counter.compared() == set()

    await desk.day_comes(one)
    await counter.shop.work_off(ADVANCE)

    outcomes = (await desk.seen(one)).outcomes
    assert (outcomes.transferred, outcomes.returned) == (2, 0)
    assert await counter.compared() == {"transfer_return_unrecorded"}
    # As the bank's page says of the second line.
    [row] = await counter.shop.rows("select refund_id from transfer_line where line_no = 2")
    await desk.come_back_by_id(row["refund_id"])
    assert await counter.compared() == set()
    await counter.shop.rows("update transfer_line set state = 'released' returning id")
    assert await counter.compared() == {"transfer_missing"}


@pytest.mark.parametrize(
    ("fault", "at_once", "later", "taken"),
    [
        ("answer_lost", ("unknown", "unknown"), ("accepted", "ended"), 1),
        ("error", ("unknown", "unknown"), ("unknown", "unknown"), 0),
        ("refused", ("unknown", "ended"), ("unknown", "ended"), 0),
    ],
)
async def test_each_way_to_go_wrong_is_asked_about_and_nothing_is_sent_twice(
    counter: Counter, fault: str, at_once: tuple[str, str], later: tuple[str, str], taken: int
) -> None:
    one = await counter.approved(ACCOUNT_OF[fault])  # type: ignore[index]

    await counter.shop.work_off(SEND)
    assert await counter.at(one) == at_once
    for _ in range(2):
        await counter.grow_old()
        await counter.shop.work_off(SEND)
    await counter.shop.work_off(ADVANCE)

    assert await counter.at(one) == later
    assert len(counter.shop.journal.transfers.files()) == taken
    assert await counter.desk.world.value("select tries from debit_handover") == 1
    assert await counter.desk.world.value("select state from refund") == "in_transfer"
    if fault == "refused":  # a worker's word frees no money to go once more
        assert await counter.desk.world.cases() == ["task.transfer.send"]
        await counter.desk.report(one, "rejected")
        await counter.shop.work_off(ADVANCE)
        assert await counter.desk.world.value("select state from refund") == "by_bank_transfer"


async def test_a_worker_that_lies_has_no_file_sent_twice(counter: Counter) -> None:
    one = await counter.approved("1234567")
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "transfer.send"]
    begin = BeginDebitHandover(file_id=TransferFileId(lease.subject_id))
    work = counter.desk.world.work
    begun = await work.call(BEGIN_DEBIT_HANDOVER, begin, lease.authority)
    endpoint = Endpoint(host=HOST, port=counter.shop.outside.api_port)
    sending = LINE.hand_over(endpoint, begun.handover_id, begun.kind).request
    [answer] = await counter.shop.bench.pay.outbound.send([sending])
    assert answer.status == 202
    lie = RecordDebitHandover(
        file_id=one.id, handover_id=begun.handover_id, outcome="not_sent", code="relay_away"
    )

    await work.call(RECORD_DEBIT_HANDOVER, lie, lease.authority)

    assert await counter.at(one) == ("unknown", "unknown")
    await counter.grow_old()
    await counter.shop.work_off(SEND)
    assert await counter.at(one) == ("accepted", "ended")
    assert len(counter.shop.journal.transfers.files()) == 1


async def test_of_a_file_that_is_recorded_as_refused_nothing_more_leaves(
    counter: Counter, ground: Ground
) -> None:
    one = await counter.approved("1234567")
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "transfer.send"]
    begin = BeginDebitHandover(file_id=TransferFileId(lease.subject_id))
    begun = await counter.desk.world.work.call(BEGIN_DEBIT_HANDOVER, begin, lease.authority)
    relay = await ground.client("egress")
    redeem = RedeemDebitFile(host=HOST, handover_id=begun.handover_id)
    assert (await relay.call(REDEEM_DEBIT_FILE, redeem)).refused is None
    part = GiveDebitPart(host=HOST, handover_id=begun.handover_id, part_no=0)
    assert (await relay.call(GIVE_DEBIT_PART, part)).refused is None

    # A relay that stood still for longer than a try has, and goes on.
    await counter.grow_old()
    await counter.desk.report(one, "rejected")
    rest = GiveDebitPart(host=HOST, handover_id=begun.handover_id, part_no=1)

    assert (await relay.call(GIVE_DEBIT_PART, rest)).refused == "delivery_not_handed"


async def test_people_hear_that_the_bank_refused_what_was_recorded_as_taken(
    counter: Counter,
) -> None:
    one = await counter.approved("1234567")
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "transfer.send"]
    begin = BeginDebitHandover(file_id=TransferFileId(lease.subject_id))
    begun = await counter.desk.world.work.call(BEGIN_DEBIT_HANDOVER, begin, lease.authority)
    await counter.shop.rows("update debit_handover set state = 'redeemed' returning id")
    await counter.desk.report(one, "accepted")
    said = RecordDebitHandover(
        file_id=one.id, handover_id=begun.handover_id, outcome="rejected", code=""
    )

    await counter.desk.world.work.call(RECORD_DEBIT_HANDOVER, said, lease.authority)

    assert await counter.desk.world.cases() == ["task.transfer.send"]


@pytest.mark.parametrize("point", ["worker.before_handover", "worker.after_handover"])
async def test_a_worker_that_dies_beside_the_line_leaves_one_file_at_the_bank(
    counter: Counter, point: str
) -> None:
    one = await counter.approved("1234567")
    [job] = [job for job in await counter.shop.hints() if job.kind == "transfer.send"]
    del counter.shop.heard[job.id]

    assert await counter.shop.crash_at(point, job) == 137
    await counter.grow_old()
    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("accepted", "ended")
    assert len(counter.shop.journal.transfers.files()) == 1
