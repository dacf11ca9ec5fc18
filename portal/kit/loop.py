"""The event loop of the processes that answer calls all day.

Zone-less. uvloop halves what TLS and sockets cost. It is not for whoever closes connections one way
at a time: it crashes there, so the egress, whose tunnels do, stays on the standard loop.
``HARAI_LOOP=asyncio`` puts a process back on the standard one.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Final, TypeVar

import uvloop

T = TypeVar("T")

STANDARD: Final = "asyncio"
"""The value of ``HARAI_LOOP`` that asks for the standard loop."""


def run_quickly(main: Coroutine[object, object, T]) -> T:
    """Run a process' main coroutine to its end on the quick loop."""
    if os.environ.get("HARAI_LOOP") == STANDARD:
        return asyncio.run(main)
    return uvloop.run(main)
