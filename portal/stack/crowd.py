"""Payers for show: a part of the messages is opened, most of those bills are paid.

Stack only; the demo's dashboard moves by them.
"""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

import httpx

from portal.stack.by_number import NUMBER, StorePayer
from portal.stack.inbox import Message
from portal.stack.payers import (
    APPROVE,
    DECLINE,
    KEPT,
    NOISY,
    WALLET,
    WALLET_DECLINE,
    NothingToPayError,
    NotPaidError,
    Payer,
    Phone,
)


@dataclass(slots=True)
class Crowd:
    """Payers who pay a part of what is sent, so that the dashboard moves by itself.

    ``share`` of the messages are opened at all; of those most pay, some are declined. What goes to
    ``spared`` is never opened: that bill is the reader's to pay. Units: ``per_s`` payers a second.
    """

    phone: Phone
    per_s: float = 2.0
    share: float = 0.4
    seed: int = 1
    spared: str = ""
    paid: int = 0
    declined: int = 0
    looked: int = 0
    troubled: int = 0
    last_trouble: str = ""
    _after: int = field(default=0)

    async def run(self) -> None:
        """Go on until canceled."""
        chance = random.Random(self.seed)  # noqa: S311 - who pays when is a demonstration, no secret
        async with asyncio.TaskGroup() as group:
            while True:
                for message in await self._new_messages():
                    if message.link is None or not message.is_shown or message.to == self.spared:
                        continue
                    if chance.random() > self.share:
                        continue
                    group.create_task(self._visit(message.link, chance.random()))
                    await asyncio.sleep(chance.expovariate(self.per_s))
                await asyncio.sleep(1.0)

    async def _new_messages(self) -> tuple[Message, ...]:
        try:
            found = await self.phone.messages(self._after)
        except httpx.HTTPError:
            return ()  # the sandbox is just being restarted
        if found:
            self._after = found[-1].seq
        return found

    async def _visit(self, link: str, mood: float) -> None:
        """One person's visit; whatever goes wrong is counted and told, and the next comes."""
        try:
            if mood < 0.25:  # noqa: PLR2004 - a quarter only look
                await Payer().look(link)
                self.looked += 1
                return
            state = await StorePayer(self.phone.origin).pay(link, _means(mood))
        except NothingToPayError:
            self.looked += 1
            return
        except (NotPaidError, httpx.HTTPError) as error:
            self.troubled += 1
            self.last_trouble = str(error) or type(error).__name__
            return
        if state == "declined":
            self.declined += 1
        else:
            self.paid += 1


_MEANS: Final = (
    (0.95, DECLINE), (0.93, WALLET_DECLINE), (0.9, NOISY), (0.83, NUMBER), (0.6, WALLET),
    (0.45, KEPT), (0.0, APPROVE),
)  # fmt: skip
"""From which mood on people pay how."""


def _means(mood: float) -> str:
    return next(means for least, means in _MEANS if mood >= least)
