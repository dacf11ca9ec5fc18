import json
import os
import subprocess
import sys

import pytest

from portal.kit import log

_SCRIPT = """
from portal.kit import log
log.configure("web", strict={strict})
log.get_logger().info("bill.issued", bill_id="bill_1", {field})
try:
    raise ValueError("+819012345678")
except ValueError:
    log.get_logger().exception("call.broken", code="internal")
"""


def said(*, strict: bool, field: str) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(  # noqa: S603  # the script above
        [sys.executable, "-c", _SCRIPT.format(strict=strict, field=field)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
        timeout=60,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return done.returncode, lines, done.stderr


def test_an_event_is_one_json_line_with_its_process_and_time() -> None:
    code, (event, _), _ = said(strict=True, field="rows=3")

    assert code == 0
    assert event.pop("at")
    assert event == {
        "event": "bill.issued", "level": "info", "process": "web", "bill_id": "bill_1", "rows": 3,
    }  # fmt: skip


def test_a_field_that_is_not_listed_never_reaches_a_line() -> None:
    code, (event, _), everything = said(strict=False, field="phone='+819012345678'")

    assert code == 0
    assert event["dropped_fields"] == ["phone"]
    assert "+8190" not in everything


def test_in_tests_such_a_field_is_an_error() -> None:
    code, _, everything = said(strict=True, field="phone='x'")

    assert code == 1
    assert "UnlistedFieldError: phone" in everything


def test_an_exceptions_text_is_not_logged_but_its_type_and_place_are() -> None:
    _, (_, event), everything = said(strict=True, field="rows=1")

    assert event["error"] == "ValueError"
    assert event["where"] == "<string>:6"
    assert "+8190" not in everything


@pytest.mark.parametrize("name", ["phone", "email", "name", "to", "body", "secret", "number_of"])
def test_fields_that_name_people_are_not_on_the_list(name: str) -> None:
    assert name not in log.FIELDS
