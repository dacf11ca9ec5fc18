"""Sending one chunk of messages: take a slice, send it, report it and take the next.

Application zone. The worker knows ids and routes only: recipient and text are filled in by the
egress relay, which redeems each delivery once. Nothing here decides what a state becomes, and no
message is sent again here: what is still due comes back in a later slice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from portal.application.channels.registry import find_sender
from portal.application.message.pace import UNTOUCHED, Pace
from portal.application.providers.exchange import Endpoint, MessageAnswer, MessageWanted
from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.message import (
    REPORT_AND_NEXT,
    SLICE_MAX,
    DeliveryRoute,
    ReportAndNext,
    SendOutcome,
    SendResult,
    Slice,
)
from portal.domain.errors import InvariantBroken, TryLater, Unknown
from portal.domain.ids import ChunkId
from portal.kit.crashpoint import crash_point
from portal.kit.outbound import Outbound, OutboundAnswer, OutboundRequest

PAUSE_IN_PLACE_MAX_S: Final = 2.0
"""Shorter pauses are waited for with the lease in hand; longer ones give the chunk back."""

SLICES_MAX: Final = 200
"""Slices in one run of the task; a chunk of 500 needs five, so this only stops a runaway."""

RUN_MAX_S: Final = 10.0
"""A run that takes longer gives its chunk back between two slices: slots are for all merchants."""

PAUSED_RETRY_S: Final = 2.0
NOT_DUE_RETRY_S: Final = 20.0
"""What was redeemed without our knowing is held back for a minute."""

HELD_RETRY_S: Final = 900.0
"""Staff hold the messages: whoever lets them go on wakes the task."""

REPORT_TRIES_MAX: Final = 5
REPORT_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class SendDesk:
    """What sending needs; one a process. ``is_stopping`` is asked between slices."""

    vault: VaultClient
    outbound: Outbound
    endpoints: Mapping[str, Endpoint]
    pace: Pace
    is_stopping: Callable[[], bool]


@dataclass(slots=True)
class ChunkSent:
    """How many messages of the chunk ended how in this run."""

    outcomes: Counter[SendOutcome] = field(default_factory=Counter[SendOutcome])


async def send_chunk(desk: SendDesk, lease: Authority, chunk_id: ChunkId) -> ChunkSent:
    """Send what is still due of one chunk; the vault finishes the task with the last report.

    Raises TryLater when the rest has to wait (``provider_paused``, ``deliveries_not_due``,
    ``sending_paused``, ``worker_stopping``): everything sent so far is reported by then.
    """
    sent = ChunkSent()
    run = _Run(desk, lease, chunk_id)
    part = await run.report((), SLICE_MAX)
    while not part.done:
        if part.paused:
            raise TryLater("sending_paused", retry_after_s=HELD_RETRY_S)
        if not part.deliveries:
            wait_s = max(part.quiet_s, NOT_DUE_RETRY_S)
            raise TryLater("deliveries_not_due", retry_after_s=wait_s)
        results = await _send_slice(desk, part)
        sent.outcomes.update(result.outcome for result in results)
        part = await run.report_and_next(part, results)
    return sent


class _Run:
    """One run over a chunk: what was sent is reported before anything is waited for."""

    def __init__(self, desk: SendDesk, lease: Authority, chunk_id: ChunkId) -> None:
        self._desk = desk
        self._lease = lease
        self._chunk_id = chunk_id
        self._turns_left = SLICES_MAX
        self._ends_at = asyncio.get_running_loop().time() + RUN_MAX_S

    async def report_and_next(self, part: Slice, results: tuple[SendResult, ...]) -> Slice:
        """Report a slice and take the next, at once or after a short pause.

        Raises TryLater, after reporting, when the rest of the chunk has to wait.
        """
        pace = self._desk.pace
        providers = {route.provider for route in part.deliveries}
        pause_s = max(pace.pause_s(provider) for provider in providers)
        nothing_moved = all(result.outcome == "busy" for result in results)
        if not pause_s and not nothing_moved and not self._must_end():
            return await self.report(results, self._take(providers))
        away_s = max(pace.away_s(provider) for provider in providers)
        reported = await self.report(results, 0, away_s)
        if reported.done:
            return reported
        if self._must_end():
            raise TryLater("worker_stopping", retry_after_s=0.0)
        if pause_s > PAUSE_IN_PLACE_MAX_S or not pause_s:
            raise TryLater("provider_paused", retry_after_s=max(pause_s, PAUSED_RETRY_S))
        await asyncio.sleep(pause_s)
        return await self.report((), self._take(providers))

    async def report(
        self, results: tuple[SendResult, ...], take: int, away_s: float = 0.0
    ) -> Slice:
        """One call that must get through: results of messages already sent hang on it.

        Booking the same results twice changes nothing, so an unclear call is repeated too.
        """
        report = ReportAndNext(chunk_id=self._chunk_id, results=results, take=take, away_s=away_s)
        for attempt in range(REPORT_TRIES_MAX - 1):
            try:
                return await self._desk.vault.call(REPORT_AND_NEXT, report, self._lease)
            except (TryLater, Unknown):
                await asyncio.sleep(REPORT_PAUSE_S * 2**attempt)
        return await self._desk.vault.call(REPORT_AND_NEXT, report, self._lease)

    def _must_end(self) -> bool:
        is_late = asyncio.get_running_loop().time() > self._ends_at
        return self._desk.is_stopping() or is_late or self._turns_left <= 0

    def _take(self, providers: set[str]) -> int:
        self._turns_left -= 1
        return min(self._desk.pace.slice_max(provider, SLICE_MAX) for provider in providers)


async def _send_slice(desk: SendDesk, part: Slice) -> tuple[SendResult, ...]:
    """Send what may go now; what has no result was not sent and is handed out again for nothing."""
    by_provider: dict[str, list[DeliveryRoute]] = {}
    for route in part.deliveries:
        by_provider.setdefault(route.provider, []).append(route)
    results: list[SendResult] = []
    for provider, routes in by_provider.items():
        pause_s = desk.pace.pause_s(provider)
        if pause_s <= PAUSE_IN_PLACE_MAX_S:
            await asyncio.sleep(pause_s)
        if not desk.pace.pause_s(provider):
            fitting = routes[: desk.pace.slice_max(provider, len(routes))]
            results += await _send_by(desk, provider, part, fitting)
    return tuple(results)


async def _send_by(
    desk: SendDesk, provider: str, part: Slice, routes: list[DeliveryRoute]
) -> list[SendResult]:
    endpoint = desk.endpoints.get(provider)
    if endpoint is None:
        raise InvariantBroken("provider_unconfigured", context=f"no endpoint for {provider}")
    exchanges = [
        find_sender(route.channel, provider).compose(
            endpoint,
            MessageWanted(
                delivery_id=route.delivery_id,
                key=route.key,
                account=part.account,
                sender=part.sender,
            ),
        )
        for route in routes
    ]
    requests = [exchange.request for exchange in exchanges]
    step = desk.pace.part_max(provider)
    parts = [requests[start : start + step] for start in range(0, len(requests), step)]
    waits = [desk.pace.reserve_s(provider, len(one)) for one in parts]
    crash_point("worker.before_send")
    try:
        answered = await asyncio.gather(
            *(_send_part(desk, one, wait_s) for one, wait_s in zip(parts, waits, strict=True))
        )
    except BaseException:
        desk.pace.forget_probe(provider)
        raise
    crash_point("worker.before_report")
    answers = [answer for some in answered for answer in some]
    read = [exchange.read(answer) for exchange, answer in zip(exchanges, answers, strict=True)]
    desk.pace.learn(provider, read)
    return [
        _result(route, answer)
        for route, answer in zip(routes, read, strict=True)
        if answer.code not in UNTOUCHED
    ]


async def _send_part(
    desk: SendDesk, requests: list[OutboundRequest], wait_s: float
) -> Sequence[OutboundAnswer]:
    """Send what may leave together, when its turn has come."""
    await asyncio.sleep(wait_s)
    return await desk.outbound.send(requests)


def _result(route: DeliveryRoute, answer: MessageAnswer) -> SendResult:
    return SendResult(
        delivery_id=route.delivery_id,
        outcome=answer.outcome,
        provider_ref=answer.provider_ref,
        code=answer.code,
        is_about_message=not (answer.is_provider_fault or answer.is_sender_fault),
        is_about_sender=answer.is_sender_fault,
    )
