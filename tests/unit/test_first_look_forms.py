"""What a first reader broke by hand: numbers of thousands of digits, days past the calendar."""

import json

import pytest

from portal.application.doors.forms import DIGITS_MAX, read_whole
from portal.application.providers.registry import NOTICES
from portal.domain.errors import InvalidInput
from portal.domain.intake.cells import read_number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "１", "٣", "9" * 5000])  # noqa: RUF001  # digits that are not ours
def test_only_a_few_plain_digits_are_a_number_of_a_form(text: str) -> None:
    assert read_whole(text) is None


@pytest.mark.parametrize("text", ["0", "8420", "9" * DIGITS_MAX])
def test_what_our_own_pages_write_is_read(text: str) -> None:
    assert read_whole(text) == int(text)


def notice_at(at: str) -> bytes:
    event = {"id": "ev_1", "payment": "p", "message": "m", "reference": "r", "at": at}
    return json.dumps({"events": [event | {"status": "succeeded"}]}).encode()


@pytest.mark.parametrize("provider", ["sandbox_card", "sandbox_sms"])
@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_notice_from_beyond_the_calendar_is_malformed(provider: str, at: str) -> None:
    with pytest.raises(InvalidInput, match="notice_malformed"):
        NOTICES[provider].parse(notice_at(at), {})


@pytest.mark.parametrize("provider", ["sandbox_card", "sandbox_sms"])
def test_a_notice_of_any_other_zone_is_read_in_utc(provider: str) -> None:
    (claim,) = NOTICES[provider].parse(notice_at("2026-11-22T19:00:00+09:00"), {})

    assert claim.at is not None
    assert claim.at.isoformat() == "2026-11-22T10:00:00+00:00"


@pytest.mark.parametrize("number", ["E\n1", "E\r\n1", "E\t1", "E\u20281"])
def test_a_number_stands_on_one_line(number: str) -> None:
    with pytest.raises(InvalidInput, match="control_character"):
        read_number(number)


def test_a_number_may_hold_spaces_and_be_surrounded_by_line_ends() -> None:
    assert read_number(" E 1\n") == "E 1"
