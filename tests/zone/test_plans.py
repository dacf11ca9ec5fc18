"""How PostgreSQL reads for statements over many rows, however much or little it knows of a table.

A plan that reads all of a merchant's rows for each of a hundred was once made while the table was
small, kept, and took a second a slice. What is asserted here is the plan, not its time.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from portal.stack.postgres import BOOTSTRAP, MIGRATE, VAULT
from portal.vault.attempt import LIVE_OF
from portal.vault.card_charge import TAKEN
from portal.vault.change_step import BILLS as CHANGED_BILLS
from portal.vault.changes import LIVE_BILLS
from portal.vault.contact_faults import FAULTY, NOTE
from portal.vault.database import Connection, connect
from portal.vault.debit_answer import TELL
from portal.vault.debit_lines import USED
from portal.vault.debit_plain import ATTEMPTS, BOOKED, FREED, KINDS, LOCK, PLANNING, SETTLED
from portal.vault.deliveries import STORE, TELL_BILLS
from portal.vault.digital import AT_ISSUE, LOOK_SOON, LOST, SAVED_OF, UNTOLD
from portal.vault.digital_file import AGREED
from portal.vault.failed_debit import OWED as FAILED_OWED
from portal.vault.failed_file import TOLD as FAILED_TOLD
from portal.vault.hygiene import RECYCLED, SHARED
from portal.vault.ladder import END, FAILED, LOOK
from portal.vault.ladder_step import BILLS as LADDER_BILLS
from portal.vault.ladder_step import CHOICES, DUE, MOVE, PEOPLE, PLANNED, STANDING, TOLD
from portal.vault.ladder_waits import HELD_BY_STAFF, UNDER_WAY
from portal.vault.paper import IS_DIGITAL, ON_PAPER, PRINTED
from portal.vault.pause import PROMISES_PAID
from portal.vault.push import KINDS as PUSH_KINDS
from portal.vault.push import NEWEST
from portal.vault.push import NOTE as PUSH_NOTE
from portal.vault.replacement import DONE, HELD, SUCCESSORS
from portal.vault.result_file import BILLS_OF, NEXT_EVENTS
from portal.vault.result_file import PLANNING as RESULTS_PLANNING
from portal.vault.share import LEFT
from tests.make.vault import Ground

Node = dict[str, Any]

MERCHANT = "00000000-0000-0000-0000-000000000001"
STATEMENTS = {
    "deliveries": STORE,
    "bills_told": TELL_BILLS,
    "attempts": ATTEMPTS,
    "bills_settled": SETTLED,
    "promises_paid": PROMISES_PAID,
    "left": LEFT,
    "live": LIVE_OF,
    "bills_locked": LOCK,
    "debits_by_kind": KINDS,
    "debits_booked": BOOKED,
    "debits_freed": FREED,
    "debits_told": TELL,
    "failed_told": FAILED_TOLD,
    "failed_owed": FAILED_OWED,
    "mandates_used": USED,
    "charges_taken": TAKEN,
    "ladders_due": DUE,
    "ladders_bills": LADDER_BILLS,
    "ladders_standing": STANDING,
    "ladders_told": TOLD,
    "ladders_choices": CHOICES,
    "ladders_people": PEOPLE,
    "ladders_faults": FAULTY,
    "paper_standing": ON_PAPER,
    "paper_digital": IS_DIGITAL,
    "paper_printed": PRINTED,
    "digital_issued": AT_ISSUE,
    "digital_looked": LOOK_SOON,
    "digital_saved": SAVED_OF,
    "digital_lost": LOST,
    "digital_untold": UNTOLD,
    "digital_agreed": AGREED,
    "hygiene_recycled": RECYCLED,
    "hygiene_shared": SHARED,
    "ladders_held": HELD_BY_STAFF,
    "ladders_under_way": UNDER_WAY,
    "ladders_moved": MOVE,
    "ladders_planned": PLANNED,
    "ladders_ended": END,
    "ladders_looked": LOOK,
    "ladders_failed": FAILED,
    "faults_noted": NOTE,
    "pushed_by_kind": PUSH_KINDS,
    "pushed_to": NEWEST,
    "pushed_noted": PUSH_NOTE,
    "results_bills": BILLS_OF,
    "changes_locked": CHANGED_BILLS,
    "changes_live": LIVE_BILLS,
    "changes_held": HELD,
    "changes_successors": SUCCESSORS,
    "changes_done": DONE,
}

BY_KEY = re.compile(
    r"\b(new_)?(bill_|attempt_)?id = |\b(line|record)_no = |\bnext_at <= "
    r"|\b(contact|phone_blind|blind|contract_blind|customer_blind) = "
    r"|\bmerchant_id = \$1\) AND \(provider = s\.kind\)"
)
"""What finds few rows: a key, a person's contact, the moment of what is due, or the one app that a
merchant has of a kind."""

DELIVERIES = f"""
insert into delivery (merchant_id, id, bill_id, chunk_id, campaign, step, channel, provider, state,
                      created_at, changed_at)
select '{MERCHANT}', md5(n::text)::uuid, md5('b' || n)::uuid, md5('c' || n / 1000)::uuid,
       'first', 0, 'sms', 'sandbox_sms', 'planned', now(), now()
from generate_series($1::int, $2::int) n
"""  # noqa: S608 - a constant of this module
BILLS = f"""
insert into bill (merchant_id, import_id, created_at, lifecycle, settlement, message, currency, id,
                  line, number, kind, period, contract_blind, customer_blind, check_code,
                  amount_minor, tax_minor, due_on, language, contact, billing)
select '{MERCHANT}', md5('i')::uuid, now(), 'open', 'unpaid', 'planned', 'JPY',
       md5('b' || n)::uuid, n, n::text, 'bill', '2026-10', sha256(n::text::bytea),
       sha256(n::text::bytea), 7, 100, 10, '2026-12-25', 'ja', '', ''
from generate_series($1::int, $2::int) n
"""  # noqa: S608 - a constant of this module


async def plan_of(link: Connection, statement: str) -> Node:
    """The plan that is kept for a statement, made now."""
    values = max(int(number) for number in re.findall(r"\$(\d+)", statement))
    await link.execute(f"prepare asked as {statement}")
    said = await link.fetchval(
        f"explain (format json) execute asked ({', '.join(['null'] * values)})"
    )
    await link.execute("deallocate asked")
    return json.loads(said)[0]["Plan"]


def nodes(plan: Node) -> Iterator[Node]:
    """A plan's nodes, all of them."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def wide_reads(plan: Node) -> list[str]:
    """What reads a table otherwise than by a row's key."""
    return [
        f"{node['Node Type']} on {node.get('Index Name') or node['Relation Name']}:"
        f" {node.get('Index Cond', 'all')}"
        for node in nodes(plan)
        if "Scan" in node["Node Type"]
        and ("Index Name" in node or node["Node Type"] == "Seq Scan")
        and not BY_KEY.search(node.get("Index Cond", ""))
    ]


@pytest.mark.parametrize("rows", [0, 500, 3_000, 10_000])
async def test_rows_are_found_by_their_key_before_the_first_analyze(
    ground: Ground, rows: int
) -> None:
    admin = await ground.cluster.postgres.connect(BOOTSTRAP, ground.database)
    try:
        await admin.execute("set session_replication_role = replica")  # no foreign keys
        for statement in (DELIVERIES, BILLS):
            await admin.execute(statement, 1, rows)
    finally:
        await admin.close()
    dsn = ground.cluster.postgres.dsn(VAULT, ground.database)
    link = await connect(dsn, ground.cluster.password_file(VAULT), "test")
    try:
        await link.execute("set plan_cache_mode = force_generic_plan")
        await link.execute("select set_config('harai.merchant', $1, false)", MERCHANT)
        found = {name: wide_reads(await plan_of(link, each)) for name, each in STATEMENTS.items()}
        await link.execute(PLANNING.replace("$1, true", "'off', false"))
        joined = [node["Node Type"] for node in nodes(await plan_of(link, KINDS))]
        await link.execute(RESULTS_PLANNING.replace("true", "false"))
        walked = [node["Node Type"] for node in nodes(await plan_of(link, NEXT_EVENTS))]
    finally:
        await link.close()
    assert found == {name: [] for name in STATEMENTS}
    assert "Nested Loop" not in joined
    assert {"Hash Join", "Merge Join"} & set(joined)
    assert "Index Scan" in walked
    assert not {"Sort", "Seq Scan", "Bitmap Heap Scan"} & set(walked)


async def test_every_table_with_merchants_expects_one_to_own_all_of_it(ground: Ground) -> None:
    dsn = ground.cluster.postgres.dsn(MIGRATE, ground.database)
    link = await connect(dsn, ground.cluster.password_file(MIGRATE), "test")
    try:
        missing = await link.fetch(
            "select c.relname from pg_constraint k join pg_class c on c.oid = k.conrelid"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.conkey)"
            " where k.contype = 'p' and a.attname = 'merchant_id'"
            " and a.attoptions is distinct from array['n_distinct=1'] order by 1"
        )
    finally:
        await link.close()
    assert [row["relname"] for row in missing] == []
