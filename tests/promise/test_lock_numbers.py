"""Advisory locks are told apart by a number: two that share one wait for each other for nothing."""

import re
from collections import defaultdict
from pathlib import Path

VAULT = Path(__file__).parents[2] / "portal/vault"
NUMBER = re.compile(r"hashtextextended\(.+, ([0-9]+)\)\)")


def test_no_two_modules_lock_by_the_same_number() -> None:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for path in VAULT.rglob("*.py"):
        for number in NUMBER.findall(path.read_text()):
            users[number].add(path.name)

    assert len(users) > 5
    assert {number: names for number, names in users.items() if len(names) > 1} == {}
