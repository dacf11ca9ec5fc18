"""Where payers are about to go (portal.application.doors.departures)."""

from datetime import UTC, datetime, timedelta

from portal.application.doors.departures import KEPT_MAX, KEPT_S, Departures, WayOut
from portal.contract.envelope import Authority
from portal.kit.clock import SystemClock

_START = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
_WAY = WayOut("https://card.test/page/1", "card://pay/1")


class _Watch(SystemClock):
    """A clock that its test moves."""

    past_s = 0.0

    def wall(self) -> datetime:
        return _START + timedelta(seconds=type(self).past_s)


def _payer(name: str) -> Authority:
    return Authority(capability=name.encode(), key=bytes(32), expires_at=0)


def test_an_address_is_passed_on_once_and_to_whom_it_was_told() -> None:
    # Given a payer who is about to go to a company's page
    departures = Departures(_Watch())
    departures.keep(_payer("one"), "att_1", _WAY)

    # When others ask for it, or they for another attempt's
    # Then nothing is passed on
    assert departures.take(_payer("two"), "att_1") is None
    assert departures.take(_payer("one"), "att_2") is None

    # When they ask themselves, twice
    # Then they get it once; the vault is asked the second time
    assert departures.take(_payer("one"), "att_1") == _WAY
    assert departures.take(_payer("one"), "att_1") is None


def test_an_address_is_forgotten_soon_and_however_many_there_are() -> None:
    # Given a payer who does not go at once
    class Watch(_Watch):
        pass

    departures = Departures(Watch())
    departures.keep(_payer("late"), "att_1", _WAY)

    # When the time has come, to the second
    Watch.past_s = KEPT_S

    # Then nothing is passed on
    assert departures.take(_payer("late"), "att_1") is None

    # When one more payer leaves at once than are kept
    for number in range(KEPT_MAX + 1):
        departures.keep(_payer("many"), f"att_{number}", _WAY)

    # Then the first is forgotten, and nobody else
    assert departures.take(_payer("many"), "att_0") is None
    assert departures.take(_payer("many"), "att_1") == _WAY
    assert departures.take(_payer("many"), f"att_{KEPT_MAX}") == _WAY
