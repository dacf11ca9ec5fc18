"""Refunds that leave in a bank's file: built, approved by a second person, booked, sent back."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from portal.contract.bills import CANCEL_BILL, CancelBill
from portal.contract.debit import SET_BANK_DAY, SetBankDay
from portal.domain.errors import PortalError
from portal.domain.ids import BillId
from portal.domain.zengin import write
from portal.domain.zengin.transfer import TransferLine, read_transfers
from portal.vault import transfer_lines, transfer_view
from portal.vault.server import VaultServer
from tests.make.money import new_world
from tests.make.refunds import member
from tests.make.transfers import PART, TransferDesk, new_transfer_desk, open_transfers
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> TransferDesk:
    return await new_transfer_desk(await new_world(vault, client_for))


async def test_a_refund_goes_by_a_file_and_is_booked_on_its_day(desk: TransferDesk) -> None:
    ready = await desk.refund()
    waits = await desk.refund(number="")
    page = await desk.listed()
    assert (page.waiting, page.waiting_minor, page.accountless) == (1, PART, 1)

    one = await desk.sealed()
    assert (one.state, one.count, one.total_minor) == ("sealed", 1, PART)
    assert [await desk.state(ready), await desk.state(waits)] == ["in_transfer", "by_bank_transfer"]
    seen = await desk.looked(one)
    [line] = seen.lines
    assert (line.holder, line.account_hint, line.amount_minor) == ("ﾔﾏﾀﾞ ﾊﾅｺ", "****567", PART)

    await desk.rule(one)
    body = await desk.taken_out(one)
    assert body == await desk.taken_out(one), "the same bytes may be taken out again"
    assert hashlib.sha256(body).hexdigest() == one.sha256
    assert body[:4] == b"1210"
    [record] = read_transfers([body])
    assert (record.account.number, record.amount_minor) == ("1234567", PART)
    await desk.report(one, "accepted")
    await desk.worked()
    assert await desk.state(ready) == "in_transfer", "its day is still to come"

    await desk.day_comes(one)
    assert "transfer.advance" in await desk.worked()

    assert await desk.state(ready) == "transferred"
    booked = await desk.booked(ready)
    assert (booked["refund_reserved"], booked["refund_transferred"]) == (1, 1)
    assert (await desk.seen(one)).outcomes.transferred == 1
    day = await desk.world.value("select transferred_on from refund where id = $1", ready.id)
    assert day == one.transfer_on
    assert (await desk.world.events(ready.bill_id))[-2:] == [
        "refund.in_transfer",
        "refund.transferred_by_bank",
    ]


async def test_while_a_refund_is_in_a_file_nobody_else_moves_it(desk: TransferDesk) -> None:
    refund = await desk.refund()
    one = await desk.sealed()
    acts = (
        desk.counter.decide(refund, "withdraw"),
        desk.counter.transferred(refund, desk.today),
        desk.come_back(refund),
        desk.give(refund, "7654321"),
    )
    for act in acts:
        with pytest.raises(PortalError, match=r"refund_state|refund_account_closed"):
            await act
    with pytest.raises(PortalError, match="transfer_file_exists"):
        await desk.build()

    await desk.rule(one, "discard")
    await desk.worked()

    assert await desk.state(refund) == "by_bank_transfer"
    assert (await desk.seen(one)).outcomes.released == 1
    again = await desk.sealed()
    assert (again.state, again.count) == ("sealed", 1)


async def test_two_files_built_at_once_hold_a_refund_once(desk: TransferDesk) -> None:
    refund = await desk.refund()
    other = await open_transfers(desk.world, company_code="0000099999")

    await asyncio.gather(desk.build(), desk.build(contract_id=other))
    leases = await desk.world.leases()
    await asyncio.gather(*(desk.step(lease) for lease in leases))

    files = (await desk.listed()).files
    assert sorted(one.state for one in files) == ["discarded", "sealed"]
    lines = await desk.world.rows("select refund_id from transfer_line where state = 'in_file'")
    assert [row["refund_id"] for row in lines] == [refund.id]


async def test_a_second_person_approves_exactly_what_was_built(desk: TransferDesk) -> None:
    await desk.refund()
    one = await desk.build(by=desk.owner)
    await desk.worked()
    with pytest.raises(PortalError, match="approver_is_asker"):
        await desk.rule(one)
    with pytest.raises(PortalError, match="not_allowed"):
        await desk.rule(one, by=desk.clerk)
    second = await member(desk.world, "nibanme")
    with pytest.raises(PortalError, match="totp_refused"):
        await desk.rule(one, by=second, totp="000000")
    with pytest.raises(PortalError, match="transfer_file_state"):
        await desk.taken_out(one)

    approved = await desk.rule(one, by=second, key="k")

    assert approved.state == "approved"
    assert (await desk.rule(one, by=second, key="k")).state == "approved", "the same key, no code"
    assert await desk.world.value("select approved_at is not null from approval") is True
    with pytest.raises(PortalError, match=r"role_missing|not_allowed"):
        await desk.taken_out(one, by=desk.clerk)


async def test_a_file_is_for_a_day_on_which_banks_work_and_in_time(desk: TransferDesk) -> None:
    await desk.refund()
    saturday = desk.day + timedelta(days=(5 - desk.day.weekday()) % 7)
    far = desk.day + timedelta(days=60)
    for day in (saturday, far):
        with pytest.raises(PortalError, match="transfer_day_wrong"):
            await desk.build(transfer_on=day)
    with pytest.raises(PortalError, match=r"transfer_too_late|transfer_day_wrong"):
        await desk.build(transfer_on=desk.today)
    sealed = await desk.sealed()
    assert sealed.approve_until is not None

    await desk.world.rows("update transfer_file set approve_until = now() returning id")
    async with desk.world.act() as act:
        await act.plan_task("transfer.advance", sealed.id)
    await desk.worked()

    assert (await desk.seen(sealed)).state == "discarded", "nobody said yes in time"
    assert (await desk.listed()).waiting == 1


async def test_a_contested_payment_stays_out_and_stops_an_approval(desk: TransferDesk) -> None:
    refund = await desk.refund()
    other = await desk.refund(number="1111111")
    one = await desk.sealed()
    assert one.count == 2
    await desk.world.rows(
        "insert into dispute (merchant_id, id, bill_id, attempt_id, reference, state, amount_minor,"
        " taken_minor, reason, opened_at) values ($1, gen_random_uuid(), $2, $3, 'd', 'opened', 1,"
        " 0, '', now()) returning id",
        desk.world.merchant_id, refund.bill_id, refund.attempt_id,
    )  # fmt: skip

    with pytest.raises(PortalError, match="transfer_disputed"):
        await desk.rule(one)
    await desk.rule(one, "discard")
    await desk.worked()
    again = await desk.sealed()

    assert again.count == 1
    assert [await desk.state(refund), await desk.state(other)] == [
        "by_bank_transfer",
        "in_transfer",
    ]


async def test_a_file_ends_before_its_sum_has_no_place_in_the_trailer(
    desk: TransferDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1111111", "2222222"):
        await desk.refund(number=number)
    for module in (transfer_lines, write):
        monkeypatch.setattr(module, "TOTAL_MAX", 2 * PART - 1, raising=False)

    one = await desk.sealed()

    assert (one.state, one.count, one.is_full) == ("sealed", 1, True)
    assert (await desk.listed()).waiting == 1, "for the next file"


async def test_a_page_of_payees_takes_apart_no_more_of_a_file_than_it_shows(
    desk: TransferDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = ["1111111", "2222222", "3333333"]
    for number in numbers:
        await desk.refund(number=number)
    monkeypatch.setattr(transfer_lines, "REFUNDS_MAX", 1)
    one = await desk.sealed()
    taken: list[int] = []

    def read(bodies: list[bytes]) -> list[TransferLine]:
        lines = read_transfers(bodies)
        taken.append(len(lines))
        return lines

    monkeypatch.setattr(transfer_view, "read_transfers", read)

    [second] = (await desk.looked(one, first=1, after_line=1)).lines
    assert (second.line_no, second.account_hint, taken) == (2, "****222", [1])
    shown = (await desk.looked(one)).lines
    assert [line.account_hint for line in shown] == [f"****{no[-3:]}" for no in numbers]


async def test_a_file_of_which_nobody_says_what_became_is_a_case_from_its_day_on(
    desk: TransferDesk,
) -> None:
    refund = await desk.refund()
    one, _ = await desk.at_bank()
    assert await desk.world.cases() == []

    await desk.day_comes(one)
    await desk.worked()

    assert await desk.world.cases() == ["task.transfer.send"]
    assert await desk.state(refund) == "in_transfer", "only the bank's word frees or books it"
    await desk.report(one, "accepted")
    await desk.worked()
    assert await desk.state(refund) == "transferred"


async def test_unknown_is_left_by_the_banks_word_alone(desk: TransferDesk) -> None:
    refund = await desk.refund()
    one, _ = await desk.at_bank()
    await desk.report(one, "unknown")
    await desk.worked()
    assert await desk.state(refund) == "in_transfer"
    with pytest.raises(PortalError, match="transfer_file_exists"):
        await desk.build()
    with pytest.raises(PortalError, match="transfer_file_state"):
        await desk.rule(one, "discard")

    await desk.report(one, "rejected")
    await desk.worked()

    assert await desk.state(refund) == "by_bank_transfer"
    with pytest.raises(PortalError, match="transfer_file_state"):
        await desk.report(one, "accepted")


async def test_what_the_bank_sends_back_is_transferred_anew_each_time(desk: TransferDesk) -> None:
    refund = await desk.refund()
    one = await desk.gone()
    with pytest.raises(PortalError, match="return_reason"):
        await desk.come_back(refund, reason=" ")
    with pytest.raises(PortalError, match="transfer_day"):
        await desk.come_back(refund, returned_on=one.transfer_on - timedelta(days=1))
    with pytest.raises(PortalError, match=r"role_missing|not_allowed"):
        await desk.come_back(refund, by=desk.clerk)

    back = await desk.come_back(refund, key="k")
    assert (await desk.come_back(refund, key="k")).state == "by_bank_transfer"

    assert (back.state, back.transferred_on) == ("by_bank_transfer", None)
    assert "口座なし" in back.note
    assert (await desk.seen(one)).outcomes.returned == 1
    assert await desk.world.cases() == ["refund_returned"]
    page = await desk.listed()
    assert (page.waiting, page.accountless) == (0, 1), "the account has to be given anew"
    with pytest.raises(PortalError, match="refund_state"):
        await desk.come_back(refund)

    await desk.give(refund, "7654321")
    [contract] = page.contracts
    assert contract.next_on is not None
    desk.day = contract.next_on
    await desk.gone()
    await desk.come_back(refund)
    gone = await desk.counter.transferred(refund, desk.today, key="hand-1")
    assert gone.state == "transferred"
    await desk.come_back(refund)
    await desk.counter.transferred(refund, desk.today, key="hand-2")

    booked = await desk.booked(refund)
    assert (booked["refund_transferred"], booked["refund_returned"]) == (4, 3)
    entries = await desk.world.rows(
        "select account, sum(amount_minor)::bigint as sum from ledger_entry where bill_id = $1"
        " and account in ('advanced', 'refund_clearing', 'goodwill_clearing') group by 1",
        refund.bill_id,
    )
    sums = {row["account"]: row["sum"] for row in entries if row["sum"]}
    assert sums == {"advanced": -PART}, "once with the payer, whatever went and came"


async def test_a_contract_is_refused_where_no_file_could_be_written(desk: TransferDesk) -> None:
    wrong = {
        "account_kind": "4", "account_number": "", "lines_max": 0, "submit_days": 11,
        "more_letters": "#", "line": "nobody",
    }  # fmt: skip
    for field, value in wrong.items():
        with pytest.raises(PortalError, match=r"transfer_contract|zengin_field"):
            await open_transfers(desk.world, **{"company_code": "0000011111", field: value})
    with pytest.raises(PortalError, match="transfer_contract_exists"):
        await open_transfers(desk.world)


async def test_goodwill_that_comes_back_after_a_cancel_is_owed(desk: TransferDesk) -> None:
    world, counter = desk.world, desk.counter
    await world.allow_parts(1_000)
    payer = await world.payer()
    attempt = await world.paid_alone(payer, PART, part_minor=PART)
    refund = await counter.ask(
        payer.bill_id, attempt, 1_000, way="bank_transfer", reason="goodwill"
    )
    await counter.transferred(refund, desk.today)
    version = await world.value("select version from bill where id = $1", payer.bill_id)
    cancel = CancelBill(
        bill_id=BillId(payer.bill_id), version=version, reason="wrong", idempotency_key="c"
    )
    await world.web.call(CANCEL_BILL, cancel, desk.owner.authority)
    before = await world.books(payer.bill_id)

    await desk.come_back(refund)

    assert before == {"in_transit": PART, "overpayment": 1_000 - PART, "advanced": -1_000}
    assert await world.books(payer.bill_id) == {
        "in_transit": PART, "overpayment": 1_000 - PART, "refund_clearing": -1_000,
    }  # fmt: skip
    assert await world.settlement(payer.bill_id) == "over", "all of it is owed back"


async def test_the_page_says_on_which_day_the_bank_transfers_it(desk: TransferDesk) -> None:
    payer = await desk.world.payer()
    attempt = await desk.world.paid(payer)
    refund = await desk.counter.ask(payer.bill_id, attempt, PART, way="bank_transfer")
    await desk.give(refund)
    [waiting] = (await desk.world.page(payer)).refunds.refunds
    one = await desk.sealed()
    [moving] = (await desk.world.page(payer)).refunds.refunds
    [staff] = (await desk.counter.of_bill(payer.bill_id)).refunds

    assert (waiting.is_open, waiting.transfer_on) == (True, None)
    assert (moving.is_open, moving.transfer_on) == (False, one.transfer_on)
    assert (staff.transfer_on, staff.choices) == (one.transfer_on, ())


async def test_a_closed_day_is_no_day_for_transfers(desk: TransferDesk) -> None:
    said = SetBankDay(merchant_code=desk.world.code, day=desk.day, word="closed")
    done = await desk.world.operator.call(SET_BANK_DAY, said)

    assert (done.contracts, done.files) == (1, 0)
    with pytest.raises(PortalError, match="transfer_day_wrong"):
        await desk.build()
    [contract] = (await desk.listed()).contracts
    assert contract.next_on is not None
    assert contract.next_on > desk.day
