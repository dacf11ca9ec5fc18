"""How fast this process may send by each provider: token bucket, pauses, circuit breaker.

Application zone. One :class:`Pace` a process, shared by all chunks that it sends; it holds nothing
that may not be lost. Providers limit the whole installation, so each process takes its share:
rate divided by the number of processes (no shared counter that could fail).
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from portal.application.providers.exchange import Capabilities, MessageAnswer, Rate
from portal.domain.errors import InvariantBroken

BURST_S: Final = 0.025
"""How much unused rate may be saved up, in seconds of the rate: as good as nothing, because most
companies count by the second and call a burst too many requests."""

PART_S: Final = 0.025
"""A slice leaves in parts that are worth no more than this, each when its turn has come."""

SLICE_S: Final = 1.0
"""A slice is cut so small that sending it takes no longer than this at the provider's rate."""

UNTOUCHED: Final = frozenset({"relay_away", "vault_away", "budget_spent"})
"""Codes of a slice of which nothing was even redeemed: it is as if it had not been sent."""

NOT_ASKED: Final = UNTOUCHED | {
    "delivery_refused",
    "vault_lost",
    "relay_busy",
    "quota_spent",
    "push_host_not_listed",
    "push_app_not_listed",
    "push_app_refused",
    "sender_not_as_ruled",
}
"""Codes with which our own side ends a message: the company was not asked, so they say nothing of
it. Whatever it is that is away then, another company would not be reached either."""

WINDOW_S: Final = 5.0
CALLS_MIN: Final = 20
FAILURES_SHARE_MAX: Final = 0.5
OPEN_FIRST_S: Final = 1.0
OPEN_MAX_S: Final = 30.0


@dataclass(slots=True)
class _Line:
    """One provider as this process has come to know it lately."""

    rate: Rate
    free_at: float = 0.0
    paused_until: float = 0.0
    open_s: float = 0.0
    is_probing: bool = False
    away_since: float | None = None
    calls: deque[tuple[float, int, int]] = field(default_factory=deque[tuple[float, int, int]])


class Pace:
    """Tells how many messages may be taken, waits for tokens, learns from answers.

    ``share`` is this process' part of each provider's rate (1/processes); ``monotonic`` gives
    seconds of a clock that never goes back.
    """

    def __init__(
        self,
        capabilities: Mapping[str, Capabilities],
        *,
        share: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._capabilities = capabilities
        self._share = share
        self._monotonic = monotonic
        self._lines: dict[str, _Line] = {}

    def pause_s(self, provider: str) -> float:
        """Seconds until this provider may be called again; 0 when it may be called now."""
        line = self._line(provider)
        pause_s = line.paused_until - self._monotonic()
        if line.is_probing:
            return max(pause_s, OPEN_FIRST_S)
        return max(pause_s, 0.0)

    def away_s(self, provider: str) -> float:
        """For how long this provider has taken nothing from this process; 0 while it does.

        Counted from the first slice that failed as a whole; one with any good answer ends it, and
        one that never got as far as the provider (NOT_ASKED) does neither.
        """
        since = self._line(provider).away_since
        return 0.0 if since is None else self._monotonic() - since

    def slice_max(self, provider: str, at_most: int) -> int:
        """How many messages to take next: one as a probe after an outage, else up to ``at_most``.

        Units: messages; never 0, because a pause is waited for and not worked around.
        """
        line = self._line(provider)
        if line.open_s:
            return 1
        fitting = line.rate.per_s * self._share * SLICE_S / line.rate.units_per_message
        return max(1, min(at_most, math.floor(fitting)))

    def part_max(self, provider: str) -> int:
        """How many messages may leave together; never 0. Units: messages."""
        line = self._line(provider)
        fitting = line.rate.per_s * self._share * PART_S / line.rate.units_per_message
        return max(1, math.floor(fitting))

    async def admit(self, provider: str, messages: int) -> None:
        """Wait until the provider's rate has room for so many messages, and use that room up."""
        await asyncio.sleep(self.reserve_s(provider, messages))

    def reserve_s(self, provider: str, messages: int) -> float:
        """Use up room for so many messages; how many seconds from now they may leave."""
        line = self._line(provider)
        line.is_probing = line.open_s > 0
        now = self._monotonic()
        start = max(line.free_at, now - BURST_S)
        cost_s = messages * line.rate.units_per_message / (line.rate.per_s * self._share)
        line.free_at = start + cost_s
        return max(0.0, start - now)

    def learn(self, provider: str, answers: Iterable[MessageAnswer]) -> None:
        """Take note of a slice's answers: honour Retry-After, open or close the circuit.

        What the vault refused says nothing of the provider; what else our own side could not do
        opens the circuit, too, and never says that the provider is away. A pause that was asked for
        one message, device or merchant is nobody else's. Nor does it open the circuit that one
        merchant's sender is refused: the company was there (portal.domain.sender_hold).
        """
        line = self._line(provider)
        now = self._monotonic()
        good = bad = theirs = 0
        for answer in answers:
            was_asked = answer.code not in NOT_ASKED
            bad += answer.is_provider_fault
            theirs += answer.is_provider_fault and was_asked
            good += was_asked and not answer.is_provider_fault
            if answer.retry_after_s and answer.is_provider_fault:
                line.paused_until = max(line.paused_until, now + answer.retry_after_s)
        if good:
            line.away_since = None
        elif theirs and line.away_since is None:
            line.away_since = now
        if line.is_probing:
            line.is_probing = False
            if good or bad:
                self._judge_probe(line, now, is_good=good > 0)
            return
        line.calls.append((now, good, bad))
        while line.calls and line.calls[0][0] < now - WINDOW_S:
            line.calls.popleft()
        failures = sum(entry[2] for entry in line.calls)
        calls = failures + sum(entry[1] for entry in line.calls)
        if calls >= CALLS_MIN and failures > calls * FAILURES_SHARE_MAX:
            self._open(line, now)

    def forget_probe(self, provider: str) -> None:
        """The slice that was the probe never came back (cancelled): let another one probe."""
        self._line(provider).is_probing = False

    def _judge_probe(self, line: _Line, now: float, *, is_good: bool) -> None:
        if is_good:
            line.open_s = 0.0
        else:
            self._open(line, now)

    def _open(self, line: _Line, now: float) -> None:
        line.calls.clear()
        line.open_s = min(max(OPEN_FIRST_S, line.open_s * 2), OPEN_MAX_S)
        line.paused_until = max(line.paused_until, now + line.open_s)

    def _line(self, provider: str) -> _Line:
        line = self._lines.get(provider)
        if line is None:
            declared = self._capabilities.get(provider)
            if declared is None:
                raise InvariantBroken("provider_unconfigured", context=f"no rate for {provider}")
            line = self._lines[provider] = _Line(declared.rate)
        return line
