"""Which tests stay together when some run at once, and which of them come first."""

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling


def group_of(file: str) -> str:
    """Files stay together; so do files that share a whole stack, which takes long to start."""
    place = "/".join(Path(file).parts[-2:])
    if place.startswith("attack/test_stack_attacks_"):
        return "town"
    if place in {"ui/test_journey_ui.py", "ui/test_cases_ui.py"}:
        return "browser"
    return place


class Groups(LoadScopeScheduling):
    """Hands out whole groups. (xdist's own marks for that don't reach pytest 9.2's node ids.)"""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])


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


def _ordered(groups: list[str]) -> list[str]:
    """The long ones first, with short ones between those that load the machine."""
    short = sorted((group for group in groups if group not in LONG), key=_is_quick)
    ordered = [*LONG[:3]]
    for long in LONG[3:]:
        ordered += [*short[:SHORT_BETWEEN], long]
        short = short[SHORT_BETWEEN:]
    return ordered + short


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """All items in the order in which their groups are to begin."""
    grouped: dict[str, list[pytest.Item]] = {}
    for item in items:
        grouped.setdefault(group_of(str(item.path)), []).append(item)
    return [item for group in _ordered([*grouped]) for item in grouped.get(group, [])]


def leave_out_what_needs_root(items: list[pytest.Item]) -> None:
    """Skip what only separate uids make real; in CI that would be no test, so it ends there."""
    if os.geteuid() == 0:
        return
    if os.environ.get("CI") and any(item.get_closest_marker("root") for item in items):
        pytest.exit("CI must run as root: without separate uids the attacks prove nothing", 1)
    skip = pytest.mark.skip(reason="needs root: only separate uids make this border real")
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(skip)
