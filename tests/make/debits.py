"""Debit files of a small electricity company, as they go to a bank and as they come back."""

from collections.abc import Callable, Sequence

from portal.domain.zengin.record import Account, DebitLine, FileForm, Header
from portal.domain.zengin.write import DebitWriter

OURS = Account(bank_code="0001", branch_code="001", kind="1", number="7654321")
HEADER = Header(
    collector_code="0000012345",
    collector_name="ﾐﾅﾄﾃﾞﾝﾘﾖｸ(ｶ",
    month=12,
    day=28,
    bank_code="0001",
    branch_code="001",
    bank_name="ﾐｽﾞﾎ",
    branch_name="ﾄｳｷﾖｳ",
    account=OURS,
)


def debit(number: int, amount: int = 8420, **other: object) -> DebitLine:
    """The debit with this instruction number."""
    account = Account(bank_code="0005", branch_code="002", kind="1", number=f"{number:07d}")
    values: dict[str, object] = {
        "account": account,
        "payer_name": "ﾔﾏﾀﾞ ﾊﾅｺ",
        "amount_minor": amount,
        "instruction_no": f"{number:020d}",
    }
    return DebitLine(**(values | other))  # type: ignore[arg-type]


def write(
    lines: Sequence[DebitLine], form: FileForm | None = None, header: Header = HEADER
) -> bytes:
    """A whole file."""
    writer = DebitWriter(form or FileForm())
    return writer.begin(header) + writer.add(lines) + writer.finish()


def answer(sent: bytes, result_of: Callable[[int], str]) -> bytes:
    """The file as the bank sends it back: a code for each line by its place, and the sums."""
    records = sent.decode("cp932").split("\r\n")
    done, failed = [0, 0], [0, 0]
    for place in range(1, len(records) - 3):
        record, code = records[place], result_of(place - 1)
        records[place] = f"{record[:111]}{code}{record[112:]}"
        sums = done if code == "0" else failed
        sums[0] += 1
        sums[1] += int(record[80:90])
    trailer = records[-3]
    sums = f"{done[0]:06d}{done[1]:012d}{failed[0]:06d}{failed[1]:012d}"
    records[-3] = f"{trailer[:19]}{sums}{trailer[55:]}"
    return "\r\n".join(records).encode("cp932")
