"""Debits of the merchant's own that failed elsewhere: told once, to whom they are about.

take_failed_debits is repeated here with the same file, and with the same lines in another file.
"""

from base64 import b64encode
from datetime import timedelta

import pytest

from portal.application.payment.failed_debits import FailedTaken, take_failed
from portal.contract.envelope import Authority
from portal.contract.failed_debit import TAKE_FAILED_DEBITS, TakeFailedDebits
from portal.domain.errors import InvalidInput, LimitReached
from portal.domain.failed_debit import FailedLine
from portal.vault.failed_debit import EVENT
from portal.vault.server import VaultServer
from tests.make.debits import answer, debit, write
from tests.make.intake import DUE_ON, line, new_desk
from tests.make.ladder import Steps
from tests.make.vault import ClientFor


@pytest.fixture
async def steps(vault: VaultServer, client_for: ClientFor) -> Steps:
    return Steps(await new_desk(vault, client_for))


def told_by(lines: list[tuple[int, int, str]]) -> bytes:
    """A bank's file of lines, each with customer number, amount and code."""
    debits = [debit(number, amount) for number, amount, _ in lines]
    return answer(write(debits), lambda place: lines[place][2])


async def take(steps: Steps, raw: bytes, by: Authority | None = None) -> FailedTaken:
    return await take_failed(steps.desk.web, by or steps.desk.staff, raw)


async def test_a_debit_that_failed_elsewhere_begins_what_the_plan_has_for_it(
    steps: Steps, vault: VaultServer, client_for: ClientFor
) -> None:
    desk = steps.desk
    await desk.issued(
        line("E-1", customer_no="0048-1234"), line("E-2", customer_no="77"),
        line("E-3", customer_no="88", amount="900"), line("E-4", customer_no="007"),
        line("E-5", customer_no="7"),
    )  # fmt: skip
    await steps.at(DUE_ON - timedelta(days=15))
    before = [await steps.told(number) for number in ("E-1", "E-2", "E-3", "E-4")]
    raw = told_by([
        (481234, 8420, "1"), (77, 8420, "0"), (88, 8420, "3"), (7, 8420, "1"), (999, 1, "1"),
        (77, 8420, "9"),
    ])  # fmt: skip

    first, again = await take(steps, raw), await take(steps, raw)
    other = await take(steps, told_by([(481234, 8420, "1")]))
    assert await steps.look() == 1

    assert [(one.result, one.bill_number) for one in first.lines] == [
        ("told", "E-1"), ("not_owed", ""), ("unmatched", ""), ("unmatched", ""), ("unclear", ""),
    ]  # fmt: skip
    assert (first.succeeded, first.seen_before) == (1, False)
    assert (again.lines, again.seen_before) == (first.lines, True)
    assert [one.result for one in other.lines] == ["known"]
    assert (await steps.told("E-1"))[len(before[0]) :] == [("ladder", 4, "sms")]
    assert [await steps.told(number) for number in ("E-2", "E-3", "E-4")] == before[1:]
    events = await steps.world.events(await steps.bill())
    assert events.count(EVENT) == 1
    assert await steps.world.value("select settlement from bill where number = 'E-1'") == "unpaid"
    theirs = await new_desk(vault, client_for, "kansai")
    said = await take_failed(theirs.web, theirs.staff, told_by([(481234, 8420, "1")]))
    assert [one.result for one in said.lines] == ["unmatched"]
    # Whoever guesses numbers pays for those that are somebody's, as in a search.
    assert await steps.world.value(
        "select rows from audit where operation = 'take_failed_debits' order by at limit 1"
    ) == 2  # fmt: skip


async def test_two_equal_lines_mean_two_bills_also_in_two_pieces(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.application.payment.failed_debits.LINES_MAX", 1)
    await steps.desk.issued(line("E-1", customer_no="48"), line("E-2", customer_no="48"))
    raw = told_by([(48, 8420, "1")] * 3)

    first = await take(steps, raw)
    other = await take(steps, raw.replace(b"\r\n", b""))

    assert [one.result for one in first.lines] == ["told", "told", "not_owed"]
    assert {one.bill_number for one in first.lines} == {"E-1", "E-2", ""}
    assert [one.result for one in other.lines] == ["known", "known", "not_owed"]
    assert (await take(steps, raw)).lines == first.lines


async def test_a_file_that_is_none_is_refused_at_every_door(steps: Steps) -> None:
    for raw, code in ((b" \r\n", "file_empty"), (b"x" * 600_000, "file_too_large"),
                      (b64encode(b"x" * 300), "record_kind")):  # fmt: skip
        with pytest.raises((InvalidInput, LimitReached), match=code):
            await take(steps, raw)
    one = FailedLine(record_no=2, customer_no="1", amount_minor=1, code="1")
    for sha256, lines, code in (("0" * 63, (one,), "file_malformed"),
                                ("0" * 64, (), "file_malformed"),
                                ("0" * 64, (one,) * 201, "too_many_lines")):  # fmt: skip
        request = TakeFailedDebits(sha256=sha256, lines=lines)
        with pytest.raises(InvalidInput, match=code):
            await steps.desk.web.call(TAKE_FAILED_DEBITS, request, steps.desk.staff)
