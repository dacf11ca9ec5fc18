"""A bank's answer to a debit file, fetched by the line: a worker begins, the relay puts it in.

The worker learns an id, and of the answer how long it is and its hash. The bytes go from the bank
through the relay to the vault, under a try that is good for one answer.
"""

from uuid import UUID

from portal.contract.envelope import Operation, Reply, Request
from portal.domain.fetch import FetchAct, FetchOutcome
from portal.domain.ids import DebitFileId, DeliveryId


class BeginDebitFetch(Request, frozen=True, kw_only=True):
    """A worker is about to ask for a file's answer. Authority: its task's lease."""

    file_id: DebitFileId


class DebitFetchBegun(Reply, frozen=True, kw_only=True):
    """What to do: ``fetch`` under this try, or nothing (``wait``, ``done``)."""

    act: FetchAct
    provider: str = ""
    reference: str = ""
    fetch_id: DeliveryId = DeliveryId(UUID(int=0))


class RecordDebitFetch(Request, frozen=True, kw_only=True):
    """What came of a try; finishes the task.

    ``parts`` and ``sha256`` are the relay's word of what it put in, and have to be so.
    """

    file_id: DebitFileId
    fetch_id: DeliveryId
    outcome: FetchOutcome
    code: str
    parts: int = 0
    sha256: bytes = b""


class DebitFetchNow(Reply, frozen=True, kw_only=True):
    """``state`` is the file's; ``lines`` were read of its answer."""

    state: str
    lines: int = 0


class OpenDebitResult(Request, frozen=True, kw_only=True):
    """The relay is about to ask ``host`` for an answer; once for a try. Caller: egress."""

    host: str
    fetch_id: DeliveryId


class DebitResultOpened(Reply, frozen=True, kw_only=True):
    """``reference`` is whose answer the try is good for; ``refused`` is a code, or None."""

    reference: str
    refused: str | None


class KeepDebitResult(Request, frozen=True, kw_only=True):
    """A part of the answer as it came, in order, each but the last of 1 MiB. Caller: egress."""

    host: str
    fetch_id: DeliveryId
    part_no: int
    body: bytes


class DebitResultKept(Reply, frozen=True, kw_only=True):
    """``refused`` is a code where the part is not taken."""

    refused: str | None


BEGIN_DEBIT_FETCH = Operation("begin_debit_fetch", BeginDebitFetch, DebitFetchBegun)
RECORD_DEBIT_FETCH = Operation("record_debit_fetch", RecordDebitFetch, DebitFetchNow)
OPEN_DEBIT_RESULT = Operation("open_debit_result", OpenDebitResult, DebitResultOpened)
KEEP_DEBIT_RESULT = Operation("keep_debit_result", KeepDebitResult, DebitResultKept)
