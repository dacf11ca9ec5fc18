"""A worker process that does one job and ends: for tests that make it die on the way."""

import asyncio
import sys
from uuid import UUID

from portal.kit.log import configure
from worker.queue import Job
from worker.settings import WorkSettings
from worker.tasks.run import run_job
from worker.tasks.workbench import open_workbench


async def _do(job: Job) -> None:
    async with open_workbench(WorkSettings.read(), "one-job", asyncio.Event()) as bench:
        await run_job(bench, job)


if __name__ == "__main__":
    configure("work")
    task, attempt, kind = sys.argv[1:]
    asyncio.run(_do(Job(UUID(hex=task), int(attempt), kind, "bulk")))  # type: ignore[arg-type]
