"""For all tests: what needs root is left out, loudly, where there is none."""

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    skip = pytest.mark.skip(reason="needs root: only separate uids make this border real")
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(skip)
