"""Who makes and decides about debit files in a bench, and the contracts under which they do.

Beside them jobs of portal.stack.bench.debits_bank, which need the data zone itself.
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

import msgspec
from pyotp.totp import TOTP

from portal.contract.debit import OPEN_DEBIT_CONTRACT, OpenDebitContract
from portal.domain.ids import DebitContractId
from portal.stack.access import ticket_for
from portal.stack.bench.debits_bank import Answer, Debtors, Hasten, Job
from portal.stack.bench.report import timed
from portal.stack.bench.town import Town
from portal.stack.layout import SOURCE
from portal.stack.merchant import StaffSession
from portal.stack.processes import run_to_end

TIMEOUT_S: Final = 7200.0
LOOK_S: Final = 0.3

_BANKS: Final = "0005"
_STEP_S: Final = 30
_LOOK_SHARE: Final = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """The two members of staff whom a file needs, at their browsers."""

    builder: StaffSession
    owner: StaffSession
    owner_secret: str

    async def build(self, contract_id: str, debit_on: date) -> None:
        """Ask for a file. Raises: RuntimeError with what the portal says against it."""
        wanted = {"contractId": contract_id, "debitOn": debit_on.isoformat()}
        await _done(self.builder, "build", wanted)

    async def approve_all(self, tell: Callable[[str], None]) -> None:
        """Approve every file. Raises: RuntimeError with what the portal says against it."""
        codes = self._codes()
        for count, one in enumerate(await self.files(), 1):
            tell(f"approving file {count}: each takes a code of its own")
            wanted = {"id": one["id"], "decision": "APPROVE", "totp": await anext(codes)}
            await _done(self.owner, "decide", wanted)

    async def _codes(self) -> AsyncGenerator[str]:
        """The owner's codes, each step's once, as the vault wants them: waits when all are used."""
        step = 0
        while True:
            now = int(datetime.now(UTC).timestamp()) // _STEP_S
            step = max(step + 1, now - 1)
            while step > int(datetime.now(UTC).timestamp()) // _STEP_S + 1:  # noqa: ASYNC110 - a clock
                await asyncio.sleep(LOOK_S)
            yield TOTP(self.owner_secret).at(step * _STEP_S)

    async def files(self) -> list[dict[str, Any]]:
        """All files, as the screen shows them."""
        shown = await self.owner.run("debits", {"first": 50, "after": None})
        return [dict(node) for node in shown["debitFiles"]["nodes"]]

    async def contracts(self) -> list[dict[str, Any]]:
        """All contracts, in the order in which they were made."""
        shown = await self.owner.run("debits", {"first": 1, "after": None})
        return [dict(one) for one in shown["debitFiles"]["contracts"]]

    async def all_in(self, is_there: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
        """Look until it is so of every file; looking counts lines, so the more the rarer."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                with timed() as watch:
                    files = await self.files()
                if all(map(is_there, files)):
                    return files
                await asyncio.sleep(max(LOOK_S, _LOOK_SHARE * watch.seconds))


@asynccontextmanager
async def desk_of(here: Town) -> AsyncGenerator[Desk]:
    """A clerk and an owner, each logged in."""
    roles = {person.role: person.email for person in here.access.staff}
    [secret] = [one.totp_secret for one in here.access.staff if one.role == "owner"]
    sessions = [StaffSession(here.access.portal) for _ in range(2)]
    try:
        async with here.stack.operator() as vault:
            for session, role in zip(sessions, ("clerk", "owner"), strict=True):
                await session.enter(await ticket_for(vault, roles[role]))
        yield Desk(builder=sessions[0], owner=sessions[1], owner_secret=secret)
    finally:
        for session in sessions:
            await session.close()


async def open_contract(
    here: Town, place: int, debit_on: date, lines_max: int, line: str = ""
) -> DebitContractId:
    """A contract with a bank; ``place`` tells its collector's code from others'."""
    contract = OpenDebitContract(
        merchant_code=here.access.merchant_code, collector_code=f"{place + 1:010d}",
        collector_name="アオゾラデンリヨク", bank_code=_BANKS, branch_code="001", account_kind="1",
        account_number="7654321", record_end="\r\n", has_blank_result=False, more_letters="",
        lines_max=lines_max, day_of_month=debit_on.day, submit_days=4, submit_by=time(15),
        presents_again=True, line=line,
    )  # fmt: skip
    async with here.stack.operator() as vault:
        return (await vault.call(OPEN_DEBIT_CONTRACT, contract)).contract_id


def run_as_vault(here: Town, job: Debtors | Answer | Hasten) -> str:
    """Run a job of portal.stack.bench.debits_bank beside the vault."""
    program = here.stack.running["vault"].program
    env = {name: text for name, text in program.env.items() if name.startswith("PORTAL_VAULT_")}
    return run_to_end(
        [sys.executable, "-m", "portal.stack.bench.debits_bank"],
        account=here.stack.layout.accounts["vault"],
        env=env,
        cwd=SOURCE,
        stdin=msgspec.json.encode(Job(job=job)).decode(),
        timeout_s=TIMEOUT_S,
    )


async def _done(session: StaffSession, act: str, wanted: Mapping[str, str]) -> None:
    variables = {"input": {**wanted, "idempotencyKey": str(uuid.uuid4())}}
    done = await session.run(f"debit_file_{act}", variables)
    if errors := done[f"debitFile{act.capitalize()}"]["errors"]:
        msg = f"no file: {errors[0]['message']}"
        raise RuntimeError(msg)
