"""A merchant's own failed debits on their way in: read whole first, then told by pieces.

Application zone, stage payment. A file in which anything is in doubt tells nothing at all. A piece
that was taken is taken for good, so a file that broke off in the middle is simply sent once more.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.failed_debit import TAKE_FAILED_DEBITS, FailedDebitTold, TakeFailedDebits
from portal.domain.errors import InvalidInput, LimitReached
from portal.domain.failed_debit import LINES_MAX, read_failed

FILE_BYTES_MAX: Final = 512 * 1024
CALL_TIMEOUT_S: Final = 30.0
"""Two hundred customers in one transaction take longer than an ordinary call may."""


@dataclass(frozen=True, slots=True)
class FailedTaken:
    """A verdict for every failed line; ``succeeded``: lines of the file that brought money."""

    lines: tuple[FailedDebitTold, ...]
    succeeded: int
    seen_before: bool


async def take_failed(vault: VaultClient, authority: Authority, raw: bytes) -> FailedTaken:
    """Read a bank's answer and tell the vault which of its debits failed.

    Raises: InvalidInput ``file_empty``, and the reader's reasons (param ``record``); LimitReached
    ``file_too_large`` (param ``bytes_max``).
    """
    if not raw.strip():
        raise InvalidInput("file_empty", params={"field": "content"})
    if len(raw) > FILE_BYTES_MAX:
        raise LimitReached("file_too_large", params={"bytes_max": FILE_BYTES_MAX})
    found = read_failed(raw)
    sha256 = hashlib.sha256(raw).hexdigest()
    lines: list[FailedDebitTold] = []
    seen_before = bool(found.lines)
    for start in range(0, len(found.lines), LINES_MAX):
        piece = found.lines[start : start + LINES_MAX]
        request = TakeFailedDebits(sha256=sha256, lines=piece)
        taken = await vault.call(TAKE_FAILED_DEBITS, request, authority, timeout_s=CALL_TIMEOUT_S)
        lines += taken.lines
        seen_before = seen_before and taken.seen_before
    return FailedTaken(tuple(lines), found.succeeded, seen_before)
