"""A merchant and its payers who never give up: what goes on while a drill breaks things.

Stack only, and outside: HTTP through the DMZ as integrators and people use it. Whatever fails is
repeated under the same idempotency key; an upload goes on where HEAD says; a payer looks again
before paying again.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from portal.stack.by_number import NUMBER, StorePayer
from portal.stack.drill.contest import Contest
from portal.stack.drill.patience import PATIENCE_S, PAUSE_S, TROUBLE, persist
from portal.stack.drill.staff import Staff
from portal.stack.drill_file import alone, drill_file, household_at, usual_amount
from portal.stack.merchant import MerchantSystem, PortalRefusedError
from portal.stack.payers import (
    APPROVE,
    BOTH,
    DECLINE,
    LEFT,
    NOISY,
    PART,
    TIME_OUT,
    WALLET,
    WALLET_DECLINE,
    WALLET_TIME_OUT,
    Message,
    Payer,
    Phone,
)
from portal.stack.road import CHECKED, ISSUED

TRYING_S: Final = 25.0
"""A payer whose payment is still in the dark after this goes away and comes back tomorrow."""

AWAY_S: Final = 3.0
"""Who closed the company's page looks at the bill again after this; meanwhile a worker, told by the
company's notice, has asked how it went."""

_LEAVING_SHARE: Final = 0.4
_BOTH_SHARE: Final = 0.7
_REST_SHARE: Final = 0.5

_CAN_PAY: Final = frozenset({"open", "due_soon", "overdue", "declined"})
_NO_CONTENT: Final = 204

USUAL: Final = (
    *(APPROVE,) * 10, DECLINE, NOISY, TIME_OUT, *(WALLET,) * 5, WALLET_DECLINE, WALLET_TIME_OUT,
)  # fmt: skip
"""How people pay, the frequent ways more often."""


@dataclass(slots=True)
class File:
    """A file on its way. ``key`` is the merchant's own, the same at every repetition."""

    serial: int
    rows: int
    body: bytes
    key: str
    import_id: str = ""
    is_sent: bool = False


class Desk:
    """The merchant's system: hands files in and sends them, whatever happens meanwhile."""

    def __init__(self, merchant: MerchantSystem) -> None:
        """``merchant`` holds the API key."""
        self._merchant = merchant
        self._client = httpx.AsyncClient(timeout=30.0, trust_env=False)

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def hand_in(self, file: File) -> None:
        """Open, upload, and wait until every row has its verdict."""

        async def uploaded() -> None:
            """Ask again for the address: it stays the same import."""
            file.import_id, address = await self._merchant.open_import(
                f"drill-{file.serial}.csv", len(file.body), file.key
            )
            await self.upload(address, file.body)

        await persist(uploaded)
        state = await self._wait(file, CHECKED)
        if state != "CHECKED":
            msg = f"file {file.serial} was refused"
            raise PortalRefusedError(msg)

    async def upload(self, address: str, body: bytes) -> None:
        """One stretch of an upload: from where HEAD says to the end."""
        head = await self._client.head(address)
        if head.status_code != _NO_CONTENT:
            msg = f"HEAD of an upload answered {head.status_code}"
            raise PortalRefusedError(msg)
        if head.headers["upload-complete"] == "?1":
            return
        offset = int(head.headers["upload-offset"])
        answer = await self._client.put(
            address,
            content=body[offset:],
            headers={
                "content-type": "text/csv",
                "upload-offset": str(offset),
                "upload-length": str(len(body)),
            },
        )
        if not answer.is_success:
            msg = f"the upload was answered with {answer.status_code}: {answer.text[:200]}"
            raise PortalRefusedError(msg)

    async def send(self, file: File) -> None:
        """Decide that the good rows are sent, and wait until all bills are issued."""
        await persist(lambda: self._merchant.decide(file.import_id, f"{file.key}-send"))
        file.is_sent = True
        await self._wait(file, ISSUED)

    async def state(self, file: File) -> tuple[str, int]:
        """The import's state and its good rows, as the public API says."""
        found = await persist(
            lambda: self._merchant.wait_for_import(
                file.import_id, CHECKED | ISSUED, timeout_s=PATIENCE_S
            )
        )
        return str(found["state"]), int(found["rowsGood"])

    async def _wait(self, file: File, states: frozenset[str]) -> str:
        """Raises TimeoutError when the import does not get there within PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S):
            found = await persist(
                lambda: self._merchant.wait_for_import(
                    file.import_id, states | ISSUED, timeout_s=PATIENCE_S
                )
            )
        return str(found["state"])


async def pay_somehow(
    link: str, means: str, *, returns: bool = True, then: str | None = APPROVE, origin: str = ""
) -> str:
    """A payer who wants to be done with it; gives the state that they last saw.

    They pay only while the page offers to, ``then`` (by a good card) after the first try, and look
    again after anything odd, as a person does; None: no second try. Who does not return closes the
    company's page when it is done, and looks at the bill a while later. Who has a store's number
    goes on with it. ``origin``: the sandbox's, for who goes to its till.
    """
    tries = 0
    seen = "unseen"
    deadline = time.monotonic() + TRYING_S
    while time.monotonic() < deadline:
        try:
            seen = await Payer().look(link)
            if seen in _CAN_PAY and tries and then is None:
                return seen
            if seen in _CAN_PAY:
                keeps_on = means == NUMBER or not (tries and then)
                way, tries = means if keeps_on else then or means, tries + 1
                seen = await StorePayer(origin).pay(link, way, returns=returns)
        except TROUBLE:
            await asyncio.sleep(PAUSE_S)
            continue
        if seen == "paid":
            return seen
        await asyncio.sleep(AWAY_S if seen == LEFT else PAUSE_S)
    return seen


def _leaves_none(household: int) -> str | None:
    """Nobody leaves a card."""
    del household


def _has_one(household: int) -> bool:
    """Every contract has one bill."""
    del household
    return False


@dataclass(slots=True)
class Traffic:
    """Files, payers and staff, as many as a drill needs.

    ``payers`` maps links to what was seen last; ``means`` is how people pay, and some try two ways
    at once. A household of ``leaves`` pays its first bill by a card that it leaves for the others,
    and these wait until ``is_charged``; ``has_several``: one may pay two bills at once.
    """

    desk: Desk
    phone: Phone
    rows: int
    chance: random.Random
    staff: Staff
    means: tuple[str, ...] = USUAL
    twice_share: float = 0.0
    amount_of: Callable[[int], int] = usual_amount
    household_of: Callable[[int], int] = alone
    leaves: Callable[[int], str | None] = _leaves_none
    has_several: Callable[[int], bool] = _has_one
    contest: Contest | None = None
    is_charged: bool = False
    left: int = 0
    files: list[File] = field(default_factory=list[File])
    payers: dict[str, str] = field(default_factory=dict[str, str])
    _after: int = 0
    _links: list[Message] = field(default_factory=list[Message])
    _leaving: list[Message] = field(default_factory=list[Message])
    _waiting: list[Message] = field(default_factory=list[Message])
    _left: set[int] = field(default_factory=set[int])
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _unsent: list[File] = field(default_factory=list[File])

    async def import_one(self) -> None:
        """A new file goes in and is checked; it waits to be sent."""
        serial = len(self.files)
        body = drill_file(serial, self.rows, self.amount_of, self.household_of)
        file = File(serial, self.rows, body, f"drill-{serial}")
        self.files.append(file)
        await self.desk.hand_in(file)
        self._unsent.append(file)

    async def send_one(self) -> None:
        """A checked file is sent; a new one goes in first when none waits."""
        if not self._unsent:
            await self.import_one()
        await self.desk.send(self._unsent.pop())

    async def pay_one(self) -> None:
        """The next payer whose telephone has a link pays by one means or another."""
        async with self._reading:
            await self._read_telephones()
        links = self._leaving or self._links
        if not links:
            await asyncio.sleep(PAUSE_S)
            return
        message = links.pop(self.chance.randrange(len(links)))
        if message.link is None:
            return
        ways, then, leaves = self._ways(household_at(message.to))
        returns = self.chance.random() >= _LEAVING_SHARE
        seen = await asyncio.gather(
            *(
                pay_somehow(message.link, one, returns=returns, then=then, origin=self.phone.origin)
                for one in ways
            )
        )
        self.payers[message.link] = "paid" if "paid" in seen else seen[-1]
        self.left += leaves

    async def _read_telephones(self) -> None:
        """What came since; who leaves a card comes first, their other bills after the charge."""
        messages = await self.phone.messages(self._after)
        self._after = messages[-1].seq if messages else self._after
        fresh = [one for one in messages if one.link]
        if self.is_charged:
            fresh, self._waiting = fresh + self._waiting, []
        self.chance.shuffle(fresh)
        for message in fresh:
            household = household_at(message.to)
            if self.is_charged or self.leaves(household) is None:
                self._links.append(message)
            elif household in self._left:
                self._waiting.append(message)
            else:
                self._left.add(household)
                self._leaving.append(message)

    def _ways(self, household: int) -> tuple[list[str], str | None, bool]:
        """How the bill is paid at first, how afterwards, and whether a card is left with that."""
        kept = self.leaves(household)
        if kept is not None and not self.is_charged:
            return [kept], kept, True
        if self.chance.random() < self.twice_share:
            return [APPROVE, WALLET], APPROVE, False  # two windows, or two people
        way = self.chance.choice(self.means)
        if self.has_several(household) and self.chance.random() < _BOTH_SHARE:
            way = BOTH
        only = way == PART and self.chance.random() >= _REST_SHARE
        return [way], None if only else APPROVE, False

    async def _contest_one(self) -> None:
        """One step of what goes on between payers, their card company and the merchant."""
        if self.contest is None:
            msg = "nobody contests anything in this drill"
            raise RuntimeError(msg)
        await self.contest.go_on()

    @asynccontextmanager
    async def flowing(
        self,
        *,
        imports: int = 0,
        sends: int = 0,
        payers: int = 0,
        clerks: int = 0,
        contests: int = 0,
    ) -> AsyncGenerator[None]:
        """Keep so many of each busy at once during the block; what is under way is finished.

        Raises what a file or a payer could not get through.
        """
        stop = asyncio.Event()

        async def repeat(act: Callable[[], Awaitable[None]]) -> None:
            while not stop.is_set():
                await act()

        try:
            async with asyncio.TaskGroup() as group:
                for act, share in (
                    (self.import_one, imports),
                    (self.send_one, sends),
                    (self.pay_one, payers),
                    (self.staff.refund_one, clerks),
                    (self._contest_one, contests),
                ):
                    for _ in range(share):
                        group.create_task(repeat(act))
                yield
                stop.set()
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
