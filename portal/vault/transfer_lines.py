"""Data zone: the lines of transfer files: chosen, written, and moved with their refunds.

A line is one transfer of one refund; its id is what the books call that transfer. Refunds move
under their bill's lock, and the file is locked before.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from portal.domain import refund as refunds
from portal.domain import transfer as rules
from portal.domain.debit import instruction_no
from portal.domain.errors import NotFound
from portal.domain.mandate import BANK_CHARACTERS_MAX
from portal.domain.refund_account import RefundAccount
from portal.domain.zengin.kana import to_kana
from portal.domain.zengin.record import TOTAL_MAX, Account
from portal.domain.zengin.transfer import TransferLine
from portal.kit.banks import banks
from portal.vault.act import Act
from portal.vault.attempt import LockedBill, lock_bills
from portal.vault.db import Db
from portal.vault.refund import Refund, read_refund, step, store_refund
from portal.vault.refund_account import account_of
from portal.vault.refund_word import must_not_go
from portal.vault.transfer import TransferFile

REFUNDS_MAX: Final = 200
"""Refunds that one step looks at: a dozen statements each, in one call's time."""

_WAITING: Final = """
select id, bill_id from refund
where merchant_id = $1 and state = 'by_bank_transfer' and ($2::uuid is null or id > $2)
order by id limit $3
"""
_COUNT: Final = """
select count(*) filter (where is_known) as count,
       coalesce(sum(amount_minor) filter (where is_known), 0)::bigint as total_minor,
       count(*) filter (where not is_known) as accountless
from (
    select r.amount_minor,
           exists (select from refund_account k
                   where k.merchant_id = $1 and k.refund_id = r.id) as is_known
    from refund r where r.merchant_id = $1 and r.state = 'by_bank_transfer'
) w
"""
_INSERT: Final = """
insert into transfer_line (merchant_id, id, file_id, line_no, refund_id, instruction_no, state,
    amount_minor)
values ($1, $2, $3, $4, $5, $6, 'in_file', $7)
"""
_IN_FILE: Final = """
select l.id, l.refund_id, r.bill_id from transfer_line l
join refund r on r.merchant_id = $1 and r.id = l.refund_id
where l.merchant_id = $1 and l.file_id = $2 and l.state = 'in_file' order by l.line_no limit $3
"""
_MOVE: Final = """
update transfer_line set state = $3 where merchant_id = $1 and id = $2 and state = $4
returning true
"""
_DUE: Final = """
select f.id from transfer_file f
where f.merchant_id = $1 and f.transfer_on <= $2
      and (f.state = any($3::text[])
           or f.state = 'accepted'
              and exists (select from transfer_line l
                          where l.merchant_id = $1 and l.file_id = f.id and l.state = 'in_file'))
order by f.id
"""
_LINE_OF: Final = """
select id, state from transfer_line where merchant_id = $1 and id = $2
"""
_DISPUTED: Final = """
select r.id, r.bill_id from transfer_line l
join refund r on r.merchant_id = $1 and r.id = l.refund_id
where l.merchant_id = $1 and l.file_id = $2
      and (exists (select from dispute d where d.merchant_id = $1 and d.bill_id = r.bill_id)
           or exists (select from attempt_share s
                      join dispute d on d.merchant_id = $1 and d.attempt_id = s.attempt_id
                      where s.merchant_id = $1 and s.bill_id = r.bill_id))
"""
"""Refunds of a file whose bill any dispute is about, decided or not: few, of however many."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a step of filling wrote; ``place``: the last refund looked at, None behind the last."""

    lines: list[TransferLine]
    place: UUID | None
    is_full: bool


async def fill_on(act: Act, file: TransferFile, lines_max: int) -> Filled:
    """Put the next refunds that wait into a locked file that is being built.

    What has no account, or is of a payment that is contested or lost, waits on.
    """
    rows = await act.db.fetch(_WAITING, act.merchant_id, file.place, REFUNDS_MAX)
    bills = await lock_bills(act, {row["bill_id"] for row in rows})
    lines: list[TransferLine] = []
    total = file.total_minor
    for row in rows:
        bill, refund = bills[row["bill_id"]], await read_refund(act, row["id"])
        if refund.state != "by_bank_transfer":
            continue  # somebody was quicker
        account = await account_of(act, refund)
        if account is None or await must_not_go(act, bill, refund):
            continue
        total += refund.amount_minor
        if file.lines + len(lines) >= lines_max or total > TOTAL_MAX:
            return Filled(lines, None, is_full=True)
        lines.append(await _write(act, file, file.lines + len(lines) + 1, bill, refund, account))
    place = rows[-1]["id"] if len(rows) == REFUNDS_MAX else None
    return Filled(lines, place, is_full=False)


async def _write(
    act: Act,
    file: TransferFile,
    line_no: int,
    bill: LockedBill,
    refund: Refund,
    account: RefundAccount,
) -> TransferLine:
    number = instruction_no(file.number_ms, line_no)
    await act.db.execute(
        _INSERT,
        act.merchant_id,
        act.new_id(),
        file.id,
        line_no,
        refund.id,
        number,
        refund.amount_minor,
    )
    edge = refunds.advance(refund.state, "file")
    await store_refund(act, await step(act, bill, refund, edge))
    bank_name, branch_name = _names(account.bank_code, account.branch_code)
    return TransferLine(
        account=Account(
            bank_code=account.bank_code,
            branch_code=account.branch_code,
            kind=account.kind,
            number=account.number,
        ),
        holder=account.holder,
        amount_minor=refund.amount_minor,
        instruction_no=number,
        bank_name=bank_name,
        branch_name=branch_name,
    )


def _names(bank_code: str, branch_code: str) -> tuple[str, str]:
    """How bank and branch are written; blank, which banks allow, where the list lost them."""
    try:
        bank, branch = banks().bank(bank_code), banks().branch(bank_code, branch_code)
    except NotFound:
        return "", ""
    cut = BANK_CHARACTERS_MAX
    return to_kana(bank.kana)[:cut].rstrip(), to_kana(branch.kana)[:cut].rstrip()


async def move_on(act: Act, file: TransferFile) -> tuple[int, bool]:
    """Book the next lines of a locked file that its bank took, or give those of a void one back.

    Returns how many, and whether there are more.
    """
    arrives = file.state == "accepted"
    rows = await act.db.fetch(_IN_FILE, act.merchant_id, file.id, REFUNDS_MAX + 1)
    # One a bill: how a bill stands is known from its lock, and again only to the next step.
    bills = await lock_bills(act, {row["bill_id"] for row in rows[:REFUNDS_MAX]})
    left = set(bills)
    for row in rows[:REFUNDS_MAX]:
        if row["bill_id"] not in left:
            continue
        left.remove(row["bill_id"])
        bill, refund = bills[row["bill_id"]], await read_refund(act, row["refund_id"])
        event = "arrive" if arrives else "release"
        edge = rules.advance_line("in_file", event)
        await act.db.fetchval(_MOVE, act.merchant_id, row["id"], edge.state, "in_file")
        if arrives:
            refund = replace(refund, transfer_id=row["id"], transferred_on=file.transfer_on)
        moved = await step(act, bill, refund, refunds.advance(refund.state, event))
        await store_refund(act, moved)
    return len(bills), len(rows) > len(bills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Refunds that wait for a file; ``accountless`` more wait for an account. Units: yen."""

    count: int
    total_minor: int
    accountless: int


async def waiting_for_file(act: Act) -> Waiting:
    """What the next file could hold: by what is known of accounts without opening any.

    Of a debit whose account a transfer surely reaches it was kept when the refund was handed over.
    """
    row = await act.db.fetchrow(_COUNT, act.merchant_id)
    return Waiting(count=0, total_minor=0, accountless=0) if row is None else Waiting(**row)


async def take_back_line(act: Act, transfer_id: UUID | None) -> None:
    """The line by which a refund was transferred came back; nothing for one recorded by hand."""
    if transfer_id is None:
        return
    row = await act.db.fetchrow(_LINE_OF, act.merchant_id, transfer_id)
    if row is not None:
        edge = rules.advance_line(row["state"], "send_back")
        await act.db.fetchval(_MOVE, act.merchant_id, transfer_id, edge.state, row["state"])


async def contested_in(act: Act, file: TransferFile) -> bool:
    """Whether money in a locked file must not go any more: its payment was contested meanwhile."""
    rows = await act.db.fetch(_DISPUTED, act.merchant_id, file.id)
    bills = await lock_bills(act, {row["bill_id"] for row in rows})
    for row in rows:
        if await must_not_go(act, bills[row["bill_id"]], await read_refund(act, row["id"])):
            return True
    return False


async def due_files(db: Db, merchant_id: UUID, today: date) -> list[UUID]:
    """Files whose day has come: not booked though their bank took them, or nobody said so yet."""
    rows = await db.fetch(_DUE, merchant_id, today, list(rules.AWAITED))
    return [row["id"] for row in rows]
