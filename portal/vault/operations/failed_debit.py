"""Data zone: failed lines of a short file that is told while its sender waits."""

import re
from typing import Final

import msgspec

from portal.contract.failed_debit import (
    TAKE_FAILED_DEBITS,
    FailedDebitsTaken,
    FailedDebitTold,
    TakeFailedDebits,
)
from portal.domain.errors import InvalidInput
from portal.domain.failed_debit import LINES_MAX, OF_CUSTOMERS
from portal.vault.act import Act
from portal.vault.failed_debit import Failed, blinds_of, tell
from portal.vault.registry import operation

REVEALS: Final = ("customer number (that it is one)",)
_ONCE: Final = "failed_debits"
_PIECES: Final = """
select answer from once
where merchant_id = $1 and kind = $2 and starts_with(key, $3) and answer is not null
"""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@operation(
    TAKE_FAILED_DEBITS,
    callers=frozenset({"web"}),
    kinds=frozenset({"staff", "api_key"}),
    scope="bills:write",
    reveals=REVEALS,
    rows_max=LINES_MAX,
    audit="effect",
)
async def take_failed_debits(act: Act, request: TakeFailedDebits) -> FailedDebitsTaken:
    """Tell unpaid bills that a debit of theirs failed elsewhere; each bill is told once.

    Raises: InvalidInput ``file_malformed``, ``too_many_lines`` (param ``most``); Conflict
    ``idempotency_mismatch``.
    """
    check_hash(request.sha256)
    if not request.lines:
        raise InvalidInput("file_malformed")
    if len(request.lines) > LINES_MAX:
        raise InvalidInput("too_many_lines", params={"most": LINES_MAX})
    key = f"{request.sha256}:{request.lines[0].record_no}"
    known = await act.once(_ONCE, key, msgspec.msgpack.encode(request.lines))
    if known is not None:
        lines = msgspec.msgpack.decode(known, type=tuple[FailedDebitTold, ...])
        return FailedDebitsTaken(lines=lines, seen_before=True)
    fields = await act.fields()
    asked = [
        Failed(
            record_no=line.record_no,
            amount_minor=line.amount_minor,
            code=line.code,
            blinds=blinds_of(fields, line.customer_no),
        )
        for line in request.lines
    ]
    lines = tuple(
        FailedDebitTold(
            record_no=one.record_no,
            result=one.result,
            amount_minor=one.amount_minor,
            bill_number=one.bill_number,
        )
        for one in await tell(act, asked, numbers_meant=await _meant(act, request.sha256))
    )
    # Who guesses numbers learns which are somebody's, as by the search for one.
    act.reveal(sum(one.result in OF_CUSTOMERS for one in lines))
    await act.answer_once(_ONCE, key, msgspec.msgpack.encode(lines))
    return FailedDebitsTaken(lines=lines, seen_before=False)


async def _meant(act: Act, sha256: str) -> set[str]:
    """Numbers of the bills that other pieces of the same file meant."""
    rows = await act.db.fetch(_PIECES, act.merchant_id, _ONCE, f"{sha256}:")
    pieces = [
        msgspec.msgpack.decode(row["answer"], type=tuple[FailedDebitTold, ...]) for row in rows
    ]
    return {line.bill_number for piece in pieces for line in piece if line.bill_number}


def check_hash(sha256: str) -> None:
    """Raises: InvalidInput ``file_malformed`` for what is no SHA-256 in hexadecimal."""
    if not _SHA256.fullmatch(sha256):
        raise InvalidInput("file_malformed")
