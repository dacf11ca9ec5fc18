"""A file of transfers (総合振込, 種別 21): the records that differ from a file of debits. Pure.

Header, end, letters and line ends are those of portal.domain.zengin.record. Nothing comes back for
a line: there is no agreed file of results, and none is read here.

Source: 全銀協制定ファイルフォーマット (総合振込) as banks print it: Gunma Bank's page of that name
for header and data, SMBC's layout for 振込指定区分 and 新規コード. Both have the payee's kinds
1, 2, 4 and 9.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from portal.domain.zengin.record import (
    AMOUNT_MAX,
    LINES_MAX,
    RECORD_BYTES,
    TOTAL_MAX,
    Account,
    FileForm,
    check_field,
    check_text,
    is_digits,
)
from portal.domain.zengin.write import FileWriter

KINDS: Final = frozenset("1249")
"""Ordinary, current, savings, other: a payee's kinds of account."""

BY_WIRE: Final = "7"
"""振込指定区分: 電信."""

_NUMBER_DIGITS: Final = 20
_HOLDER_LETTERS: Final = 30


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer. Units: yen.

    ``instruction_no``: our own number of this transfer and of no other, up to 20 digits, where the
    record has 顧客コード 1 and 2; it names nobody. EDI is not used.
    """

    account: Account
    holder: str
    amount_minor: int
    instruction_no: str
    bank_name: str = ""
    branch_name: str = ""


class TransferWriter(FileWriter[TransferLine]):
    """A file of transfers."""

    def record_of(self, line: TransferLine) -> str:
        """See :func:`write_transfer`."""
        return write_transfer(line, self.form)

    def trailer(self) -> str:
        """Count and sum; the rest is blank."""
        check_field(self.count <= LINES_MAX and self.total_minor <= TOTAL_MAX, "total")
        return f"8{self.count:06d}{self.total_minor:012d}{'':101}"


def write_transfer(line: TransferLine, form: FileForm) -> str:
    """The record of one transfer.

    Raises: InvalidInput ``zengin_field`` (param ``field``).
    """
    account, number = line.account, line.instruction_no
    check_field(is_digits(account.bank_code, 4), "bank_code")
    check_field(is_digits(account.branch_code, 3), "branch_code")
    check_field(account.kind in KINDS, "account_kind")
    check_field(is_digits(account.number, 7), "account_number")
    check_text(line.bank_name, 15, form, "bank_name")
    check_text(line.branch_name, 15, form, "branch_name")
    check_text(line.holder, _HOLDER_LETTERS, form, "holder")
    check_field(bool(line.holder.strip()), "holder")
    check_field(1 <= line.amount_minor <= AMOUNT_MAX, "amount")
    check_field(is_digits(number, len(number)) and 0 < len(number) <= _NUMBER_DIGITS, "number")
    return (
        f"2{account.bank_code}{line.bank_name:15}{account.branch_code}{line.branch_name:15}0000"
        f"{account.kind}{account.number}{line.holder:30}{line.amount_minor:010d}0"
        f"{number:0>20}{BY_WIRE}{'':8}"
    )


def read_transfers(parts: Iterable[bytes]) -> list[TransferLine]:
    """The transfers in bytes that we wrote ourselves, in order; other records are passed over.

    Not for files of others: nothing is checked.
    """
    whole = b"".join(parts).replace(b"\r\n", b"").decode("cp932")
    records = [whole[at : at + RECORD_BYTES] for at in range(0, len(whole), RECORD_BYTES)]
    return [_read(record) for record in records if record.startswith("2")]


def _read(record: str) -> TransferLine:
    return TransferLine(
        account=Account(
            bank_code=record[1:5],
            branch_code=record[20:23],
            kind=record[42],
            number=record[43:50],
        ),
        holder=record[50:80].rstrip(),
        amount_minor=int(record[80:90]),
        instruction_no=record[91:111],
        bank_name=record[5:20].rstrip(),
        branch_name=record[23:38].rstrip(),
    )
