"""Files of a merchant's own failed debits: read as they stream by, then told by workers.

Application zone, stage payment. However long a file is, a part of it is held and no more. Its
failed lines are stored as they are read; whether they are ever told is decided by its last record.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from portal.contract.client import VaultClient
from portal.contract.envelope import Authority
from portal.contract.failed_file import (
    DROP_FAILED_FILE,
    STORE_FAILED_LINES,
    TAKE_FAILED_FILE,
    TELL_FAILED_FILE,
    DropFailedFile,
    StoreFailedLines,
    TakeFailedFile,
    TellFailedFile,
)
from portal.domain.errors import InvalidInput, PortalError, TryLater
from portal.domain.failed_debit import STORED_MAX, FailedLine, FailedReader
from portal.domain.ids import FailedFileId

CALL_TIMEOUT_S: Final = 30.0
"""Thousands of lines in one transaction take longer than an ordinary call may."""

CALLS_MAX: Final = 2_000
"""Steps of one run, some minutes; what is left is done by the task's next run."""


@dataclass(frozen=True, slots=True)
class FailedFileIn:
    """A file that was taken, its lines; ``seen_before``: the same bytes were, and that is it."""

    file_id: FailedFileId
    failed: int
    succeeded: int
    seen_before: bool


async def take_file(
    vault: VaultClient, authority: Authority, parts: AsyncIterator[bytes]
) -> FailedFileIn:
    """Read a bank's answer as it comes, and have its failed debits told if it is whole and sound.

    Raises: InvalidInput ``file_empty``, and the reader's reasons (param ``record``); what the
    stream raises. Nothing is told then, and what was stored of it is forgotten.
    """
    begin = StoreFailedLines(file_id=None, lines=())
    file_id = (await vault.call(STORE_FAILED_LINES, begin, authority)).file_id
    try:
        return await _Taking(vault, authority, file_id).run(parts)
    except Exception:
        # Where this fails too, the vault forgets the file by itself after a while.
        with suppress(PortalError):
            await vault.call(DROP_FAILED_FILE, DropFailedFile(file_id=file_id), authority)
        raise


class _Taking:
    """One file on its way in."""

    def __init__(self, vault: VaultClient, authority: Authority, file_id: FailedFileId) -> None:
        self._vault = vault
        self._authority = authority
        self._file_id = file_id
        self._reader = FailedReader()
        self._digest = hashlib.sha256()
        self._failed = 0

    async def run(self, parts: AsyncIterator[bytes]) -> FailedFileIn:
        is_blank = True
        async for part in parts:
            is_blank = is_blank and not part.strip()
            # Thousands of records: beside the loop, on which payers wait for their pages.
            await self._store(await asyncio.to_thread(self._read, part))
        if is_blank:
            raise InvalidInput("file_empty", params={"field": "content"})
        await self._store(self._reader.finish())
        request = TakeFailedFile(
            file_id=self._file_id,
            sha256=self._digest.hexdigest(),
            failed=self._failed,
            succeeded=self._reader.succeeded,
        )
        taken = await self._vault.call(TAKE_FAILED_FILE, request, self._authority)
        return FailedFileIn(taken.file_id, self._failed, self._reader.succeeded, taken.seen_before)

    def _read(self, part: bytes) -> list[FailedLine]:
        self._digest.update(part)
        return self._reader.take(part)

    async def _store(self, lines: list[FailedLine]) -> None:
        for start in range(0, len(lines), STORED_MAX):
            piece = tuple(lines[start : start + STORED_MAX])
            request = StoreFailedLines(file_id=self._file_id, lines=piece)
            await self._vault.call(
                STORE_FAILED_LINES, request, self._authority, timeout_s=CALL_TIMEOUT_S
            )
        self._failed += len(lines)


async def tell(
    vault: VaultClient, lease: Authority, file_id: FailedFileId, is_stopping: Callable[[], bool]
) -> int:
    """Tell a file's lines until none is left; lines told by this run.

    Raises TryLater ``worker_stopping`` between two calls: the task goes on later, no try is used.
    """
    lines = 0
    for _ in range(CALLS_MAX):
        request = TellFailedFile(file_id=file_id)
        moved = await vault.call(TELL_FAILED_FILE, request, lease, timeout_s=CALL_TIMEOUT_S)
        lines += moved.lines
        if not moved.remaining:
            return lines
        if is_stopping():
            break
    raise TryLater("worker_stopping", retry_after_s=0.0)
