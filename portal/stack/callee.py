"""A payer who is called, as the demo's check has one: picks up, presses keys, gets the link.

Stack only. All they use is what stands in their text message and the buttons of their telephone.
"""

import asyncio
import re
import uuid
from typing import Final

import httpx
import msgspec

from portal.stack.merchant import MerchantSystem
from portal.stack.payers import Phone

TOLD: Final = ["greeting", "asked", "told", "sent"]
"""What a call comes to, prompt by prompt, when all is right."""

_LAST4: Final = re.compile(r"(?:末尾|最後の4つ|ending|\*) ?([0-9]{4})")
_WAIT_S: Final = 30.0


class _Heard(msgspec.Struct, frozen=True):
    who: str
    text: str


class _Call(msgspec.Struct, frozen=True):
    seq: int
    to: str
    log: tuple[_Heard, ...] = ()


class _Calls(msgspec.Struct, frozen=True):
    calls: tuple[_Call, ...]


class Callee:
    """One payer with a telephone."""

    def __init__(self, outside: httpx.AsyncClient, browser_origin: str) -> None:
        """``browser_origin`` is the sandbox's."""
        self._outside = outside
        self._origin = browser_origin

    async def be_called(self, merchant: MerchantSystem, phone: Phone) -> list[str]:
        """Staff have somebody called who has a text message; what the call came to.

        Raises: TimeoutError when no telephone rings, or no second message comes.
        """
        known = {one.to: one for one in await phone.messages()}
        await merchant.resend((await merchant.bill_ids())[0], str(uuid.uuid4()), "VOICE")
        call = await self._until_rung()
        message = known[call.to]
        last4 = _LAST4.search(message.text)
        said = [await self._do(call.seq, "answer")]
        said += [
            await self._do(call.seq, "keys", keys) for keys in ("1", last4[1] if last4 else "")
        ]
        said.append(await self._do(call.seq, "keys", "1"))
        await self._do(call.seq, "hang_up")
        async with asyncio.timeout(_WAIT_S):
            while all(one.to != call.to for one in await phone.messages(message.seq)):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        return [word for word, text in zip(TOLD, said, strict=True) if text]

    async def _until_rung(self) -> _Call:
        async with asyncio.timeout(_WAIT_S):
            while not (calls := await self._calls()):  # noqa: ASYNC110 - another process rings
                await asyncio.sleep(0.1)
        return calls[0]

    async def _do(self, seq: int, act: str, keys: str = "") -> str:
        """Press a button; what is said then, if it is anything new."""
        before = len((await self._call(seq)).log)
        await self._outside.post(f"{self._origin}/calls/{seq}", data={"act": act, "keys": keys})
        said = [one.text for one in (await self._call(seq)).log[before:] if one.who == "machine"]
        return said[-1] if said else ""

    async def _call(self, seq: int) -> _Call:
        return next(one for one in await self._calls() if one.seq == seq)

    async def _calls(self) -> tuple[_Call, ...]:
        answer = await self._outside.get(f"{self._origin}/calls.json")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=_Calls).calls
