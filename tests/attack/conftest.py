"""For attacks: one whole stack for those that need one."""

from collections.abc import Generator

import pytest

from portal.kit import log
from tests.make.intruder import Town, require_borders, running_town

log.configure("test", strict=True)


@pytest.fixture(scope="session")
def town() -> Generator[Town]:
    """One whole stack under separate uids for all attacks that need one."""
    require_borders()
    with running_town() as made:
        yield made
