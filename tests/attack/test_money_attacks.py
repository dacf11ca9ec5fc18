"""What an owned web process tries with the authorities of the payers that it serves."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from portal.contract.bills import LIST_BILLS, BillFilter, ListBills
from portal.contract.envelope import Authority, Nothing
from portal.contract.operator import COMPARE_JOURNAL, CompareJournal
from portal.contract.page import MARK_OPENED, VIEW_PAGE
from portal.contract.payment import (
    RECORD_INQUIRY,
    RECORD_NOTICE,
    RECORD_SUBMISSION,
    START_PAYMENT,
    VIEW_ATTEMPT,
    VIEW_INQUIRY,
    VIEW_RETURN,
    NoticeClaim,
    RecordInquiry,
    RecordNotice,
    RecordSubmission,
    StartPayment,
    ViewAttempt,
    ViewInquiry,
    ViewReturn,
)
from portal.contract.share import ViewPage
from portal.domain.errors import InvalidInput, InvariantBroken, NotAllowed, NotFound, PortalError
from portal.domain.ids import AttemptId
from portal.vault.capability import Capability
from portal.vault.server import VaultServer
from tests.make.money import AMOUNT, PAGE, Payer, World, finding, new_world
from tests.make.vault import ClientFor

CARD = "4242 4242 4242 4242"


@pytest.fixture
async def world(vault: VaultServer, client_for: ClientFor) -> World:
    return await new_world(vault, client_for)


async def on_the_page(world: World) -> tuple[Payer, AttemptId]:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    return payer, started.attempt_id


def view(attempt_id: UUID) -> ViewAttempt:
    return ViewAttempt(attempt_id=AttemptId(attempt_id))


def found(attempt_id: UUID, state: str = "succeeded") -> RecordInquiry:
    return RecordInquiry(attempt_id=AttemptId(attempt_id), finding=finding(state))


def submission(attempt_id: UUID, **said: str) -> RecordSubmission:
    told = {"outcome": "accepted", "redirect_url": PAGE, "provider_ref": "cs_1", "code": ""}
    return RecordSubmission(attempt_id=AttemptId(attempt_id), **(told | said))  # type: ignore[arg-type]


async def refusal(call: Awaitable[object]) -> tuple[type[PortalError], str, dict[str, str | int]]:
    with pytest.raises(PortalError) as refused:
        await call
    return type(refused.value), refused.value.code, refused.value.params


async def test_a_payer_can_not_reach_another_payers_attempt(world: World) -> None:
    mine, my_attempt = await on_the_page(world)
    other, _ = await on_the_page(world)
    web, authority = world.web, other.authority

    foreign = [
        await refusal(web.call(VIEW_ATTEMPT, view(my_attempt), authority)),
        await refusal(web.call(RECORD_INQUIRY, found(my_attempt), authority)),
        await refusal(web.call(RECORD_SUBMISSION, submission(my_attempt), authority)),
    ]
    nothing = await refusal(web.call(VIEW_ATTEMPT, view(uuid4()), authority))

    assert {str(one) for one in foreign} == {str(nothing)}
    assert await world.settlement(mine.bill_id) == "unpaid"
    # Positive control: the same calls do work for the attempt's own payer.
    assert (await web.call(VIEW_ATTEMPT, view(my_attempt), mine.authority)).redirect_url == PAGE
    assert (await web.call(RECORD_INQUIRY, found(my_attempt), mine.authority)).reference
    await world.told(mine, my_attempt, finding("succeeded"))
    assert await world.settlement(mine.bill_id) == "settled"


async def test_another_merchants_attempt_looks_like_none(
    world: World, vault: VaultServer, client_for: ClientFor
) -> None:
    mine, my_attempt = await on_the_page(world)
    elsewhere = await new_world(vault, client_for, "toshi")
    foreigner = await elsewhere.payer()

    tried = [
        await refusal(elsewhere.web.call(op, request, foreigner.authority))
        for op, request in (
            (VIEW_ATTEMPT, view(my_attempt)),
            (RECORD_INQUIRY, found(my_attempt)),
            (RECORD_SUBMISSION, submission(my_attempt)),
        )
    ]
    nothing = await refusal(world.web.call(VIEW_ATTEMPT, view(uuid4()), foreigner.authority))

    assert {str(one) for one in tried} == {str(nothing)}
    assert nothing[0] is NotFound
    assert (await world.web.call(VIEW_ATTEMPT, view(my_attempt), mine.authority)).reference


async def test_another_merchants_secrets_open_nothing(
    world: World, vault: VaultServer, client_for: ClientFor
) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    elsewhere = await new_world(vault, client_for, "toshi")
    token = ViewReturn(merchant_code="toshi", return_token=started.return_token)

    with pytest.raises(NotFound, match="link_unknown"):
        await elsewhere.open(payer.bill_id, payer.secret)
    with pytest.raises(NotFound, match="return_unknown"):
        await world.web.call(VIEW_RETURN, token)

    assert (await world.open(payer.bill_id, payer.secret)).page_ref == payer.page_ref
    await world.web.call(
        VIEW_RETURN, ViewReturn(merchant_code=world.code, return_token=started.return_token)
    )


async def test_a_capability_that_was_written_over_is_no_authority(world: World) -> None:
    mine, other = await world.payer(), await world.payer()
    capability = msgspec.msgpack.decode(mine.authority.capability, type=Capability)
    stolen = msgspec.structs.replace(capability, scope_id=other.bill_id)
    forged = Authority(
        capability=msgspec.msgpack.encode(stolen),
        key=mine.authority.key,
        expires_at=mine.authority.expires_at,
    )

    with pytest.raises(NotAllowed):
        await world.web.call(VIEW_PAGE, ViewPage(), forged)

    assert (await world.page(mine)).number != (await world.page(other)).number


async def test_a_return_address_grants_its_attempt_and_nothing_else(world: World) -> None:
    payer = await world.payer()
    first = await world.start(payer, "one")
    await world.submitted(payer, first)
    await world.told(payer, first.attempt_id, finding("failed"))
    second = await world.start(payer, "two")
    back = await world.web.call(
        VIEW_RETURN, ViewReturn(merchant_code=world.code, return_token=first.return_token)
    )

    pay = StartPayment(method="card", expected_minor=AMOUNT, idempotency_key="three")
    for op, request in (
        (START_PAYMENT, pay),
        (RECORD_SUBMISSION, submission(first.attempt_id)),
        (MARK_OPENED, Nothing()),
    ):
        with pytest.raises(NotAllowed):
            await world.web.call(op, request, back.authority)
    for op, request in ((VIEW_ATTEMPT, view(second.attempt_id)),
                        (RECORD_INQUIRY, found(second.attempt_id))):  # fmt: skip
        with pytest.raises(NotFound):
            await world.web.call(op, request, back.authority)

    assert (await world.web.call(VIEW_ATTEMPT, view(first.attempt_id), back.authority)).reference


async def test_a_payers_authority_is_no_key_to_the_merchants_list(world: World) -> None:
    payer = await world.payer()
    everything = ListBills(
        filter=BillFilter(), search=None, order="created_desc", first=100, after=None
    )

    with pytest.raises(NotAllowed):
        await world.web.call(LIST_BILLS, everything, payer.authority)

    assert (await world.page(payer)).amount_minor == AMOUNT


async def test_the_web_can_not_play_worker_or_operator(world: World) -> None:
    payer, attempt_id = await on_the_page(world)
    inquiry = ViewInquiry(attempt_id=attempt_id)
    journal = CompareJournal(merchant_code=world.code, provider="x", lines=(), last=True)

    with pytest.raises(NotAllowed):
        await world.web.call(VIEW_INQUIRY, inquiry, payer.authority)
    with pytest.raises(NotAllowed):
        await world.web.call(COMPARE_JOURNAL, journal)
    with pytest.raises(NotAllowed):
        await world.work.call(VIEW_PAGE, ViewPage(), payer.authority)

    await world.operator.call(COMPARE_JOURNAL, journal)


async def test_a_lease_is_good_for_its_own_attempt_only(world: World) -> None:
    mine, my_attempt = await on_the_page(world)
    _, other_attempt = await on_the_page(world)
    await world.age(other_attempt, 5)
    [lease] = await world.leases()
    own = ViewInquiry(attempt_id=other_attempt)

    assert lease.subject_id == other_attempt
    with pytest.raises(NotFound):
        await world.work.call(RECORD_INQUIRY, found(my_attempt), lease.authority)
    with pytest.raises(NotFound):
        await world.work.call(VIEW_INQUIRY, ViewInquiry(attempt_id=my_attempt), lease.authority)
    assert await world.settlement(mine.bill_id) == "unpaid"
    assert (await world.work.call(VIEW_INQUIRY, own, lease.authority)).reference
    await world.heard(other_attempt, finding("succeeded"))
    now = await world.work.call(RECORD_INQUIRY, found(other_attempt), lease.authority)
    assert now.attempt.state == "succeeded"


async def test_a_used_lease_books_nothing_any_more(world: World) -> None:
    payer, attempt_id = await on_the_page(world)
    await world.age(attempt_id, 5)
    [lease] = await world.leases()
    await world.work.call(RECORD_INQUIRY, found(attempt_id, "failed"), lease.authority)

    with pytest.raises(PortalError, match="lease_lost"):
        await world.work.call(RECORD_INQUIRY, found(attempt_id), lease.authority)

    assert await world.settlement(payer.bill_id) == "unpaid"


Hide = Callable[[World, Payer, AttemptId, str], Awaitable[object]]


def hide_in_key(world: World, payer: Payer, _: AttemptId, text: str) -> Awaitable[object]:
    request = StartPayment(method="card", expected_minor=AMOUNT, idempotency_key=text)
    return world.web.call(START_PAYMENT, request, payer.authority)


def hide_in_submission(field: str) -> Hide:
    def hide(world: World, payer: Payer, attempt: AttemptId, text: str) -> Awaitable[object]:
        return world.web.call(
            RECORD_SUBMISSION, submission(attempt, **{field: text}), payer.authority
        )

    return hide


def hide_in_finding(field: str) -> Hide:
    def hide(world: World, payer: Payer, attempt: AttemptId, text: str) -> Awaitable[object]:
        told = RecordInquiry(attempt_id=attempt, finding=finding("pending", **{field: text}))
        return world.web.call(RECORD_INQUIRY, told, payer.authority)

    return hide


def hide_in_notice(field: str) -> Hide:
    def hide(world: World, _: Payer, __: AttemptId, text: str) -> Awaitable[object]:
        values = {"notice_id": "ev", "reference": "R", "claim": "failed"} | {field: text}
        claim = NoticeClaim(subject="attempt", at=None, **values)  # type: ignore[arg-type]
        notice = RecordNotice(
            merchant_code=world.code, provider="sandbox_card", raw=b"{}", claims=(claim,)
        )
        return world.web.call(RECORD_NOTICE, notice)

    return hide


PLACES: dict[str, Hide] = {
    "idempotency key": hide_in_key,
    **{f"submission {name}": hide_in_submission(name) for name in ("provider_ref", "code")},
    **{
        f"finding {name}": hide_in_finding(name)
        for name in (
            "provider_ref", "decline_code", "approval_no", "instrument_hint", "authentication"
        )
    },
    **{f"notice {name}": hide_in_notice(name) for name in ("notice_id", "reference", "claim")},
}  # fmt: skip


@pytest.mark.parametrize("text", [CARD.replace(" ", gap) for gap in ("-", "", ".", "/", "_")])
@pytest.mark.parametrize("place", list(PLACES))
async def test_a_card_number_is_stored_nowhere(world: World, place: str, text: str) -> None:
    payer, attempt_id = await on_the_page(world)

    with pytest.raises(InvalidInput, match="card_number_refused"):
        await PLACES[place](world, payer, attempt_id, text)

    # Positive control: a harmless text of the same length goes through the same place.
    await PLACES[place](world, payer, attempt_id, text.replace("4242", "4241"))


async def test_a_card_number_among_letters_is_no_key(world: World) -> None:
    payer = await world.payer()

    with pytest.raises(InvalidInput, match="card_number_refused"):
        await world.start(payer, "my-card_4242424242424242")

    assert (await world.start(payer, "my-card_4241424142414241")).fresh


async def test_a_card_number_in_a_pages_address_is_refused(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    address = "https://card.sandbox.test/card/4242424242424242"

    with pytest.raises(InvalidInput, match="card_number_refused"):
        await world.submitted(payer, started, redirect_url=address)

    assert (await world.submitted(payer, started)).redirect_url == PAGE


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://evil.example/",
        "//evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "https://a.example/\r\nset-cookie: x",
        "https://a.example/" + "a" * 2048,
    ],
)
async def test_the_payer_is_sent_to_web_pages_only(world: World, address: str) -> None:
    payer = await world.payer()
    started = await world.start(payer)

    with pytest.raises(InvalidInput, match="text_refused"):
        await world.submitted(payer, started, redirect_url=address)

    for good in ("http://localhost:8090/card/cs_1", PAGE):
        await world.submitted(payer, started, redirect_url=good)


async def test_the_payer_is_led_into_no_app_but_the_companys_own(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)

    # A card company has none, so not even a wallet's is let through.
    for link in ("javascript:alert(1)", "paypay://payment?link_key=x", "https://evil.example/"):
        with pytest.raises(InvalidInput, match="text_refused"):
            await world.submitted(payer, started, app_url=link)

    assert (await world.submitted(payer, started)).app_url is None


async def test_one_merchants_act_can_not_see_or_write_anothers_books(
    world: World, vault: VaultServer, client_for: ClientFor
) -> None:
    payer, _ = await on_the_page(world)
    elsewhere = await new_world(vault, client_for, "toshi")

    for table in ("attempt", "return_token", "ledger_entry", "ledger_transaction", "notice"):
        assert await elsewhere.rows(f"select 1 from {table}") == []  # noqa: S608  # of the list
    with pytest.raises(InvariantBroken, match="database_refused"):
        await elsewhere.value(
            "insert into journal_mark values ($1, 'p', 'r') returning 1", world.merchant_id
        )

    assert await world.books(payer.bill_id)


async def test_a_page_shows_a_bill_only_so_often(world: World) -> None:
    payer = await world.payer()

    for _ in range(300):
        await world.page(payer)
    with pytest.raises(PortalError, match="budget_spent"):
        await world.page(payer)

    assert (await world.page(await world.open(payer.bill_id, payer.secret))).state == "open"


async def test_what_is_stored_holds_no_secret_in_clear(world: World) -> None:
    payer = await world.payer()
    started = await world.start(payer)
    await world.submitted(payer, started)
    await world.told(
        payer,
        started.attempt_id,
        finding("succeeded", approval_no="AP-123", instrument_hint="4242"),
    )

    stored = str(
        [
            await world.rows(f"select * from {table}")  # noqa: S608  # of the list
            for table in ("attempt", "return_token", "bill_event", "once", "task", "case_")
        ]
    )

    for secret in (payer.secret, started.return_token, PAGE, "AP-123", "山田"):
        assert secret not in stored
    assert started.reference in stored
