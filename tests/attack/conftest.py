"""For attacks: the same real vault on a database of its own per test as in tests/zone."""

from collections.abc import AsyncGenerator, Generator

import pytest

from portal.kit import log
from portal.vault.server import VaultServer
from tests.make.intruder import Town, require_borders, running_town
from tests.make.vault import ClientFor, Cluster, Ground, fresh_ground, running_cluster

log.configure("test", strict=True)


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


@pytest.fixture(scope="session")
def town() -> Generator[Town]:
    """One whole stack under separate uids for all attacks that need one."""
    require_borders()
    with running_town() as made:
        yield made
