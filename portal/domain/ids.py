"""Identities: a UUIDv7 inside, ``prefix_`` and 26 Crockford characters outside.

The type of a thing shows in its public id, so an id of one kind can't be passed where another is
wanted, and support can read it over the telephone (no I, L, O or U). The time and the randomness
of a new id come from the caller: this module has no clock.
"""

from functools import lru_cache
from typing import Final, NewType
from uuid import UUID

from portal.domain.errors import NotFound

MerchantId = NewType("MerchantId", UUID)
StaffId = NewType("StaffId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
ImportId = NewType("ImportId", UUID)
BillId = NewType("BillId", UUID)
AttemptId = NewType("AttemptId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
ChunkId = NewType("ChunkId", UUID)
TaskId = NewType("TaskId", UUID)
FileId = NewType("FileId", UUID)
CaseId = NewType("CaseId", UUID)
RefundId = NewType("RefundId", UUID)
DebitContractId = NewType("DebitContractId", UUID)
DebitFileId = NewType("DebitFileId", UUID)
TransferContractId = NewType("TransferContractId", UUID)
TransferFileId = NewType("TransferFileId", UUID)
FailedFileId = NewType("FailedFileId", UUID)
MandateId = NewType("MandateId", UUID)
CardChargeId = NewType("CardChargeId", UUID)
PrintBatchId = NewType("PrintBatchId", UUID)
TemplateId = NewType("TemplateId", UUID)
SubscriptionId = NewType("SubscriptionId", UUID)

PREFIXES: Final = {
    "merchant": "mer",
    "staff": "stf",
    "api_key": "key",
    "import": "imp",
    "bill": "bill",
    "attempt": "att",
    "delivery": "dlv",
    "task": "tsk",
    "case": "case",
    "refund": "rfd",
    "debit_contract": "dct",
    "debit_file": "dbf",
    "transfer_contract": "trc",
    "transfer_file": "trf",
    "failed_file": "fdf",
    "mandate": "mdt",
    "print_batch": "prt",
    "template": "tpl",
    "push_subscription": "psh",
}
"""Kind of thing → prefix of its public id."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH: Final = 26
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_HEAD_SHIFTS: Final = range(60, -1, -10)


def new_uuid7(unix_ms: int, random_80_bits: int) -> UUID:
    """A UUIDv7 for a moment and 74 of the 80 random bits given (RFC 9562 §5.7).

    Units: milliseconds since 1970. Raises ValueError when either does not fit its field.
    """
    if not 0 <= unix_ms < 1 << 48 or not 0 <= random_80_bits < 1 << 80:
        msg = "time or randomness out of its field"
        raise ValueError(msg)
    rand_a = random_80_bits >> 68
    rand_b = random_80_bits & ((1 << 62) - 1)
    return UUID(int=unix_ms << 80 | 7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)


def to_public(kind: str, value: UUID) -> str:
    """The id as people and programs see it, e.g. ``bill_01JD…``; KeyError for a new kind."""
    n = value.int
    head, prefix = _head(n >> 60), PREFIXES[kind]
    first, second, third = _PAIRS[n >> 50 & 1023], _PAIRS[n >> 40 & 1023], _PAIRS[n >> 30 & 1023]
    fourth, fifth, last = _PAIRS[n >> 20 & 1023], _PAIRS[n >> 10 & 1023], _PAIRS[n & 1023]
    return f"{prefix}_{head}{first}{second}{third}{fourth}{fifth}{last}"


@lru_cache(maxsize=256)
def _head(number: int) -> str:
    """The first 14 letters: ids that were made together, as a file's debits are, share them."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _HEAD_SHIFTS])


def from_public(kind: str, text: str) -> UUID:
    """Read a public id of the kind wanted.

    Raises NotFound for anything else: a malformed id and a foreign one get the same answer.
    """
    prefix, _, letters = text.partition("_")
    if prefix != PREFIXES[kind] or len(letters) != _LENGTH:
        raise NotFound("not_found", params={"kind": kind})
    number = 0
    for letter in letters:
        if letter not in _VALUE:
            raise NotFound("not_found", params={"kind": kind})
        number = number << 5 | _VALUE[letter]
    if number >> 128:
        raise NotFound("not_found", params={"kind": kind})
    return UUID(int=number)
