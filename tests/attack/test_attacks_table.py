"""docs/attacks.md names every attempt, and nothing else; where they must be proven, they run."""

import ast
import os
import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "attacks.md"


def test_the_table_names_every_attempt_and_nothing_else() -> None:
    files = [file for file in HERE.glob("test_*.py") if file != Path(__file__)]
    tree = [node for file in files for node in ast.parse(file.read_text()).body]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    there = [node.name for node in tree if isinstance(node, functions)]
    attempts = sorted(name for name in there if name.startswith("test_"))

    table = TABLE.read_text()
    told = sorted(re.findall(r"\| `(test_\w+)` \|", table))

    assert told == attempts
    assert {file.name for file in files} == set(re.findall(r"`(test_\w+\.py)`", table))


def test_where_attacks_must_be_proven_they_run_as_root() -> None:
    """Elsewhere those that need a uid per zone are skipped, with the reason."""
    assert os.environ.get("CI") != "true" or os.geteuid() == 0
