"""Data zone: a sealed file on its way to a bank, be it of debits or of transfers.

The line treats both alike (portal.vault.operations.debit_line); here stands where they differ: the
table, whose code the bank knows the merchant by, its hour, and what its word leads to.
"""

from dataclasses import dataclass
from uuid import UUID

from portal.domain import debit, transfer
from portal.domain.days import is_in_time
from portal.domain.handover import LineKind
from portal.vault.act import Act
from portal.vault.debit import DebitFile, lock_file, moved, read_contract, store_file
from portal.vault.fetch import plan_fetch
from portal.vault.transfer import (
    TRANSFER_FILES,
    TransferFile,
    moved_file,
    read_transfer_contract,
    step_file,
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A locked file. Moves return it as it is then."""

    file: DebitFile | TransferFile

    @property
    def kind(self) -> LineKind:
        """Of debits, or of transfers."""
        return "debit" if isinstance(self.file, DebitFile) else "transfer"

    async def code(self, act: Act) -> str:
        """By which the bank knows the merchant."""
        if isinstance(self.file, DebitFile):
            return (await read_contract(act, self.file.contract_id)).collector_code
        return (await read_transfer_contract(act, self.file.contract_id)).company_code

    async def is_in_time(self, act: Act) -> bool:
        """Whether its bank still takes it."""
        file = self.file
        if isinstance(file, DebitFile):
            debits = await read_contract(act, file.contract_id)
            return is_in_time(debits.calendar, debits.terms, file.day, act.business)
        contract = await read_transfer_contract(act, file.contract_id)
        return is_in_time(contract.calendar, contract.terms, file.day, act.business)

    async def take_out(self, act: Act) -> "Outgoing":
        """From here on the bank may have it; nothing for one that is out already."""
        file = self.file
        if file.state != "approved":
            return self
        if isinstance(file, DebitFile):
            edge = debit.advance_file(file.state, "take_out")
            return Outgoing(await store_file(act, moved(act, file, edge)))
        step = transfer.advance_file(file.state, "take_out")
        return Outgoing(await TRANSFER_FILES.store(act, moved_file(act, file, step)))

    async def tell(self, act: Act, event: debit.FileEvent | None) -> "Outgoing":
        """The bank's word, where it says anything new: written, and what follows planned."""
        if isinstance(self.file, DebitFile):
            return Outgoing(await _tell_debits(act, self.file, event))
        return Outgoing(await _tell_transfers(act, self.file, event))


async def lock_outgoing(act: Act, kind: LineKind, file_id: UUID) -> Outgoing:
    """Lock a file of that kind and read it. Raises: NotFound ``not_found``."""
    if kind == "debit":
        return Outgoing(await lock_file(act, file_id))
    return Outgoing(await TRANSFER_FILES.lock(act, file_id))


async def _tell_debits(act: Act, file: DebitFile, event: debit.FileEvent | None) -> DebitFile:
    if event is None or (file.state, event) not in debit.FILES:
        return file
    edge = debit.advance_file(file.state, event)
    stored = await store_file(act, moved(act, file, edge))
    if edge.state == "rejected":
        await act.plan_task("debit.book", file.id)
    elif edge.state == "accepted":
        await plan_fetch(act, file)
    return stored


async def _tell_transfers(
    act: Act, file: TransferFile, event: debit.FileEvent | None
) -> TransferFile:
    if event is None or event == "answer" or (file.state, event) not in transfer.FILES:
        return file
    return await step_file(act, file, transfer.advance_file(file.state, event))
