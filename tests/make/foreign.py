"""Somebody else's companies, installed apart from our own packages by `make test`."""

import os
from pathlib import Path

import pytest

VENV = Path(__file__).parents[2] / ".venv"


def folder_of(mock: str, what: str) -> Path:
    """Where ``mock`` is installed. Skips where it is not, and says so; fails where all must be."""
    folder = VENV / mock
    if not (folder / ".installed").exists():
        reason = f"{what} is not there: `make test` fetches it from its registry"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
