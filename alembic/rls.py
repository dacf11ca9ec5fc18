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
