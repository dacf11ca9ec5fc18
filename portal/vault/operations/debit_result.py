"""Data zone: a bank's answer that staff put up: its parts, and the word that it is whole.

What is made of it is portal.vault.debit_answer's.
"""

from typing import Final
from uuid import UUID

from portal.contract.debit import (
    READ_DEBIT_RESULT,
    STORE_DEBIT_RESULT,
    DebitResultRead,
    ReadDebitResult,
    StoreDebitResult,
)
from portal.contract.envelope import Done
from portal.domain.errors import InvalidInput
from portal.kit.crypto import sha256
from portal.kit.limits import RESULT_PARTS_MAX
from portal.vault import file
from portal.vault.act import Act
from portal.vault.debit import lock_file
from portal.vault.debit_answer import check_at_bank, take_answer
from portal.vault.registry import operation

_WEB: Final = frozenset({"web"})
_STAFF: Final = frozenset({"staff"})


@operation(STORE_DEBIT_RESULT, callers=_WEB, kinds=_STAFF, audit="none")
async def store_debit_result(act: Act, request: StoreDebitResult) -> Done:
    """Seal a part of a bank's answer; the same part again is acknowledged.

    Raises: NotFound ``not_found``; Conflict ``debit_file_state`` for a file that no bank has,
    ``part_differs``; InvalidInput ``part_size``, ``file_too_large``.
    """
    debit_file = await lock_file(act, request.file_id)
    check_at_bank(debit_file)
    if not 0 <= request.part_no < RESULT_PARTS_MAX:
        raise InvalidInput("file_too_large", params={"max": RESULT_PARTS_MAX})
    place = _part_file_id(act, debit_file.id, request.upload_key)
    await file.store_part(act, place, request.part_no, request.body)
    return Done()


@operation(READ_DEBIT_RESULT, callers=_WEB, kinds=_STAFF, audit="effect")
async def read_debit_result(act: Act, request: ReadDebitResult) -> DebitResultRead:
    """Check an answer that has come whole and plan its booking; the same bytes are read once.

    A doubtful one is refused as a whole, and the file says why. What nobody can explain becomes a
    case: lines that the bank did not clear up, and lines that we never sent. A long one is checked
    by workers, and what they find stands at the file.

    Raises: NotFound ``not_found``; Conflict ``debit_file_state`` for a file that no bank has;
    InvalidInput ``file_too_large``.
    """
    debit_file = await lock_file(act, request.file_id)
    check_at_bank(debit_file)
    if not 0 < request.parts <= RESULT_PARTS_MAX:
        raise InvalidInput("file_too_large", params={"max": RESULT_PARTS_MAX})
    place = _part_file_id(act, debit_file.id, request.upload_key)
    return await take_answer(act, debit_file, place, request.parts)


def _part_file_id(act: Act, file_id: UUID, upload_key: str) -> UUID:
    """Where an upload's parts lie: each person's each upload somewhere else."""
    if not 0 < len(upload_key) <= 64:  # noqa: PLR2004  a key that a browser's form was given
        raise InvalidInput("idempotency_key_invalid", params={"most": 64})
    return UUID(
        bytes=sha256(b"|".join((file_id.bytes, act.actor.encode(), upload_key.encode())))[:16]
    )
