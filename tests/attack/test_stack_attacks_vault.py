"""An owner of web, work or egress at the vault: with the zone's own certificate and live channels.

What the principals of that moment may do, he can do; the tests here are about everything else.
"""

from typing import Any
from uuid import uuid4

import msgspec
import pytest

from portal.contract.bills import (
    CANCEL_BILL,
    LIST_BILLS,
    RESEND_MESSAGE,
    VIEW_BILL,
    CancelBill,
    ResendMessage,
    ViewBill,
)
from portal.contract.case import SETTLE_CASE, VIEW_CASE, SettleCase, ViewCase
from portal.contract.envelope import Authority, Nothing, Operation, Request
from portal.contract.intake import (
    DECIDE_IMPORT,
    FINISH_UPLOAD,
    LIST_ROW_FAULTS,
    STORE_PART,
    VIEW_IMPORT,
    DecideImport,
    FinishUpload,
    ListRowFaults,
    StorePart,
    ViewImport,
)
from portal.contract.login import (
    REDEEM_LOGIN_TICKET,
    REVOKE_API_KEY,
    VIEW_VIEWER,
    RedeemLoginTicket,
    RevokeApiKey,
)
from portal.contract.message import (
    REDEEM_DELIVERIES,
    RedeemDeliveries,
)
from portal.contract.page import OPEN_LINK, VIEW_PAGE, OpenLink
from portal.contract.share import ViewPage
from portal.contract.work import AWAIT_WORK, AwaitWork
from portal.domain.ids import DeliveryId
from portal.stack.access import CODE
from portal.stack.certificates import SANDBOX_HOSTS
from portal.vault import operations
from portal.vault.capability import Capability
from portal.vault.registry import REGISTRY
from tests.make.intruder import BILLS, OTHER_BILLS, OTHER_CODE, Asked, Town, to_plain
from tests.make.onlooker import Seen, all_bills, look_on

pytestmark = [pytest.mark.root, pytest.mark.stack, pytest.mark.timeout(240)]

SMS_HOST, CARD_HOST, *_ = SANDBOX_HOSTS


@pytest.fixture(scope="module")
def seen(town: Town) -> Seen:
    operations.load()
    return look_on(town)


# --- whose operation is it ---------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["web", "work", "egress"])
def test_no_zone_calls_the_operations_of_another(town: Town, seen: Seen, zone: str) -> None:
    """By its own authority, and by those of a member of staff and a payer that it has stolen."""
    foreign = [entry.op for entry in REGISTRY.values() if zone not in entry.callers]
    assert len(foreign) >= 15
    grants = (None, seen.owner, seen.payer)
    asked: list[Asked] = [(op, Nothing(), grant) for grant in grants for op in foreign]

    refused = town.calls(zone, asked)
    control = town.call(zone, *OWN[zone](seen))

    assert {outcome.code for outcome in refused} == {"not_allowed"}
    assert not any(outcome.body for outcome in refused)
    assert control.code == ""


OWN: dict[str, Any] = {
    "web": lambda seen: (VIEW_VIEWER, Nothing(), seen.owner),
    "work": lambda _: (AWAIT_WORK, AwaitWork(wait_s=0.0, at_most=1, lanes=("bulk",)), None),
    "egress": lambda _: (
        REDEEM_DELIVERIES,
        RedeemDeliveries(host=SMS_HOST, delivery_ids=(DeliveryId(uuid4()),)),
        None,
    ),
}
"""One call that each zone may make, as the control."""


def test_without_a_principal_the_web_reveals_no_row(town: Town, seen: Seen) -> None:
    """The channel's own authority opens links, logs in and takes notices; it views nothing."""
    views = [e.op for e in REGISTRY.values() if "web" in e.callers and "caller" not in e.kinds]
    assert len(views) >= 15

    refused = town.calls("web", [(op, Nothing(), None) for op in views])

    assert {outcome.code for outcome in refused} == {"not_allowed"}
    assert town.call("web", VIEW_VIEWER, Nothing(), seen.owner).code == ""


@pytest.mark.parametrize("zone", ["work", "egress"])
def test_a_stolen_session_is_worth_nothing_in_another_zone(
    town: Town, seen: Seen, zone: str
) -> None:
    for grant, op in ((seen.owner, LIST_BILLS), (seen.payer, VIEW_PAGE)):
        request = all_bills() if op is LIST_BILLS else Nothing()
        assert town.call(zone, op, request, grant).code == "not_allowed"
        assert town.call("web", op, request, grant).code == ""


# --- whose data is it --------------------------------------------------------------------------


def test_a_payer_sees_one_bill_and_can_name_no_other(town: Town, seen: Seen) -> None:
    numbers = [
        town.call("web", VIEW_PAGE, ViewPage(), grant).read(VIEW_PAGE).number
        for grant in (seen.payer, seen.other_payer)
    ]
    assert len(set(numbers)) == 2, "the control: each sees his own"
    stranger = next(bill for bill in seen.bills if bill.number == numbers[1])
    asked: list[Asked] = [
        (VIEW_BILL, ViewBill(bill_id=stranger.id), seen.payer),
        (LIST_BILLS, all_bills(), seen.payer),
        (RESEND_MESSAGE, ResendMessage(bill_id=stranger.id, idempotency_key="k" * 20), seen.payer),
        (VIEW_VIEWER, Nothing(), seen.payer),
    ]

    assert {outcome.code for outcome in town.calls("web", asked)} == {"not_allowed"}

    shown = town.call("web", VIEW_BILL, ViewBill(bill_id=stranger.id), seen.owner)
    assert shown.read(VIEW_BILL).row.number == numbers[1], "the control: staff may"


def by_id(seen: Seen) -> list[tuple[Operation[Any, Any], Request]]:
    """Every act of staff that names something, about what belongs to the first merchant."""
    bill, key = seen.bills[0], "k" * 20
    return [
        (VIEW_BILL, ViewBill(bill_id=bill.id)),
        (CANCEL_BILL, CancelBill(bill_id=bill.id, version=bill.version, reason="x",
                                 idempotency_key=key)),
        (RESEND_MESSAGE, ResendMessage(bill_id=bill.id, idempotency_key=key)),
        (VIEW_IMPORT, ViewImport(import_id=seen.import_id)),
        (LIST_ROW_FAULTS, ListRowFaults(import_id=seen.import_id, first=9, after_line=0,
                                        code=None)),
        (STORE_PART, StorePart(import_id=seen.import_id, offset=0, body=b"x")),
        (FINISH_UPLOAD, FinishUpload(import_id=seen.import_id, size_bytes=1)),
        (DECIDE_IMPORT, DecideImport(import_id=seen.import_id, decision="discard",
                                     idempotency_key=key)),
        (REVOKE_API_KEY, RevokeApiKey(id=seen.api_key_id)),
        (VIEW_CASE, ViewCase(case_id=seen.case_id)),
        (SETTLE_CASE, SettleCase(case_id=seen.case_id, action="let_be", note="",
                                 idempotency_key=key)),
    ]  # fmt: skip


def test_staff_of_one_merchant_reach_nothing_of_another(town: Town, seen: Seen) -> None:
    acts = by_id(seen)
    refused = town.calls("web", [(op, request, seen.other_owner) for op, request in acts])

    assert {outcome.code for outcome in refused} == {"not_found"}
    assert len(seen.other_bills) == OTHER_BILLS
    assert not {bill.id for bill in seen.other_bills} & {bill.id for bill in seen.bills}

    control = town.calls("web", [(op, request, seen.owner) for op, request in acts if op in VIEWS])
    assert [outcome.code for outcome in control] == [""] * len(VIEWS)
    assert control[-1].read(VIEW_CASE).case.closed_at is None, "nothing was settled"
    after = town.call("web", LIST_BILLS, all_bills(), seen.owner).read(LIST_BILLS)
    assert after.count >= BILLS
    assert {bill.lifecycle for bill in after.bills} == {"open"}, "nothing was canceled"


VIEWS = (VIEW_BILL, VIEW_IMPORT, LIST_ROW_FAULTS, VIEW_CASE)


def test_an_edited_capability_is_worth_nothing(town: Town, seen: Seen) -> None:
    """Another bill, another merchant, another kind, more operations or life, under the old key."""
    mine = msgspec.msgpack.decode(seen.payer.capability, type=Capability)
    theirs = msgspec.msgpack.decode(seen.other_payer.capability, type=Capability)
    other = msgspec.msgpack.decode(seen.other_owner.capability, type=Capability)
    edited = [
        msgspec.structs.replace(mine, scope_id=theirs.scope_id),
        msgspec.structs.replace(mine, merchant=other.merchant),
        msgspec.structs.replace(mine, kind="staff", role="owner"),
        msgspec.structs.replace(mine, ops=("*",)),
        msgspec.structs.replace(mine, expires_at=mine.expires_at + 1),
        msgspec.structs.replace(mine, budget=other.budget),
    ]
    grants = [
        Authority(capability=msgspec.msgpack.encode(one), key=seen.payer.key, expires_at=2**31)
        for one in edited
    ]
    grants.append(
        Authority(capability=seen.other_payer.capability, key=seen.payer.key, expires_at=2**31)
    )

    for grant in grants:  # a channel of its own for each
        refused = town.call("web", VIEW_PAGE, ViewPage(), grant)
        assert (refused.code, refused.body) == ("authority_unknown", b"")

    assert town.call("web", VIEW_PAGE, ViewPage(), seen.payer).code == ""
    again = msgspec.structs.replace(seen.payer, capability=msgspec.msgpack.encode(mine))
    assert town.call("web", VIEW_PAGE, ViewPage(), again).code == "", "the encoding is the same"


def test_a_guessed_link_opens_nothing(town: Town) -> None:
    secret = town.links()[3].rpartition("/")[2]
    wrong = [secret[:-1] + ("x" if secret[-1] != "x" else "y"), secret[:-1], secret[::-1], ""]
    asked: list[Asked] = [
        (OPEN_LINK, OpenLink(merchant_code=CODE, secret=one), None) for one in wrong
    ]
    asked.append((OPEN_LINK, OpenLink(merchant_code=OTHER_CODE, secret=secret), None))
    asked.append((OPEN_LINK, OpenLink(merchant_code=CODE, secret=secret), None))

    *refused, control = town.calls("web", asked)

    assert {outcome.code for outcome in refused} == {"link_unknown"}
    assert control.code == ""


# --- what was said before ----------------------------------------------------------------------


def test_a_captured_call_is_worth_nothing_anywhere_ever_again(town: Town, seen: Seen) -> None:
    """On its own channel, on another, from another zone, and after the vault has restarted."""
    plan = {"operation": "view_page", "body": b"\x80".hex(), "authority": to_plain(seen.payer)}

    recorded = town.intrude("web", "record", **plan)

    assert recorded["first"] == "", "the call itself was answered"
    assert recorded["again"] == "vault_lost", "the channel was closed at its repetition"
    for zone in ("web", "work", "egress"):
        assert town.intrude(zone, "replay", frame=recorded["frame"]) == "authority_unknown"

    town.do(town.stack.restart("vault"))
    town.steady()
    assert town.intrude("web", "replay", frame=recorded["frame"]) == "authority_unknown"
    fresh = town.intrude("web", "record", **plan)
    assert fresh["first"] == "", "the control: a fresh call under the same authority is answered"
    assert fresh["frame"] != recorded["frame"]


def test_a_log_in_ticket_works_once(town: Town) -> None:
    ticket = RedeemLoginTicket(ticket=town.ticket())

    first, second = town.calls("web", [(REDEEM_LOGIN_TICKET, ticket, None)] * 2)

    assert first.code == ""
    assert second.code in {"ticket_unknown", "ticket_used", "login_ticket_unknown"}
