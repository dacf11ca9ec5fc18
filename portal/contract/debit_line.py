"""A file on the line to its bank: begun, redeemed once by the relay, and what came of it.

Of debits or of transfers; named for the first kind that there was.
"""

from uuid import UUID

from portal.contract.envelope import Operation, Reply, Request
from portal.domain.handover import HandoverAct, LineKind, LineOutcome
from portal.domain.ids import DebitFileId, DeliveryId, TransferFileId

REDEEMED_LINES_MAX = 999_999
"""Lines of one file at most: as many as six digits count (portal.domain.zengin)."""


class BeginDebitHandover(Request, frozen=True, kw_only=True):
    """A worker is about to send a file, or to ask about it. Authority: its task's lease."""

    file_id: DebitFileId | TransferFileId


class DebitHandoverBegun(Reply, frozen=True, kw_only=True):
    """What to do: ``send`` this try, ``ask`` the bank, or nothing (``wait``, ``done``).

    ``reference`` is ours, the same for every try of a file, and names nobody.
    """

    act: HandoverAct
    provider: str = ""
    reference: str = ""
    handover_id: DeliveryId = DeliveryId(UUID(int=0))
    kind: LineKind = "debit"


class RecordDebitHandover(Request, frozen=True, kw_only=True):
    """What the bank said to a try, or to a question about it; finishes the task."""

    file_id: DebitFileId | TransferFileId
    handover_id: DeliveryId
    outcome: LineOutcome
    code: str


class DebitHandoverNow(Reply, frozen=True, kw_only=True):
    """The file's state."""

    state: str


class RedeemDebitFile(Request, frozen=True, kw_only=True):
    """A file is about to go to ``host``, once for a try. Caller: egress."""

    host: str
    handover_id: DeliveryId


class DebitFileRedeemed(Reply, frozen=True, kw_only=True):
    """``refused`` is a code when there is nothing to send; the values are empty then.

    ``parts`` and ``size_bytes`` are of the sealed bytes, which are then asked for; ``collector`` is
    the code by which the bank knows the merchant; by ``reference``, the same at every try, it
    refuses a second file and answers questions.
    """

    collector: str
    reference: str
    parts: int
    size_bytes: int
    refused: str | None


class GiveDebitPart(Request, frozen=True, kw_only=True):
    """The next part of a file that was redeemed; each once, in order. Caller: egress."""

    host: str
    handover_id: DeliveryId
    part_no: int


class DebitPartGiven(Reply, frozen=True, kw_only=True):
    """The bytes of a part; ``refused`` is a code where there is none to give."""

    body: bytes
    refused: str | None


BEGIN_DEBIT_HANDOVER = Operation("begin_debit_handover", BeginDebitHandover, DebitHandoverBegun)
RECORD_DEBIT_HANDOVER = Operation("record_debit_handover", RecordDebitHandover, DebitHandoverNow)
REDEEM_DEBIT_FILE = Operation("redeem_debit_file", RedeemDebitFile, DebitFileRedeemed)
GIVE_DEBIT_PART = Operation("give_debit_part", GiveDebitPart, DebitPartGiven)
