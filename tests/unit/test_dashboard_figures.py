"""What the dashboard says: the same words in the first view and in every live event."""

from datetime import date, timedelta

import msgspec
import pytest

from portal.application.doors.dashboard.figures import (
    DAYS_AT_LEAST,
    DAYS_SHOWN,
    Amount,
    DayData,
    FunnelData,
    ImportData,
    SendingData,
    SummaryData,
    as_event,
    days_of,
    duration_text,
    home_figures,
    import_figures,
    needs_of,
    progress_of,
)

ZONE = "Asia/Tokyo"
NOON = "2026-11-22T03:00:00.000Z"
TODAY = date(2026, 11, 22)


def item(state: str, **changes: object) -> ImportData:
    made = ImportData(
        id="imp_1",
        state=state.upper(),
        received_bytes=500,
        size_bytes=1_000,
        rows_seen=100,
        rows_good=40,
        rows_faulty=8,
        rows_known=2,
        rows_issued=10,
        amount_good=Amount(84_000),
    )
    return msgspec.structs.replace(made, **changes)


def summary(**changes: object) -> SummaryData:
    made = SummaryData(
        requested_bills=100,
        requested=Amount(1_000_000),
        paid_bills=64,
        paid=Amount(642_000),
        returned=Amount(0),
        unpaid_bills=36,
        unpaid=Amount(358_000),
        overdue_bills=0,
        overdue=Amount(0),
        never_opened_bills=0,
        doubtful_bills=0,
        undelivered_bills=0,
        missed_promises=0,
        bad_contacts=0,
        open_cases=0,
        funnel=FunnelData(requested=100, accepted=99, delivered=97, opened=80, paid=64),
        days=(),
        imports=(),
        as_of=NOON,
    )
    return msgspec.structs.replace(made, **changes)


def paid_on(day: date, amount: int = 100) -> DayData:
    return DayData(day, 1, Amount(amount))


def test_nothing_that_waits_means_nothing_needs_a_person() -> None:
    assert needs_of(summary()) == ()


def test_the_gravest_need_comes_first_and_leads_to_where_it_is_seen_to() -> None:
    found = needs_of(
        summary(
            open_cases=2,
            overdue_bills=3,
            missed_promises=1,
            bad_contacts=4,
            imports=(item("checked"), item("issued", id="imp_2")),
        )
    )

    keys = [line.key for line in found]
    assert keys == ["cases", "decide", "contacts", "missed", "overdue", "faults"]
    assert found[1].href == "/d/imports/imp_1"
    assert found[5].count == 16


def test_faults_of_a_discarded_file_need_nobody() -> None:
    assert needs_of(summary(imports=(item("discarded"),))) == ()


def test_a_day_without_money_is_a_day_with_zero() -> None:
    first = TODAY - timedelta(days=9)
    days = days_of(summary(days=(paid_on(first), paid_on(TODAY - timedelta(days=2)))), ZONE)

    assert [day.day for day in days] == [first + timedelta(days=n) for n in range(10)]
    assert [day.amount.amount for day in days] == [100, 0, 0, 0, 0, 0, 0, 100, 0, 0]


def test_the_first_day_of_money_is_shown_within_its_week() -> None:
    days = days_of(summary(days=(paid_on(TODAY),)), ZONE)

    assert len(days) == DAYS_AT_LEAST
    assert days[-1].day == TODAY


def test_no_more_than_a_month_is_drawn() -> None:
    days = days_of(summary(days=(paid_on(date(2026, 1, 1)), paid_on(TODAY))), ZONE)

    assert len(days) == DAYS_SHOWN


def test_days_end_on_the_merchants_day_not_on_ours() -> None:
    late = summary(as_of="2026-11-22T16:00:00.000Z", days=(paid_on(TODAY),))

    assert days_of(late, ZONE)[-1].day == TODAY + timedelta(days=1)


def test_before_any_money_there_is_no_chart() -> None:
    assert days_of(summary(), ZONE) == ()


def test_money_and_shares_are_worded_in_the_viewers_language() -> None:
    ja, en = (home_figures(summary(), tag, ZONE).texts for tag in ("ja", "en"))

    assert (ja["paid"], en["paid"]) == ("642,000円", "¥642,000")
    assert ja["rate"] == en["rate"] == "64.2%"
    assert ja["as_of"] == "2026/11/22 12:00"


def test_more_money_changes_figures_but_not_the_structure_of_the_page() -> None:
    first = home_figures(summary(), "ja", ZONE)
    later = home_figures(summary(paid_bills=65, paid=Amount(650_000)), "ja", ZONE)

    assert first.texts["paid"] != later.texts["paid"]
    assert first.structure == later.structure


@pytest.mark.parametrize(
    "changes",
    [
        {"imports": (item("checking"),)},
        {"overdue_bills": 1},
        {"days": (paid_on(TODAY),)},
        {"requested_bills": 0},
    ],
)
def test_what_adds_or_takes_away_parts_changes_the_structure(changes: dict[str, object]) -> None:
    before = home_figures(summary(), "ja", ZONE)
    after = home_figures(summary(**changes), "ja", ZONE)

    assert before.structure != after.structure


@pytest.mark.parametrize(
    ("state", "progress"),
    [
        ("receiving", (500, 1_000)),
        ("checking", (50, 100)),
        ("issuing", (10, 40)),
        ("issued", (1, 1)),
    ],
)
def test_progress_is_told_in_what_the_stage_counts(state: str, progress: tuple[int, int]) -> None:
    assert progress_of(item(state)) == progress


def test_an_upload_of_unknown_size_says_what_came_and_promises_no_whole() -> None:
    open_ended = item("receiving", size_bytes=None)

    assert progress_of(open_ended) == (500, 0)
    assert import_figures(open_ended, "en").texts["progress"] == "1 KB received"


def sending(state: str, *, left: int, seconds: int = 30_000) -> SendingData:
    return SendingData(state=state, planned=3_000_000, left=left, per_s=100.0, seconds_left=seconds)


@pytest.mark.parametrize(
    ("stage", "word", "left", "is_sending"),
    [
        ("issued", "GOING", 5, True),
        ("issuing", "PAUSED", 5, True),
        ("issued", "CANCELED", 5, False),
        ("issued", "GOING", 0, False),
        ("checked", "GOING", 5, False),
    ],
)
def test_messages_are_under_way_while_some_still_have_to_go(
    stage: str, word: str, left: int, *, is_sending: bool
) -> None:
    assert item(stage, sending=sending(word, left=left)).is_sending is is_sending


def test_how_long_sending_takes_is_said_before_and_while_it_goes_on() -> None:
    texts = import_figures(item("checked", sending=sending("GOING", left=3_000_000)), "en").texts

    assert texts["time"] == "3,000,000 messages at 100 a second: about 8 h 20 min."
    assert [duration_text(s, "ja") for s in (59, 60, 3_599, 30_000)] == [
        "1分以内", "約1分", "約1時間0分", "約8時間20分",
    ]  # fmt: skip


def test_a_hold_takes_the_screen_anew() -> None:
    going, held = (
        import_figures(item("issued", sending=sending(word, left=5)), "ja")
        for word in ("GOING", "PAUSED")
    )

    assert going.structure != held.structure
    assert going.bars["sent"] == (2_999_995, 3_000_000)


def test_an_import_that_is_checked_takes_its_page_anew() -> None:
    checking, checked = (import_figures(item(state), "ja") for state in ("checking", "checked"))

    assert checking.structure != checked.structure


def test_an_event_is_plain_json() -> None:
    event = as_event(home_figures(summary(days=(paid_on(TODAY),)), "ja", ZONE))

    assert msgspec.json.decode(msgspec.json.encode(event))["structure"]


def test_what_went_back_to_payers_is_not_counted_as_collected() -> None:
    texts = home_figures(summary(returned=Amount(142_000)), "en", ZONE).texts

    assert texts["paid"] == "¥500,000"
    assert texts["rate"] == "50.0%"
    assert "given back" in texts["paid_note"]
    assert "given back" not in home_figures(summary(), "en", ZONE).texts["paid_note"]
