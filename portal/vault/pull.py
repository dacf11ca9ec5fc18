"""Data zone: parsing that pulls its bytes, beside the event loop, at the memory of one part.

The parsers of bank files are plain generators over parts of bytes. They run in a thread; whatever
they need of the database is asked for on the loop, one question at a time, by the act's own
connection. When the act is cut off the thread is told so before the connection is let go.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from portal.domain.errors import InvariantBroken

T = TypeVar("T")

_CLOSED: Final = "pull_closed"


class Loop:
    """The event loop as a thread sees it: :meth:`ask` runs a coroutine there and waits for it."""

    def __init__(self) -> None:
        """Belongs to the loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._is_open = True

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result; for the thread alone.

        Raises: what the coroutine raises; InvariantBroken ``pull_closed`` after the act was cut
        off, so that nothing is asked on a connection that is somebody else's by then.
        """
        if not self._is_open:
            question.close()
            raise InvariantBroken(_CLOSED)
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()

    def close(self) -> None:
        """Let no further question through."""
        self._is_open = False


async def beside(work: Callable[[Loop], T]) -> T:
    """Run ``work`` in a thread; it ends before this returns, even when this is cancelled."""
    loop = Loop()
    running = asyncio.ensure_future(asyncio.to_thread(work, loop))
    try:
        return await asyncio.shield(running)
    finally:
        loop.close()
        if not running.done():
            await asyncio.wait({running})
