"""Paper as the last rung, and at once where no channel reaches: pure tables of cases."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.domain.errors import InvariantBroken
from portal.domain.ladder import Facts, Hours, Rung, Skip, decide
from portal.domain.paper import PaperReason, no_way

TOKYO = ZoneInfo("Asia/Tokyo")
ISSUED = datetime(2026, 11, 2, 10, tzinfo=TOKYO)
RUNGS = (
    Rung(when="issue", channel="sms"),
    Rung(when="after_issue", days=3, channel="email", unless="opened"),
    Rung(when="after_issue", days=10, channel="paper", unless="opened"),
    Rung(when="after_due", days=2, channel="sms"),
)
SMS, MAIL, PAPER, LATE = range(4)


def facts(days: float, **more: Any) -> Facts:  # noqa: ANN401  # fields of the facts
    given: dict[str, Any] = {
        "now": ISSUED + timedelta(days=days), "issued_at": ISSUED, "due_on": date(2026, 11, 30),
        "unreached": {}, "choices": {}, "done": 0b1,
    }  # fmt: skip
    return Facts(**(given | more))


NOBODY = {"sms": "no_contact", "email": "no_contact"}
NO = {("sms", "transactional"): False, ("email", "transactional"): False}


@pytest.mark.parametrize(
    ("days", "more", "paper", "printed"),
    [
        (9, {"done": 0b11}, None, ()),
        (10, {"done": 0b11}, "rung", (PAPER,)),
        (10, {"done": 0b11, "is_opened": True}, None, ()),
        (10, {"done": 0b11, "unreached": {"paper": "digital"}}, None, ()),
        (10, {"done": 0b11, "unreached": {"paper": "no_address"}}, None, ()),
        # Whom nothing reaches waits for no rung, and what they agreed to does not keep it back.
        (0, {"done": 0, "unreached": NOBODY}, "no_contact", (PAPER,)),
        (0, {"unreached": NOBODY}, "no_contact", ()),
        (0, {"unreached": NOBODY | {"paper": "digital"}}, "no_contact", ()),
        (0, {"unreached": NOBODY | {"paper": "on_paper"}}, None, ()),
        (0, {"unreached": NOBODY | {"paper": "no_address"}}, None, ()),
        (4, {"unreached": {"sms": "undelivered", "email": "no_contact"}}, "undelivered", (PAPER,)),
        (4, {"choices": NO}, "opted_out", (PAPER,)),
        (4, {"choices": NO, "is_opened": True}, "opted_out", ()),
        (4, {"unreached": {"sms": "undelivered"}}, None, ()),
    ],
)
def test_a_bill_goes_to_the_print_shop_by_its_rung_or_because_nothing_else_reaches(
    days: float, more: dict[str, Any], paper: PaperReason | None, printed: tuple[int, ...]
) -> None:
    found = decide(RUNGS, Hours(), facts(days, **more))

    assert (found.paper, found.printed) == (paper, printed)
    assert all(found.done(0) >> place & 1 for place in printed)


def test_paper_disturbs_nobody_so_it_waits_for_no_hour_while_the_message_does() -> None:
    late = facts(30.5, done=0b11)
    assert late.now.hour == 22

    found = decide(RUNGS, Hours(), late)

    assert (found.send, found.held, found.printed) == (None, "quiet_hours", (PAPER,))
    assert found.until is not None
    assert found.until.hour == 8


def test_a_skipped_mail_lets_paper_take_its_place_at_once() -> None:
    found = decide(RUNGS, Hours(), facts(3, unreached={"email": "no_contact"}))

    assert found.skips == (Skip(rung=MAIL, reason="no_contact"),)
    assert (found.paper, found.printed, found.send) == ("rung", (PAPER,), None)


def test_a_first_notice_goes_out_beside_the_paper_of_who_wants_no_reminders() -> None:
    found = decide(RUNGS, Hours(), facts(0, done=0, choices=NO))

    assert (found.send, found.paper) == (SMS, "opted_out")


@pytest.mark.parametrize(
    ("reasons", "why"),
    [
        ((), None),
        (("no_contact", None), None),
        (("channel_missing", "no_contact"), "no_contact"),
        (("no_contact", "undelivered"), "undelivered"),
        (("undelivered", "opted_out"), "opted_out"),
    ],
)
def test_nothing_reaches_only_who_is_reached_by_no_message_of_the_plan(
    reasons: tuple[str | None, ...], why: PaperReason | None
) -> None:
    assert no_way(reasons) == why


def test_a_plan_without_messages_has_nobody_to_reach() -> None:
    assert decide((RUNGS[PAPER],), Hours(), facts(0, unreached=NOBODY)).paper is None


def test_a_rung_by_paper_is_no_message() -> None:
    with pytest.raises(InvariantBroken, match="rung_by_paper"):
        _ = RUNGS[PAPER].medium
