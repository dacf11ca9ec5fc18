"""A text tried out on a telephone of the staff: marked, without a payer, sent once."""

import pytest

from portal.contract.message import REPORT_AND_NEXT, ReportAndNext, Slice
from portal.contract.template import TRY_TEMPLATE, TryTemplate
from portal.contract.work import Leased
from portal.domain.errors import Conflict, InvalidInput, LimitReached
from portal.domain.ids import ChunkId
from portal.vault.operations.template_trial import TRIALS_PER_DAY_MAX, TRIALS_TO_ONE_MAX
from portal.vault.server import VaultServer
from tests.make.intake import Desk, line, new_desk, result
from tests.make.ladder import Steps
from tests.make.mails import SENDER, have_mail
from tests.make.money import World
from tests.make.vault import ClientFor, Ground
from tests.make.workshop import a_workshop

GOOD = "{merchant}より {month} {amount} 番号末尾{last4} {due}まで\n{link}"
OWN_PHONE = "080-9999-0000"


async def test_a_trial_takes_the_road_of_messages_to_its_telephone(
    ground: Ground, vault: VaultServer
) -> None:
    del vault
    async with a_workshop(ground) as shop:
        request = TryTemplate(
            channel="sms", language="en", occasion="first", body=GOOD, phone=OWN_PHONE,
            idempotency_key="k",
        )  # fmt: skip
        mail = TryTemplate(
            channel="email", language="en", occasion="first", subject="{merchant} {month}",
            body=GOOD + "\n{proof}\n{stop}", email="Yui@Minato.example", idempotency_key="m",
        )  # fmt: skip
        with pytest.raises(Conflict, match="trial_impossible"):
            await shop.web.call(TRY_TEMPLATE, mail, shop.staff)  # there is no road for mails yet
        await have_mail(await ground.client("operator"), "sandbox_mail")
        for wanted in (request, mail, mail):
            await shop.web.call(TRY_TEMPLATE, wanted, shop.staff)
        await shop.work_off({"message.send_chunk"})

        [text] = shop.texts()
        [sent] = shop.journal.mails.mails(after=0, recipient=None, limit=100)
        assert (sent["sender"], sent["recipient"]) == (SENDER, "yui@minato.example")
        assert sent["subject"] == "[TEST] みなと電力 Nov 2026"
        assert sent["body"].startswith("[TEST]\nみなと電力より Nov 2026 JPY 8,420")
        assert "/p/minato/" + "x" * 22 in sent["body"]
        assert text["recipient"] == "+818099990000"
        assert text["body"].startswith("[TEST] みなと電力より Nov 2026 JPY 8,420")
        rows = await shop.rows("select state, words from message_trial")
        assert [(row["state"], row["words"]) for row in rows] == [("accepted", None)] * 2
        assert await shop.hints() == []


@pytest.fixture
async def desk(vault: VaultServer, client_for: ClientFor) -> Desk:
    return await new_desk(vault, client_for)


def world_of(desk: Desk) -> World:
    return World(desk.server, desk.web, desk.work, desk.operator, desk.code, desk.merchant_id)


async def mailed(desk: Desk, email: str) -> None:
    request = TryTemplate(
        channel="email", language="ja", occasion="first", subject="{merchant}", email=email,
        body=GOOD + "\n{proof}", idempotency_key=email,
    )  # fmt: skip
    await desk.web.call(TRY_TEMPLATE, request, desk.staff)


async def tried(desk: Desk, body: str = GOOD, phone: str = OWN_PHONE, key: str = "k") -> None:
    request = TryTemplate(
        channel="sms", language="ja", occasion="first", body=body, phone=phone, idempotency_key=key
    )
    await desk.web.call(TRY_TEMPLATE, request, desk.staff)


async def taken(desk: Desk, leased: Leased, *results: object, take: int = 100) -> Slice:
    request = ReportAndNext(
        chunk_id=ChunkId(leased.subject_id),
        results=tuple(results),  # type: ignore[arg-type]
        take=take,
    )
    return await desk.work.call(REPORT_AND_NEXT, request, leased.authority)


async def test_a_trial_goes_out_marked_and_once_and_its_words_are_forgotten(desk: Desk) -> None:
    await tried(desk)
    await tried(desk)
    (leased,) = await desk.leases("message.send_chunk")

    [route] = (await taken(desk, leased)).deliveries
    [elsewhere] = (await desk.redeem(route.delivery_id, host="card.sandbox.test")).deliveries
    [given] = (await desk.redeem(route.delivery_id)).deliveries
    [again] = (await desk.redeem(route.delivery_id)).deliveries
    ended = await taken(desk, leased, result(route.delivery_id, "accepted"))

    assert (given.to, given.refused) == ("+818099990000", None)
    assert given.body.startswith("【テスト】みなと電力より 2026年11月分 8,420円 番号末尾4821")
    assert given.body.endswith("/p/minato/" + "x" * 22)
    assert (elsewhere.refused, again.refused) == ("host_wrong", "delivery_redeemed")
    assert again.to == ""
    assert ended.done
    [row] = await world_of(desk).rows("select state, words from message_trial")
    assert (row["state"], row["words"]) == ("accepted", None)
    assert await world_of(desk).value("select count(*) from delivery") == 0


async def test_a_trial_whose_answer_is_lost_is_not_sent_again(desk: Desk) -> None:
    await tried(desk)
    (leased,) = await desk.leases("message.send_chunk")
    [route] = (await taken(desk, leased)).deliveries
    await desk.redeem(route.delivery_id)

    ended = await taken(desk, leased)

    assert ended == Slice(deliveries=(), done=True)
    assert await world_of(desk).value("select state from message_trial") == "ambiguous"


async def test_a_busy_company_is_asked_thrice_and_then_the_trial_is_over(desk: Desk) -> None:
    await tried(desk)
    (leased,) = await desk.leases("message.send_chunk")
    part = await taken(desk, leased)
    for _ in range(2):
        [route] = part.deliveries
        await desk.redeem(route.delivery_id)
        waiting = await taken(desk, leased, result(route.delivery_id, "busy"), take=0)
        assert waiting == Slice(deliveries=(), done=False)
        part = await taken(desk, leased)
    [route] = part.deliveries

    ended = await taken(desk, leased, result(route.delivery_id, "busy"), take=0)

    assert ended.done
    assert await world_of(desk).value("select state from message_trial") == "failed"


async def test_no_payer_is_written_to_and_nobody_all_day_long(desk: Desk) -> None:
    await desk.issued(line("E-1", phone="090-1234-5678", email="taro@mail.example"))
    await Steps(desk).road("email")

    with pytest.raises(Conflict, match="trial_to_payer"):
        await tried(desk, phone="+81 90 1234 5678", key="payer")
    with pytest.raises(InvalidInput, match="phone_no_sms"):
        await tried(desk, phone="03-1234-5678", key="landline")
    with pytest.raises(InvalidInput, match="template_faulty"):
        await tried(desk, GOOD + " 停止します", key="faulty")
    with pytest.raises(Conflict, match="trial_to_payer"):
        await mailed(desk, "Taro@Mail.example")
    with pytest.raises(InvalidInput, match="email_malformed"):
        await mailed(desk, "nobody")
    await tried(desk, key="other")
    with pytest.raises(Conflict, match="idempotency_mismatch"):
        await tried(desk, GOOD + "\n窓口", key="other")
    for number in range(TRIALS_TO_ONE_MAX - 1):
        await tried(desk, key=f"many-{number}")
    with pytest.raises(LimitReached, match="trials_to_one"):
        await tried(desk, key="one too many to one")
    for number in range(TRIALS_PER_DAY_MAX - TRIALS_TO_ONE_MAX):
        await tried(desk, phone=f"090-8888-{number:04}", key=f"others-{number}")
    with pytest.raises(LimitReached, match="trials_a_day"):
        await tried(desk, phone="090-9999-0000", key="one too many")
