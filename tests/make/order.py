"""Which tests run beside each other (pytest-xdist's groups), and which of them come first."""

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
