"""Bank debits against a real vault: mandates, a file with two people's yes, the bank's answers.

Each act is repeated here with the same arguments and happens once: register_mandate,
decide_mandate, build_debit_file, decide_debit_file, report_debit_file, take_out_debit_file,
store_debit_result and read_debit_result.
"""

from datetime import date, time, timedelta

import pytest

from portal.contract.debit import SET_BANK_DAY, BankDaySet, SetBankDay
from portal.contract.payment import RECORD_INQUIRY, RecordInquiry
from portal.domain.days import JAPAN, DayWord, DebitTerms, debit_day
from portal.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound, PortalError
from portal.kit.holidays import bank_calendar
from portal.vault.server import VaultServer
from tests.make.bank import Desk, new_desk, open_contract
from tests.make.days import Calendar
from tests.make.debits import answer
from tests.make.money import AMOUNT, finding, new_world
from tests.make.refunds import member
from tests.make.vault import ClientFor


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(await new_world(vault, client_for))


async def test_a_debit_from_mandate_to_a_paid_bill(desk: Desk) -> None:
    payers = [await desk.debtor(AMOUNT + place) for place in range(3)]

    one = await desk.build()
    assert (one.state, one.count) == ("building", 0)
    assert await desk.worked() == ["debit.fill"]
    sealed = await desk.seen(one)
    assert (sealed.state, sealed.count, sealed.total_minor) == ("sealed", 3, 3 * AMOUNT + 3)
    page = await desk.world.page(payers[0])
    assert (page.state, page.debit_on) == ("processing", desk.debit_on)
    assert {offer.reason for offer in page.methods} == {"attempt_running"}
    with pytest.raises(Conflict, match="attempt_running"):
        await desk.world.start(payers[0])

    approved = await desk.rule(one)
    assert (approved.state, approved.choices) == ("approved", ("discard",))
    sent = await desk.taken_out(one)
    assert len(sent) == (1 + 3 + 2) * 122
    assert (await desk.seen(one)).state == "sending"
    assert await desk.taken_out(one) == sent

    said = await desk.answered(one, sent, lambda _place: "0")

    assert (said.state, said.lines, said.unknown, said.unexpected) == ("booked", 3, 0, 0)
    answered = await desk.seen(one)
    assert (answered.state, answered.outcomes.succeeded) == ("answered", 3)
    assert answered.outcomes.succeeded_minor == sealed.total_minor
    for place, payer in enumerate(payers):
        amount = AMOUNT + place
        assert await desk.world.settlement(payer.bill_id) == "settled"
        assert await desk.world.books(payer.bill_id) == {"billed": -amount, "in_transit": amount}
        told = await desk.world.events(payer.bill_id)
        assert told == ["debit.in_file", "bill.paid", "debit.succeeded"]
    assert (await desk.world.page(payers[0])).state == "paid"
    assert await desk.world.cases() == []


async def test_each_answer_does_what_the_banks_code_says(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(6)]
    one, sent = await desk.at_bank()

    said = await desk.answered(one, sent, lambda place: "012389"[place])

    states = [await desk.debit_state(payer) for payer in payers]
    assert states == ["succeeded", "nsf", "failed", "failed", "stopped", "unknown"]
    assert said.unknown == 1
    assert await desk.world.cases() == ["debit_unclear"]
    mandates = {
        row["id"]: (row["state"], row["code"])
        for row in await desk.world.rows("select id, state, code from mandate")
    }
    assert [mandates[mandate.id] for mandate in desk.mandates] == [
        ("active", None), ("active", None), ("suspended", "no_account"),
        ("suspended", "stopped_by_payer"), ("active", None), ("active", None),
    ]  # fmt: skip
    pages = [await desk.world.page(payer) for payer in payers]
    assert [page.state for page in pages] == [
        "paid", "declined", "declined", "declined", "declined", "unclear"
    ]  # fmt: skip
    assert [page.attempt.decline_code for page in pages[1:5] if page.attempt] == [
        "debit_no_funds", "debit_refused", "debit_refused", "debit_stopped"
    ]  # fmt: skip
    assert pages[5].debit_on == desk.debit_on
    # What failed can be paid otherwise at once; what nobody knows can not.
    assert (await desk.world.start(payers[1])).fresh
    with pytest.raises(Conflict, match="attempt_running"):
        await desk.world.start(payers[5])
    outcomes = (await desk.seen(one)).outcomes
    assert (outcomes.no_funds, outcomes.failed, outcomes.unknown) == (1, 3, 1)


async def test_a_result_that_comes_twice_is_booked_once(desk: Desk) -> None:
    payer = await desk.debtor()
    one, sent = await desk.at_bank()
    back = answer(sent, lambda _place: "0")

    first = await desk.read(one, back, key="once")
    await desk.worked()
    books = await desk.world.books(payer.bill_id)
    again = await desk.read(one, back, key="twice", by=desk.builder)
    with pytest.raises(Conflict, match="part_differs"):
        await desk.read(one, back.replace(b"0", b"1"), key="once")
    assert (await desk.read(one, back, key="once")).known
    kept = "select count(*) from file_part p join debit_result r on r.part_file_id = p.file_id"
    assert await desk.world.value(kept) == 1

    assert (first.known, again.known, again.lines) == (False, True, 1)
    assert await desk.worked() == []
    assert await desk.world.books(payer.bill_id) == books
    assert await desk.world.settlement(payer.bill_id) == "settled"


async def test_a_doubtful_result_is_refused_as_a_whole_and_says_why(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    payers = [await desk.debtor(AMOUNT + place) for place in range(3)]
    one, sent = await desk.at_bank()
    good = answer(sent, lambda _place: "0")
    theirs = await new_desk(
        await new_world(vault, client_for, "kansai"), collector_code="0000099999"
    )
    await theirs.debtor()
    _, others = await theirs.at_bank()
    doubtful = {
        "trailer_missing": good[: 122 * 3],
        "line_end": good.replace(b"\r\n", b"\n"),
        "trailer_total": _with_trailer(good, 7, f"{3 * AMOUNT + 4:012d}".encode()),
        "trailer_done": _with_trailer(good, 19, b"000002"),
        "header_collector": answer(others, lambda _place: "0"),
        "header_debit_on": good[:54] + b"0101" + good[58:],
        "ebcdic": b"\xf1" + good[1:],
        "trailer_count": good[:130] + b"\x80" + good[131:],  # a letter that no bank has
    }
    for reason, body in doubtful.items():
        said = await desk.read(one, body)
        assert (said.state, said.reason) == ("refused", reason)
        assert (await desk.seen(one)).refused_result == reason

    assert await desk.worked() == []
    assert {await desk.debit_state(payer) for payer in payers} == {"in_file"}
    assert await desk.world.value("select count(*) from debit where cause is not null") == 0
    assert (await desk.answered(one, sent, lambda _place: "0")).state == "booked"
    assert (await desk.seen(one)).refused_result == ""


def _with_trailer(body: bytes, place: int, digits: bytes) -> bytes:
    """The file with other digits at a place of its trailer."""
    start = len(body) - 2 * 122 + place
    return body[:start] + digits + body[start + len(digits) :]


async def test_a_line_that_is_missing_is_unknown_until_another_file_tells(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(3)]
    one, sent = await desk.at_bank()
    records = sent.split(b"\r\n")
    trailer = records[4].decode()
    total = f"8000002{2 * AMOUNT:012d}{trailer[19:]}"
    without = b"\r\n".join([*records[:2], records[3], total.encode(), *records[5:]])

    await desk.answered(one, without, lambda _place: "0")

    states = [await desk.debit_state(payer) for payer in payers]
    assert states == ["succeeded", "unknown", "succeeded"]
    assert await desk.world.cases() == ["debit_unclear"]
    assert await desk.world.settlement(payers[1].bill_id) == "unpaid"

    await desk.answered(one, sent, lambda place: "010"[place])

    assert [await desk.debit_state(payer) for payer in payers] == ["succeeded", "nsf", "succeeded"]
    assert await desk.world.settlement(payers[0].bill_id) == "settled"


async def test_a_line_that_nobody_sent_is_a_case_and_books_nothing(desk: Desk) -> None:
    payer = await desk.debtor()
    one, sent = await desk.at_bank()
    records = sent.split(b"\r\n")
    stranger = records[1][:91] + b"9" * 20 + records[1][111:]
    trailer = records[2].decode()
    total = f"8000002{2 * AMOUNT:012d}{trailer[19:]}".encode()
    more = b"\r\n".join([records[0], records[1], stranger, total, *records[3:]])

    said = await desk.answered(one, more, lambda _place: "0")

    assert (said.unexpected, said.unknown) == (1, 0)
    assert await desk.world.cases() == ["debit_unexpected"]
    assert await desk.world.books(payer.bill_id) == {"billed": -AMOUNT, "in_transit": AMOUNT}


async def test_a_bank_that_takes_its_word_back_is_a_case_and_the_books_stay(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(2)]
    one, sent = await desk.at_bank()
    await desk.answered(one, sent, lambda place: "01"[place])

    await desk.answered(one, sent, lambda place: "10"[place])

    assert [await desk.debit_state(payer) for payer in payers] == ["succeeded", "succeeded"]
    assert await desk.world.cases() == ["debit_contradicts", "late_success"]
    for payer in payers:
        assert await desk.world.settlement(payer.bill_id) == "settled"


async def test_a_bill_paid_by_card_after_all_and_debited_too_is_owed_back(desk: Desk) -> None:
    mandate = await desk.decide(await desk.register())
    payer = await desk.bill_of(mandate)
    card = await desk.world.start(payer)
    await desk.world.submitted(payer, card, outcome="refused", code="card_declined")
    one, sent = await desk.at_bank()

    # The card company had taken it after all, and says so once the file is sealed.
    await desk.world.told(payer, card.attempt_id, finding("succeeded"))
    assert await desk.world.settlement(payer.bill_id) == "settled"
    await desk.answered(one, sent, lambda _place: "0")

    assert await desk.world.settlement(payer.bill_id) == "over"
    assert "overpaid" in await desk.world.cases()
    assert (await desk.world.books(payer.bill_id))["overpayment"] == -AMOUNT


async def test_one_file_a_day_and_contract(desk: Desk) -> None:
    await desk.debtor()
    one = await desk.build(idempotency_key="k")
    assert (await desk.build(idempotency_key="k")).id == one.id
    with pytest.raises(Conflict, match="debit_file_exists"):
        await desk.build()
    await desk.worked()
    with pytest.raises(Conflict, match="debit_file_exists"):
        await desk.build()

    await desk.rule(one, "discard")
    assert await desk.worked() == ["debit.book"]
    another = await desk.build()
    await desk.worked()

    assert (await desk.seen(another)).count == 1
    assert (await desk.seen(one)).state == "discarded"


async def test_a_file_that_no_worker_could_fill_can_be_discarded(desk: Desk) -> None:
    payer = await desk.debtor()
    one = await desk.build()

    assert (await desk.rule(one, "discard")).state == "discarded"
    assert sorted(await desk.worked()) == ["debit.book", "debit.fill"]

    assert await desk.world.value("select count(*) from debit") == 0
    assert {offer.reason for offer in (await desk.world.page(payer)).methods} == {None}
    assert (await desk.build()).state == "building"


async def test_a_file_that_nobody_approves_in_time_gives_its_bills_back(desk: Desk) -> None:
    payer = await desk.debtor()
    one = await desk.build()
    await desk.worked()
    async with desk.world.act() as act:  # its time to be approved is over
        await act.db.execute("update debit_file set approve_until = built_at - interval '1 day'")
        await act.db.execute("update task set next_at = planned_at where kind = 'debit.book'")

    assert await desk.worked() == ["debit.book"]

    assert (await desk.seen(one)).state == "discarded"
    assert await desk.debit_state(payer) == "withdrawn"
    assert (await desk.world.page(payer)).debit_on is None


async def test_who_built_a_file_can_not_approve_it(desk: Desk) -> None:
    await desk.debtor()
    desk.builder = desk.owner
    one = await desk.build()
    await desk.worked()
    clerk = await member(desk.world, "clerk", "clerk")

    with pytest.raises(NotAllowed, match="approver_is_asker"):
        await desk.rule(one)
    with pytest.raises(NotAllowed, match="not_allowed"):
        await desk.rule(one, by=clerk)
    for early in (desk.taken_out(one), desk.read(one, b"x")):
        with pytest.raises(Conflict, match="debit_file_state"):
            await early
    assert (await desk.seen(one)).choices == ("discard",)
    second = await member(desk.world, "second")
    assert (await desk.rule(one, by=second, key="yes")).state == "approved"
    assert (await desk.rule(one, by=second, key="yes")).state == "approved"


async def test_a_file_that_the_bank_refused_frees_its_bills_and_its_day(desk: Desk) -> None:
    payer = await desk.debtor()
    one, _ = await desk.at_bank()
    with pytest.raises(Conflict, match="debit_file_exists"):
        await desk.build()
    assert (await desk.report(one, "unknown", key="lost")).state == "unknown"
    assert (await desk.report(one, "unknown", key="lost")).state == "unknown"
    with pytest.raises(Conflict, match="debit_file_exists"):
        await desk.build()

    assert (await desk.report(one, "rejected")).state == "rejected"
    await desk.worked()

    assert await desk.debit_state(payer) == "withdrawn"
    assert (await desk.world.page(payer)).debit_on is None
    another = await desk.build()
    await desk.worked()
    assert (await desk.seen(another)).count == 1


async def test_money_of_a_file_that_was_wrongly_said_to_be_refused_is_booked(desk: Desk) -> None:
    payer = await desk.debtor()
    one, sent = await desk.at_bank()
    await desk.report(one, "rejected")
    await desk.worked()
    second, again = await desk.at_bank()

    # The bank did debit by the first file; then its second file is debited as well.
    await desk.answered(one, sent, lambda _place: "0")

    assert (await desk.seen(one)).state == "rejected"
    assert await desk.world.settlement(payer.bill_id) == "settled"
    assert await desk.world.cases() == ["late_success"]
    await desk.answered(second, again, lambda _place: "0")
    assert await desk.world.settlement(payer.bill_id) == "over"
    assert (await desk.world.books(payer.bill_id))["overpayment"] == -AMOUNT


async def test_what_is_told_before_a_refused_file_is_freed_is_booked_too(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(2)]
    one, sent = await desk.at_bank()
    await desk.report(one, "rejected")

    await desk.answered(one, sent, lambda place: "01"[place])

    assert [await desk.debit_state(payer) for payer in payers] == ["succeeded", "withdrawn"]
    assert await desk.world.settlement(payers[0].bill_id) == "settled"


async def test_a_bill_that_is_being_canceled_is_debited_first_and_then_canceled(desk: Desk) -> None:
    payers = [await desk.debtor() for _ in range(2)]
    one, sent = await desk.at_bank()
    debit_id = await desk.world.value("select id from debit where bill_id = $1", payers[0].bill_id)
    claim = RecordInquiry(attempt_id=debit_id, finding=finding("failed"))
    with pytest.raises(NotFound):  # only the bank's file says how a debit ended
        await desk.world.web.call(RECORD_INQUIRY, claim, payers[0].authority)
    async with desk.world.act() as act:
        await act.db.execute(
            "update bill set lifecycle = 'canceling' where id = $1", payers[0].bill_id
        )

    await desk.answered(one, sent, lambda _place: "0")

    ends = [
        await desk.world.value("select lifecycle from bill where id = $1", payer.bill_id)
        for payer in payers
    ]
    assert ends == ["canceled", "open"]
    for payer in payers:
        assert (await desk.world.books(payer.bill_id))["in_transit"] == AMOUNT


async def test_one_refused_debit_of_two_suspends_the_mandate(desk: Desk) -> None:
    mandate = await desk.decide(await desk.register())
    for _ in range(2):
        await desk.bill_of(mandate)
    one, sent = await desk.at_bank()

    await desk.answered(one, sent, lambda place: "20"[place])

    assert await desk.world.value("select code from mandate") == "no_account"


async def test_only_what_is_due_and_free_goes_into_a_file(desk: Desk) -> None:
    taken = await desk.debtor()
    paid = await desk.debtor()
    await desk.world.paid(paid)
    running = await desk.debtor()
    started = await desk.world.start(running)
    await desk.world.submitted(running, started)
    later = await desk.debtor()
    waiting = await desk.register()
    await desk.bill_of(waiting)
    async with desk.world.act() as act:
        await act.db.execute(
            "update bill set due_on = $2 where id = $1",
            later.bill_id,
            desk.debit_on + timedelta(days=1),
        )
    async with desk.world.act() as act:
        await act.db.execute("update mandate set state = 'suspended' where id = $1", waiting.id)

    one = await desk.build()
    await desk.worked()

    assert (await desk.seen(one)).count == 1
    assert await desk.debit_state(taken) == "in_file"


async def test_a_debit_without_funds_is_presented_once_more(desk: Desk) -> None:
    payer = await desk.debtor()
    for presented in range(3):
        one = await desk.build()
        await desk.worked()
        count = (await desk.seen(one)).count
        assert count == (1 if presented < 2 else 0)
        if not count:
            assert (await desk.seen(one)).state == "discarded"
            break
        await desk.rule(one)
        await desk.answered(one, await desk.taken_out(one), lambda _place: "1")
        async with desk.world.act() as act:  # the next month's file
            await act.db.execute("update debit_file set state = 'rejected' where id = $1", one.id)
    assert await desk.debit_state(payer) == "nsf"


async def test_the_banks_limit_of_lines_leaves_the_rest_for_another_day(
    vault: VaultServer, client_for: ClientFor
) -> None:
    desk = await new_desk(await new_world(vault, client_for), lines_max=2)
    for _ in range(3):
        await desk.debtor()

    one = await desk.build()
    await desk.worked()

    seen = await desk.seen(one)
    assert (seen.state, seen.count, seen.is_full) == ("sealed", 2, True)
    assert await desk.world.value("select count(*) from attempt") == 2


async def test_a_name_that_no_bank_can_read_is_refused_where_it_is_entered(desk: Desk) -> None:
    for wrong, code, field in (
        ({"payer_name": "山田 花子"}, "kana_unwritable", "holderName"),
        ({"payer_name": "ア" * 31}, "kana_length", "holderName"),
        ({"account_number": "12345678"}, "account_number", "accountNumber"),
        ({"account_kind": "5"}, "account_kind", "accountKind"),
    ):
        with pytest.raises(InvalidInput, match=code) as refused:
            await desk.register(**wrong)
        assert refused.value.params["field"] == field
    for unknown, code in (({"bank_code": "9999"}, "bank_unknown"),
                          ({"branch_code": "999"}, "branch_unknown")):  # fmt: skip
        with pytest.raises(NotFound, match=code):
            await desk.register(**unknown)
    assert await desk.world.value("select count(*) from mandate") == 0


async def test_a_customer_has_one_mandate_that_has_not_ended(desk: Desk) -> None:
    first = await desk.register(customer_no="A-1", idempotency_key="k")
    assert (await desk.register(customer_no="A-1", idempotency_key="k", account_number="0000001")
            ).id == first.id  # fmt: skip
    with pytest.raises(Conflict, match="mandate_exists"):
        await desk.register(customer_no="a1")
    with pytest.raises(Conflict, match="mandate_state"):
        await desk.decide(first, "resume")

    revoked = await desk.decide(first, "revoke", key="no-more")
    assert await desk.decide(first, "revoke", key="no-more") == revoked

    assert (revoked.state, revoked.choices) == ("revoked", ())
    assert (await desk.register(customer_no="a1")).state == "pending_bank"
    sealed: bytes = await desk.world.value("select details from mandate limit 1")
    assert b"0000001" not in sealed


async def test_a_day_that_the_contract_does_not_debit_on_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="debit_day_wrong"):
        await desk.build(debit_on=desk.debit_on + timedelta(days=1))
    with pytest.raises(Conflict, match="debit_too_late"):
        await desk.build(debit_on=_the_month_before(desk))


def _the_month_before(desk: Desk) -> date:
    """The debit day of the month before."""
    day = desk.debit_on.replace(day=1) - timedelta(days=1)
    terms = DebitTerms(day_of_month=27, submit_days=4, submit_by=time(15))
    return debit_day(bank_calendar(), terms, day.year, day.month)


async def test_another_merchants_files_mandates_and_contracts_are_not_found(
    desk: Desk, vault: VaultServer, client_for: ClientFor
) -> None:
    await desk.debtor()
    mandate = await desk.register()
    one, sent = await desk.at_bank()
    theirs = await new_desk(await new_world(vault, client_for, "kansai"))

    for asking in (
        theirs.rule(one),
        theirs.rule(one, "discard"),
        theirs.report(one, "rejected"),
        theirs.taken_out(one),
        theirs.read(one, answer(sent, lambda _place: "0")),
        theirs.decide(mandate),
        theirs.register(contract_id=desk.contract_id),
        theirs.build(contract_id=desk.contract_id),
    ):
        with pytest.raises(NotFound):
            await asking
    assert (await theirs.listed()).files == ()


async def test_an_operator_opens_a_contract_once_and_only_with_possible_terms(desk: Desk) -> None:
    with pytest.raises(Conflict, match="debit_contract_exists"):
        await open_contract(desk.world)
    for wrong, code in (
        ({"day_of_month": 32}, "debit_terms"),
        ({"submit_days": 0}, "debit_terms"),
        ({"lines_max": 0}, "debit_contract"),
        ({"lines_max": 1_000_000}, "debit_contract"),
        ({"more_letters": "é"}, "debit_contract"),
        ({"collector_name": "水戸"}, "kana_unwritable"),
        ({"collector_code": "12"}, "zengin_field"),
    ):
        with pytest.raises(InvalidInput, match=code):
            await open_contract(desk.world, **wrong)


async def test_an_operators_word_on_a_day_moves_debits_and_deadlines_of_one_contract(
    desk: Desk,
) -> None:
    # The month after: its deadline is weeks away, whatever day it is today.
    await Calendar(desk.world).move_to(desk.debit_on + timedelta(days=1))
    [before] = (await desk.listed()).contracts
    debit_on = before.next_debit_on
    other = await open_contract(desk.world, collector_code="0000099999")
    assert before.submit_until is not None
    assert debit_on is not None
    deadline = before.submit_until.astimezone(JAPAN).date()

    async def say(day: date, word: DayWord, code: str = before.collector_code) -> BankDaySet:
        request = SetBankDay(merchant_code=desk.world.code, day=day, word=word, collector_code=code)
        return await desk.world.operator.call(SET_BANK_DAY, request)

    async def found() -> tuple[date | None, date | None]:
        [view] = [one for one in (await desk.listed()).contracts if one.id != other]
        until = view.submit_until
        return view.next_debit_on, until and until.astimezone(JAPAN).date()

    await say(deadline, "closed")
    assert await found() == (debit_on, bank_calendar().before(deadline, 1))
    await say(deadline, "calendar")
    assert await found() == (debit_on, deadline)

    said = [await say(debit_on, "closed") for _ in range(2)]
    moved, _ = await found()
    with pytest.raises(InvalidInput, match="debit_day_wrong"):
        await desk.build(debit_on=debit_on)
    assert said == [BankDaySet(contracts=1, files=0)] * 2
    assert moved == bank_calendar().roll(debit_on + timedelta(days=1))

    await desk.build(contract_id=other, debit_on=debit_on)
    assert (await say(debit_on, "open", "")) == BankDaySet(contracts=2, files=1)
    assert (await found())[0] == debit_on
    for wrong, code in ((date(2099, 1, 1), "calendar_ends"), (deadline, "not_found")):
        with pytest.raises(PortalError, match=code):
            await say(wrong, "closed", "1" if code == "not_found" else "")
