"""A row in two files is in one import at every moment, whatever is decided about the other one."""

import asyncio
from collections.abc import Sequence

import pytest

from portal.contract.bills import BillSearch
from portal.contract.intake import PART_BYTES_MAX, ImportView
from portal.contract.work import Leased
from portal.domain.errors import Conflict, TryLater
from portal.domain.ids import to_public
from portal.domain.sample import SampleFile, sample_file
from portal.vault.server import VaultServer
from tests.make.intake import Desk, csv, line, new_desk
from tests.make.money import World
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def tables(desk: Desk) -> World:
    """The same merchant with a look into the tables."""
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


def counts(seen: ImportView) -> tuple[str, int, int, int]:
    """What becomes of its rows."""
    return seen.state, seen.rows_good, seen.rows_known, seen.rows_faulty


def rows_of(first: int, end: int) -> list[str]:
    return [line(f"E-{number}") for number in range(first, end)]


async def both(desk: Desk, mine: Sequence[str], theirs: Sequence[str]) -> tuple[ImportView, ...]:
    """Two files, taken in one after the other, neither decided."""
    return await desk.take_in(*mine), await desk.take_in(*theirs)


async def test_rows_count_in_the_later_file_once_the_earlier_one_is_discarded(desk: Desk) -> None:
    earlier, later = await both(desk, rows_of(0, 3), rows_of(1, 5))
    assert counts(later) == ("checked", 2, 2, 0)

    await desk.decide(earlier.id, "discard")
    await desk.work_off()

    assert counts(await desk.view(later.id)) == ("checked", 4, 0, 0)
    assert (await desk.view(later.id)).amount_good_minor == 4 * 8420
    await desk.decide(later.id)
    await desk.work_off()
    assert (await desk.bills(lifecycle=("open",))).count == 4


async def test_the_later_files_own_content_is_taken_and_not_the_discarded_ones(desk: Desk) -> None:
    earlier = await desk.take_in(line("E-1", phone="090-0000-0001"), line("E-2", amount="1"))
    later = await desk.take_in(line("E-1", phone="090-0000-0002"), line("E-2", amount="2000"))
    (fault,) = await desk.faults(later.id)
    assert (fault.line, fault.code) == (3, "known_undecided")
    assert fault.params["import"] == to_public("import", earlier.id)
    assert counts(later) == ("checked", 0, 1, 1)

    await desk.decide(earlier.id, "discard")
    await desk.work_off()

    assert await desk.faults(later.id) == []
    assert counts(await desk.view(later.id)) == ("checked", 2, 0, 0)
    found = await desk.bills(search=BillSearch(field="phone", text="090-0000-0002"))
    assert [row.number for row in found.bills] == ["E-1"]


async def test_an_import_that_waits_cannot_be_sent_before_the_other_is_decided(desk: Desk) -> None:
    earlier, later = await both(desk, rows_of(0, 3), rows_of(1, 5))
    (wait,) = later.waits_for
    assert (wait.import_id, wait.filename, wait.rows) == (earlier.id, earlier.filename, 2)
    assert (await desk.view(earlier.id)).rows_awaited == 2

    with pytest.raises(Conflict, match="import_waits") as refused:
        await desk.decide(later.id)
    assert refused.value.params == {"import": to_public("import", earlier.id), "rows": 2}

    await desk.decide(earlier.id)
    await desk.work_off()
    assert (await desk.view(later.id)).waits_for == ()
    assert counts(await desk.view(later.id)) == ("checked", 2, 2, 0)
    await desk.decide(later.id)
    await desk.work_off()
    assert (await desk.bills(lifecycle=("open",))).count == 5


async def test_the_same_file_three_times_creates_nothing_twice(desk: Desk) -> None:
    rows = rows_of(0, 1_200)
    first, second = await both(desk, rows, rows)
    third = await desk.take_in(*rows)

    await desk.decide(first.id, "discard")
    await desk.work_off()

    views = [await desk.view(made.id) for made in (second, third)]
    assert sorted(view.rows_good for view in views) == [0, 1_200]
    sendable = next(view for view in views if view.rows_good)
    await desk.decide(sendable.id)
    await desk.work_off()
    assert (await desk.bills()).count == 1_200
    last = await desk.take_in(*rows)
    assert counts(last) == ("checked", 0, 1_200, 0)


async def test_files_that_wait_for_each_other_end_with_every_row_once(desk: Desk) -> None:
    one = await desk.upload(csv(*rows_of(0, 1_500)))
    two = await desk.upload(csv(*reversed(rows_of(0, 1_500))))
    leases = await desk.leases("intake.accept_chunk")
    for leased in sorted(leases, key=lambda leased: leased.number):
        await desk.step(leased)
    views = [await desk.view(made.id) for made in (one, two)]
    assert all(view.rows_good and view.rows_known for view in views)
    for view in views:
        with pytest.raises(Conflict, match="import_waits"):
            await desk.decide(view.id)

    await desk.decide(one.id, "discard")
    await desk.work_off()

    assert counts(await desk.view(two.id)) == ("checked", 1_500, 0, 0)
    await desk.decide(two.id)
    await desk.work_off()
    assert (await desk.bills(lifecycle=("open",))).count == 1_500


async def test_both_discarded_at_once_leave_nothing_behind(desk: Desk) -> None:
    earlier, later = await both(desk, rows_of(0, 3), rows_of(1, 5))
    await asyncio.gather(*(desk.decide(made.id, "discard") for made in (earlier, later)))

    await desk.work_off()

    assert {(await desk.view(made.id)).state for made in (earlier, later)} == {"discarded"}
    assert await tables(desk).value("select count(*) from bill") == 0
    assert await tables(desk).value("select count(*) from file_part") == 0
    assert await tables(desk).value("select count(*) from task") == 0


async def test_an_upload_that_was_cut_off_can_be_discarded_and_frees_its_rows(desk: Desk) -> None:
    wanted = SampleFile(rows=7_000, seed=5, today=desk.today)
    body = b"".join(sample_file(wanted))
    cut_off = await desk.create(len(body))
    await desk.store(cut_off.id, 0, body[:PART_BYTES_MAX])
    await desk.work_off()
    again = await desk.upload(body)
    await desk.work_off()
    assert (await desk.view(again.id)).rows_known >= 4_000

    await desk.decide(cut_off.id, "discard")
    with pytest.raises(Conflict, match="import_state"):
        await desk.store(cut_off.id, PART_BYTES_MAX, body[PART_BYTES_MAX:])
    await desk.work_off()

    assert counts(await desk.view(again.id)) == ("checked", 7_000, 0, 0)
    assert (await desk.view(cut_off.id)).state == "discarded"


async def test_a_file_still_coming_in_is_judged_again_without_a_gap(desk: Desk) -> None:
    wanted = SampleFile(rows=7_000, seed=5, today=desk.today)
    body = b"".join(sample_file(wanted))
    earlier = await desk.sample(7_000, seed=5)
    later = await desk.create(len(body))
    await desk.store(later.id, 0, body[:PART_BYTES_MAX])
    await desk.work_off()
    await desk.decide(earlier.id, "discard")
    (discarding,) = await desk.leases("intake.discard_bills")
    await desk.step(discarding)

    await desk.store(later.id, PART_BYTES_MAX, body[PART_BYTES_MAX:])
    await desk.finish(later.id, len(body))
    with pytest.raises(Conflict, match="import_state"):
        await desk.decide(later.id)
    await desk.work_off()

    assert counts(await desk.view(later.id)) == ("checked", 7_000, 0, 0)
    assert await tables(desk).value("select count(*) from bill") == 7_000
    assert await tables(desk).value("select count(*) from task") == 0


async def test_faults_are_found_once_after_a_second_look(desk: Desk) -> None:
    rows = [line("E-1"), line("E-2", amount="0"), line("E-1", payer_name="別名"), line("E-3")]
    earlier = await desk.take_in(line("E-1"))
    later = await desk.take_in(*rows)

    await desk.decide(earlier.id, "discard")
    await desk.work_off()

    seen = await desk.view(later.id)
    assert counts(seen) == ("checked", 2, 0, 2)
    faults = await desk.faults(later.id)
    assert [(fault.line, fault.code) for fault in faults] == [
        (3, "amount_zero"),
        (4, "duplicate_in_file"),
    ]
    assert {kind.code: kind.rows for kind in seen.faults} == {
        "amount_zero": 1,
        "duplicate_in_file": 1,
    }


async def test_a_bill_canceled_before_the_decision_stays_through_a_second_look(desk: Desk) -> None:
    earlier, later = await both(desk, rows_of(0, 2), rows_of(1, 4))
    world = tables(desk)
    canceled = "update bill set lifecycle = 'canceled' where number = 'E-3' returning id"
    kept = await world.value(canceled)

    await desk.decide(earlier.id, "discard")
    await desk.work_off()

    assert counts(await desk.view(later.id)) == ("checked", 3, 0, 0)
    assert await world.value("select id from bill where number = 'E-3'") == kept
    await desk.decide(later.id)
    await desk.work_off()
    assert (await desk.bills(lifecycle=("open",))).count == 2


async def test_a_canceled_bill_of_a_discarded_import_holds_up_no_later_file(desk: Desk) -> None:
    earlier = await desk.take_in(*rows_of(0, 2))
    await tables(desk).value(
        "update bill set lifecycle = 'canceled' where number = 'E-1' returning 1"
    )
    await desk.decide(earlier.id, "discard")
    await desk.work_off()

    later = await desk.take_in(*rows_of(0, 2))

    assert counts(later) == ("checked", 1, 0, 1)
    assert [fault.code for fault in await desk.faults(later.id)] == ["known_canceled"]


async def test_a_row_judged_while_the_other_import_is_discarded_is_not_lost(desk: Desk) -> None:
    for turn in range(5):
        row = line(f"E-{turn}")
        earlier = await desk.take_in(row)
        later = await desk.upload(csv(row))
        (accept,) = await desk.leases("intake.accept_chunk")

        _, has_moved = await asyncio.gather(
            desk.decide(earlier.id, "discard"), _meets_import_moving(desk, accept)
        )
        await desk.work_off()
        if has_moved:
            await desk.step(accept)

        assert counts(await desk.view(later.id)) == ("checked", 1, 0, 0)


async def _meets_import_moving(desk: Desk, accept: Leased) -> bool:
    """Judge the chunk; whether that has to wait until the other import is gone."""
    try:
        await desk.step(accept)
    except TryLater as later:
        if later.code != "import_moved":
            raise
        return True
    return False
