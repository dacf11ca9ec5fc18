"""A bank's answer to a debit file by the line: one try under a lease.

Application zone. The vault says whether there is anything to fetch, and reads what came; the bytes
go from the relay to the vault, and nothing here ever holds them.
"""

from portal.application.methods.debit_line import find_line
from portal.application.payment.debit import CALL_TIMEOUT_S
from portal.application.payment.desk import PayDesk
from portal.application.providers.exchange import ResultFetched
from portal.contract.debit_fetch import (
    BEGIN_DEBIT_FETCH,
    RECORD_DEBIT_FETCH,
    BeginDebitFetch,
    DebitFetchBegun,
    RecordDebitFetch,
)
from portal.contract.envelope import Authority
from portal.domain.errors import InvariantBroken
from portal.domain.ids import DebitFileId
from portal.kit.crashpoint import crash_point


async def fetch_result(desk: PayDesk, lease: Authority, file_id: DebitFileId) -> str:
    """Fetch the answer to a file; the file's state, "" when there was nothing to do.

    What goes wrong here is mended by the next try, which the vault has planned already.
    """
    begun = await desk.vault.call(BEGIN_DEBIT_FETCH, BeginDebitFetch(file_id=file_id), lease)
    if begun.act != "fetch":
        return ""
    crash_point("worker.before_fetch")
    fetched = await _fetch(desk, begun)
    crash_point("worker.after_fetch")
    told = RecordDebitFetch(
        file_id=file_id, fetch_id=begun.fetch_id, outcome=fetched.outcome, code=fetched.code,
        parts=fetched.parts, sha256=fetched.sha256,
    )  # fmt: skip
    now = await desk.vault.call(RECORD_DEBIT_FETCH, told, lease, timeout_s=CALL_TIMEOUT_S)
    return now.state


async def _fetch(desk: PayDesk, begun: DebitFetchBegun) -> ResultFetched:
    try:
        line, endpoint = find_line(begun.provider), desk.endpoint(begun.provider)
    except InvariantBroken as fault:
        return ResultFetched("not_read", fault.code)
    return await desk.converse(line.fetch(endpoint, begun.reference, begun.fetch_id))
