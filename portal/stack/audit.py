"""`portal audit verify`: the audit's chain against its signed heads, running or stopped.

Stack only. While a stack runs its vault is asked; a stopped one gets its database started for the
time of the check. In production the same check runs where the vault's settings are.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import orjson

from portal.contract.client import VaultClient
from portal.contract.envelope import Nothing
from portal.contract.operator import INSPECT
from portal.kit.crypto import client_context
from portal.stack.doctor import processes_of
from portal.stack.layout import Layout
from portal.stack.postgres import VAULT
from portal.stack.up import embedded_postgres
from portal.stack.users import UID_BASE_DEFAULT
from portal.vault.audit import Verdict, read_public_key, verify
from portal.vault.database import connect
from portal.vault.settings import VaultSettings

if TYPE_CHECKING:
    from portal.vault.transaction import Db


def run_verify(state: Path, *, as_json: bool) -> int:
    """Print what was found; 0 when every sealed row is as it was sealed, else 1."""
    if "PORTAL_VAULT_DATABASE_URL" in os.environ:
        verdict = asyncio.run(_verify_production())
    elif processes_of(state):
        verdict = asyncio.run(_ask_vault(state))
    elif not (state / "layout.json").exists():
        sys.stderr.write(f"no stack was ever started in {state} (another folder: --state)\n")
        return 1
    else:
        verdict = asyncio.run(_verify_stopped(state))
    if as_json:
        found = {"ok": not verdict.faults, "rows": verdict.rows, "faults": verdict.faults}
        sys.stdout.write(orjson.dumps(found).decode() + "\n")
    else:
        word = "broken" if verdict.faults else "whole"
        sys.stdout.write(f"the audit is {word}: {verdict.rows:,} rows read\n")
        sys.stdout.writelines(f"  {fault}\n" for fault in verdict.faults)
    return int(bool(verdict.faults))


async def _ask_vault(state: Path) -> Verdict:
    """A running vault checks its own rows; one fault stands for all that it found."""
    folder = state / "keys" / "operator"
    context = client_context(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
    socket = (state / "run").readlink() / "vault" / "vault.sock"
    client = await VaultClient.connect(str(socket), context)
    try:
        seen = await client.call(INSPECT, Nothing(), timeout_s=300.0)
    finally:
        await client.close()
    faults = () if seen.audit_ok else ("rows and signed heads differ",)
    return Verdict(seen.audit_rows, 0, faults)


async def _verify_stopped(state: Path) -> Verdict:
    base = int(os.environ.get("HARAI_UID_BASE", UID_BASE_DEFAULT))
    layout = Layout(state, uid_base=base)
    layout.open()
    try:
        async with embedded_postgres(layout) as postgres:
            link = await postgres.connect(VAULT)
            try:
                key = read_public_key(layout.heads)
                return await verify(cast("Db", link), layout.heads, key)
            finally:
                await link.close()
    finally:
        layout.close()


async def _verify_production() -> Verdict:
    settings = VaultSettings.read()
    link = await connect(settings.database_url, settings.database_password_file, "harai audit")
    try:
        key = read_public_key(settings.audit_heads_dir)
        return await verify(link, settings.audit_heads_dir, key)
    finally:
        await link.close()
