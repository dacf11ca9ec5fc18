"""One call of the data API with the operator's certificate, from the command line.

Stack only. On an embedded stack the certificate lies in its state folder; elsewhere the variables
PORTAL_OPERATOR_SOCKET, CERT, KEY and CA say where the vault and the certificate are. No server
process holds that certificate.
"""

import os
from pathlib import Path
from typing import Final, TypeVar

from pydantic_settings import SettingsConfigDict

from portal.contract.client import VaultClient
from portal.contract.envelope import Operation, Reply, Request
from portal.kit import limits
from portal.kit.crypto import client_context
from portal.kit.settings import ZoneSettings

_PREFIX: Final = "PORTAL_OPERATOR_"

Q = TypeVar("Q", bound=Request)
R = TypeVar("R", bound=Reply)


class OperatorSettings(ZoneSettings):
    """Where the vault listens and who calls (``PORTAL_OPERATOR_*``)."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX)

    socket: Path
    cert: Path
    key: Path
    ca: Path


def settings_for(state: Path) -> OperatorSettings:
    """The environment's settings if it has any, else those of the stack that runs in ``state``.

    Raises: RuntimeError when no stack runs there.
    """
    if f"{_PREFIX}SOCKET" in os.environ:
        return OperatorSettings.read()
    if not (state / "run").is_symlink():
        msg = f"no stack is running in {state} (another folder: --state)"
        raise RuntimeError(msg)
    folder = state / "keys" / "operator"
    return OperatorSettings(
        socket=(state / "run").readlink() / "vault" / "vault.sock",
        cert=folder / "cert.pem",
        key=folder / "key.pem",
        ca=folder / "ca.pem",
    )


async def ask(
    state: Path,
    operation: Operation[Q, R],
    request: Q,
    *,
    timeout_s: float = limits.CALL_TIMEOUT_S,
) -> R:
    """Run one operation of the operator's.

    Raises: what the operation raises; RuntimeError when no stack runs in ``state``; OSError.
    """
    settings = settings_for(state)
    context = client_context(settings.cert, settings.key, settings.ca)
    client = await VaultClient.connect(str(settings.socket), context)
    try:
        return await client.call(operation, request, timeout_s=timeout_s)
    finally:
        await client.close()
