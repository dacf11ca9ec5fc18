"""The payments drill's comparison: one forged line of the journal, or one lost row, shows."""

import msgspec
import pytest

from portal.stack.drill.tally import (
    Ask,
    AttemptShown,
    BillShown,
    Known,
    RefundShown,
    Tally,
    count_in,
    weigh,
)
from portal.stack.payers import Journal, JournalMessages, JournalPayment, JournalRefund

PAID = JournalPayment("sandbox_card", "PAY1", "succeeded", 5000, "aozora")
DECLINED = JournalPayment("sandbox_wallet", "PAY0", "failed", 5000, "aozora")
GIVEN = JournalRefund("sandbox_card", "REF1", "PAY1", "succeeded", 2000)
NOTEBOOK = (Ask("ask-1", "bill_1", 2000, "taken"), Ask("ask-2", "bill_1", 5000, "refund_exceeds"))

WALLET = AttemptShown(
    id="att_0", provider="sandbox_wallet", reference="PAY0", state="failed", amount=5000
)
CARD = AttemptShown(
    id="att_1", provider="sandbox_card", reference="PAY1", state="succeeded", amount=5000
)
REFUND = RefundShown(
    attempt="att_1", provider="sandbox_card", reference="REF1", state="succeeded", amount=2000,
    way="provider", note="ask-1",
)  # fmt: skip
BILL = BillShown(
    number="D-1", amount=5000, settlement="settled", attempts=(CARD, WALLET), refunds=(REFUND,)
)


def journal(
    *, payments: tuple[JournalPayment, ...] = (DECLINED, PAID),
    refunds: tuple[JournalRefund, ...] = (GIVEN,),
) -> Journal:  # fmt: skip
    return Journal(payments, JournalMessages(0, 0, {}), refunds)


def shown(**changes: object) -> BillShown:
    return msgspec.structs.replace(BILL, **changes)


def counted(tally: Tally) -> tuple[set[str], list[str]]:
    return tally.lost, sorted(tally.doubled.elements())


def test_what_agrees_is_at_one() -> None:
    tally = weigh([BILL], journal(), NOTEBOOK)

    assert (tally.differences, *counted(tally)) == ([], set(), [])


@pytest.mark.parametrize(
    ("forged", "lost", "doubled"),
    [
        pytest.param(
            journal(payments=(DECLINED, PAID, msgspec.structs.replace(PAID, reference="PAY9"))),
            "PAY9", "", id="a payment of nobody",
        ),
        pytest.param(
            journal(payments=(msgspec.structs.replace(DECLINED, state="succeeded"), PAID)),
            "PAY0", "D-1", id="the bill was paid by both",
        ),
        pytest.param(
            journal(payments=(DECLINED, PAID, PAID)), "", "D-1", id="the money came twice"
        ),
        pytest.param(
            journal(payments=(DECLINED,), refunds=()), "PAY1 REF1", "", id="no money came"
        ),
        pytest.param(
            journal(payments=(DECLINED, msgspec.structs.replace(PAID, amount=4999))),
            "", "", id="another amount came",
        ),
        pytest.param(journal(refunds=()), "REF1", "", id="nothing went back"),
        pytest.param(
            journal(refunds=(msgspec.structs.replace(GIVEN, state="failed"),)),
            "REF1", "", id="the refund failed",
        ),
        pytest.param(
            journal(refunds=(msgspec.structs.replace(GIVEN, state="pending"),)),
            "REF1", "", id="the refund is still on its way",
        ),
        pytest.param(
            journal(refunds=(GIVEN, msgspec.structs.replace(GIVEN, reference="REF9"))),
            "REF9", "REF9", id="a refund that nobody asked for",
        ),
        pytest.param(
            journal(refunds=(GIVEN, GIVEN)), "", "REF1", id="the refund went out twice"
        ),
        pytest.param(
            journal(refunds=(GIVEN, msgspec.structs.replace(GIVEN, reference="REF9", amount=3001))),
            "REF9", "REF9 PAY1", id="more went back than came",
        ),
        pytest.param(
            journal(refunds=(msgspec.structs.replace(GIVEN, amount=1999),)),
            "", "", id="another amount went back",
        ),
        pytest.param(
            journal(refunds=(msgspec.structs.replace(GIVEN, payment="PAY0"),)),
            "", "PAY0", id="it went back of another payment",
        ),
    ],
)  # fmt: skip
def test_a_forged_journal_is_found_out(forged: Journal, lost: str, doubled: str) -> None:
    tally = weigh([BILL], forged, NOTEBOOK)

    assert counted(tally) == (set(lost.split()), sorted(doubled.split()))
    assert tally.differences


@pytest.mark.parametrize(
    ("bill", "lost", "doubled"),
    [
        pytest.param(shown(settlement="unpaid"), "", "", id="the bill's state"),
        pytest.param(shown(settlement="over"), "", "", id="owed back without a reason"),
        pytest.param(
            shown(attempts=(msgspec.structs.replace(CARD, state="unknown"), WALLET)),
            "PAY1", "", id="still unknown here",
        ),
        pytest.param(
            shown(attempts=(CARD, msgspec.structs.replace(WALLET, state="succeeded"))),
            "PAY0", "", id="booked without money",
        ),
        pytest.param(shown(attempts=(WALLET,)), "PAY1", "", id="the attempt is gone"),
        pytest.param(
            shown(refunds=(msgspec.structs.replace(REFUND, state="unknown"),)),
            "REF1", "", id="the refund is still unknown here",
        ),
        pytest.param(
            shown(refunds=(
                REFUND, msgspec.structs.replace(REFUND, reference="R2", state="failed"),
            )),
            "", "ask-1", id="one ask made two refunds",
        ),
        pytest.param(
            shown(refunds=(REFUND, msgspec.structs.replace(
                REFUND, reference="R2", state="failed", amount=5000, note="ask-2"
            ))),
            "", "ask-2", id="a refused ask was carried out",
        ),
        pytest.param(
            shown(refunds=(msgspec.structs.replace(REFUND, note="ask-9"),)),
            "ask-1", "ask-9", id="not what was asked for",
        ),
    ],
)  # fmt: skip
def test_what_the_portal_shows_wrongly_is_found_out(
    bill: BillShown, lost: str, doubled: str
) -> None:
    tally = weigh([bill], journal(), NOTEBOOK)

    assert counted(tally) == (set(lost.split()), sorted(doubled.split()))
    assert tally.differences


def test_a_refund_by_the_merchants_own_hand_is_not_looked_for_at_a_company() -> None:
    by_hand = msgspec.structs.replace(REFUND, way="bank_transfer", state="transferred")

    tally = weigh([shown(refunds=(by_hand,))], journal(refunds=()), NOTEBOOK)

    assert tally.differences == []


def test_what_was_set_aside_and_never_sent_is_found_out_unless_it_waits() -> None:
    unsent = msgspec.structs.replace(REFUND, reference="REF2", state="reserved", note="ask-3")
    doubted = msgspec.structs.replace(REFUND, state="unknown")
    notebook = (*NOTEBOOK, Ask("ask-3", "bill_1", 2000, "taken"))

    lost = weigh([shown(refunds=(REFUND, unsent))], journal(), notebook)
    waits = weigh([shown(refunds=(doubted, unsent))], journal(refunds=()), notebook)

    assert lost.lost == {"REF2"}
    assert waits.differences == []


def test_an_ask_that_nobody_answered_may_have_been_taken_once() -> None:
    unanswered = [Ask("ask-1", "bill_1", 2000), Ask("ask-3", "bill_1", 5000)]

    assert weigh([BILL], journal(), unanswered).differences == []


@pytest.mark.parametrize(
    ("code", "counts"),
    [
        ("posting_missing", True), ("attempt_missing", True), ("refund_missing", True),
        ("refund_posting_missing", True), ("refund_journal_missing", True),
        ("journal_missing", True), ("posting_unfounded", True),
        ("settlement_differs", False), ("inquiry_missing", False),
    ],
)  # fmt: skip
def test_the_vaults_own_findings_about_money_count_as_lost(code: str, *, counts: bool) -> None:
    tally = Tally()
    count_in(tally, "PAY1", code)

    assert tally.lost == ({"PAY1"} if counts else set())


TOGETHER = msgspec.structs.replace(CARD, amount=3000)
OTHER_SHARE = msgspec.structs.replace(CARD, amount=2000)
TWO_BILLS = (
    BillShown(number="D-1", amount=3000, settlement="settled", attempts=(TOGETHER,)),
    BillShown(number="D-2", amount=2000, settlement="settled", attempts=(OTHER_SHARE,)),
)


def test_one_payment_for_two_bills_is_at_one_with_both() -> None:
    tally = weigh(TWO_BILLS, journal(payments=(PAID,), refunds=()), ())

    assert (tally.differences, *counted(tally)) == ([], set(), [])


@pytest.mark.parametrize(
    "bills",
    [
        pytest.param(TWO_BILLS[:1], id="a share is missing"),
        pytest.param(
            (TWO_BILLS[0], msgspec.structs.replace(
                TWO_BILLS[1], attempts=(msgspec.structs.replace(OTHER_SHARE, amount=2001),)
            )),
            id="the shares are more than the payment",
        ),
        pytest.param(
            (TWO_BILLS[0], msgspec.structs.replace(
                TWO_BILLS[1], attempts=(msgspec.structs.replace(OTHER_SHARE, state="failed"),)
            )),
            id="one bill shows another state",
        ),
        pytest.param(
            (TWO_BILLS[0], msgspec.structs.replace(TWO_BILLS[1], settlement="unpaid")),
            id="one bill is not settled by its share",
        ),
    ],
)  # fmt: skip
def test_a_share_that_is_not_as_the_payment_is_found_out(bills: tuple[BillShown, ...]) -> None:
    tally = weigh(bills, journal(payments=(PAID,), refunds=()), ())

    assert tally.differences


def test_a_part_leaves_its_bill_unpaid() -> None:
    part = msgspec.structs.replace(TWO_BILLS[0], amount=9000, settlement="unpaid", attempts=(CARD,))

    tally = weigh([part], journal(payments=(PAID,), refunds=()), ())

    assert tally.differences == []


def contested(**changes: object) -> JournalPayment:
    """The payment, taken back as a whole; its company's word for that is ``dispute``."""
    return msgspec.structs.replace(PAID, **{"taken_back": 5000, "dispute": "lost", **changes})


REVERSED = msgspec.structs.replace(BILL, settlement="reversed", refunds=())
OWED_AGAIN = Known(asked_again=frozenset({"PAY1"}))
SECOND = msgspec.structs.replace(CARD, id="att_2", reference="PAY2")
PAID_AGAIN = msgspec.structs.replace(PAID, reference="PAY2")


def test_money_that_was_taken_back_leaves_its_bill_reversed_until_it_is_asked_for() -> None:
    lost = journal(payments=(contested(),), refunds=())
    owed = msgspec.structs.replace(REVERSED, settlement="unpaid", attempts=(CARD,))
    again = msgspec.structs.replace(owed, settlement="settled", attempts=(CARD, SECOND))
    paid_again = journal(payments=(contested(), PAID_AGAIN), refunds=())

    for bill, truth, known in (
        (msgspec.structs.replace(REVERSED, attempts=(CARD,)), lost, Known()),
        (owed, lost, OWED_AGAIN),
        (again, paid_again, OWED_AGAIN),
    ):
        assert weigh([bill], truth, (), known).differences == []


@pytest.mark.parametrize(
    ("settlement", "known"),
    [
        pytest.param("settled", Known(), id="shown as paid"),
        pytest.param("unpaid", Known(), id="asked for by nobody"),
        pytest.param("reversed", OWED_AGAIN, id="still not owed again"),
    ],
)
def test_a_lost_payment_that_its_bill_does_not_tell_of_is_found_out(
    settlement: str, known: Known
) -> None:
    bill = msgspec.structs.replace(REVERSED, settlement=settlement, attempts=(CARD,))

    assert weigh([bill], journal(payments=(contested(),), refunds=()), (), known).differences


def test_what_had_gone_back_before_is_not_lost_once_more() -> None:
    kept = journal(payments=(contested(taken_back=3000), DECLINED))

    assert weigh([shown(settlement="reversed")], kept, NOTEBOOK).differences == []
    assert weigh([BILL], kept, NOTEBOOK).differences


def test_a_bill_that_is_paid_again_unasked_was_paid_twice() -> None:
    bill = msgspec.structs.replace(REVERSED, attempts=(CARD, SECOND))

    tally = weigh([bill], journal(payments=(PAID, PAID_AGAIN), refunds=()), ())

    assert tally.doubled["D-1"] == 1


def test_a_share_of_a_lost_payment_is_lost_of_each_of_its_bills() -> None:
    both = [msgspec.structs.replace(bill, settlement="reversed") for bill in TWO_BILLS]
    lost = journal(payments=(contested(),), refunds=())

    assert weigh(both, lost, ()).differences == []
    assert weigh((both[0], TWO_BILLS[1]), lost, ()).differences


def test_a_bill_is_charged_once_and_only_to_a_card_that_was_left_for_it() -> None:
    charge = msgspec.structs.replace(PAID, charged=True)
    declined = msgspec.structs.replace(DECLINED, reference="PAY0", charged=True)
    known = Known(chargeable=frozenset({"D-1"}))
    paid = msgspec.structs.replace(BILL, refunds=())

    once = weigh([paid], journal(payments=(charge, DECLINED), refunds=()), (), known)
    twice = weigh([paid], journal(payments=(charge, declined), refunds=()), (), known)
    nobodys = weigh(
        [paid], journal(payments=(charge,), refunds=()), (), Known(chargeable=frozenset())
    )

    assert once.differences == []
    assert twice.doubled["D-1"] == 1
    assert nobodys.doubled["D-1"] == 1
