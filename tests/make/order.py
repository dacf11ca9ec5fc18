"""Which tests run beside each other (pytest-xdist's groups), and which of them come first."""

import os

import pytest


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


def _ordered(groups: list[str]) -> list[str]:
    """The long ones first, with short ones between those that load the machine."""
    short = sorted((group for group in groups if group not in LONG), key=_is_quick)
    ordered = [*LONG[:3]]
    for long in LONG[3:]:
        ordered += [*short[:SHORT_BETWEEN], long]
        short = short[SHORT_BETWEEN:]
    return ordered + short


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """All items, marked with their group, in the order in which groups are to begin."""
    grouped: dict[str, list[pytest.Item]] = {}
    for item in items:
        group = _group_of(item)
        item.add_marker(pytest.mark.xdist_group(group))
        grouped.setdefault(group, []).append(item)
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
