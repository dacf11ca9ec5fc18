"""For all tests: a vault on a database of its own, who runs beside whom, and what needs root."""

import os
from collections.abc import AsyncGenerator, Generator

import pytest
from hypothesis import settings

from portal.vault.server import VaultServer
from tests.make.vault import ClientFor, Cluster, Ground, fresh_ground, running_cluster

# By default an example that takes 0.2 s fails its test, and is called unreliable when it is quicker
# the second time: that asserts how busy the machine is.
settings.register_profile("harai", deadline=None)
settings.load_profile("harai")


def pytest_configure() -> None:
    """Stacks of tests that run beside each other get uids of their own (16, and 100 on 16 more)."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    base = int(os.environ.get("HARAI_UID_BASE", "61000"))
    os.environ["HARAI_UID_BASE"] = str(base + 200 * int(worker))


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    with running_cluster() as started:
        yield started


@pytest.fixture
async def ground(cluster: Cluster) -> AsyncGenerator[Ground]:
    async with fresh_ground(cluster) as made:
        yield made


@pytest.fixture
async def vault(ground: Ground) -> AsyncGenerator[VaultServer]:
    async with ground.vault() as server:
        yield server


@pytest.fixture
def client_for(ground: Ground, vault: VaultServer) -> ClientFor:
    """``web = await client_for("web")``: a caller with that zone's certificate."""
    del vault
    return ground.client


def _group_of(item: pytest.Item) -> str:
    """Files stay together; so do files that share a whole stack, which takes long to start."""
    if "town" in getattr(item, "fixturenames", ()):
        return "town"
    if item.path.name in {"test_journey_ui.py", "test_cases_ui.py"}:
        return "browser"
    return "/".join(item.path.parts[-2:])


LONG = (
    "journey/test_crash_points.py",
    "ui/test_screens.py",
    "town",
    "journey/test_kills.py",
    "journey/test_stack.py",
    "browser",
)
"""What takes minutes, so that none of it comes last. The first two mostly wait, or use a browser;
each of the others starts whole stacks, so the short ones run between them."""

SHORT_BETWEEN = 12


def _is_quick(group: str) -> bool:
    return group.startswith("unit/")


def _in_order(groups: list[str]) -> list[str]:
    """The long ones first, with short ones between those that load the machine."""
    short = sorted((group for group in groups if group not in LONG), key=_is_quick)
    ordered = [*LONG[:3]]
    for long in LONG[3:]:
        ordered += [*short[:SHORT_BETWEEN], long]
        short = short[SHORT_BETWEEN:]
    return ordered + short


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    grouped: dict[str, list[pytest.Item]] = {}
    for item in items:
        group = _group_of(item)
        item.add_marker(pytest.mark.xdist_group(group))
        grouped.setdefault(group, []).append(item)
    items[:] = [item for group in _in_order([*grouped]) for item in grouped.get(group, [])]
    _leave_out_what_needs_root(items)


def _leave_out_what_needs_root(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    if os.environ.get("CI") and any(item.get_closest_marker("root") for item in items):
        pytest.exit("CI must run as root: without separate uids the attacks prove nothing", 1)
    skip = pytest.mark.skip(reason="needs root: only separate uids make this border real")
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(skip)
