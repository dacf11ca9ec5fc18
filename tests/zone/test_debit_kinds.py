"""Lines booked by kind and one by one, in steps that are cut: each once, whatever stands by it."""

import pytest

from portal.contract.debit import BOOK_DEBITS, BookDebits
from portal.contract.work import Leased
from portal.domain.ids import DebitFileId, to_public
from portal.vault.server import VaultServer
from portal.vault.timeline import params_of
from tests.make.bank import Desk, new_desk
from tests.make.debits import answer
from tests.make.money import AMOUNT, Payer, new_world
from tests.make.vault import ClientFor

ENDS = "0112300040"

_DEBIT_OF = "select id from debit where bill_id = $1"
_EVENTS_OF = """
select code, actor, params, attempt_id, amount_minor from bill_event where bill_id = $1
order by code
"""


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(await new_world(vault, client_for))


async def steps_of(desk: Desk, lease: Leased) -> list[int]:
    """Book step by step; how many lines each step took."""
    taken: list[int] = []
    while True:
        request = BookDebits(file_id=DebitFileId(lease.subject_id))
        done = await desk.world.work.call(BOOK_DEBITS, request, lease.authority)
        taken.append(done.lines)
        if not done.remaining:
            return taken


async def books_of(desk: Desk, payers: list[Payer]) -> list[dict[str, int]]:
    """What the ledger has of each bill."""
    return [await desk.world.books(payer.bill_id) for payer in payers]


async def test_a_file_is_booked_in_steps_of_any_length(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payers = [await desk.debtor(AMOUNT + place) for place in range(len(ENDS))]
    one, sent = await desk.at_bank()
    # Two bills are being canceled, so their lines are none of the kinds.
    canceled = [payers[0].bill_id, payers[2].bill_id]
    async with desk.world.act() as act:
        await act.db.execute(
            "update bill set lifecycle = 'canceling' where id = any($1::uuid[])", canceled
        )
    await desk.read(one, answer(sent, lambda place: ENDS[place]))
    [lease] = [lease for lease in await desk.world.leases() if lease.kind == "debit.book"]
    monkeypatch.setattr("portal.vault.debit_lines.LINES_MAX", 6)
    monkeypatch.setattr("portal.vault.debit_lines.SINGLES_MAX", 1)

    taken = await steps_of(desk, lease)

    assert taken == [5, 5], "the second one that is booked by itself waited for the second step"
    states = [await desk.debit_state(payer) for payer in payers]
    ends = {"0": "succeeded", "1": "nsf", "2": "failed", "3": "failed", "4": "failed"}
    assert states == [ends[end] for end in ENDS]
    for place, (end, books) in enumerate(zip(ENDS, await books_of(desk, payers), strict=True)):
        amount = AMOUNT + place
        if place == 0:
            assert books["overpayment"] == -amount, "paid while it was being canceled"
        elif end == "0":
            assert books == {"billed": -amount, "in_transit": amount}
        elif place != 2:
            assert books == {"billed": -amount, "receivable": amount}
    assert await desk.world.value("select count(*) from debit where cause <> booked_cause") == 0


async def told_of(desk: Desk, payer: Payer) -> list[tuple[str, str, dict[str, str | int]]]:
    """What the bill's screen says of each event; its own payment by the word ``own``."""
    own = to_public("attempt", await desk.world.value(_DEBIT_OF, payer.bill_id))
    said = [
        (row["code"], row["actor"], params_of(row))
        for row in await desk.world.rows(_EVENTS_OF, payer.bill_id)
    ]
    for _, _, params in said:
        if params.get("attempt") == own:
            params["attempt"] = "own"
    return said


async def test_a_line_moved_with_others_is_told_of_as_one_that_is_moved_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    payers = [await desk.debtor() for _ in range(4)]
    one, sent = await desk.at_bank()
    await desk.read(one, answer(sent, lambda place: "0101"[place]))
    [lease] = [lease for lease in await desk.world.leases() if lease.kind == "debit.book"]
    monkeypatch.setattr("portal.vault.debit_lines.LINES_MAX", 2)
    request = BookDebits(file_id=DebitFileId(lease.subject_id))

    await desk.world.work.call(BOOK_DEBITS, request, lease.authority)
    monkeypatch.setattr("portal.vault.debit_plain.judge_kind", {}.get)  # no kind is plain
    await desk.world.work.call(BOOK_DEBITS, request, lease.authority)

    told = [await told_of(desk, payer) for payer in payers]
    assert told[:2] == told[2:]
    rows = await desk.world.rows(
        "select a.state, a.version, a.decline_code, a.asked, a.ask_at, a.finished_at is null as"
        " is_live, b.settlement, b.version as bill_version, b.paid_at is null as is_unpaid"
        " from attempt a join bill b on b.id = a.bill_id order by a.reference"
    )
    assert [dict(row) for row in rows[:2]] == [dict(row) for row in rows[2:]]


async def test_a_rejected_file_frees_its_bills_by_kind(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(3)]
    one, sent = await desk.at_bank()
    await desk.report(one, "rejected")
    await desk.worked()

    assert {await desk.debit_state(payer) for payer in payers} == {"withdrawn"}
    assert (await desk.world.start(payers[0])).fresh

    await desk.read(one, answer(sent, lambda _place: "0"))
    await desk.worked()
    assert {await desk.debit_state(payer) for payer in payers} == {"succeeded"}
    assert await desk.world.cases() == ["late_success"] * 3
