# ruff: noqa: INP001  # a package of this name would shadow alembic itself
"""What migrations apply to their tables: row-level security, grants, several statements at once.

Data zone, migrations only. Imported by versions/ as ``rls`` (env.py puts this folder on the path;
the folder is no package, because it would shadow alembic itself).
"""

from alembic import op

VAULT = "harai_vault"


def script(sql: str) -> None:
    """Run several statements at once, inside the migration's transaction.

    asyncpg prepares whatever goes through SQLAlchemy, and a prepared statement is one statement;
    so this goes to the driver's own connection, after SQLAlchemy has begun its transaction.
    """
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(sql)
        return
    connection = op.get_bind()
    connection.exec_driver_sql("select 1")
    connection.connection.run_async(lambda driver: driver.execute(sql))


def protect(table: str) -> None:
    """Force row-level security: only rows of the merchant that the transaction has entered.

    The value is read once per statement (a sub-select is an init plan). Without a merchant set the
    cast fails, so a forgotten one is an error, never an empty answer.
    """
    script(f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy merchant_only on {table}
            using (merchant_id = (select current_setting('harai.merchant')::uuid))
            with check (merchant_id = (select current_setting('harai.merchant')::uuid));
    """)


def grant(table: str, *privileges: str) -> None:
    """Give the vault's role exactly these of select, insert, update and delete on a table."""
    unknown = set(privileges) - {"select", "insert", "update", "delete"}
    if unknown or not privileges:
        msg = f"no such privilege: {sorted(unknown)}"
        raise ValueError(msg)
    script(f"grant {', '.join(privileges)} on {table} to {VAULT};")


# 16 is the width of a uuid; a column's n_distinct of -1 means a value of its own in each row.
# Source: PostgreSQL 18 documentation, 9.28.12 Database Object Statistics Manipulation Functions.
_EXPECT = """
do $body$
declare
    here record;
    known name;
begin
    for here in
        select c.oid, c.relname, array_agg(a.attname order by a.attname) as key
        from pg_constraint k
        join pg_class c on c.oid = k.conrelid and c.relnamespace = 'public'::regnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.conkey)
        where k.contype = 'p'
        group by c.oid, c.relname
        having 'merchant_id' = any (array_agg(a.attname))
        order by c.relname
    loop
        execute format('alter table %I alter column merchant_id set (n_distinct = {merchants})',
                       here.relname);
        if pg_relation_size(here.oid) > 0 then
            execute format('analyze %I', here.relname);
            continue;
        end if;
        foreach known in array here.key loop
            if known = 'merchant_id' or cardinality(here.key) = 2 then
                perform pg_restore_attribute_stats(
                    'schemaname', 'public', 'relname', here.relname::text, 'attname', known::text,
                    'inherited', false, 'null_frac', 0::real, 'avg_width', 16,
                    'n_distinct',
                    (case known when 'merchant_id' then {merchants} else -1 end)::real);
            end if;
        end loop;
    end loop;
end
$body$;
"""


def expect_any_size(merchants: int = 1) -> None:
    """Plan as if one merchant's rows could be all of a table's, for every table that has merchants.

    For a migration that creates such a table, after it did; safe to repeat. ``merchants`` = 0 takes
    it back. Tables with rows are analysed, as the setting says nothing before.
    """
    script(_EXPECT.format(merchants=merchants))
