"""What is generated is current, and every process is told its own settings and no others."""

from pathlib import Path

import pytest

from portal.stack.docs import PAGE, data_api_page
from portal.stack.layout import Layout
from portal.stack.postgres import Postgres
from portal.stack.processes import Program
from portal.stack.programs import Programs
from portal.stack.users import separate_accounts, shared_accounts
from portal.stack.valkey import Valkey

ZONES = ("vault", "egress", "web", "work", "dmz", "sandbox")
COMMON = {"HOME", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}


def test_the_page_about_the_data_api_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_api_page(), "run `portal docs`"


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, Program]:
    layout = Layout(tmp_path, uid_base=61000)
    account = shared_accounts()
    made = Programs(
        layout,
        Postgres(tmp_path / "pg", account=account["postgres"], run_dir=Path("/run/never")),
        Valkey(tmp_path / "vk", account=account["valkey"], run_dir=Path("/run/never")),
    )
    return {name: getattr(made, name)() for name in ZONES}


def test_each_process_gets_its_own_variables_only(programs: dict[str, Program]) -> None:
    for name, program in programs.items():
        prefix = f"PORTAL_{name.upper()}_"
        foreign = {key for key in program.env if key not in COMMON and not key.startswith(prefix)}

        assert not foreign, name
        assert any(key.startswith(prefix) for key in program.env), name


def test_nobody_but_the_vault_is_told_where_the_database_is(programs: dict[str, Program]) -> None:
    for name, program in programs.items():
        told = any("postgres" in value for value in program.env.values())

        assert told == (name == "vault"), name


def test_no_process_is_pointed_at_another_zones_private_folder(
    programs: dict[str, Program],
) -> None:
    for name, program in programs.items():
        for other in ZONES:
            if other != name:
                assert not any(f"/zones/{other}" in value for value in program.env.values())


def test_only_the_listed_callers_can_enter_the_folder_of_a_socket() -> None:
    accounts = separate_accounts(61000)
    may_enter = {
        name: {caller for caller, one in accounts.items() if accounts[name].door in one.groups}
        for name in accounts
    }

    assert may_enter == {
        "vault": {"vault", "web", "work", "egress"},
        "egress": {"egress", "web", "work"},
        "web": {"web", "dmz"},
        "postgres": {"postgres", "vault"},
        "valkey": {"valkey", "work"},
        "work": set(),
        "dmz": set(),
        "sandbox": set(),
    }


def test_no_two_accounts_share_a_uid_or_a_group() -> None:
    accounts = separate_accounts(61000).values()

    assert len({account.uid for account in accounts}) == len(accounts)
    assert not {account.gid for account in accounts} & {account.door for account in accounts}
