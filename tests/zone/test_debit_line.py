"""A debit file by the line, through the real relay to the sandbox's bank: sent once, then asked."""

import hashlib
from collections.abc import AsyncGenerator

import msgspec
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
from portal.contract.work import Leased
from portal.domain.errors import PortalError
from portal.domain.ids import DebitFileId
from portal.kit.outbound import OutboundRequest
from portal.sandbox import magic
from portal.sandbox.bank import answer
from portal.vault.server import VaultServer
from tests.make.bank import new_desk
from tests.make.counter import Counter
from tests.make.money import AMOUNT, Payer, new_world
from tests.make.vault import Ground
from tests.make.workshop import a_workshop

HOST = "bank.sandbox.test"
ACCOUNT_OF = {fault: account for account, fault in magic.DEBIT_FILES.items()}
SEND = {"debit.send"}


@pytest.fixture
async def counter(ground: Ground, vault: VaultServer) -> AsyncGenerator[Counter]:
    async with a_workshop(ground) as shop:
        world = await new_world(vault, ground.client, "mizu")
        yield Counter(shop, await new_desk(world, line="sandbox_bank"))


async def test_an_approved_file_reaches_its_bank_and_the_result_is_booked(
    counter: Counter,
) -> None:
    desk = counter.desk
    payers: dict[str, Payer] = {}
    for account in ("1234567", *magic.DEBITS):
        payers[account] = await desk.debtor(account_number=account)
    one = await counter.approved()
    with pytest.raises(PortalError, match="debit_on_line"):
        await desk.taken_out(one)

    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("accepted", "ended")
    assert counter.at_bank == [(await desk.seen(one)).sha256]
    bank = counter.shop.journal.bank
    [file] = bank.files()
    kept = bank.file(file["reference"])
    assert kept is not None
    outcomes = {row["account"]: row["outcome"] for row in bank.lines()}
    assert outcomes == {"1234567": "0", **magic.DEBITS}

    said = await desk.read(one, answer(kept["body"], [row["outcome"] for row in bank.lines()]))
    await counter.shop.work_off({"debit.book"})

    assert (said.state, said.reason) == ("booked", "")
    states = {account: await desk.debit_state(payer) for account, payer in payers.items()}
    assert states == {
        "1234567": "succeeded", "9990001": "nsf", "9990002": "failed", "9990003": "failed",
        "9990004": "failed", "9990008": "stopped", "9990009": "unknown", "9990010": "unknown",
        "9990011": "unknown",
    }  # fmt: skip


async def test_a_worker_that_was_taken_over_reads_no_account_at_the_bank(counter: Counter) -> None:
    await counter.desk.debtor()
    await counter.approved()
    await counter.shop.work_off(SEND)
    [file] = counter.shop.journal.bank.files()

    def asking(path: str) -> OutboundRequest:
        headers = {"authorization": "Bearer {{credential:sandbox_bank}}"}
        port = counter.shop.outside.api_port
        return OutboundRequest(host=HOST, port=port, method="GET", path=path, headers=headers)

    reference = file["reference"]
    paths = (f"/v1/debit-files/{reference}", f"/v1/debit-results/{reference}")
    answers = await counter.shop.bench.pay.outbound.send([asking(path) for path in paths])

    assert [answer.fate for answer in answers] == ["answered", "not_sent"]
    assert b"sha256" in answers[0].body
    assert answers[1].code == "delivery_missing"


async def test_a_worker_that_was_taken_over_can_not_send_a_file_under_another_name(
    counter: Counter,
) -> None:
    await counter.desk.debtor()
    await counter.approved()
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "debit.send"]
    request = BeginDebitHandover(file_id=DebitFileId(lease.subject_id))
    begun = await counter.desk.world.work.call(BEGIN_DEBIT_HANDOVER, request, lease.authority)
    endpoint = Endpoint(host=HOST, port=counter.shop.outside.api_port)
    honest = LINE.hand_over(endpoint, begun.handover_id).request
    forged = [
        msgspec.structs.replace(
            honest, body=honest.body.replace("{{delivery:reference}}", "0" * 32)
        ),
        msgspec.structs.replace(
            honest, method="GET", path=f"/v1/debit-files/{begun.reference}",
            body='{"x":"{{delivery:file}}"}',
        ),
    ]  # fmt: skip

    answers = await counter.shop.bench.pay.outbound.send(forged)

    assert [answer.code for answer in answers] == ["place_not_as_fixed", "placeholder_misplaced"]
    assert counter.at_bank == []
    [answer] = await counter.shop.bench.pay.outbound.send([honest])
    assert answer.status == 202, "the control"


async def test_people_are_told_when_the_line_gives_a_file_up(counter: Counter) -> None:
    await counter.desk.debtor()
    one = await counter.approved()
    await counter.shop.rows("update debit_handover set tries = 5, state = 'redeemed' returning id")
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "debit.send"]
    [row] = await counter.shop.rows("select id from debit_handover")
    said = RecordDebitHandover(
        file_id=DebitFileId(one.id), handover_id=row["id"], outcome="not_sent", code="relay_away"
    )

    await counter.desk.world.work.call(RECORD_DEBIT_HANDOVER, said, lease.authority)

    assert (await counter.at(one))[1] == "by_hand"
    assert await counter.desk.world.cases() == ["task.debit.send"]


async def test_a_file_waits_for_its_own_budget_alone_and_uses_up_no_try(counter: Counter) -> None:
    await counter.desk.debtor()
    one = await counter.approved()
    await counter.shop.rows(
        "insert into budget (holder, window_no, used, expires_at)"
        " select holder, floor(extract(epoch from now()) / 60)::bigint + later, 2000000,"
        " now() + interval '1 hour' from generate_series(0, 2) as later,"
        " unnest(array['caller:egress:file', 'caller:egress:caller']) as holder returning used"
    )

    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("sending", "planned")
    [row] = await counter.shop.rows("select tries, code from debit_handover")
    assert (row["tries"], row["code"]) == (0, "budget_spent")
    assert await counter.desk.world.cases() == []

    # Of single rows the relay still has none left: a day of messages stops no file.
    await counter.shop.rows("delete from budget where holder = 'caller:egress:file' returning used")
    await counter.shop.be_due()
    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("accepted", "ended")


async def test_a_refusal_is_not_recorded_while_the_file_is_leaving(counter: Counter) -> None:
    await counter.desk.debtor()
    one = await counter.approved()
    [lease] = [one for one in await counter.desk.world.leases() if one.kind == "debit.send"]
    request = BeginDebitHandover(file_id=DebitFileId(lease.subject_id))
    begun = await counter.desk.world.work.call(BEGIN_DEBIT_HANDOVER, request, lease.authority)
    await counter.shop.rows("update debit_handover set state = 'redeemed' returning id")

    with pytest.raises(PortalError, match="debit_on_line"):
        await counter.desk.report(one, "rejected")
    await counter.grow_old()
    rejected = await counter.desk.report(one, "rejected")
    said = RecordDebitHandover(
        file_id=DebitFileId(one.id), handover_id=begun.handover_id, outcome="accepted", code=""
    )
    await counter.desk.world.work.call(RECORD_DEBIT_HANDOVER, said, lease.authority)

    assert rejected.state == "rejected"
    assert await counter.desk.world.cases() == ["task.debit.send"], "the bank has it after all"


@pytest.mark.parametrize(
    ("fault", "at_once", "later", "taken"),
    [
        ("answer_lost", ("unknown", "unknown"), ("accepted", "ended"), 1),
        ("error", ("unknown", "unknown"), ("unknown", "unknown"), 0),
        ("refused", ("rejected", "ended"), ("rejected", "ended"), 0),
    ],
)
async def test_each_way_to_go_wrong_is_asked_about_and_nothing_is_sent_twice(
    counter: Counter, fault: str, at_once: tuple[str, str], later: tuple[str, str], taken: int
) -> None:
    await counter.desk.debtor(account_number=ACCOUNT_OF[fault])  # type: ignore[index]
    one = await counter.approved()

    await counter.shop.work_off(SEND)
    assert await counter.at(one) == at_once
    for _ in range(2):
        await counter.grow_old()
        await counter.shop.work_off(SEND)

    assert await counter.at(one) == later
    assert len(counter.at_bank) == taken
    assert await counter.desk.world.value("select tries from debit_handover") == 1


@pytest.mark.parametrize("point", ["worker.before_handover", "worker.after_handover"])
async def test_a_worker_that_dies_beside_the_line_leaves_one_file_at_the_bank(
    counter: Counter, point: str
) -> None:
    await counter.desk.debtor()
    one = await counter.approved()

    assert await counter.shop.crash_at(point, await counter.sending_job()) == 137
    await counter.grow_old()
    await counter.shop.work_off(SEND)

    assert await counter.at(one) == ("accepted", "ended")
    assert len(counter.at_bank) == 1
    assert await counter.desk.world.value("select tries from debit_handover") == 1, (
        "what nobody redeemed was no try"
    )


async def test_a_file_is_given_out_once_a_try_to_the_relay_for_its_bank_alone(
    counter: Counter, ground: Ground
) -> None:
    await counter.desk.debtor()
    one = await counter.approved()
    relay = await ground.client("egress")
    world = counter.desk.world

    async def begun(lease: Leased) -> RedeemDebitFile:
        request = BeginDebitHandover(file_id=DebitFileId(lease.subject_id))
        found = await world.work.call(BEGIN_DEBIT_HANDOVER, request, lease.authority)
        assert found.act == "send"
        return RedeemDebitFile(host=HOST, handover_id=found.handover_id)

    [lease] = [lease for lease in await world.leases() if lease.kind == "debit.send"]
    first = await begun(lease)
    elsewhere = RedeemDebitFile(host="sms.sandbox.test", handover_id=first.handover_id)
    refusals = [(await relay.call(REDEEM_DEBIT_FILE, elsewhere)).refused]
    await counter.grow_old()
    lease = next(lease for lease in await world.leases() if lease.kind == "debit.send")
    second = await begun(lease)
    refusals.append((await relay.call(REDEEM_DEBIT_FILE, first)).refused)
    stale = RecordDebitHandover(
        file_id=DebitFileId(one.id), handover_id=first.handover_id, outcome="not_sent", code="late"
    )
    assert (await world.work.call(RECORD_DEBIT_HANDOVER, stale, lease.authority)).state == "sending"
    given = await relay.call(REDEEM_DEBIT_FILE, second)
    refusals.append((await relay.call(REDEEM_DEBIT_FILE, second)).refused)
    body = b""
    given_parts: list[str | None] = []
    for part_no in (1, 0, 0, 1, 2, 3):
        asked = GiveDebitPart(host=HOST, handover_id=second.handover_id, part_no=part_no)
        part = await relay.call(GIVE_DEBIT_PART, asked)
        body += part.body
        given_parts.append(part.refused)

    assert refusals == ["host_wrong", "delivery_unknown", "delivery_redeemed"]
    late = "part_out_of_order"
    assert given_parts == [late, None, late, None, None, late], "each part once, in order"
    assert (given.parts, given.size_bytes) == (3, len(body))
    assert hashlib.sha256(body).hexdigest() == (await counter.desk.seen(one)).sha256
    assert given.collector == "0000012345"
    with pytest.raises(PortalError):
        await world.work.call(REDEEM_DEBIT_FILE, second)
    assert await counter.at(one) == ("sending", "redeemed")
    assert (await counter.desk.seen(one)).total_minor == AMOUNT
