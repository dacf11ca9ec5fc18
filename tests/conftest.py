"""For all tests: what needs root is left out, loudly, where there is none."""

import os

import pytest
from hypothesis import settings

# By default an example that takes 0.2 s fails its test, and is called unreliable when it is quicker
# the second time: that asserts how busy the machine is.
settings.register_profile("harai", deadline=None)
settings.load_profile("harai")


def pytest_configure() -> None:
    """Stacks of tests that run beside each other get uids of their own (16, and 100 on 16 more)."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    base = int(os.environ.get("HARAI_UID_BASE", "61000"))
    os.environ["HARAI_UID_BASE"] = str(base + 200 * int(worker))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    if os.environ.get("CI") and any(item.get_closest_marker("root") for item in items):
        pytest.exit("CI must run as root: without separate uids the attacks prove nothing", 1)
    skip = pytest.mark.skip(reason="needs root: only separate uids make this border real")
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(skip)
