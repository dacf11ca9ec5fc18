"""A vault in a process of its own, so that it can be killed."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.make.vault import Ground

_RUN = "from portal.vault.run import run; run()"


@asynccontextmanager
async def vault_process(ground: Ground, **extra: str) -> AsyncGenerator[Process]:
    """``portal vault`` on a ground; ``extra`` are further environment variables."""
    settings = ground.settings().model_dump(mode="json")
    environment = {f"PORTAL_VAULT_{name.upper()}": str(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _RUN,
        env={"PATH": os.environ["PATH"], **environment, **extra},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
