"""A file to its bank by the line: one try under a lease, and the questions afterwards.

Of debits or of transfers: the vault says which, and the line has a road for each.

Application zone. The vault says which of the two it is, and has moved the file before the bank
hears of it. The bytes go from the vault to the relay: nothing here ever holds them.
"""

import asyncio
from typing import Final

from portal.application.methods.debit_line import find_line
from portal.application.payment.desk import PayDesk
from portal.contract.debit_line import (
    BEGIN_DEBIT_HANDOVER,
    RECORD_DEBIT_HANDOVER,
    BeginDebitHandover,
    DebitHandoverBegun,
    RecordDebitHandover,
)
from portal.contract.envelope import Authority
from portal.domain.errors import InvariantBroken, TryLater, Unknown
from portal.domain.handover import LineOutcome
from portal.domain.ids import DebitFileId, TransferFileId
from portal.kit.crashpoint import crash_point

RECORD_TRIES_MAX: Final = 4
RECORD_PAUSE_S: Final = 0.2


async def hand_over(desk: PayDesk, lease: Authority, file_id: DebitFileId | TransferFileId) -> str:
    """Send a file to its bank, or ask about one; its state, "" when there was nothing to do.

    Raises: Unknown ``debit_file_unclear`` when the answer could not be recorded (a question finds
    it).
    """
    begun = await desk.vault.call(BEGIN_DEBIT_HANDOVER, BeginDebitHandover(file_id=file_id), lease)
    if begun.act not in {"send", "ask"}:
        return ""
    crash_point("worker.before_handover")
    outcome, code = await _converse(desk, begun)
    crash_point("worker.after_handover")
    booked = RecordDebitHandover(
        file_id=file_id, handover_id=begun.handover_id, outcome=outcome, code=code
    )
    for attempt in range(RECORD_TRIES_MAX):
        try:
            return (await desk.vault.call(RECORD_DEBIT_HANDOVER, booked, lease)).state
        except (TryLater, Unknown):
            await asyncio.sleep(RECORD_PAUSE_S * 2**attempt)
    raise Unknown("debit_file_unclear", context=f"debit file {file_id}")


async def _converse(desk: PayDesk, begun: DebitHandoverBegun) -> tuple[LineOutcome, str]:
    try:
        line, endpoint = find_line(begun.provider), desk.endpoint(begun.provider)
    except InvariantBroken as fault:
        return ("not_sent" if begun.act == "send" else "unknown"), fault.code
    if begun.act == "ask":
        return await desk.converse(line.ask(endpoint, begun.reference, begun.kind))
    return await desk.converse(line.hand_over(endpoint, begun.handover_id, begun.kind))
