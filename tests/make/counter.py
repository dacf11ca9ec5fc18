"""A collector with a line to the sandbox's bank through the real relay, and its workers."""

from dataclasses import dataclass

from portal.contract.debit import DebitFileView
from tests.make.bank import Desk
from tests.make.workshop import Workshop
from worker.queue import Job


@dataclass
class Counter:
    """A collector with a line to the bank, and the workers between them."""

    shop: Workshop
    desk: Desk

    async def approved(self) -> DebitFileView:
        """A file that is about to be sent."""
        one = await self.desk.build()
        await self.shop.work_off({"debit.fill"})
        await self.desk.rule(one)
        return one

    async def at(self, one: DebitFileView) -> tuple[str, str]:
        """The state of the file, and of its line."""
        line = await self.desk.world.value("select state from debit_handover")
        return (await self.desk.seen(one)).state, line

    async def grow_old(self) -> None:
        """Let the try be older than its time: what waiting does, without waiting."""
        await self.shop.rows(
            "update debit_handover set state_at = state_at - interval '2 minutes',"
            " ask_at = ask_at - interval '2 hours' returning file_id"
        )
        await self.shop.be_due()

    async def sending_job(self) -> Job:
        """The one task of the line that is due."""
        [job] = [job for job in await self.shop.hints() if job.kind == "debit.send"]
        del self.shop.heard[job.id]
        return job

    @property
    def at_bank(self) -> list[str]:
        """SHA-256 of every file that the bank took."""
        return [row["sha256"] for row in self.shop.journal.bank.files()]

    async def fetch_now(self) -> None:
        """Let the bank's day come: what waiting does, without waiting."""
        await self.shop.rows(
            "update debit_fetch set state_at = state_at - interval '1 hour', since = now()"
            " returning file_id"
        )
        await self.shop.be_due()

    async def fetching_job(self) -> Job:
        """The one task that fetches an answer."""
        [job] = [job for job in await self.shop.hints() if job.kind == "debit.fetch"]
        del self.shop.heard[job.id]
        return job
