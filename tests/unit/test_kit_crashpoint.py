import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.kit.crashpoint import CRASH_POINTS, crash_point

ROOT = Path(__file__).parents[2]


def outcome(**environment: str) -> int:
    script = (
        "from portal.kit.crashpoint import crash_point\n"
        "for operation in ('a', 'b', 'a'):\n"
        "    crash_point('vault.before_commit', operation)\n"
    )
    return subprocess.run(  # noqa: S603  # the script above
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], **environment},
        check=False,
        timeout=60,
    ).returncode


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, 0),
        ({"HARAI_CRASH_POINT": "vault.after_commit"}, 0),
        ({"HARAI_CRASH_POINT": "vault.before_commit"}, 137),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "HARAI_CRASH_OPERATION": "b"}, 137),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "HARAI_CRASH_OPERATION": "c"}, 0),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "HARAI_CRASH_SKIP": "2"}, 137),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "HARAI_CRASH_SKIP": "3"}, 0),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "PORTAL_WEB_PRODUCTION": "true"}, 0),
        ({"HARAI_CRASH_POINT": "vault.before_commit", "PORTAL_WEB_PRODUCTION": "off"}, 137),
    ],
)
def test_a_process_dies_where_the_environment_says(environment: dict[str, str], code: int) -> None:
    assert outcome(**environment) == code


def test_a_point_without_a_promise_is_an_error() -> None:
    with pytest.raises(KeyError):
        crash_point("vault.somewhere")


def test_every_named_point_stands_in_the_code_and_every_point_in_the_code_is_named() -> None:
    sources = [
        place
        for folder in ("portal", "worker")
        for place in (ROOT / folder).rglob("*.py")
        if place.name != "crashpoint.py"
    ]
    used = {
        name
        for place in sources
        for name in re.findall(r'crash_point\(\s*"([^"]+)"', place.read_text(encoding="utf-8"))
    }

    assert used == set(CRASH_POINTS)
