"""Cards that GMO-PG keeps: through a real relay under the docs' rules, and in the vault."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from portal.application.providers import gmopg
from portal.application.providers.exchange import ChargeWanted
from portal.contract.card_on_file import (
    BEGIN_CHARGE,
    CHOOSE_CHARGES,
    REDEEM_INSTRUMENT,
    SET_CHARGES,
    BeginCharge,
    ChooseCharges,
    RedeemInstrument,
    SetCharges,
)
from portal.contract.client import VaultClient
from portal.contract.payment import RECORD_INQUIRY, RecordInquiry
from portal.contract.work import Leased
from portal.domain.card_on_file import words
from portal.domain.errors import Conflict
from portal.domain.ids import AttemptId, CardChargeId
from portal.domain.money import Money
from portal.vault.server import VaultServer
from tests.make.cards import CONTRACT
from tests.make.days import Calendar
from tests.make.gmopg import errors, recorded
from tests.make.gmopg_cards import Members, access_of
from tests.make.kept_shop import (
    ACCOUNT,
    FIRST,
    KEPT_PAGE,
    MEMBER,
    OTHER,
    SECOND,
    STRANGER,
    THERE,
    Shop,
    a_shop,
    forged,
    kept_by,
    reference_of,
    said_by_the_vault,
)
from tests.make.money import AMOUNT, Payer, World, finding, new_world
from tests.make.provider import HOST
from tests.make.relay import SHOP_PASS, SITE_PASS
from tests.make.vault import Ground


def wanted(attempt: UUID, amount: int = 8420) -> ChargeWanted:
    return ChargeWanted(
        reference=reference_of(attempt),
        amount=Money(amount),
        instrument_id=attempt,
        original_reference=reference_of(FIRST),
        account="mizu",
        description="A-1",
    )


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop]:
    company = Members(sums={reference_of(FIRST): 8420}, payers={reference_of(FIRST): "page"})
    async with a_shop(tmp_path, company) as found:
        found.relay.vault.kept[FIRST] = (HOST, said_by_the_vault(FIRST, MEMBER))
        yield found


async def test_a_card_is_kept_after_its_payment_and_pays_what_the_vault_says(shop: Shop) -> None:
    company, first = shop.company, reference_of(FIRST)

    kept = await shop.desk.converse(gmopg.ADAPTER.inquire(shop.endpoint, first, KEPT_PAGE))
    again = await shop.desk.converse(gmopg.ADAPTER.inquire(shop.endpoint, first, KEPT_PAGE))
    shop.owes(SECOND, MEMBER)
    done = await shop.desk.converse(gmopg.ADAPTER.charge(shop.endpoint, wanted(SECOND, 1)))
    found = await shop.desk.converse(gmopg.ADAPTER.inquire(shop.endpoint, reference_of(SECOND)))

    assert (kept.state, kept.saved_token, again.saved_token) == ("succeeded", "kept", "kept")
    assert company.cards == {MEMBER: first}
    assert company.payers[reference_of(SECOND)] == MEMBER
    assert (done.outcome, found.state, found.amount_minor) == ("accepted", "succeeded", 8420)
    [order, charged] = [form for form in company.forms if form["act"] in {"EntryTran", "ExecTran"}]
    assert order == {
        "act": "EntryTran", "ShopID": ACCOUNT[0], "ShopPass": SHOP_PASS, "JobCd": "CAPTURE",
        "OrderID": reference_of(SECOND), "Amount": "8420",
    }  # fmt: skip
    assert charged == {
        "act": "ExecTran", "ShopID": ACCOUNT[0], "ShopPass": SHOP_PASS, "SiteID": ACCOUNT[2],
        "SitePass": SITE_PASS, "OrderID": reference_of(SECOND), "Method": "1", "CardSeq": "0",
        "MemberID": MEMBER, "AccessID": access_of(reference_of(SECOND)),
        "AccessPass": access_of(reference_of(SECOND))[::-1],
    }  # fmt: skip


async def test_a_worker_can_have_no_card_pay_what_another_owes(shop: Shop) -> None:
    company, other = shop.company, reference_of(OTHER)
    company.cards |= {MEMBER: reference_of(FIRST), STRANGER: other}
    company.members |= company.cards.keys()
    shop.owes(SECOND, MEMBER)
    shop.owes(OTHER, STRANGER, 90_000)
    exchange = gmopg.ADAPTER.charge(shop.endpoint, wanted(SECOND))
    registered = await shop.sent(exchange.request)
    assert exchange.then is not None
    charging = exchange.then(registered)
    keeping = gmopg.ADAPTER.inquire(shop.endpoint, reference_of(FIRST), KEPT_PAGE)
    assert charging is not None
    assert keeping.then is not None
    naming = keeping.then(await shop.sent(keeping.request))
    assert naming is not None
    assert naming.then is not None
    trading = naming.then(await shop.sent(naming.request))
    assert trading is not None
    before = company.acts()

    # What the order is called, nobody is told who could use it.
    assert access_of(reference_of(SECOND)).encode() not in registered.body
    refused = [
        (await shop.sent(request)).code
        for request in (
            forged(exchange.request, Amount="1"),
            forged(exchange.request, OrderID=other),
            forged(charging.request, MemberID=STRANGER),
            forged(charging.request, AccessID=access_of(other)),
            forged(charging.request, OrderID=other),
            forged(charging.request, CardSeq="1"),
            forged(charging.request, Token="tok"),
            forged(trading.request, OrderID=other),
            forged(trading.request, MemberID=STRANGER),
            # The card of one charge for the order of another: none was registered for that one.
            msgspec.structs.replace(charging.request, delivery_id=OTHER),
            # A card that nobody left, and one that is asked for under a charge's name.
            msgspec.structs.replace(trading.request, delivery_id=SECOND),
        )
    ]

    assert refused == [
        *["place_not_as_fixed"] * 6, "field_not_allowed", *["place_not_as_fixed"] * 2,
        "order_unknown", "delivery_refused",
    ]  # fmt: skip
    assert company.acts() == before
    assert (await shop.sent(charging.request)).fate == "answered"
    assert (await shop.sent(charging.request)).code == "order_unknown"
    assert company.payers[reference_of(SECOND)] == MEMBER
    assert other not in company.payers


async def test_what_is_in_doubt_is_asked_about_and_never_sent_again(shop: Shop) -> None:
    company = shop.company
    company.cards[MEMBER] = reference_of(FIRST)
    told: list[tuple[str, str, str]] = []
    for number, (lost, saying) in enumerate(
        [
            ("EntryTran", b""),
            ("ExecTran", b""),
            ("", errors("42C010000").body),
            ("", recorded("ExecTran_3ds2").body),
        ],
        start=10,
    ):
        attempt = UUID(int=(0x19B0 << 112) | number)
        shop.owes(attempt, MEMBER)
        company.lost, company.saying = lost, saying
        said = await shop.desk.converse(gmopg.ADAPTER.charge(shop.endpoint, wanted(attempt)))
        company.lost = ""
        asking = gmopg.ADAPTER.inquire(shop.endpoint, reference_of(attempt), said.provider_ref)
        found = await shop.desk.converse(asking)
        told.append((said.outcome, said.code, found.state))

    # No card was named for the first; the second was paid; who asks for the payer has taken none.
    assert told[0] == ("unknown", "dropped", "failed")
    assert told[1] == ("unknown", "dropped", "succeeded")
    assert told[2] == ("unknown", "provider_unclear", "pending")
    assert told[3][:2] == ("refused", "authentication_failed")
    assert company.acts().count("EntryTran") == len(told)


async def test_a_payment_is_found_whatever_comes_of_keeping_its_card(shop: Shop) -> None:
    told: list[tuple[str, str, bool]] = []
    for lost in ("SaveMember", "TradedCard"):
        shop.company.lost = lost
        asking = gmopg.ADAPTER.inquire(shop.endpoint, reference_of(FIRST), KEPT_PAGE)
        found = await shop.desk.converse(asking)
        told.append((found.state, found.saved_token, bool(found.provider_ref)))
    shop.company.lost = ""
    shop.relay.vault.kept.clear()
    unwanted = await shop.desk.converse(
        gmopg.ADAPTER.inquire(shop.endpoint, reference_of(FIRST), KEPT_PAGE)
    )

    # Under the page's name whoever asks next tries again.
    assert told == [("succeeded", "", False)] * 2
    assert (unwanted.state, unwanted.saved_token) == ("succeeded", "")
    assert unwanted.provider_ref.startswith("p-")


# --- what the vault gives out -------------------------------------------------------------------


async def lease_of(world: World, kind: str) -> Leased:
    """The one task of this kind that is due."""
    [lease] = [lease for lease in await world.leases() if lease.kind == kind]
    return lease


async def paid_and_kept(
    world: World, relay: VaultClient, payer: Payer, attempt_id: AttemptId
) -> None:
    """Its company alone says that a payment's card was kept, after that it was paid."""
    # About the card alone: whatever is answered there, nobody has paid by it.
    for said in (errors("E01110002"), recorded("TradedCard")):
        assert await kept_by(world, relay, attempt_id, said) == "word_unreadable"
    state = "select state from attempt where id = $1"
    assert await world.value(state, attempt_id) == "requires_action"
    # Paid, and its card still to be kept: by its page's name whoever asks next tries again.
    await world.told(payer, attempt_id, finding("succeeded"))
    [paid] = await world.rows(
        "select state, provider_ref, ask_at is null as is_over from attempt where id = $1",
        attempt_id,
    )
    assert paid == {"state": "succeeded", "provider_ref": KEPT_PAGE, "is_over": False}
    # Whoever says that another's was kept has nobody's charged; the company says what was.
    claim = finding("succeeded", saved_token=STRANGER)
    told = RecordInquiry(attempt_id=attempt_id, finding=claim)
    await world.web.call(RECORD_INQUIRY, told, payer.authority)
    assert await kept_by(world, relay, attempt_id, errors("E01240002")) == "word_unreadable"
    awaited = "select state from card_on_file where attempt_id = $1"
    assert await world.value(awaited, attempt_id) == "awaited"
    assert await kept_by(world, relay, attempt_id, recorded("TradedCard")) is None
    assert await world.cases() == []


async def test_the_vault_says_whose_card_is_kept_and_what_an_order_is_for(
    ground: Ground, vault: VaultServer
) -> None:
    world = await (await new_world(vault, ground.client, "mizu")).with_company("gmopg")
    await world.operator.call(SET_CHARGES, SetCharges(merchant_code=world.code, days_before=0))
    relay, calendar = await ground.client("egress"), Calendar(world)
    payer = await world.payer(contract=CONTRACT)
    plain = await world.payer()
    later = await world.payer(contract=CONTRACT, due=calendar.today + timedelta(days=20))
    left = await world.start(payer, consent=words(0))
    await world.submitted(payer, left, provider_ref=KEPT_PAGE)
    unkept = await world.start(plain, "plain")
    assert left.card_id is not None

    async def ask(
        attempt_id: UUID, part: str, host: str = THERE
    ) -> tuple[str, str, int, str | None]:
        asked = RedeemInstrument(host=host, attempt_id=AttemptId(attempt_id), part=part)  # type: ignore[arg-type]
        said = await relay.call(REDEEM_INSTRUMENT, asked)
        return said.token, said.reference, said.amount_minor, said.refused

    # Named for the payment that left it, as often as it is asked for while it is awaited.
    for _ in range(2):
        name = (left.card_id.hex, left.reference, AMOUNT, None)
        assert await ask(left.attempt_id, "keep") == name
    refusals = [
        (await ask(unkept.attempt_id, "keep"))[3],
        (await ask(left.attempt_id, "keep", "api.stripe.test"))[3],
        (await ask(left.attempt_id, "order"))[3],
        (await ask(left.attempt_id, "charge"))[3],
    ]
    assert refusals == ["delivery_unknown", "host_wrong", "delivery_unknown", "delivery_unknown"]
    await paid_and_kept(world, relay, payer, left.attempt_id)
    assert (await ask(left.attempt_id, "keep"))[3] == "not_due"

    await calendar.move_to(calendar.today + timedelta(days=20))
    await vault.data.upkeep.begin_days()
    choosing = await lease_of(world, "charge.choose")
    await world.work.call(CHOOSE_CHARGES, ChooseCharges(), choosing.authority)
    sending = await lease_of(world, "charge.send")
    begin = BeginCharge(charge_id=CardChargeId(sending.subject_id))
    begun = await world.work.call(BEGIN_CHARGE, begin, sending.authority)

    for _ in range(2):
        order = ("", begun.reference, AMOUNT, None)
        assert await ask(begun.attempt_id, "order") == order
    assert (await ask(begun.attempt_id, "order", "api.stripe.test"))[3] == "host_wrong"
    card = (left.card_id.hex, begun.reference, AMOUNT, None)
    assert await ask(begun.attempt_id, "charge") == card
    # Once the company may have the card neither of the two is given out any more.
    for part in ("charge", "order"):
        assert (await ask(begun.attempt_id, part))[3] == "delivery_redeemed"
    # It may be charging it just now: its payer begins nothing beside that, whatever was found.
    assert await world.heard(begun.attempt_id, finding("requires_action", amount=0)) is None
    with pytest.raises(Conflict, match="attempt_running"):
        await world.start(later, "beside")
