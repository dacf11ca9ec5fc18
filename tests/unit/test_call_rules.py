"""A call says nothing of a bill before its payer has proven to be one, whatever is pressed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.application.doors.calls import read_turn
from portal.domain.call import (
    AGAIN,
    EVENTS,
    MENU,
    STEPS_MAX,
    WRONG_MAX,
    WRONG_PER_BILL_MAX,
    Call,
    CallStatus,
    Known,
    Outcome,
    Stage,
    again_at,
    answer,
    begin,
    close,
    outcome_of,
    proof_of,
)
from portal.domain.call_words import CallFacts, speak, spell
from portal.domain.errors import NotFound
from portal.vault.ladder_calls import calls_of

KNOWN = Known(key="4711", wrong_before=0, can_link=True)
FACTS = CallFacts(
    merchant_name="みなと電力\n{month} & <b>",
    phone="0120-000-555",
    period="2026-11",
    amount_minor=8420,
    due_on=date(2027, 1, 31),
)
LANGUAGES = ("ja", "ja-easy", "en", "xx")
KEYS = st.lists(st.sampled_from(["", "1", "2", "3", "9", "0", "#", "4711", "9999"]), max_size=30)


def after(*keys: str, known: Known = KNOWN) -> Call:
    """Where a call is after these keys, one at a prompt."""
    call = begin(is_machine=False)
    for pressed in keys:
        call, _ = answer(call, pressed, known)
    return call


@given(KEYS, st.sampled_from([KNOWN, replace(KNOWN, can_link=False)]), st.sampled_from(LANGUAGES))
def test_facts_are_said_only_after_the_right_digits_and_every_call_ends(
    keys: list[str], known: Known, language: str
) -> None:
    call = begin(is_machine=False)
    is_proven, links = False, 0
    for pressed in keys:
        is_proven = is_proven or (call.stage == "identity" and pressed == "4711")
        before = call
        call, effect = answer(call, pressed, known)
        links += effect == "send_link"
        said = " ".join(speak(language, call, FACTS))
        assert call.is_told <= is_proven
        assert is_proven or not any(fact in said for fact in ("8420", "11月", "Nov", "1月31日"))
        assert call.step == before.step + (before.stage != "ended")
        assert call.wrong <= WRONG_MAX
    assert links <= (1 if known.can_link and is_proven else 0)
    assert call.step <= STEPS_MAX


@pytest.mark.parametrize(
    ("keys", "stage", "saying"),
    [
        ((), "greeting", "greeting"),
        (("",), "greeting", "greeting"),
        (("", ""), "ended", "unheard"),
        (("7",), "greeting", "greeting"),
        (("3",), "greeting", "contact"),
        (("9",), "ended", "stopped"),
        (("1",), "identity", "identity"),
        (("1", "0000"), "identity", "wrong"),
        (("1", "", "4711"), "menu", "facts"),
        (("1", "0000", "0000", "0000"), "ended", "barred"),
        (("1", "4711", "1"), "menu", "link_sent"),
        (("1", "4711", "2"), "menu", "facts"),
        (("1", "4711", "3"), "menu", "contact"),
        (("1", "4711", "9"), "ended", "stopped"),
        (("1", "4711", "", ""), "ended", "unheard"),
        (("9", "1", "4711"), "ended", "stopped"),
    ],
)
def test_the_menu_leads_where_its_table_says(
    keys: tuple[str, ...], stage: str, saying: str
) -> None:
    call = after(*keys)
    assert (call.stage, call.saying) == (stage, saying)


def test_the_link_is_asked_for_once_in_a_call_and_never_where_no_text_arrives() -> None:
    once, effect = answer(after("1", "4711"), "1", KNOWN)
    again, nothing = answer(once, "1", KNOWN)
    assert (effect, nothing, again.saying) == ("send_link", "", "link_sent")

    landline = Known(key="4711", wrong_before=0, can_link=False)
    said, effect = answer(after("1", "4711"), "1", landline)
    assert (effect, said.saying, said.is_link_asked) == ("", "link_not", False)


@pytest.mark.parametrize("wrong_before", range(WRONG_PER_BILL_MAX + 1))
def test_guesses_are_counted_over_all_calls_about_a_bill(wrong_before: int) -> None:
    known = Known(key="4711", wrong_before=wrong_before, can_link=True)
    call = after("1", *["0000"] * WRONG_MAX, known=known)
    assert wrong_before + call.wrong <= WRONG_PER_BILL_MAX
    assert call.saying == "barred"
    if wrong_before == WRONG_PER_BILL_MAX:
        assert not after("1", "4711", known=known).is_told


@pytest.mark.parametrize(
    ("customer_no", "key"),
    [("C12345678", "5678"), ("１２３４５", "2345"), ("A-12-B-34", "1234"), ("C123", ""), ("", "")],  # noqa: RUF001
)
def test_the_proof_is_the_last_digits_or_there_is_none(customer_no: str, key: str) -> None:
    assert proof_of(customer_no) == key
    if not key:
        barred = Known(key="", wrong_before=0, can_link=True)
        assert after("1", known=barred).saying == "barred"
        assert not after("1", "", known=barred).is_told


@pytest.mark.parametrize(
    ("call", "status", "outcome"),
    [
        (None, "ringing", None),
        (None, "busy", "busy"),
        (None, "no_answer", "no_answer"),
        (None, "number_wrong", "number_wrong"),
        (None, "over", "unheard"),
        (begin(is_machine=True), "over", "machine"),
        (after(), "over", "unheard"),
        (after("", ""), "over", "unheard"),
        (after("1"), "over", "unproven"),
        (after("1", "4711"), "over", "told"),
        (after("1", "4711", "9"), "over", "told"),
        (after("9"), "over", "stopped"),
        (close(after("1", "4711")), "over", "told"),
    ],
)
def test_what_became_of_a_call_is_what_was_heard_in_it(
    call: Call | None, status: CallStatus, outcome: Outcome | None
) -> None:
    assert outcome_of(call, status) == outcome


def test_who_was_not_there_is_called_at_other_hours_and_not_for_ever() -> None:
    last = datetime(2026, 11, 28, 10, tzinfo=UTC)
    for code, gaps in AGAIN.items():
        assert [again_at(code, n, last) for n in range(1, len(gaps) + 1)] == [
            last + gap for gap in gaps
        ]
        assert again_at(code, len(gaps) + 1, last) is None
        assert not any(gap % timedelta(days=1) == timedelta() for gap in gaps)
    assert again_at("call_told", 1, last) is None
    assert set(AGAIN) <= {f"call_{outcome}" for outcome in EVENTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_has_words_names_no_payer_and_says_its_keys(language: str) -> None:
    menus = {stage for stage, _ in MENU}
    for call in (after(), after("3"), after("1"), after("1", "4711"), after("9"), after("", "")):
        lines = speak(language, call, FACTS)
        assert all(line and "\n" not in line for line in lines)
        assert "{" not in " ".join(lines).replace("{month}", "", 1)
        keys = {key for stage, key in MENU if stage == call.stage}
        if call.stage in menus:
            assert all(key in lines[-1] for key in keys)
    assert "みなと電力" in speak(language, begin(is_machine=True), FACTS)[0]


def test_numbers_are_read_out_digit_by_digit() -> None:
    assert spell("0120-000-555") == "0 1 2 0, 0 0 0, 5 5 5"
    assert spell("") == ""
    no_phone = CallFacts(
        merchant_name="x", phone="", period="2026-11", amount_minor=1, due_on=date(2027, 1, 1)
    )
    assert "サイト" in speak("ja", after("3"), no_phone)[0]


@pytest.mark.parametrize(("text", "turn"), [("", None), ("0", 0), ("7", 7), ("0012", 12)])
def test_a_prompts_number_is_read_as_it_was_given(text: str, turn: int | None) -> None:
    assert read_turn(text) == turn


@pytest.mark.parametrize("text", ["-1", "+1", "1.5", "x", "１", "10000", "9" * 5000])  # noqa: RUF001
def test_what_no_prompt_was_ever_numbered_is_not_found(text: str) -> None:
    with pytest.raises(NotFound, match="call_unknown"):
        read_turn(text)


@pytest.mark.parametrize("stage", ["greeting", "menu"])
def test_that_no_more_calls_are_wanted_is_obeyed_at_the_last_prompt_too(stage: Stage) -> None:
    last = Call(stage=stage, step=STEPS_MAX - 1)

    ended, effect = answer(last, "9", KNOWN)

    assert (ended.stage, ended.saying, effect) == ("ended", "stopped", "stop")
    assert answer(last, "3", KNOWN)[0].saying == "goodbye"


PLANNED_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "code", "changed_h", "now_h", "again_h", "until_h"),
    [
        ("planned", "", 0, 70, None, 118),  # held for three days, and still waited for
        ("accepted", "", 70, 71, None, 118),
        ("accepted", "", 1, 71, None, None),  # nobody will say any more what became of it
        ("undelivered", "call_no_answer", 71, 72, 74, None),
    ],
)
def test_a_call_that_was_held_is_waited_for_and_tried_again(  # a table's columns
    state: str, code: str, changed_h: int, now_h: int, again_h: int | None, until_h: int | None
) -> None:
    def hour(number: int | None) -> datetime | None:
        return None if number is None else PLANNED_AT + timedelta(hours=number)

    made: Any = {
        "channel": "voice", "campaign": "first", "step": 0, "state": state, "code": code,
        "created_at": PLANNED_AT, "changed_at": hour(changed_h),
    }  # fmt: skip

    calls = calls_of([made], PLANNED_AT + timedelta(hours=now_h))

    assert (calls.again.get(0), calls.until) == (hour(again_h), hour(until_h))
