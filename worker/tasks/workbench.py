"""What tasks work with: the data API, the way out, the desks of the stages. One a process.

Application zone. Holds connections and nothing else: authority comes with each lease.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from portal.application.message.pace import Pace
from portal.application.message.send import SendDesk
from portal.application.payment.desk import PayDesk
from portal.application.providers.registry import CAPABILITIES
from portal.contract.client import VaultClient
from portal.kit.crypto import client_context
from portal.kit.outbound import Outbound
from worker.settings import WorkSettings


@dataclass(frozen=True, slots=True)
class Workbench:
    """``worker`` names this process in leases; ``is_stopping`` is asked between parts of a step."""

    worker: str
    vault: VaultClient
    send: SendDesk
    pay: PayDesk
    is_stopping: Callable[[], bool]


SUPERVISOR_SHARE: Final = 0.2
"""Part of each company's rate that is the supervisor's, which sends while the queue is away."""


def share_of(processes: int, *, is_supervisor: bool) -> float:
    """One process' part of a company's rate; all together, the supervisor too, have the whole."""
    return SUPERVISOR_SHARE if is_supervisor else (1 - SUPERVISOR_SHARE) / processes


@asynccontextmanager
async def open_workbench(
    settings: WorkSettings, worker: str, stop: asyncio.Event, *, is_supervisor: bool = False
) -> AsyncGenerator[Workbench]:
    """Connections for one process, and its part of each company's rate.

    A vault or relay that is not up yet is waited for later.

    The vault is dialled at the first call and again whenever its channel is lost.
    """
    vault = VaultClient(
        str(settings.vault_socket), client_context(settings.cert, settings.key, settings.ca)
    )
    outbound = Outbound(settings.egress_socket)
    pace = Pace(
        CAPABILITIES,
        share=share_of(settings.processes, is_supervisor=is_supervisor),
        monotonic=asyncio.get_running_loop().time,
    )
    endpoints = settings.endpoints
    try:
        yield Workbench(
            worker=worker,
            vault=vault,
            send=SendDesk(vault, outbound, endpoints, pace, stop.is_set),
            pay=PayDesk(vault, outbound, endpoints),
            is_stopping=stop.is_set,
        )
    finally:
        await outbound.aclose()
        await vault.close()
