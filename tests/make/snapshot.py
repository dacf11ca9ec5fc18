"""``python -m tests.make.snapshot``: write alembic/schema.sql anew after a migration changed."""

import asyncio
import sys

from portal.stack.postgres import MIGRATE, wheel_binaries
from portal.vault.migrate import SNAPSHOT, dump_schema
from tests.make.vault import running_cluster


def main() -> None:
    """Migrate an empty database and keep what pg_dump says of it."""
    with running_cluster() as cluster:
        pg_dump = wheel_binaries() / "bin" / "pg_dump"
        dsn = cluster.postgres.dsn(MIGRATE)
        dumped = asyncio.run(dump_schema(pg_dump, dsn, cluster.password_file(MIGRATE)))
    SNAPSHOT.write_text(dumped, encoding="utf-8")
    sys.stdout.write(f"{SNAPSHOT}: {dumped.count('CREATE TABLE')} tables\n")


if __name__ == "__main__":
    main()
