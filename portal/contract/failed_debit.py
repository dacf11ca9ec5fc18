"""Debits that a merchant made by itself and that brought no money: told, so that payers hear."""

from portal.contract.envelope import Operation, Part, Reply, Request
from portal.domain.failed_debit import FailedLine, FailedResult


class TakeFailedDebits(Request, frozen=True, kw_only=True):
    """Failed lines of one file that was read whole, at most 200, in its order.

    ``sha256`` (hexadecimal) is the whole file's: the same lines of it again have the same answer.
    InvalidInput ``file_malformed``, ``too_many_lines`` (param ``most``).
    """

    sha256: str
    lines: tuple[FailedLine, ...]


class FailedDebitTold(Part, frozen=True, kw_only=True):
    """What became of one line. ``bill_number``: of the bill it is about, "" for none."""

    record_no: int
    result: FailedResult
    amount_minor: int
    bill_number: str = ""


class FailedDebitsTaken(Reply, frozen=True, kw_only=True):
    """A verdict for every line; ``seen_before``: these lines of this file were taken earlier."""

    lines: tuple[FailedDebitTold, ...]
    seen_before: bool


TAKE_FAILED_DEBITS = Operation("take_failed_debits", TakeFailedDebits, FailedDebitsTaken)
