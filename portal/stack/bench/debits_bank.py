"""What bench ``debits`` needs of the data zone itself: a merchant's debtors, and a bank's answers.

Runs as a process of its own under the vault's account, with the vault's settings. A million payers
are not entered at a door for a bench of something else, so their bills and mandates are written
here, sealed with the merchant's own keys; and the bank of this bench opens the very parts that the
vault sealed, notes that the file is on its way, and answers every line with 0.

Reads a Job as JSON from its input and prints what came of it.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import anyio
import msgspec

from portal.domain.ledger import bill_issued
from portal.domain.mandate import MandateDetails
from portal.domain.zengin.record import RECORD_BYTES, Account
from portal.kit.clock import SystemClock, new_id
from portal.vault.database import Connection, connect
from portal.vault.debit import MANDATE_TABLE, SEALED_VERSION
from portal.vault.fields import Fields
from portal.vault.keys import Keys, read_root_key_file
from portal.vault.settings import VaultSettings

_BATCH: Final = 5_000
_AMOUNT: Final = 8_420
_TEXT: Final = b"\xd1" * 160
"""As long as a sealed contact of a payer; no debit opens one."""

_BILLS: Final = """
insert into bill (merchant_id, import_id, created_at, issued_at, lifecycle, settlement, message, id,
                  line, number, kind, period, contract_blind, customer_blind, check_code,
                  amount_minor, tax_minor, due_on, language, contact, billing)
select $1, $1, $2, $2, 'open', 'unpaid', 'delivered', t.id, t.no, t.no::text, 'bill', '2026-10',
       t.blind, t.blind, t.no % 1000000, $3, 0, $4, 'ja', $5, $5
from unnest($6::uuid[], $7::int[], $8::bytea[]) as t (id, no, blind)
"""
_BOOKS: Final = """
insert into ledger_transaction (merchant_id, id, cause, cause_id, at, debit_minor, entries)
select $1, t.id, $3, t.id, $2, $4, 2 from unnest($5::uuid[]) as t (id)
"""
_ENTRIES: Final = """
insert into ledger_entry (merchant_id, transaction_id, line, account, amount_minor, bill_id)
select $1, t.id, e.line, e.account, e.amount_minor, t.id
from unnest($2::uuid[]) as t (id),
     unnest($3::smallint[], $4::text[], $5::bigint[]) as e (line, account, amount_minor)
"""
_MANDATES: Final = """
insert into mandate (merchant_id, id, contract_id, customer_blind, state, details, is_new,
                     created_by, created_at, state_at)
select $1, t.id, $2, t.blind, 'active', t.details, true, 'system', $3, $3
from unnest($4::uuid[], $5::bytea[], $6::bytea[]) as t (id, blind, details)
"""
_FILE: Final = "select merchant_id, parts from debit_file where id = $1"
_LEAVES: Final = "update debit_file set state = 'sending', version = version + 1 where id = $1"
_HASTEN: Final = """
update task set next_at = now() where kind = 'debit.fetch' and subject_id = $1 returning id
"""
_PART: Final = "select sealed from file_part where file_id = $1 and part_no = $2"


class Debtors(msgspec.Struct, frozen=True, tag="debtors"):
    """So many payers of a merchant with a contract's mandates; each owes one bill by a day."""

    code: str
    contract_id: UUID
    first: int
    count: int
    due_on: date


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """A file that is approved: it leaves, and its answer is written to ``into``."""

    code: str
    file_id: UUID
    into: str


class Hasten(msgspec.Struct, frozen=True, tag="hasten"):
    """The day on which a bank's answer is looked for is now; the number of answers hastened."""

    file_id: UUID


class Job(msgspec.Struct, frozen=True):
    """What is to be done."""

    job: Debtors | Answer | Hasten


async def _run(job: Debtors | Answer | Hasten) -> int:
    settings = VaultSettings.read()
    link = await connect(settings.database_url, settings.database_password_file, "bench")
    try:
        if isinstance(job, Hasten):
            return len(await link.fetch(_HASTEN, job.file_id))
        keys = Keys(read_root_key_file(settings.root_key_file))
        merchant: UUID = await link.fetchval(
            "select merchant_id from merchant_code where code = $1", job.code
        )
        await link.execute("select set_config('harai.merchant', $1, false)", str(merchant))
        fields = await keys.fields(link, merchant, datetime.now(UTC))
        if isinstance(job, Answer):
            return await _answer(link, fields, job)
        return await _settle_in(link, fields, merchant, job)
    finally:
        await link.close()


async def _settle_in(link: Connection, fields: Fields, merchant: UUID, job: Debtors) -> int:
    now, clock = datetime.now(UTC), SystemClock()
    entries = bill_issued(merchant, _AMOUNT).entries
    sides = (
        [0, 1], [one.account for one in entries], [one.amount_minor for one in entries]
    )  # fmt: skip
    end = job.first + job.count
    for first in range(job.first, end, _BATCH):
        numbers = range(first, min(first + _BATCH, end))
        ids = [new_id(clock) for _ in numbers]
        blinds = [fields.blind("bench", str(number)) for number in numbers]
        details = [
            fields.seal(MANDATE_TABLE, "instrument", id_, SEALED_VERSION, _details(number))
            for id_, number in zip(ids, numbers, strict=True)
        ]
        await link.execute("begin")
        await link.execute(
            _BILLS, merchant, now, _AMOUNT, job.due_on, _TEXT, ids, list(numbers), blinds
        )
        await link.execute(_BOOKS, merchant, now, "bill_issued", _AMOUNT, ids)
        await link.execute(_ENTRIES, merchant, ids, *sides)
        await link.execute(_MANDATES, merchant, job.contract_id, now, ids, blinds, details)
        await link.execute("commit")
    return job.count


def _details(number: int) -> MandateDetails:
    account = Account(
        bank_code="0005", branch_code="001", kind="1", number=f"{number % 8_000_000:07d}"
    )
    return MandateDetails(
        account=account, payer_name="ﾔﾏﾀﾞ ﾊﾅｺ", bank_name="ﾐﾂﾋﾞｼUFJ", branch_name="ﾎﾝﾃﾝ",
        customer_no=str(number),
    )  # fmt: skip


async def _answer(link: Connection, fields: Fields, job: Answer) -> int:
    """Give every line its 0 (it has one already) and write the sums of what was debited."""
    row = await link.fetchrow(_FILE, job.file_id)
    parts: int = 0 if row is None else row["parts"]
    await link.execute(_LEAVES, job.file_id)
    size = 0
    async with await anyio.open_file(job.into, "wb") as file:
        for part_no in range(parts):
            sealed: bytes = await link.fetchval(_PART, job.file_id, part_no)
            body = fields.open_bytes("file_part", "document", job.file_id, part_no, sealed)
            size += await file.write(b"".join(all_debited(body)))
    await anyio.Path(job.into).chmod(0o644)
    return size


def all_debited(body: bytes) -> Iterator[bytes]:
    """The records of one part as they go back; what was asked for was all debited."""
    step = RECORD_BYTES + 2
    for at in range(0, len(body), step):
        record = body[at : at + step]
        if record.startswith(b"8"):
            whole = record[1:19]
            record = record[:1] + whole + whole + b"0" * 18 + record[55:]
        yield record


def main() -> None:
    """Read the job, do it, print how much it was."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job).job
    sys.stdout.write(f"{asyncio.run(_run(job))}\n")


if __name__ == "__main__":
    main()
