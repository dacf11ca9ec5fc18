"""How much may leave in an hour, by rule.

Zone: egress; no I/O. A quota bounds what an allowed road can carry away; it is kept in memory, so
a restart forgets it (restarting the relay is not in its callers' power).
"""

from collections.abc import Callable
from typing import Final

from portal.egress.denial import Denied
from portal.egress.rule import Rule

HOUR_S: Final = 3_600.0


class Quotas:
    """Bytes sent under each rule in the last hour, as a sliding window of two buckets."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic`` gives seconds that only grow."""
        self._monotonic = monotonic
        self._spent: dict[str, tuple[int, int, int]] = {}

    def spend(self, rule: Rule, count: int) -> None:
        """Book ``count`` bytes; raises Denied ``quota_spent``, booking nothing, when too many."""
        hour, before, now = self._buckets(rule)
        if self._used(rule) + count > rule.bytes_up_per_hour:
            raise Denied("quota_spent")
        self._spent[rule.id] = (hour, before, now + count)

    def left(self, rule: Rule) -> int:
        """Bytes that may still leave now."""
        return max(0, rule.bytes_up_per_hour - self._used(rule))

    def _buckets(self, rule: Rule) -> tuple[int, int, int]:
        """Number of the current hour, bytes of the one before, bytes of this one."""
        current = int(self._monotonic() // HOUR_S)
        hour, before, now = self._spent.get(rule.id, (current, 0, 0))
        if hour == current:
            return hour, before, now
        return current, now if hour == current - 1 else 0, 0

    def _used(self, rule: Rule) -> int:
        """The hour before counts by the part of it that lies within the last 3,600 s."""
        _, before, now = self._buckets(rule)
        part_of_before = 1.0 - (self._monotonic() % HOUR_S) / HOUR_S
        return now + int(before * part_of_before)
