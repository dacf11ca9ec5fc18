from collections import Counter
from datetime import timedelta

import pytest

from portal.contract.bills import BillSearch
from portal.contract.intake import PART_BYTES_MAX
from portal.domain.errors import Conflict, InvalidInput, NotFound, TryLater
from portal.domain.sample import SampleFile, sample_file, sample_rows
from portal.vault.server import VaultServer
from tests.make.intake import DUE_ON, HEADER, Desk, csv, line, new_desk
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


async def test_a_file_becomes_bills_that_wait_for_a_yes(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"), line("E-2", amount="1,580"))

    assert (made.state, made.filename) == ("checked", "請求_11月.csv")
    assert (made.rows_seen, made.rows_good, made.rows_faulty, made.rows_known) == (2, 2, 0, 0)
    assert made.amount_good_minor == 10_000
    page = await desk.bills()
    assert [(row.number, row.lifecycle, row.message) for row in page.bills] == [
        ("E-1", "scheduled", "none"),
        ("E-2", "scheduled", "none"),
    ]
    assert page.bills[0].payer_name == "髙橋 太郎"
    assert page.bills[0].phone_hint == "090-****-5678"


async def test_every_fault_of_a_sample_is_found_where_it_was_made(desk: Desk) -> None:
    wanted = SampleFile(rows=3_000, seed=3, today=desk.today, faulty_share=0.2)
    expected = {(row.line, row.fault) for row in sample_rows(wanted) if row.fault is not None}

    made = await desk.sample(3_000, seed=3, faulty=0.2)
    faults = await desk.faults(made.id)

    assert {(fault.line, (fault.column, fault.code)) for fault in faults} == expected
    assert made.rows_faulty == len(expected)
    assert made.rows_good == 3_000 - len(expected)
    assert {kind.code: kind.rows for kind in made.faults} == Counter(fault.code for fault in faults)


async def test_a_fault_shows_line_column_and_value_but_no_card_number(desk: Desk) -> None:
    made = await desk.take_in(
        f'"E-1","0012","C-1",monthly,2026-11,"髙橋\r\n太郎",090-1234-5678,,8420,{DUE_ON},ja',
        line("E-2", phone="90-1234-5678"),
        line("E-3", payer_name="4242 4242 4242 4242"),
    )

    faults = await desk.faults(made.id)

    assert [(fault.line, fault.column, fault.code, fault.value) for fault in faults] == [
        (4, "phone", "phone_zero_lost", "90-1234-5678"),
        (5, "payer_name", "card_number_refused", "***************4242"),
    ]
    assert made.rows_good == 1


async def test_faults_of_one_kind_can_be_listed_alone(desk: Desk) -> None:
    made = await desk.take_in(line("E-1", amount="0"), line("E-2", phone="", email=""))

    assert [fault.line for fault in await desk.faults(made.id, "amount_zero")] == [2]


async def test_the_same_file_again_is_known_and_makes_nothing(desk: Desk) -> None:
    rows = [line(f"E-{number}") for number in range(50)]
    await desk.take_in(*rows)

    again = await desk.take_in(*rows)

    assert (again.rows_good, again.rows_known, again.rows_faulty) == (0, 50, 0)
    assert (await desk.bills()).count == 50


async def test_a_known_number_with_another_amount_is_a_fault_and_not_taken_silently(
    desk: Desk,
) -> None:
    await desk.issued(line("E-1"))

    again = await desk.take_in(line("E-1", amount="9000"))

    assert [(fault.code, fault.params["amount"]) for fault in await desk.faults(again.id)] == [
        ("known_differs", 8420)
    ]


async def test_a_row_twice_in_a_file_names_the_first_line(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"), line("E-2"), line("E-1", payer_name="別名"))

    faults = await desk.faults(made.id)

    assert [(fault.line, fault.code, fault.params) for fault in faults] == [
        (4, "duplicate_in_file", {"line": 2})
    ]
    assert made.rows_good == 2


async def test_the_first_line_wins_even_if_its_chunk_is_judged_last(desk: Desk) -> None:
    rows = [line(f"E-{number}") for number in range(1_500)]
    rows[1_400] = line("E-7", amount="777")
    made = await desk.upload(csv(*rows))
    leases = await desk.leases("intake.accept_chunk")

    for leased in sorted(leases, key=lambda leased: -leased.number):
        await desk.step(leased)

    seen = await desk.view(made.id)
    assert (seen.state, seen.rows_good, seen.rows_faulty) == ("checked", 1_499, 1)
    assert [(fault.line, fault.params) for fault in await desk.faults(made.id)] == [
        (1_402, {"line": 9})
    ]
    found = await desk.bills(search=BillSearch(field="number", text="E-7"))
    assert [row.amount_minor for row in found.bills] == [8420]
    assert seen.amount_good_minor == 1_499 * 8420


async def test_parts_are_acknowledged_again_and_refused_out_of_place(desk: Desk) -> None:
    wanted = SampleFile(rows=7_000, seed=5, today=desk.today)
    body = b"".join(sample_file(wanted))
    made = await desk.create()
    first, second = body[:PART_BYTES_MAX], body[PART_BYTES_MAX:]

    assert await desk.store(made.id, 0, first) == PART_BYTES_MAX
    assert await desk.store(made.id, 0, first) == PART_BYTES_MAX
    with pytest.raises(Conflict, match="part_differs"):
        await desk.store(made.id, 0, b"x" + first[1:])
    with pytest.raises(Conflict, match="offset_mismatch") as refused:
        await desk.store(made.id, 2 * PART_BYTES_MAX, second)
    assert refused.value.params == {"expected": PART_BYTES_MAX}
    assert await desk.store(made.id, PART_BYTES_MAX, second) == len(body)
    with pytest.raises(InvalidInput, match="part_after_last"):
        await desk.store(made.id, len(body), b"more")

    with pytest.raises(Conflict, match="size_mismatch"):
        await desk.finish(made.id, len(body) - 1)
    await desk.finish(made.id, len(body))
    await desk.finish(made.id, len(body))
    await desk.work_off()
    assert (await desk.view(made.id)).rows_good == 7_000


async def test_rows_are_judged_while_the_upload_still_runs(desk: Desk) -> None:
    wanted = SampleFile(rows=7_000, seed=5, today=desk.today)
    body = b"".join(sample_file(wanted))
    made = await desk.create()
    await desk.store(made.id, 0, body[:PART_BYTES_MAX])

    await desk.work_off()

    seen = await desk.view(made.id)
    assert seen.state == "receiving"
    assert 4_000 <= seen.rows_good < 7_000


async def test_a_missing_column_refuses_the_file_with_its_name(desk: Desk) -> None:
    made = await desk.upload(csv(header=HEADER.replace("due_on", "お天気")))

    assert (made.state, made.refused_code) == ("refused", "column_missing")
    assert made.refused_params == {"columns": "due_on"}
    with pytest.raises(Conflict, match="import_refused"):
        await desk.store(made.id, 0, b"more")


async def test_unknown_columns_are_a_warning_and_order_is_free(desk: Desk) -> None:
    header = "備考," + ",".join(reversed(HEADER.split(",")))
    row = "メモ," + ",".join(reversed(line("E-1").split(",")))
    made = await desk.upload(csv(row, header=header))
    await desk.work_off()

    seen = await desk.view(made.id)
    assert (seen.rows_good, seen.unknown_columns) == (1, ("備考",))


async def test_japanese_headers_and_shift_jis_are_understood(desk: Desk) -> None:
    header = "請求番号,お客さま番号,契約番号,請求年月,氏名,携帯電話番号,請求金額,支払期限"
    day = f"{DUE_ON.year}年{DUE_ON.month}月{DUE_ON.day}日"
    row = f"E-1,0012,C-1,2026年11月,髙橋　太郎,０９０１２３４５６７８,8420円,{day}"  # noqa: RUF001
    made = await desk.upload(f"{header}\n{row}\n".encode("cp932"))
    await desk.work_off()

    assert (await desk.view(made.id)).rows_good == 1
    assert (await desk.bills()).bills[0].payer_name == "髙橋 太郎"


async def test_an_empty_file_is_refused(desk: Desk) -> None:
    assert (await desk.upload(csv())).refused_code == "file_empty"


async def test_opening_twice_with_one_key_gives_one_import(desk: Desk) -> None:
    first = await desk.create(key="same")

    assert (await desk.create(key="same")).id == first.id
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await desk.create(size_bytes=5, key="same")


async def test_another_merchant_sees_neither_import_nor_faults(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    other = await new_desk(vault, client_for, "other")
    made = await desk.take_in(line("E-1", amount="0"))
    assert len(await desk.faults(made.id)) == 1

    for look in (other.view, other.faults):
        with pytest.raises(NotFound):
            await look(made.id)


async def test_issuing_opens_bills_books_what_is_owed_and_plans_messages(desk: Desk) -> None:
    made = await desk.sample(1_200, seed=8)

    await desk.decide(made.id)
    await desk.work_off()

    seen = await desk.view(made.id)
    assert (seen.state, seen.rows_issued) == ("issued", 1_200)
    page = await desk.bills(lifecycle=("open",), message=("planned",))
    assert page.count == 1_200
    leases = await desk.leases("message.send_chunk")
    assert len(leases) == 3


async def test_a_decision_is_made_once(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"))
    await desk.decide(made.id, key="yes")

    assert (await desk.decide(made.id, key="yes")).state == "issuing"
    with pytest.raises(Conflict, match="import_state"):
        await desk.decide(made.id, "discard")
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await desk.decide(made.id, "discard", key="yes")


async def test_an_import_with_no_good_row_can_only_be_thrown_away(desk: Desk) -> None:
    made = await desk.take_in(line("E-1", amount="0"))

    with pytest.raises(Conflict, match="nothing_to_send"):
        await desk.decide(made.id)
    await desk.decide(made.id, "discard")
    await desk.work_off()

    assert (await desk.view(made.id)).state == "discarded"


async def test_discarded_rows_are_gone_and_may_come_again(desk: Desk) -> None:
    rows = [line(f"E-{number}") for number in range(1_100)]
    made = await desk.take_in(*rows)
    await desk.decide(made.id, "discard")
    await desk.work_off()
    assert (await desk.bills()).count == 0

    again = await desk.take_in(*rows)

    assert (again.rows_good, again.rows_known) == (1_100, 0)


async def test_rows_of_an_import_being_thrown_away_are_not_known(desk: Desk) -> None:
    made = await desk.take_in(line("E-1"))
    await desk.decide(made.id, "discard")
    again = await desk.upload(csv(line("E-1")))
    discard, accept = sorted(await desk.leases(), key=lambda leased: leased.kind, reverse=True)

    with pytest.raises(TryLater, match="import_moved"):
        await desk.step(accept)
    await desk.step(discard)
    await desk.step(accept)

    assert (await desk.view(again.id)).rows_good == 1


async def test_a_due_day_is_judged_by_the_merchants_business_day(desk: Desk) -> None:
    today, before = desk.today, desk.today - timedelta(days=1)

    made = await desk.take_in(
        line("E-1", due_on=today.isoformat()), line("E-2", due_on=before.isoformat())
    )

    assert made.rows_good == 1
    assert [fault.code for fault in await desk.faults(made.id)] == ["due_past"]
