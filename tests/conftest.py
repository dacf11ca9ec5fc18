"""For all tests: a vault on a database of its own, who runs beside whom, and what needs root."""

import os
from collections.abc import AsyncGenerator, Generator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from portal.vault.server import VaultServer
from tests.make.order import Groups, in_order, leave_out_what_needs_root
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


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_order(items)
    leave_out_what_needs_root(items)
